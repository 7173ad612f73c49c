//! The page behind the form: the codes that are typed, and new mail.

use super::*;
use crate::language::held;

#[test]
fn the_check_page_shows_the_code_and_resends_without_typing() {
    let page = CheckPage::new("/auth/login", Duration::from_secs(5_400))
        .with_email("ada@example.com")
        .with_match_code("BKQ-TMR")
        .with_resend(Resend::new("/auth/login?x", "ada@example.com"));
    let html = DefaultPages::new().render(&Page::Check(page));
    assert_eq!(between(&html, " id=\"match-code\">", "<"), "BKQ-TMR");
    assert!(html.contains("within 1&#160;hour and 30&#160;minutes"));
    let form = between(
        &html,
        "<form method=\"post\" action=\"/auth/login?x\" autocomplete=\"off\">",
        "</form>",
    );
    assert!(form.contains("<input type=\"hidden\" name=\"email\" value=\"ada@example.com\">"));
    assert!(form.contains(">Send a new link</button>"));
    assert!(html.contains("<a href=\"/auth/login\">Use another address</a>"));
}

#[test]
fn a_browser_that_did_not_begin_the_sign_in_is_told_no_address_and_no_code() {
    let page = CheckPage::new("/auth/login", Duration::from_secs(900)).with_match_code("BKQ-TMR");
    let html = DefaultPages::new().render(&Page::Check(page));
    assert!(html.contains("began in another browser"));
    assert!(!html.contains("BKQ-TMR") && !html.contains("<form"));
    assert!(html.contains("href=\"/auth/login\""));
    // Nobody takes it for the page on which to wait.
    assert!(html.contains("<title>Continue where you began</title>"));
    assert!(html.contains(" autofocus>Continue where you began</h1>"));
}

#[test]
fn a_mailed_code_has_the_first_field_and_keyboards_know_it() {
    let page = CheckPage::new("/auth/login", Duration::from_secs(900))
        .with_email("ada@example.com")
        .with_match_code("BKQ-TMR")
        .with_sent(Sent::LinkAndCode)
        .with_resend(Resend::new("/auth/login", "ada@example.com"));
    let minutes = |minutes: u64| {
        CodeEntry::new("/auth/code?t=x").with_lifetime(Duration::from_secs(60 * minutes))
    };
    let html = DefaultPages::new().render(&Page::Check(page.clone().with_code_entry(minutes(10))));
    let form = between(&html, "<form method=\"post\" ", "</form>");
    assert!(form.starts_with("action=\"/auth/code?t=x\">"), "{form}");
    let field = between(form, "<input ", ">");
    for attribute in [
        "name=\"code\"",
        "inputmode=\"numeric\"",
        "autocomplete=\"one-time-code\"",
        // All but letters: full-width digits and pasted dashes are sent, and read as digits.
        "pattern=\"\\P{L}*\"",
        "translate=\"no\"",
        "required",
        "autofocus",
    ] {
        assert!(field.contains(attribute), "{attribute} in {field}");
    }
    // A screen reader starts in the field, and reads out what was sent where.
    assert!(field.contains(" aria-describedby=\"sent\""), "{field}");
    assert!(html.contains("<p id=\"sent\">"));
    assert!(html.find("id=\"code\"") < html.find("id=\"match-code\""));
    assert!(html.contains("the link works for 15&#160;minutes, the code for 10&#160;minutes."));
    let html = DefaultPages::new().render(&Page::Check(page.with_code_entry(minutes(15))));
    assert!(html.contains("Use either one, within 15&#160;minutes."));
}

#[test]
fn a_problem_with_a_code_is_told_beside_its_field() {
    for problem in PROBLEMS {
        let entry = CodeEntry::new("/auth/code").with_problem(problem);
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_code_entry(entry);
        let cases = [
            (
                Page::Check(check),
                "Check the code",
                told::code_problem(problem),
            ),
            (
                Page::Match(MatchPage::new(entry, "a•••@example.com", "/")),
                "Check the letters",
                told::letters_problem(problem),
            ),
        ];
        for (page, title, sentence) in cases {
            let html = DefaultPages::new().render(&page);
            assert!(
                between(&html, "<title>", "</title>").starts_with(title),
                "{problem:?}"
            );
            let sentence = Words::english().say(sentence).to_owned();
            assert_eq!(between(&html, "role=\"alert\">", "</p>"), sentence);
            let field = between(&html, "<input id=\"code\"", ">");
            assert!(
                field.contains("aria-invalid=\"true\" aria-describedby=\"problem"),
                "{field}"
            );
        }
    }
}

#[test]
fn each_way_of_cross_device_is_told_in_a_sentence_of_its_own() {
    let page = CheckPage::new("/", Duration::from_secs(900)).with_email("ada@example.com");
    let cases = [
        (
            CrossDevice::Confirm,
            "it asks whether to sign you in there.",
        ),
        (CrossDevice::MatchCode, "it asks for these letters:"),
        (CrossDevice::Refuse, "it won’t sign you in anywhere else."),
    ];
    for (others, sentence) in cases {
        for sent in SENT {
            let code = Some("BKQ-TMR").filter(|_| others == CrossDevice::MatchCode);
            let page = page
                .clone()
                .with_sent(sent)
                .with_cross_device(others)
                .with_match_code(code);
            let html = DefaultPages::new().render(&Page::Check(page));
            for (_, other) in cases {
                let is_told = other == sentence && sent != Sent::Code;
                assert_eq!(
                    html.contains(other),
                    is_told,
                    "{others:?}, {sent:?}: {other}"
                );
            }
        }
    }
}

#[test]
fn a_new_mail_is_asked_for_with_its_attempt_and_after_its_wait() {
    for (name, resend) in resends("x\"y") {
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_resend(resend);
        let trouble = TroublePage::new(RejectionKind::LinkExpired).with_resend(resend);
        for page in [Page::Check(check), Page::Trouble(trouble)] {
            let html = DefaultPages::new().render(&page);
            let has_attempt = resend.is_some_and(|resend| resend.attempt().is_some());
            let attempt = "<input type=\"hidden\" name=\"t\" value=\"x&#34;y\">";
            assert_eq!(html.contains(attempt), has_attempt, "{name}");
            let has_wait = resend.is_some_and(|resend| resend.wait().is_some());
            let wait =
                "data-seconds=\"23\">You can ask for a new one in <span>23&#160;seconds</span>.";
            assert_eq!(html.contains(wait), has_wait, "{name}");
            assert!(
                !html.contains(" disabled"),
                "{name}: without a script it can be pressed"
            );
        }
    }
    let over = Resend::new("/", "ada@example.com").with_wait(Duration::ZERO);
    let page = TroublePage::new(RejectionKind::LinkExpired).with_resend(over);
    let html = DefaultPages::new().render(&Page::Trouble(page));
    assert!(!html.contains("You can ask") && !html.contains(WAIT));
}

/// The script replaces the one span of the sentence that holds no word together.
#[test]
fn in_each_language_the_countdown_has_a_span_of_its_own() {
    let wait = Duration::from_secs(90);
    let resend = Resend::new("/", "ada@example.com").with_wait(wait);
    let selector = "wait.querySelector(\"span:not(.whole)\")";
    assert!(WAIT.contains(selector), "{WAIT}");
    for words in Words::all() {
        let page = TroublePage::new(RejectionKind::LinkExpired).with_resend(resend);
        let page = Page::Trouble(page).with_words(&words);
        let html = DefaultPages::new().render(&page);
        let told = between(&html, "data-seconds=\"90\">", "</p>");
        let time = format!("<span>{}</span>", held(&words.wait(wait)));
        assert_eq!(told.matches(&time).count(), 1, "{words:?}: {told}");
        assert_eq!(told.matches("<span>").count(), 1, "{words:?}: {told}");
    }
}
