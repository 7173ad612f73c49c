//! The form that asks for an address.

use super::*;

#[test]
fn the_login_form_posts_one_address_field() {
    let page = LoginPage::new("/auth/login?return_to=%2Fa&b=c").with_email("ada@example.com");
    let html = DefaultPages::new().render(&Page::Login(page));
    assert!(html.contains("<title>Sign in</title>"));
    assert!(html.contains("<form method=\"post\" action=\"/auth/login?return_to=%2Fa&#38;b=c\">"));
    assert_eq!(html.matches(" name=\"email\"").count(), 1);
    let field = between(&html, "<input ", ">");
    for attribute in [
        "type=\"email\"",
        "autocomplete=\"email\"",
        "autocapitalize=\"none\"",
        "spellcheck=\"false\"",
        "maxlength=\"254\"",
        "required",
        "autofocus",
        "value=\"ada@example.com\"",
    ] {
        assert!(field.contains(attribute), "{attribute} in {field}");
    }
    assert!(!field.contains("aria-invalid"), "{field}");
}

#[test]
fn a_problem_is_told_beside_the_field_and_in_the_title() {
    for problem in [
        LoginProblem::InvalidAddress,
        LoginProblem::InvisibleCharacter,
        LoginProblem::MissingAddress,
    ] {
        let page = LoginPage::new("/auth/login").with_problem(problem);
        let html = DefaultPages::new().render(&Page::Login(page));
        assert!(html.contains("<title>Check the address – sign in</title>"));
        assert_eq!(
            between(&html, "role=\"alert\">", "</p>"),
            Words::english().say(told::address_problem(problem))
        );
        let field = between(&html, "<input ", ">");
        assert!(
            field.contains("aria-invalid=\"true\" aria-describedby=\"problem\""),
            "{field}"
        );
    }
}

#[test]
fn a_field_in_which_the_page_begins_says_that_the_way_back_is_lost() {
    let page = LoginPage::new("/auth/login").with_way_back(WayBack::TooLong);
    let cases = [
        (
            page.clone(),
            "required autofocus aria-describedby=\"way-back\"",
        ),
        (
            page.with_problem(LoginProblem::MissingAddress),
            "aria-describedby=\"problem way-back\"",
        ),
    ];
    for (page, want) in cases {
        let html = DefaultPages::new().render(&Page::Login(page));
        let field = between(&html, "<input ", ">");
        assert!(field.contains(want), "{want} in {field}");
        assert!(html.contains("<p id=\"way-back\">"));
    }
}

#[test]
fn the_pages_own_application_name_goes_before_the_general_one() {
    let pages = DefaultPages::new().application_name("General");
    let page = LoginPage::new("/auth/login");
    let html = pages.render(&Page::Login(page.clone().with_application("Own")));
    assert!(html.contains("· Own</title>") && !html.contains("General"));
    assert!(
        pages
            .render(&Page::Login(page))
            .contains("· General</title>")
    );
}

#[test]
fn the_forms_promise_what_will_be_mailed() {
    let cases = [
        (
            Sent::Code,
            "a code to sign in with",
            ">Email me a code<",
            ">Send a new code<",
        ),
        (
            Sent::Link,
            "a link that signs you in",
            ">Email me a link<",
            ">Send a new link<",
        ),
        (
            Sent::LinkAndCode,
            "a link and a code",
            ">Email me<",
            ">Send a new email<",
        ),
    ];
    let pages = DefaultPages::new();
    for (sent, promise, begin, again) in cases {
        let html = pages.render(&Page::Login(LoginPage::new("/").with_sent(sent)));
        assert!(
            html.contains(promise) && html.contains(begin),
            "{sent:?}: {html}"
        );
        let resend = Resend::new("/", "ada@example.com").with_sent(sent);
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_sent(sent)
            .with_resend(resend);
        let trouble = TroublePage::new(RejectionKind::AttemptExpired).with_resend(resend);
        for page in [Page::Check(check), Page::Trouble(trouble)] {
            assert!(pages.render(&page).contains(again), "{sent:?}");
        }
    }
}
