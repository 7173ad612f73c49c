//! Every page in a language that nobody speaks: no text that a person reads is written in a
//! template.

use super::*;
use crate::language::tests::pseudo::{between_tags, outside, pseudo};

/// The attributes that people see or hear.
const READ: [&str; 6] = [
    "title",
    "alt",
    "placeholder",
    "aria-label",
    "aria-description",
    "data-words",
];

fn assert_from_table(name: &str, html: &str) {
    let mut read = vec![between_tags(html)];
    for attribute in READ {
        let start = format!(" {attribute}=\"");
        let values = html.split(&start).skip(1);
        let values = values.map(|rest| rest.split('"').next().unwrap().to_owned());
        // The names of plural forms, for a script.
        read.extend(values.filter(|value| !value.starts_with('{')));
    }
    for text in read {
        let left = outside(&text);
        assert!(
            !left.contains(char::is_alphabetic),
            "{name}: {left:?} in {text}"
        );
    }
}

#[test]
fn every_page_has_its_words_from_the_table() {
    let words = pseudo();
    let pages = DefaultPages::new()
        .application_name("#")
        .support("https://1.2.3.4/")
        .unwrap();
    let of = [
        pages.clone(),
        DefaultPages::new()
            .support("1@2.3")
            .unwrap_or(pages.clone()),
        pages.logo("/0.svg", "#").unwrap(),
    ];
    for pages in of {
        for (name, html) in every_page_in(&words, &pages, "#") {
            assert!(html.contains("<html lang=\"en-XA\">"), "{name}");
            assert_from_table(&name, &html);
        }
        for kind in RejectionKind::ALL {
            let page = TroublePage::new(kind).with_action("#").in_frame();
            let html = pages.render(&Page::Trouble(page).with_words(&words));
            assert_from_table(&format!("{kind:?}, framed"), &html);
        }
        let long = Duration::from_secs(3_725);
        let page = TroublePage::new(RejectionKind::RateLimited).with_retry_after(long);
        assert_from_table(
            "wait",
            &pages.render(&Page::Trouble(page).with_words(&words)),
        );
    }
}

#[test]
fn every_page_in_each_language_is_sound_markup_in_its_direction() {
    for words in Words::all() {
        let pages = DefaultPages::new().application_name("Acme");
        let tag = words.tag();
        for (name, html) in every_page_in(&words, &pages, "a<b\"c") {
            let start = match tag {
                "ar" => "<!doctype html>\n<html lang=\"ar\" dir=\"rtl\">".to_owned(),
                tag => format!("<!doctype html>\n<html lang=\"{tag}\">"),
            };
            let html_start = html.replace("<!doctype html><html", "<!doctype html>\n<html");
            assert!(html_start.starts_with(&start), "{tag}, {name}: {html}");
            assert!(
                !html.contains("a<b") && !html.contains("b\"c"),
                "{tag}, {name}"
            );
            assert!(
                !html.contains('{') || html.contains("<style>"),
                "{tag}, {name}"
            );
            let said = between_tags(&html);
            assert!(!said.contains(['{', '}']), "{tag}, {name}: {said}");
        }
    }
}
