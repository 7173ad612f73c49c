//! A table of texts as it is written, and the checks that make [`Words`](super::Words) of it.

use std::collections::HashMap;

use icu_locale_core::LanguageIdentifier;
use icu_plurals::{PluralCategory, PluralRules};

use super::{
    message::Message,
    texts::{STEP_PARTS, STEPS, STORIES, STORY_PARTS, Text},
};
use crate::error::ConfigError;

const SETTING: &str = "words";
/// The one entry that is no text.
const DIRECTION: &str = "direction";
/// The length that every reader of tags must accept (RFC 5646, section 4.4.1).
pub(super) const LONGEST_TAG: usize = 35;

const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// Which way a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "HTML has no third direction of a document"
)]
pub enum Direction {
    /// As English is.
    LeftToRight,
    /// As Arabic is.
    RightToLeft,
}

impl Direction {
    /// Returns the value of HTML's attribute `dir`: `ltr` or `rtl`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// A table that was checked: it has every text, with its places.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) tag: String,
    pub(super) language: LanguageIdentifier,
    pub(super) direction: Direction,
    pub(super) texts: HashMap<String, Message>,
    /// The plural forms of the texts that have a number.
    pub(super) counted: HashMap<String, Vec<(PluralCategory, Message)>>,
}

/// Returns the name that CLDR gives a category.
pub(super) fn name_of(category: PluralCategory) -> &'static str {
    let found = CATEGORIES.iter().find(|(_, of)| *of == category);
    found.map_or("other", |(name, _)| name)
}

/// What a name of a table stands for.
enum Entry {
    Counted(Text),
    /// A part of a story.
    Part,
    Text(Text),
}

fn entry(name: &str) -> Option<Entry> {
    let text = Text::ALL.iter().find(|text| text.name() == name);
    if let Some(text) = text {
        return Some(match text.is_counted() {
            true => Entry::Counted(*text),
            false => Entry::Text(*text),
        });
    }
    parts().any(|part| part == name).then_some(Entry::Part)
}

/// Returns the names of all texts of refusals.
fn parts() -> impl Iterator<Item = String> {
    let of = |kind: &'static str, names: &'static [&str], parts: &'static [&str]| {
        let named = names.iter().map(move |name| (kind, name));
        named.flat_map(|(kind, name)| {
            let parts = parts.iter();
            parts.map(move |part| format!("{kind}.{name}.{part}"))
        })
    };
    of("step", &STEPS, &STEP_PARTS).chain(of("trouble", &STORIES, &STORY_PARTS))
}

pub(super) fn parse(tag: &str, text: &str) -> Result<Table, ConfigError> {
    let language = LanguageIdentifier::try_from_str(tag)
        .ok()
        .filter(|language| !language.language.is_unknown() && tag.len() <= LONGEST_TAG);
    let Some(language) = language else {
        let problem = "is not the tag of a language, such as nl or pt-BR";
        return Err(ConfigError::beginning(SETTING, tag, problem));
    };
    let mut direction = None;
    let mut table = Table {
        tag: language.to_string(),
        language,
        direction: Direction::LeftToRight,
        texts: HashMap::new(),
        counted: HashMap::new(),
    };
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refuse = |problem| Err(ConfigError::beginning(SETTING, line, problem));
        let Some((name, text)) = line.split_once('=') else {
            return refuse("is not a line such as name = text");
        };
        let (name, text) = (name.trim(), text.trim());
        let is_new = if name == DIRECTION {
            let stated = match text {
                "ltr" => Direction::LeftToRight,
                "rtl" => Direction::RightToLeft,
                _ => return refuse("must be ltr or rtl"),
            };
            direction.replace(stated).is_none()
        } else {
            change(&mut table, name, text)?
        };
        if !is_new {
            return refuse("is there twice");
        }
    }
    table.direction = direction.ok_or_else(|| lacks(&table.tag, DIRECTION))?;
    whole(&table)?;
    Ok(table)
}

/// Puts a text into a table. Says whether it is new there.
pub(super) fn change(table: &mut Table, name: &str, text: &str) -> Result<bool, ConfigError> {
    let refuse = |problem: String| {
        let line = format!("{name} = {text}");
        Err(ConfigError::beginning(SETTING, &line, problem))
    };
    let (of, form) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((of, form)) => (of, Some(form)),
        None => (name, None),
    };
    let Some(entry) = entry(of) else {
        return refuse("has the name of no text".to_owned());
    };
    if text.is_empty() {
        return refuse("is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return refuse("has a control character".to_owned());
    }
    let message = match Message::parse(text) {
        Ok(message) => message,
        Err(problem) => return refuse(problem.to_owned()),
    };
    let places = match entry {
        Entry::Counted(text) | Entry::Text(text) => text.places(),
        Entry::Part => &[],
    };
    if let Some(place) = message.places().find(|place| !places.contains(place)) {
        return refuse(format!("has a place that is not filled in: {{{place}}}"));
    }
    // "One minute" needs no figure, and Arabic's "two minutes" is one word.
    let may_lack = matches!(form, Some("zero" | "one" | "two"));
    let mut missing = places.iter();
    let missing = missing.find(|place| !message.places().any(|other| other == **place));
    if let Some(place) = missing.filter(|_| !may_lack) {
        return refuse(format!("lacks {{{place}}}"));
    }
    match (entry, form) {
        (Entry::Counted(_), Some(form)) => {
            let category = CATEGORIES.iter().find(|(name, _)| *name == form);
            let known = rules(&table.language).is_some_and(|rules| {
                let mut known = rules.categories();
                known.any(|known| category.is_some_and(|(_, of)| *of == known))
            });
            let Some((_, category)) = category.filter(|_| known) else {
                return refuse(format!("has a plural form that {} has not", table.tag));
            };
            let forms = table.counted.entry(of.to_owned()).or_default();
            let before = forms.len();
            forms.retain(|(other, _)| other != category);
            forms.push((*category, message));
            Ok(forms.len() > before)
        }
        (Entry::Counted(_), None) => refuse("needs a plural form in brackets: [other]".to_owned()),
        (Entry::Part | Entry::Text(_), Some(_)) => refuse("has no plural forms".to_owned()),
        (Entry::Part | Entry::Text(_), None) => {
            let before = table.texts.insert(of.to_owned(), message);
            Ok(before.is_none())
        }
    }
}

/// Refuses a table that lacks a text or a plural form.
fn whole(table: &Table) -> Result<(), ConfigError> {
    let rules = rules(&table.language);
    let categories = rules.iter().flat_map(|rules| rules.categories());
    let categories: Vec<_> = categories.collect();
    for text in Text::ALL {
        let name = text.name();
        if !text.is_counted() {
            if !table.texts.contains_key(name) {
                return Err(lacks(&table.tag, name));
            }
            continue;
        }
        let forms = table.counted.get(name);
        let has =
            |category| forms.is_some_and(|forms| forms.iter().any(|(other, _)| *other == category));
        if let Some(category) = categories.iter().find(|category| !has(**category)) {
            let form = format!("{name}[{}]", name_of(*category));
            return Err(lacks(&table.tag, &form));
        }
    }
    match parts().find(|part| !table.texts.contains_key(part)) {
        Some(part) => Err(lacks(&table.tag, &part)),
        None => Ok(()),
    }
}

fn lacks(tag: &str, name: &str) -> ConfigError {
    let problem = format!("is missing in the table of {tag}");
    ConfigError::invalid(SETTING, name, problem)
}

/// Returns the rules of a language's plural forms. A language that CLDR does not know has one form.
pub(super) fn rules(language: &LanguageIdentifier) -> Option<PluralRules> {
    PluralRules::try_new_cardinal(language.into()).ok()
}
