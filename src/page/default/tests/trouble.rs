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
