//! The marks of each language, the length of its buttons, and the direction of its mail.

use std::time::Duration;

use super::tables::{TABLES, lines};
use crate::{
    clock::Timestamp,
    language::{Direction, Words},
    mailer::Mail,
    provider::{Link, OneTimeCode},
};

/// Returns a text without the names of its places.
fn without_places(text: &str) -> String {
    let mut is_name = false;
    let keep = |c: &char| {
        is_name = (is_name || *c == '{') && *c != '}';
        !is_name || *c == '{'
    };
    text.chars().filter(keep).collect()
}

#[test]
fn french_keeps_each_mark_of_two_parts_with_its_word() {
    for (name, text) in lines(table("fr")) {
        let chars: Vec<_> = text.chars().collect();
        for pair in chars.windows(2) {
            let is_kept = match pair {
                [before, '?' | '!' | ';' | ':' | '»'] => *before == '\u{202f}',
                ['«', behind] => *behind == '\u{202f}',
                _ => true,
            };
            assert!(is_kept, "{name}: {pair:?} in {text}");
        }
    }
}

#[test]
fn a_quotation_has_the_marks_of_its_language() {
    let all = ['“', '”', '„', '«', '»', '「', '」'];
    for (tag, table) in TABLES {
        let (open, close) = match tag {
            "de" => ('„', '“'),
            "ja" => ('「', '」'),
            "ar" | "es" | "fr" => ('«', '»'),
            _ => ('“', '”'),
        };
        for (name, text) in lines(table) {
            let marks = text.chars().filter(|c| all.contains(c));
            let marks: String = marks.collect();
            let pairs = format!("{open}{close}").repeat(marks.chars().count() / 2);
            assert_eq!(marks, pairs, "{tag}: {name}");
        }
    }
}

#[test]
fn a_question_in_spanish_is_opened_before_it_is_closed() {
    for (name, text) in lines(table("es")) {
        for (open, close) in [('¿', '?'), ('¡', '!')] {
            let marks = text.chars().filter(|c| [open, close].contains(c));
            let marks: String = marks.collect();
            let pairs = format!("{open}{close}").repeat(marks.chars().count() / 2);
            assert_eq!(marks, pairs, "{name}: {text}");
        }
    }
}

#[test]
fn a_space_divides_latin_letters_from_japanese_ones() {
    let is_japanese = |c: char| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    for (name, text) in lines(table("ja")) {
        let text = without_places(text);
        let chars: Vec<_> = text.chars().collect();
        for pair in chars.windows(2) {
            let touches = match pair {
                [one, other] => {
                    one.is_ascii_alphabetic() && is_japanese(*other)
                        || is_japanese(*one) && other.is_ascii_alphabetic()
                }
                _ => false,
            };
            assert!(!touches, "{name}: {pair:?} in {text}");
        }
        for triple in chars.windows(3) {
            let parts =
                matches!(triple, [one, ' ', other] if is_japanese(*one) && is_japanese(*other));
            assert!(!parts, "{name}: {triple:?} in {text}");
        }
    }
}

/// A line that begins with a particle reads badly: it belongs to the word before it.
#[test]
fn a_particle_in_japanese_stays_on_the_line_of_a_latin_word() {
    let is_japanese = |c: char| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    let is_latin = |c: char| c.is_ascii_alphabetic() || c == '}';
    let mut held = 0;
    for (name, text) in lines(table("ja")) {
        let chars: Vec<_> = without_places(text).chars().collect();
        for triple in chars.windows(3) {
            if let [one, space, other] = triple
                && is_latin(*one)
                && space.is_whitespace()
                && is_japanese(*other)
            {
                assert_eq!(*space, '\u{a0}', "{name}: {text}");
                held += 1;
            }
        }
    }
    assert!(held > 10, "{held} places");
}

#[test]
fn each_line_of_a_mail_from_right_to_left_is_between_marks_of_that_direction() {
    let to = "ada@example.com".parse().unwrap();
    let (link, code) = (Link::new("https://x/?t=1"), OneTimeCode::new("123456"));
    for words in Words::all() {
        let mail = Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(900))
            .with_code(&code, Duration::from_secs(600))
            .with_application("Acme")
            .with_words(&words);
        let text = mail.text();
        let is_reversed = words.direction() == Direction::RightToLeft;
        for line in text.lines().filter(|line| !line.is_empty()) {
            // What is opened or typed stands there as it is.
            let is_told = !["https://x/?t=1", "123456"].contains(&line);
            let is_marked = line.starts_with('\u{200f}') && line.ends_with('\u{200f}');
            assert_eq!(is_marked, is_told && is_reversed, "{words:?}: {line:?}");
        }
        assert!(text.ends_with('\n'), "{words:?}");
    }
}

/// A button has 238 CSS pixels for its text on a screen of 320. Noto Sans, which is wide, fits 27
/// letters in, and 30 of Arabic; a letter of Japanese takes two places.
#[test]
fn the_text_of_a_button_fits_on_one_line_of_a_narrow_telephone() {
    let buttons = [
        "again.both",
        "again.code",
        "again.link",
        "check.sign_in",
        "check.start_again",
        "choose.cancel",
        "login.send_both",
        "login.send_code",
        "login.send_link",
        "mail.button",
        "match.sign_in",
        "onward.continue",
        "open.no",
        "open.yes",
        "sign_out.everywhere",
        "sign_out.here",
        "signed_out.sign_in",
    ];
    for (tag, table) in TABLES {
        for (name, text) in lines(table) {
            if !buttons.contains(&name) && !name.ends_with(".way_on") {
                continue;
            }
            let places = |c| if c >= '\u{3000}' { 2 } else { 1 };
            let places: u32 = text.chars().map(places).sum();
            let most = if tag == "ar" { 30 } else { 27 };
            assert!(places <= most, "{tag}: {name} = {text}: {places}");
        }
    }
}

#[test]
fn a_mail_states_its_language_and_isolates_what_is_filled_in() {
    let to = "ada@example.com".parse().unwrap();
    let (link, code) = (Link::new("https://x/?t=1"), OneTimeCode::new("123456"));
    for words in Words::all() {
        let mail = Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(900))
            .with_code(&code, Duration::from_secs(600))
            .with_application("Acme")
            .with_words(&words);
        let (html, tag) = (mail.html(), words.tag());
        let is_reversed = words.direction() == Direction::RightToLeft;
        let (start, parts) = match is_reversed {
            true => (format!("<html lang=\"{tag}\" dir=\"rtl\">"), 2),
            false => (format!("<html lang=\"{tag}\">"), 0),
        };
        assert!(html.contains(&start), "{html}");
        assert_eq!(html.matches(" dir=\"rtl\"").count(), parts, "{html}");
        for isolated in [
            "<bdi>Acme</bdi>",
            "<strong><bdi>ada@example.com</bdi></strong>",
            "<bdi translate=\"no\">123456</bdi>",
        ] {
            assert!(html.contains(isolated), "{tag}: {isolated} in {html}");
        }
        assert_eq!(
            html.contains("dir=\"ltr\">https://x/"),
            is_reversed,
            "{tag}"
        );
        for plain in [mail.subject(), mail.text()] {
            assert!(plain.contains("Acme"), "{tag}: {plain}");
            let is_isolated = plain.contains("\u{2068}Acme\u{2069}");
            assert_eq!(is_isolated, is_reversed, "{tag}: {plain}");
        }
    }
}

fn table(tag: &str) -> &'static str {
    let found = TABLES.into_iter().find(|(of, _)| *of == tag);
    found.unwrap().1
}
