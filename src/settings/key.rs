//! `Key`: one setting, by its name, and what becomes of its value.

use std::time::Duration;

use super::value::Form;
use crate::{
    builder::Builder,
    throttle::{Limits, Rate},
};

/// What ends the name of a key whose value is the path of a file with a secret.
pub(super) const FILE: &str = "_file";

/// One setting.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// The default, as it would be written. Empty: there is none.
    pub(super) default: &'static str,
    /// What it is for, with its range.
    pub(super) about: &'static str,
    pub(super) use_: Use,
}

/// A setter of one value of several, by its word.
pub(super) type Choice = (&'static str, fn(Builder) -> Builder);

/// What becomes of a value.
pub(super) enum Use {
    /// One of these words.
    Choice(&'static [Choice]),
    Length(fn(Builder, Duration) -> Builder),
    /// One of the throttle's limits.
    Limit(fn(Limits, Rate) -> Limits),
    /// A part of something that is made of several keys: the provider, the mailer, Redis, a page.
    Part(Form),
    Secrets(fn(Builder, &str) -> Builder),
    Share(fn(Builder, f64) -> Builder),
    Switch(fn(Builder) -> Builder),
    Text(fn(Builder, &str) -> Builder),
    Texts(fn(Builder, Vec<String>) -> Builder),
    /// As `Texts`, for a list that is on the safe side without a text.
    TextsOrNone(fn(Builder, Vec<String>) -> Builder),
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        use_: Use,
    ) -> Self {
        Self {
            name,
            default,
            about,
            use_,
        }
    }

    /// Returns how its value is written.
    pub(super) fn form(&self) -> Form {
        match &self.use_ {
            Use::Choice(choices) => Form::Word(choices.iter().map(|(word, _)| *word).collect()),
            Use::Length(_) => Form::Length,
            Use::Limit(_) => Form::Rate,
            Use::Part(form) => form.clone(),
            Use::Secrets(_) => Form::Secrets,
            Use::Share(_) => Form::Share,
            Use::Switch(_) => Form::Switch,
            Use::Text(_) => Form::Text,
            Use::Texts(_) => Form::Texts,
            Use::TextsOrNone(_) => Form::TextsOrNone,
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.form().is_secret()
    }

    /// Returns the environment's variable: `MAGIC_LINK_SESSION_LIFETIME`, `WORKOS_API_KEY`.
    pub(super) fn variable(&self) -> String {
        let name = self.name.to_ascii_uppercase();
        match name.starts_with("WORKOS_") {
            true => name,
            false => format!("{PREFIX}{name}"),
        }
    }
}

/// How the variables of all keys begin but those of WorkOS.
pub(super) const PREFIX: &str = "MAGIC_LINK_";
