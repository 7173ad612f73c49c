//! What a table must have, and the tables that come with the crate.

use std::{collections::HashSet, time::Duration};

use crate::language::{Direction, Text, Words, texts};

pub(super) const TABLES: [(&str, &str); 6] = [
    ("en", Words::TABLE),
    ("ar", include_str!("../tables/ar.txt")),
    ("de", include_str!("../tables/de.txt")),
    ("es", include_str!("../tables/es.txt")),
    ("fr", include_str!("../tables/fr.txt")),
    ("ja", include_str!("../tables/ja.txt")),
];

/// Returns the names and the texts of a table.
pub(super) fn lines(table: &str) -> Vec<(&str, &str)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

#[test]
fn each_table_that_comes_with_the_crate_has_every_text_and_place() {
    for (tag, table) in TABLES {
        let words = Words::new(tag, table).unwrap();
        assert_eq!(words.tag(), tag);
        let is_reversed = words.direction() == Direction::RightToLeft;
        assert_eq!(is_reversed, tag == "ar", "{tag}");
    }
    let shipped: Vec<_> = Words::all()
        .iter()
        .map(|words| words.tag().to_owned())
        .collect();
    assert_eq!(shipped, TABLES.map(|(tag, _)| tag));
    // A table that is bad would be an empty one.
    for words in Words::all() {
        for text in texts::Text::ALL.iter().filter(|text| !text.is_counted()) {
            let is_empty = words.fill(*text, &[]).is_empty() && text.places().is_empty();
            assert!(!is_empty, "{text:?} in {words:?}");
        }
    }
}

#[test]
fn no_translation_has_a_text_of_another_language_left_in_it() {
    let english = lines(Words::TABLE);
    for (tag, table) in TABLES.into_iter().skip(1) {
        let same: Vec<_> = lines(table)
            .into_iter()
            .filter(|line| english.contains(line))
            .map(|(name, _)| name)
            .collect();
        let allowed = [
            "choose.problem",
            "direction",
            "time.minutes[one]",
            "time.minutes[other]",
        ];
        let left: Vec<_> = same
            .into_iter()
            .filter(|name| !allowed.contains(name))
            .collect();
        assert_eq!(left, [""; 0], "{tag}");
    }
}

#[test]
fn each_translation_keeps_to_the_marks_of_its_language() {
    for (tag, table) in TABLES {
        for (name, text) in lines(table) {
            assert!(!text.contains("  "), "{tag}: {name}");
            let refused: &[&str] = match tag {
                // A mark of two parts has a narrow space before it that does not break.
                "fr" => &[
                    " ?", " !", " :", " ;", "\"", "'", "é?", "e?", "e:", "t:", "s:", "e!",
                ],
                "ja" => &["?", "!", ". ", ", ", "\"", "。 "],
                "ar" => &["?", ";", ", ", "\""],
                "de" => &["\"", " du ", " dein", " Du ", " Dein"],
                "es" => &["\"", " tu ", " tus ", " tú "],
                _ => &["\""],
            };
            let found: Vec<_> = refused
                .iter()
                .filter(|part| text.contains(**part))
                .collect();
            assert!(found.is_empty(), "{tag}: {name}: {found:?} in {text}");
        }
    }
}

#[test]
fn each_story_is_told_in_other_words_and_sentences_end() {
    for (tag, table) in TABLES {
        let lines = lines(table);
        let of = |part: &str| -> Vec<&str> {
            let parts = lines
                .iter()
                .filter(|(name, _)| name.starts_with("trouble.") && name.ends_with(part));
            parts.map(|(_, text)| *text).collect()
        };
        for part in [".heading", ".happened"] {
            let told = of(part);
            let unique: HashSet<_> = told.iter().collect();
            assert_eq!(unique.len(), texts::STORIES.len(), "{tag}: {part}");
        }
        for sentence in [of(".happened"), of(".advice")].concat() {
            let ends = sentence.ends_with(['.', '。', '؟', '!', '”']);
            assert!(ends, "{tag}: {sentence}");
        }
        for heading in of(".heading") {
            assert!(!heading.ends_with(['.', '。']), "{tag}: {heading}");
        }
    }
}

/// Pinned: where codes alone are mailed, pages sent people to a link.
#[test]
fn no_story_but_those_of_a_link_sends_people_to_one() {
    // Each speaks of a link that there is, or of a link or a code.
    let of_links = [
        "link_declined",
        "link_expired",
        "link_used",
        "malformed",
        "provider_answer_lost",
        "step_up_required",
        "too_many_tries",
        "wrong_connection",
    ];
    for (tag, table) in TABLES {
        let link = match tag {
            "ar" => "رابط",
            "es" => "enlace",
            "fr" => "lien",
            "ja" => "リンク",
            _ => "link",
        };
        let stories = lines(table).into_iter().filter_map(|(name, text)| {
            let (story, _) = name.strip_prefix("trouble.")?.split_once('.')?;
            text.to_lowercase().contains(link).then_some(story)
        });
        let others: HashSet<_> = stories.filter(|story| !of_links.contains(story)).collect();
        assert!(others.is_empty(), "{tag}: {others:?}");
    }
}

#[test]
fn a_length_of_time_has_the_plural_form_of_its_language() {
    let arabic = [
        (0, "0 ثانية"),
        (1, "ثانية واحدة"),
        (2, "ثانيتين"),
        (3, "3 ثوانٍ"),
        (10, "10 ثوانٍ"),
        (11, "11 ثانية"),
        (15 * 60, "15 دقيقة"),
        (60, "دقيقة واحدة"),
        (120, "دقيقتين"),
        (100 * 3_600, "100 ساعة"),
        (103 * 3_600, "103 ساعات"),
    ];
    for (secs, want) in arabic {
        let said = Words::arabic().lifetime(Duration::from_secs(secs));
        assert_eq!(said, want, "{secs} s");
    }
    let others = [
        (Words::german(), "1 Stunde und 30 Minuten"),
        (Words::french(), "1\u{a0}heure et 30\u{a0}minutes"),
        (Words::spanish(), "1 hora y 30 minutos"),
        (Words::japanese(), "1時間30分"),
    ];
    for (words, want) in others {
        assert_eq!(words.lifetime(Duration::from_secs(5_400)), want);
    }
    // French counts zero as one, and English does not.
    assert_eq!(Words::french().lifetime(Duration::ZERO), "0\u{a0}seconde");
    assert_eq!(Words::english().lifetime(Duration::ZERO), "0 seconds");
}

#[test]
fn what_is_filled_in_keeps_its_direction() {
    let places = [("application", "Acme")];
    let said = Words::arabic().fill(Text::MailSubject, &places);
    assert!(said.contains("\u{2068}Acme\u{2069}"), "{said:?}");
    let said = Words::english().fill(Text::MailSubject, &places);
    assert_eq!(said, "Sign in to Acme");
}

#[test]
fn the_english_texts_of_refusals_are_those_of_the_table() {
    use crate::rejection::RejectionKind;
    for kind in RejectionKind::ALL {
        let part = |part| {
            Words::english()
                .part(&["trouble", kind.story(), part])
                .to_owned()
        };
        assert_eq!(part("heading"), kind.heading());
        assert_eq!(part("happened"), kind.happened());
        assert_eq!(part("advice"), kind.advice());
        assert_eq!(part("way_on"), kind.way_on());
    }
}
