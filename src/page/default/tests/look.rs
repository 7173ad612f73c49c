//! What an application sets on the default pages.

use super::*;

#[test]
fn every_page_shows_the_applications_name_above_its_heading_and_in_its_title() {
    let brand = "<p class=\"brand\"><bdi>R&#38;D &#60;Labs&#62; &#34;Ltd&#34;</bdi></p>";
    for (name, html) in every_page("R&D <Labs> \"Ltd\"") {
        let above = html.split("<h1").next().unwrap();
        assert_eq!(above.matches(brand).count(), 1, "{name}");
        let title = between(&html, "<title>", "</title>");
        assert!(
            title.ends_with(" · R&#38;D &#60;Labs&#62; &#34;Ltd&#34;"),
            "{name}: {title}"
        );
    }
}

#[test]
fn every_page_of_a_failure_names_whom_to_ask_and_no_other_page_does() {
    let cases = [
        (
            "a&b@example.com",
            "Write to <a href=\"mailto:a%26b@example.com\"><bdi>a&#38;b@example.com</bdi></a>.",
        ),
        (
            "https://example.com/help?a&b'",
            "Ask at <a href=\"https://example.com/help?a&#38;b%27\" target=\"_top\">\
             <bdi>example.com/help?a&#38;b%27</bdi></a>.",
        ),
    ];
    for (contact, line) in cases {
        let line = format!("<p class=\"note\">Need help? {line}</p>");
        let pages = DefaultPages::new().support(contact).unwrap();
        let mut lines = 0;
        let troubles = RejectionKind::ALL.map(|kind| format!("{kind:?}, "));
        for (name, html) in every_page_of(&pages, "text") {
            let is_trouble = troubles.iter().any(|kind| name.starts_with(kind));
            let waits = html.contains("Nothing yet?");
            let want = usize::from(is_trouble || waits);
            assert_eq!(html.matches(&line).count(), want, "{name}");
            assert_eq!(html.matches("Need help?").count(), want, "{name}");
            lines += want;
        }
        assert!(lines > 100, "{lines} lines");
    }
    for (name, html) in every_page("text") {
        assert!(!html.contains("Need help?"), "{name}");
    }
}

#[test]
fn an_accent_is_in_the_one_style_sheet_of_every_page_and_the_policy_allows_no_more() {
    let pages = DefaultPages::new().accent("#e65100").unwrap();
    let style = pages.style();
    let own = style.strip_prefix(STYLE).unwrap();
    assert_eq!(own.matches("--accent: ").count(), 2, "{own}");
    for (name, html) in every_page_of(&pages, "text") {
        assert_eq!(html.matches("<style").count(), 1, "{name}");
        assert_eq!(between(&html, "<style>", "</style>"), style, "{name}");
    }
    let scripts = [KEEP, ONCE, ONWARD, WAIT].into_iter();
    let sources = PageSources::new().inline_style(style);
    let sources = scripts.fold(sources, |sources, script| sources.inline_script(script));
    assert_eq!(pages.sources(), sources);
    assert_ne!(pages.sources(), DefaultPages::new().sources());
}

#[test]
fn every_page_shows_the_logo_in_the_place_of_the_name_and_the_policy_allows_no_more() {
    const DRAWING: &str = "<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>";
    let cases = [
        (
            "/static/r&d'.svg",
            "<img class=\"logo\" src=\"/static/r&#38;d&#39;.svg\" \
             alt=\"R&#38;D &#60;Labs&#62; &#34;Ltd&#34;\">",
            Some("/static/r&d'.svg"),
        ),
        (
            "https://cdn.example.com/logo.svg",
            "<img class=\"logo\" src=\"https://cdn.example.com/logo.svg\" \
             alt=\"R&#38;D &#60;Labs&#62; &#34;Ltd&#34;\">",
            Some("https://cdn.example.com/logo.svg"),
        ),
        (
            DRAWING,
            "<svg class=\"logo\" role=\"img\" aria-label=\"R&#38;D &#60;Labs&#62; &#34;Ltd&#34;\" \
             viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>",
            None,
        ),
    ];
    let plain = DefaultPages::new();
    for (source, shown, image) in cases {
        let pages = plain.clone().logo(source, "R&D <Labs> \"Ltd\"").unwrap();
        let named = pages.clone().application_name("Acme");
        for (name, html) in every_page_of(&named, "Acme") {
            let above = html.split("<h1").next().unwrap();
            assert_eq!(above.matches(shown).count(), 1, "{name}: {above}");
            assert!(!html.contains("class=\"brand\""), "{name}");
            assert!(
                between(&html, "<title>", "</title>").ends_with(" · Acme"),
                "{name}"
            );
            assert_eq!(
                html.matches("<img").count(),
                image.map_or(0, |_| 1),
                "{name}"
            );
        }
        let want = match image {
            Some(image) => plain.sources().image(image),
            None => plain.sources(),
        };
        assert_eq!(pages.sources(), want, "{source}");
    }
}
