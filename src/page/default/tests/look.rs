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

#[test]
fn every_page_ends_with_the_applications_sheet_and_the_policy_allows_that_address_alone() {
    let cases = [
        (
            "/static/r&d'.css",
            "/static/r&#38;d&#39;.css",
            "/static/r&d'.css",
        ),
        (
            "https://CDN.example.com/a.css",
            "https://cdn.example.com/a.css",
            "https://cdn.example.com/a.css",
        ),
    ];
    let plain = DefaultPages::new();
    for (address, shown, source) in cases {
        let pages = plain.clone().stylesheet(address).unwrap();
        for (name, html) in every_page_of(&pages, "text") {
            let link = format!("<link rel=\"stylesheet\" href=\"{shown}\">");
            // Behind it is no script that would wait for it, and no rule that would win over it.
            let (_, behind) = html.split_once(&link).unwrap();
            let behind: String = behind.split_whitespace().collect();
            assert_eq!(behind, "</body></html>", "{name}");
            assert_eq!(html.matches("<link").count(), 1, "{name}");
        }
        assert_eq!(pages.sources(), plain.sources().style(source), "{address}");
    }
    for (name, html) in every_page("text") {
        assert!(!html.contains("<link"), "{name}");
    }
}

#[test]
fn a_sheets_address_is_refused_as_a_logos_is() {
    let cases = [
        ("", "stylesheet \"\" must be a URL of https, or a path"),
        (
            "http://cdn.example.com/a.css",
            "stylesheet \"http://cdn.example.com/a.css\" must be a URL of https, or a path",
        ),
        (
            "a.css",
            "stylesheet \"a.css\" must be a URL of https, or a path",
        ),
        (
            "https://u:hunter2@a.example/a.css",
            "stylesheet must not hold a user name or password",
        ),
        (
            "/a.css?v=2",
            "stylesheet \"/a.css?v=2\" must have no query and no fragment",
        ),
        ("/", "stylesheet \"/\" must name one file"),
        (
            "/a/../b.css",
            "stylesheet \"/a/../b.css\" must be a path as browsers send it",
        ),
    ];
    for (address, want) in cases {
        let error = DefaultPages::new().stylesheet(address).unwrap_err();
        assert!(error.to_string().starts_with(want), "{error}");
    }
}

/// A sheet of an application's own relies on these names.
#[test]
fn the_names_that_a_sheet_may_rely_on_are_those_of_the_docs() {
    let docs = include_str!("../look.rs");
    let (_, docs) = docs.split_once("These names stay as they are").unwrap();
    let (docs, _) = docs.split_once("Dark pages").unwrap();
    let rows = docs.lines().filter_map(|line| line.split('|').nth(1));
    let named = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let named: Vec<_> = named.collect();
    assert!(named.len() > 20, "{named:?}");
    let properties = STYLE.lines().filter_map(|line| {
        let (name, _) = line.trim().split_once(": ")?;
        name.starts_with("--").then_some(name)
    });
    for property in properties {
        assert!(named.contains(&property), "{property} is not in the docs");
    }
    let pages: String = every_page("text")
        .into_iter()
        .map(|(_, html)| html)
        .collect();
    for name in named {
        assert!(
            STYLE.contains(&format!("{name}:")) || STYLE.contains(&format!("{name} ")),
            "{name}"
        );
        let class = name.strip_prefix('.').filter(|class| *class != "logo");
        let Some(class) = class else {
            continue;
        };
        let mut classes = pages.split("class=\"").skip(1);
        let is_there = classes.any(|rest| {
            let (value, _) = rest.split_once('"').unwrap();
            value.split(' ').any(|of| of == class)
        });
        assert!(is_there, "no page has {class}");
    }
}
