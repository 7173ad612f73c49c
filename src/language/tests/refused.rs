//! Tables that are refused, with what is wrong.

use std::time::Duration;

use proptest::prelude::*;

use crate::{
    error::ConfigError,
    language::{Text, Words, table},
};

#[test]
fn a_bad_table_is_refused_with_what_is_wrong() {
    let changed = |from: &str, to: &str| {
        let table = Words::TABLE.replace(from, to);
        assert_ne!(table, Words::TABLE, "{from}");
        Words::new("en-GB", table)
    };
    let cases = [
        (
            "\nlogin.heading = Sign in",
            "",
            "login.heading",
            "is missing",
        ),
        (
            "login.heading = Sign in",
            "login.heading =",
            "login.heading = ",
            "is empty",
        ),
        (
            "again.wait = You can ask for a new one in {time}.",
            "again.wait = Later.",
            "Later.",
            "lacks {time}",
        ),
        (
            "login.heading = Sign in",
            "login.heading = {email}",
            "{email}",
            "not filled in: {email}",
        ),
        // Pinned: a URL and an address in one line were taken for a login, and not shown.
        (
            "login.heading = Sign in",
            "login.heading = See https://acme.example or help@acme.example {email}",
            "See https://acme.example or help@acme.example",
            "not filled in: {email}",
        ),
        (
            "login.heading = Sign in",
            "login.heding = Sign in",
            "login.heding",
            "the name of no text",
        ),
        (
            "login.heading = Sign in",
            "login.heading = Sign in\nlogin.heading = x",
            "= x",
            "is there twice",
        ),
        (
            "login.heading = Sign in",
            "login.heading = Sign {in",
            "{in",
            "without a name and a }",
        ),
        (
            "login.heading = Sign in",
            "login.heading = Sign in}",
            "in}",
            "without its {",
        ),
        (
            "login.heading = Sign in",
            "login.heading",
            "login.heading",
            "is not a line",
        ),
        (
            "login.heading = ",
            "login.heading[one] = ",
            "[one]",
            "has no plural forms",
        ),
        ("direction = ltr", "direction = down", "down", "ltr or rtl"),
        ("direction = ltr", "", "direction", "is missing"),
        (
            "time.hours[one]",
            "time.hours[two]",
            "[two]",
            "plural form that en-GB has not",
        ),
        (
            "time.hours[one]",
            "time.hours[all]",
            "[all]",
            "plural form that en-GB has not",
        ),
        (
            "time.hours[one]",
            "time.hours",
            "time.hours",
            "needs a plural form",
        ),
        (
            "time.hours[one] = {count} hour\n",
            "",
            "time.hours[one]",
            "is missing",
        ),
        (
            "time.hours[other] = {count} hours",
            "time.hours[other] = hours",
            "= hours",
            "lacks {count}",
        ),
        (
            "trouble.link_used.advice = ",
            "trouble.link_used.advise = ",
            "advise",
            "no text",
        ),
        (
            "Get a new code",
            "Get a\u{7}new code",
            "Get a",
            "control character",
        ),
    ];
    for (from, to, value, problem) in cases {
        let error = changed(from, to).unwrap_err();
        let ConfigError::Invalid {
            value: shown,
            problem: told,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert!(shown.contains(value), "{from} to {to}: {error}");
        assert!(told.contains(problem), "{from} to {to}: {error}");
        assert_eq!(error.setting(), "words");
    }
    for tag in [
        "",
        "e",
        "en_",
        "x-private",
        "not a tag",
        "../../etc",
        "und",
        "en-\u{e9}",
    ] {
        assert!(Words::new(tag, Words::TABLE).is_err(), "{tag:?}");
    }
    for tag in ["nl", "pt-BR", "zh-Hant-TW", "de-1996", "es-419"] {
        let error = Words::new(tag, "x").unwrap_err();
        assert!(
            error.to_string().contains("is not a line"),
            "{tag}: {error}"
        );
    }
}

#[test]
fn one_text_is_said_in_other_words() {
    let words = Words::arabic()
        .with("time.minutes[two]", "{count} دقيقة")
        .unwrap();
    assert_eq!(words.lifetime(Duration::from_secs(120)), "2 دقيقة");
    assert_eq!(
        Words::arabic().lifetime(Duration::from_secs(120)),
        "دقيقتين"
    );
    let words = Words::english().with("login.heading", "a {{b}} c").unwrap();
    assert_eq!(words.say(Text::LoginHeading), "a {b} c");
    assert!(Words::english().with("direction", "rtl").is_err());
}

proptest! {
    #[test]
    fn any_table_is_taken_or_refused_without_a_panic(
        tag in "\\PC{0,12}",
        lines in proptest::collection::vec("(login.heading|time.hours|x)?(\\[one\\])? ?=? ?\\PC{0,20}", 0..8),
    ) {
        let _ = table::parse(&tag, &lines.join("\n"));
        let _ = Words::new("ar", [Words::TABLE, &lines.join("\n")].concat());
    }
}
