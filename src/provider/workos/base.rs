//! `BaseUrl`: where WorkOS's API is.

use url::{Host, Url};

use crate::error::ConfigError;

/// The base URL of WorkOS's API: an origin and perhaps a path, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl {
    pub(super) text: String,
    pub(super) is_loopback: bool,
    pub(super) is_plain: bool,
}

impl BaseUrl {
    pub(super) fn parse(setting: &'static str, text: &str) -> Result<Self, ConfigError> {
        // The text before an `@` may be a password, so the error does not show the value.
        if text.contains('@') {
            return Err(ConfigError::withheld(
                setting,
                "must not hold a user name or password",
            ));
        }
        let wrong = |problem: &'static str| ConfigError::invalid(setting, text, problem);
        let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(wrong("has no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(wrong("must be https: it carries the API key")),
            _ => return Err(wrong("is neither https nor http")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not have a query or fragment"));
        }
        Ok(Self {
            // Of the parsed form, so that the host that was checked is the one that gets the key.
            text: url.as_str().trim_end_matches('/').to_owned(),
            is_loopback,
            is_plain: url.scheme() == "http",
        })
    }
}
