//! `Words`: what the pages and the mail say in one language.

use std::{fmt, sync::Arc};

use icu_plurals::PluralCategory;

use super::{
    english,
    held::{Held, held},
    message::{Filled, Message},
    table::{self, Direction, Table, rules},
    texts::Text,
};
use crate::error::ConfigError;

/// U+2068 and U+2069: what stands between them has its own direction, and does not move its
/// neighbours (Unicode Standard Annex #9, section 2.4).
const ISOLATE: (&str, &str) = ("\u{2068}", "\u{2069}");

/// Returns a text that has its own direction among others.
pub(crate) fn isolated(text: &str) -> String {
    format!("{}{text}{}", ISOLATE.0, ISOLATE.1)
}

/// What the pages and the mail say in one language. Cheap to clone.
///
/// Six languages come with the crate. One's own is a table of texts, as [`Words::TABLE`] is the one
/// in English: a line for each, with its name.
///
/// ```
/// use tower_magic_link::language::Words;
///
/// // A whole table, here the English one with another word for signing in.
/// let table = Words::TABLE.replace("Sign in", "Log in");
/// let words = Words::new("en-GB", &table)?;
/// assert_eq!(words.tag(), "en-GB");
///
/// let tags = [Words::japanese(), Words::spanish()].map(|words| words.tag().to_owned());
/// assert_eq!(tags, ["ja", "es"]);
///
/// // Or a few texts of a language that comes with the crate.
/// let words = Words::german().with("login.heading", "Willkommen")?;
///
/// let error = Words::new("nl", "direction = ltr").unwrap_err();
/// assert!(error.to_string().contains("again.both"));
/// let error = Words::german().with("check.sent_link", "Ein Link ist unterwegs.").unwrap_err();
/// assert!(error.to_string().contains("{email}"));
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Words(Arc<Table>);

impl Words {
    /// The texts in English, as a table to begin one's own from.
    ///
    /// ```
    /// use tower_magic_link::language::Words;
    ///
    /// assert!(Words::TABLE.contains("\nlogin.heading = Sign in\n"));
    /// ```
    pub const TABLE: &'static str = english::TABLE;

    /// Makes the words of a language from a table of all texts. The tag is one of BCP 47: `nl`,
    /// `pt-BR`.
    ///
    /// | line | what it is |
    /// | --- | --- |
    /// | `login.heading = Aanmelden` | a text, by its name |
    /// | `check.sent_link = … {email} … {time}.` | a text with places that are filled in, in any order |
    /// | `time.minutes[one] = {count} minuut` | a plural form, by its category in CLDR |
    /// | `direction = ltr` | which way the language is written: `ltr` or `rtl` |
    /// | `# …` | a comment |
    ///
    /// A text with a number has one line for each category of the language: in English `one` and
    /// `other`. `{{` and `}}` are braces. Texts are plain: what shows them escapes them.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the line, or the name of the text: if the tag is none, if a text is
    /// missing, is there twice, is empty or is not known, or if its places are not those of the
    /// English one.
    pub fn new(tag: impl AsRef<str>, table: impl AsRef<str>) -> Result<Self, ConfigError> {
        table::parse(tag.as_ref(), table.as_ref()).map(|table| Self(Arc::new(table)))
    }

    /// Says one text in other words. A plural form is named with its category:
    /// `time.minutes[one]`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if there is no text of that name, if it is empty, or if its places are not
    /// those of the English one.
    pub fn with(self, name: impl AsRef<str>, text: impl AsRef<str>) -> Result<Self, ConfigError> {
        let mut table = Arc::unwrap_or_clone(self.0);
        table::change(&mut table, name.as_ref(), text.as_ref())?;
        Ok(Self(Arc::new(table)))
    }

    /// Returns the language's tag: `pt-BR`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// Returns which way the language is written.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.0.direction
    }

    pub(super) fn of_table(table: Table) -> Self {
        Self(Arc::new(table))
    }

    /// Returns a text without places.
    pub(crate) fn say(&self, text: Text) -> &str {
        self.named(text.name())
    }

    /// Returns a text without places, as a template shows it between tags.
    pub(crate) fn shown(&self, text: Text) -> Held<'_> {
        held(self.say(text))
    }

    /// Returns one part of a story, or of a step that a sign-in service asks for.
    pub(crate) fn part(&self, name: &[&str]) -> &str {
        self.named(&name.join("."))
    }

    fn named(&self, name: &str) -> &str {
        self.0.texts.get(name).map_or("", Message::as_str)
    }

    /// Fills a text's places in, as plain text. What is filled in keeps its own direction in a
    /// language that is written from right to left.
    pub(crate) fn fill(&self, text: Text, places: &[(&str, &str)]) -> String {
        let marks = match self.direction() {
            Direction::LeftToRight => ("", ""),
            Direction::RightToLeft => ISOLATE,
        };
        self.join(text, places, marks)
    }

    /// Fills a text's places in with texts of the same language.
    pub(crate) fn fill_own(&self, text: Text, places: &[(&str, &str)]) -> String {
        self.join(text, places, ("", ""))
    }

    fn join(&self, text: Text, places: &[(&str, &str)], marks: (&str, &str)) -> String {
        let message = self.0.texts.get(text.name());
        message.map_or_else(String::new, |message| message.filled(places, marks))
    }

    /// Fills a text's places in, as HTML.
    pub(crate) fn html(&self, text: Text, places: &[(&str, Filled<'_>)]) -> String {
        let message = self.0.texts.get(text.name());
        message.map_or_else(String::new, |message| message.html(places))
    }

    /// Says a number of something, in the plural form that the language has for it.
    pub(super) fn count(&self, text: Text, count: u64) -> String {
        let category = rules(&self.0.language)
            .map_or(PluralCategory::Other, |rules| rules.category_for(count));
        let forms = self.0.counted.get(text.name());
        let form = forms.and_then(|forms| forms.iter().find(|(of, _)| *of == category));
        let count = count.to_string();
        form.map_or_else(String::new, |(_, form)| {
            form.filled(&[("count", &count)], ("", ""))
        })
    }

    /// Returns the plural forms of a text, by their categories in CLDR, with `{count}` in them.
    pub(super) fn forms(&self, text: Text) -> Vec<(&'static str, String)> {
        let forms = self.0.counted.get(text.name()).into_iter().flatten();
        let named = forms.map(|(category, form)| {
            let form = form.filled(&[("count", "{count}")], ("", ""));
            (table::name_of(*category), form)
        });
        named.collect()
    }
}

impl Default for Words {
    /// English.
    fn default() -> Self {
        Self::english()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.tag()).finish()
    }
}
