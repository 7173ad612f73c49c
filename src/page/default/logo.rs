//! `Logo`: the picture above the heading of every page.
//!
//! - A picture at a URL or a path: the policy names that one address, and no other picture loads.
//! - An inline SVG: it is refused unless it is a drawing alone. `drawing` has the list.
//! - The addresses are kept in their parsed form, in which the policy names them.

use url::Url;

use super::drawing;
use crate::error::ConfigError;

const SETTING: &str = "logo";
const LONGEST_ADDRESS: usize = 500;
const LONGEST_ALT: usize = 80;

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
            Source::Address(address(source)?)
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

/// Returns the one address at which the picture is.
fn address(text: &str) -> Result<String, ConfigError> {
    let refuse = |problem| {
        // The text before an `@` may be a password.
        if text.contains('@') && text.contains('/') {
            return ConfigError::secret(SETTING, problem);
        }
        ConfigError::beginning(SETTING, text, problem)
    };
    let is_path = text.starts_with('/');
    let none_of = "must be a URL of https, a path of this origin such as /logo.svg, or an <svg> \
                   element";
    let url = if is_path {
        // Any origin: it shows what a browser makes of the path.
        Url::parse("https://example.com").and_then(|origin| origin.join(text))
    } else {
        Url::parse(text)
    };
    let url = url.map_err(|_| refuse(none_of))?;
    if url.scheme() != "https" {
        return Err(refuse(none_of));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user name or password"));
    }
    // A policy's source names no query. With a fragment, it is another picture of the same file.
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must have no query and no fragment"));
    }
    let address = if is_path { url.path() } else { url.as_str() };
    if is_path && address != text {
        return Err(refuse(
            "must be a path as browsers send it: percent-encoded, without // at its start and \
             without . and .. in it",
        ));
    }
    if url.domain().is_none() {
        return Err(refuse(
            "must have a host with a name, since a policy knows no other",
        ));
    }
    // To a policy, a path that ends in / is a whole folder, and a * is any host. A ; or , would
    // end the source.
    if address.ends_with('/') || address.contains(['*', ';', ',']) {
        return Err(refuse("must name one file, without * ; and ,"));
    }
    if address.len() > LONGEST_ADDRESS {
        return Err(refuse("must have at most 500 characters"));
    }
    Ok(address.to_owned())
}

#[cfg(test)]
mod tests;
