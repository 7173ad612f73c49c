//! `Logo`: the picture above the heading of every page.
//!
//! - A picture at a URL or a path: the policy names that one address, and no other picture loads.
//! - An inline SVG: it is refused unless it is a drawing alone. `drawing` has the list.
//! - The addresses are kept in the form in which the policy names them: `address` has the rules.

use super::{address, drawing};
use crate::error::ConfigError;

const SETTING: &str = "logo";
const LONGEST_ALT: usize = 80;
const NONE_OF: &str =
    "must be a URL of https, a path of this origin such as /logo.svg, or an <svg> element";

/// A logo, as the pages show it.
#[derive(Clone, Debug)]
pub(super) struct Logo {
    pub(super) alt: String,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// The text of an `<svg>` element behind its name.
    Drawing(String),
    /// An https URL, or a path of our own origin.
    Address(String),
}

impl Logo {
    pub(super) fn parse(source: &str, alt: &str) -> Result<Self, ConfigError> {
        let is_bounded = (1..=LONGEST_ALT).contains(&alt.chars().count());
        if !is_bounded || alt.trim() != alt || alt.chars().any(char::is_control) {
            let problem = "must have an alternative text of 1 to 80 characters, without control \
                           characters or surrounding spaces";
            return Err(ConfigError::beginning(SETTING, alt, problem));
        }
        let source = if source.trim_start().starts_with('<') {
            let rest = drawing::checked(source.trim())
                .map_err(|problem| ConfigError::beginning(SETTING, source, problem))?;
            Source::Drawing(rest.to_owned())
        } else {
            Source::Address(address::parsed(SETTING, source, NONE_OF)?)
        };
        Ok(Self {
            alt: alt.to_owned(),
            source,
        })
    }

    /// Returns the address of the picture, if it has one.
    pub(super) fn address(&self) -> Option<&str> {
        match &self.source {
            Source::Address(address) => Some(address),
            Source::Drawing(_) => None,
        }
    }

    /// Returns what follows `<svg` of a drawing. It is markup.
    pub(super) fn drawing(&self) -> Option<&str> {
        match &self.source {
            Source::Address(_) => None,
            Source::Drawing(rest) => Some(rest),
        }
    }
}

#[cfg(test)]
mod tests;
