//! The languages that come with the crate. Each table is parsed when it is first asked for.

use std::{collections::HashMap, sync::LazyLock};

use icu_locale_core::LanguageIdentifier;

use super::{
    english,
    table::{self, Direction, Table},
    words::Words,
};

/// Declares a language: its constructor, its tag, its table.
macro_rules! shipped {
    ($($(#[$doc:meta])+ $name:ident, $tag:literal, $table:expr;)+) => {
        impl Words {
            $($(#[$doc])+
            #[must_use]
            pub fn $name() -> Self {
                static WORDS: LazyLock<Words> = LazyLock::new(|| words($tag, $table));
                WORDS.clone()
            })+

            /// Returns every language that comes with the crate, English first.
            ///
            /// ```
            /// use tower_magic_link::language::Words;
            ///
            /// let tags: Vec<_> = Words::all().iter().map(|words| words.tag().to_owned()).collect();
            /// assert_eq!(tags, ["en", "ar", "de", "es", "fr", "ja"]);
            /// ```
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$name()),+]
            }
        }
    };
}

shipped! {
    /// Returns the words in English.
    english, "en", english::TABLE;
    /// Returns the words in Arabic, which is written from right to left.
    arabic, "ar", include_str!("tables/ar.txt");
    /// Returns the words in German.
    german, "de", include_str!("tables/de.txt");
    /// Returns the words in Spanish.
    spanish, "es", include_str!("tables/es.txt");
    /// Returns the words in French.
    french, "fr", include_str!("tables/fr.txt");
    /// Returns the words in Japanese.
    japanese, "ja", include_str!("tables/ja.txt");
}

fn words(tag: &str, table: &str) -> Words {
    // A unit test holds that each of these tables is good.
    let table = table::parse(tag, table).unwrap_or_else(|_| Table {
        tag: tag.to_owned(),
        language: LanguageIdentifier::UNKNOWN,
        direction: Direction::LeftToRight,
        texts: HashMap::new(),
        counted: HashMap::new(),
    });
    Words::of_table(table)
}

/// Returns the words of a page to which nobody has given others.
pub(crate) fn default_words() -> &'static Words {
    static WORDS: LazyLock<Words> = LazyLock::new(Words::english);
    &WORDS
}
