//! The page that says why something failed.

use super::*;
use crate::language::held;

#[test]
fn a_trouble_has_one_button() {
    let resend = Resend::new("/auth/login?x", "ada@example.com");
    let bare = TroublePage::new(RejectionKind::LinkUsed);
    let cases = [
        ("bare", bare.clone(), 0, 0),
        ("link", bare.clone().with_action("/auth/login"), 1, 0),
        ("form", bare.clone().with_resend(resend), 0, 1),
        (
            "both",
            bare.with_action("/auth/login").with_resend(resend),
            0,
            1,
        ),
    ];
    for (name, page, links, buttons) in cases {
        let html = DefaultPages::new().render(&Page::Trouble(page));
        assert_eq!(html.matches("<a class=\"button\"").count(), links, "{name}");
        assert_eq!(html.matches("<button ").count(), buttons, "{name}");
        for words in [
            RejectionKind::LinkUsed.heading(),
            RejectionKind::LinkUsed.happened(),
            RejectionKind::LinkUsed.advice(),
        ] {
            assert!(html.contains(words), "{name}: {words}");
        }
    }
}

#[test]
fn a_trouble_names_what_it_is_about() {
    let page =
        TroublePage::new(RejectionKind::CookiesBlocked).with_detail("Cookie: __Host-magic-link");
    let html = DefaultPages::new().render(&Page::Trouble(page));
    assert_eq!(
        between(&html, "class=\"detail\"><bdi>", "</bdi>"),
        "Cookie: __Host-magic-link"
    );
}

#[test]
fn the_one_button_of_each_trouble_says_what_it_does() {
    for trouble in RejectionKind::ALL {
        let page = TroublePage::new(trouble).with_action("/auth/login");
        let link = DefaultPages::new().render(&Page::Trouble(page.clone()));
        let label = between(&link, "<a class=\"button\"", "</a>");
        let way_on = held(trouble.way_on());
        assert!(
            label.ends_with(&format!(">{way_on}")),
            "{trouble:?}: {label}"
        );
        let resend = Resend::new("/auth/login", "ada@example.com");
        let form = DefaultPages::new().render(&Page::Trouble(page.with_resend(resend)));
        assert!(form.contains(">Send a new link</button>"), "{trouble:?}");
        assert!(!form.contains("class=\"button\""), "{trouble:?}");
    }
}

/// Pins: beside the countdown stood the same wait as it was when the page was made, so that the two
/// differed after a second.
#[test]
fn a_wait_is_told_once_where_it_is_counted_down() {
    let wait = Duration::from_secs(180);
    let trouble = TroublePage::new(RejectionKind::RateLimited).with_retry_after(wait);
    let resend = Resend::new("/auth/login", "ada@example.com");
    let cases = [
        ("no resend", trouble.clone(), true, false),
        ("no wait", trouble.clone().with_resend(resend), true, false),
        (
            "both",
            trouble.with_resend(resend.with_wait(wait)),
            false,
            true,
        ),
    ];
    for (name, page, is_stated, is_counted) in cases {
        let html = DefaultPages::new().render(&Page::Trouble(page));
        let stated = html.contains("Please try again in 3&#160;minutes.");
        assert_eq!(stated, is_stated, "{name}: {html}");
        let counted = html.contains("You can ask for a new one in <span>3&#160;minutes</span>.");
        assert_eq!(counted, is_counted, "{name}: {html}");
    }
}

/// Pins: the marks of an English reason stood at its wrong end in a page in Arabic.
#[test]
fn a_reason_of_the_applications_keeps_its_own_direction() {
    let reason = "Your trial has ended (see the invoice).";
    for words in Words::all() {
        let page = TroublePage::new(RejectionKind::NotAllowed).with_happened(reason);
        let html = DefaultPages::new().render(&Page::Trouble(page).with_words(&words));
        let isolated = format!("<p><bdi>{reason}</bdi></p>");
        assert_eq!(html.matches(&isolated).count(), 1, "{words:?}: {html}");
    }
}

/// Pins: a frame that nobody had sent a form in said that nothing of it had been saved.
#[test]
fn a_frame_says_what_it_cannot_show_and_of_a_form_what_was_not_saved() {
    let kinds = [
        (
            RejectionKind::NoSession,
            Text::FrameHappened,
            "nothing that was sent has been saved",
        ),
        (
            RejectionKind::RecentSignInRequired,
            Text::FrameRecent,
            "nothing that you sent has been saved",
        ),
    ];
    for words in Words::all() {
        for (kind, happened, unsaved) in kinds {
            let page = TroublePage::new(kind).with_words(&words);
            let framed = page.clone().in_frame();
            assert_eq!(framed.happened(), words.say(happened), "{kind:?}");
            assert_eq!(framed.advice(), words.say(Text::FrameAdvice), "{kind:?}");
            let sent = page.in_frame_after_form();
            let part = |part| words.part(&["trouble", kind.story(), part]);
            assert_eq!(sent.happened(), part("happened"), "{kind:?}");
            assert_eq!(sent.advice(), part("advice"), "{kind:?}");
            if words.tag() == "en" {
                assert!(sent.happened().contains(unsaved), "{}", sent.happened());
                assert!(!framed.happened().contains("sent"), "{}", framed.happened());
            }
        }
    }
}
