//! What settings do beside what a builder has already, and beside one another.

use super::{
    places::{Case, read},
    *,
};

/// Pins: the order of the table decided, and the weaker setting held without a word.
#[test]
fn a_switch_beside_a_setting_that_it_takes_back_is_refused() {
    let cases: [Case; 5] = [
        (
            "no_store = true\ninsecure_no_cache_control = true",
            &[],
            &[],
            "settings.toml: insecure_no_cache_control and no_store are both set: remove one of them",
        ),
        (
            "no_store = true",
            &[("MAGIC_LINK_INSECURE_NO_CACHE_CONTROL", "true")],
            &[],
            "variable MAGIC_LINK_INSECURE_NO_CACHE_CONTROL and no_store are both set",
        ),
        (
            "answer_after = \"2s\"",
            &[],
            &["--insecure-answer-when-sent"],
            "flag --insecure-answer-when-sent and answer_after are both set: remove one of them",
        ),
        // The default, too: it asks for the time that the switch gives up.
        (
            "answer_after = \"1s\"\ninsecure_answer_when_sent = true",
            &[],
            &[],
            "settings.toml: insecure_answer_when_sent and answer_after are both set",
        ),
        (
            "insecure_no_throttle = true",
            &[],
            &["--limit-codes=7/11s"],
            "settings.toml: insecure_no_throttle and limit_codes are both set: remove one of them",
        ),
    ];
    for (text, pairs, flags, want) in cases {
        let settings = read(text, pairs, flags).unwrap();
        let error = settings.apply(builder()).unwrap_err();
        assert!(error.to_string().contains(want), "{text}: {error}");
        let key = error.key().unwrap();
        assert!(key.starts_with("insecure_"), "{key}");
    }
}

#[test]
fn each_limit_is_refused_where_the_limits_are_off() {
    let limits = KEYS
        .iter()
        .filter(|key| matches!(key.use_, Use::Limit(_)))
        .map(|key| key.name);
    let mut tried = 0;
    for name in limits {
        let flag = format!("--{}=7/11s", name.replace('_', "-"));
        let settings = read("", &[], &["--insecure-no-throttle", &flag]).unwrap();
        let error = settings.apply(builder()).unwrap_err().to_string();
        let want = format!("flag --insecure-no-throttle and {name} are both set");
        assert!(error.starts_with(&want), "{error}");
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn a_switch_that_is_off_excludes_nothing() {
    let cases = [
        "no_store = true\ninsecure_no_cache_control = false",
        "no_store = false\ninsecure_no_cache_control = true",
        "answer_after = \"2s\"\ninsecure_answer_when_sent = false",
        "limit_mails = \"7/11s\"\ninsecure_no_throttle = false",
    ];
    for text in cases {
        let settings = read(text, &[], &[]).unwrap();
        assert!(settings.apply(builder()).is_ok(), "{text}");
    }
}

/// Pins: one `limit_…` set all others of the builder back to their defaults.
#[test]
fn a_limit_leaves_the_builders_other_limits_as_they_are() {
    let rate = Rate::new(7, Duration::from_secs(11));
    let office = Rate::new(300, Duration::from_millis(500));
    let own = Limits::default().mails_per_network(office).codes(office);
    let applied = |builder: Builder, flags: &[&str]| {
        let settings = read("", &[], flags).unwrap();
        settings.apply(builder).unwrap().in_full()
    };
    let one = ["--limit-mails=7/11s"];
    let two = ["--limit-mails=7/11s", "--limit-codes=7/11s"];
    let mount = ["--mount=/account"];
    let off = || builder().insecure_no_throttle();
    let cases = [
        (
            "one of the builder's own",
            applied(builder().limits(own), &one),
            builder().limits(own.mails(rate)),
        ),
        (
            "two, of which the builder has set one",
            applied(builder().limits(own), &two),
            builder().limits(own.mails(rate).codes(rate)),
        ),
        (
            "none",
            applied(builder().limits(own), &mount),
            builder().limits(own).mount("/account"),
        ),
        (
            "one where they are off",
            applied(off(), &one),
            builder().limits(Limits::default().mails(rate)),
        ),
        (
            "none where they are off",
            applied(off(), &mount),
            off().mount("/account"),
        ),
    ];
    for (name, got, want) in cases {
        assert_eq!(got, want.in_full(), "{name}");
    }
}
