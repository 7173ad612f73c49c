//! The language of the pages and the mail: a table of texts for each, and the choice among them.
//!
//! - Without a word of the application's, everything is in English.
//! - [`Builder::languages`](crate::Builder::languages) turns others on. `Accept-Language` chooses,
//!   or [`Builder::language`](crate::Builder::language), a hook of the application's.
//! - A table is checked when it is made: no text is missing, and each has its places.
//! - What programs read stays in English: problems, gRPC's messages, events, the log.
//!
//! ```
//! # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
//! use tower_magic_link::language::Words;
//!
//! # let keys = KeyRing::new(SigningKey::generate()?);
//! # let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
//! let layer = builder
//!     .public_url("https://app.example.com")
//!     // English, unless the browser prefers German or Arabic.
//!     .languages([Words::english(), Words::german(), Words::arabic()])
//!     .build()?;
//! # Ok::<(), tower_magic_link::ConfigError>(())
//! ```

mod accept;
mod choice;
mod english;
mod held;
mod message;
mod shipped;
mod table;
mod texts;
mod time;
mod words;

pub use self::{choice::Head, table::Direction, words::Words};
pub(crate) use self::{
    choice::{Chosen, Hook, Languages, Told},
    english::english,
    held::{Held, held},
    message::Filled,
    shipped::default_words,
    texts::Text,
    time::Countdown,
    words::isolated,
};

#[cfg(test)]
pub(crate) mod tests;
