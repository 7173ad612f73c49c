//! A language that nobody speaks: each text is accented and in brackets, so that a text which is
//! not from a table stands out.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    language::Words,
    mailer::Mail,
    provider::{Link, OneTimeCode},
    rejection::{Left, Rejection, RejectionKind},
};

/// Returns the English words, accented and in brackets.
pub(crate) fn pseudo() -> Words {
    let lines = Words::TABLE
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((name, text)) if !line.starts_with('#') && name != "direction" => {
                format!("{name} = ⟦{}⟧\n", accented(text))
            }
            _ => format!("{line}\n"),
        });
    Words::new("en-XA", lines.collect::<String>()).unwrap()
}

fn accented(text: &str) -> String {
    let mut in_place = false;
    let accent = |c: char| {
        in_place = (in_place || c == '{') && c != '}';
        match c {
            'a' if !in_place => 'á',
            'e' if !in_place => 'é',
            'i' if !in_place => 'í',
            'o' if !in_place => 'ö',
            'u' if !in_place => 'ü',
            c => c,
        }
    };
    text.chars().map(accent).collect()
}

/// Returns what is left of a text without what is in brackets: what no table has.
pub(crate) fn outside(text: &str) -> String {
    let mut depth = 0_u32;
    let mut left = String::new();
    for c in text.chars() {
        match c {
            '⟦' => depth += 1,
            '⟧' => depth -= 1,
            c if depth == 0 => left.push(c),
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{text}");
    left
}

/// Returns the texts between the tags of a document.
pub(crate) fn between_tags(html: &str) -> String {
    let mut text = html.to_owned();
    for element in ["style", "script"] {
        while let Some((before, rest)) = text.split_once(&format!("<{element}")) {
            let (_, behind) = rest.split_once(&format!("</{element}>")).unwrap();
            text = [before, behind].join(" ");
        }
    }
    let mut in_tag = false;
    text.retain(|c| {
        let was_in_tag = in_tag;
        in_tag = (in_tag || c == '<') && c != '>';
        !was_in_tag && !in_tag
    });
    text
}

fn assert_from_table(name: &str, text: &str) {
    let left = outside(text);
    assert!(
        !left.contains(char::is_alphabetic),
        "{name}: {left:?} in {text}"
    );
}

#[test]
fn every_mail_has_its_words_from_the_table() {
    let words = pseudo();
    let to = "1@2.example".parse().unwrap();
    let (link, code) = (Link::new("0"), OneTimeCode::new("123456"));
    let bare = Mail::new(&to, Timestamp::from_secs(0)).with_words(&words);
    let with_link = bare.clone().with_link(&link, Duration::from_secs(5_400));
    let with_code = bare.with_code(&code, Duration::from_secs(600));
    let both = with_link.clone().with_code(&code, Duration::from_secs(600));
    for (name, mail) in [("link", with_link), ("code", with_code), ("both", both)] {
        for mail in [mail.clone(), mail.with_application("#")] {
            assert_from_table(name, &mail.subject());
            assert_from_table(name, &mail.text());
            assert_from_table(name, &between_tags(&mail.html()));
            assert!(mail.html().contains("<html lang=\"en-XA\">"));
        }
    }
}

#[test]
fn what_one_refusal_alone_says_is_from_the_table() {
    let words = pseudo();
    let refused = || Rejection::new(RejectionKind::OrganizationNotAllowed);
    let of = |left| refused().with_organization("#".to_owned(), left);
    let steps = [
        "account_selection_required",
        "application_consent_required",
        "auth_method_disabled",
        "email_completion_required",
        "email_verification_required",
        "mfa_enrollment",
        "organization_selection_required",
        "passkey_progressive_enrollment",
        "phone_number_required",
        "radar_challenge",
        "sso_required",
    ];
    let steps =
        steps.map(|step| Rejection::new(RejectionKind::StepUpRequired).with_step(Some(step)));
    let organizations = [of(Left::Others), of(Left::Nothing), of(Left::Spent)];
    for rejection in steps.into_iter().chain(organizations) {
        let happened = rejection.happened(&words).unwrap();
        assert!(happened.starts_with('⟦'), "{happened}");
        assert_from_table("happened", &happened);
        if let Some(advice) = rejection.advice(&words) {
            assert!(advice.starts_with('⟦'), "{advice}");
            assert_from_table("advice", advice);
        }
    }
    let lost = Rejection::new(RejectionKind::CookiesBlocked).with_cookie("#", "1");
    assert_from_table("detail", &lost.detail(&words).unwrap());
}
