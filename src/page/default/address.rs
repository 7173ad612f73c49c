//! The one address of a file that the pages load: a picture, a style sheet.
//!
//! - A URL of https, or a path of our own origin.
//! - It is kept in its parsed form, in which the policy names it.

use url::Url;

use crate::error::ConfigError;

pub(super) const LONGEST_ADDRESS: usize = 500;

/// Returns the address of one file. `none_of` says what a text must be that is no address.
pub(super) fn parsed(
    setting: &'static str,
    text: &str,
    none_of: &'static str,
) -> Result<String, ConfigError> {
    let refuse = |problem| ConfigError::beginning(setting, text, problem);
    let is_path = text.starts_with('/');
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
        let problem = "must not hold a user name or password";
        return Err(ConfigError::withheld(setting, problem));
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
