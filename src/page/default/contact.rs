//! `Contact`: whom a person asks if signing in does not work.
//!
//! - An address, or a page over https. Both are kept in their parsed form.
//! - A link never holds a user name or password: every visitor would read it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::{email::Email, error::ConfigError};

const SETTING: &str = "support";
const LONGEST_URL: usize = 500;

/// What a `mailto:` link has as it is (RFC 6068, section 2). The rest, such as `#` and `&`, would
/// end the address.
const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'@');

/// Whom to ask, as the pages show it.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) href: String,
    pub(super) shown: String,
    way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Address,
    Page,
}

impl Contact {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        if let Ok(email) = Email::parse(text) {
            return Ok(Self {
                href: format!("mailto:{}", utf8_percent_encode(email.as_str(), ADDRESS)),
                shown: email.as_str().to_owned(),
                way: Way::Address,
            });
        }
        let refuse = |problem| ConfigError::beginning(SETTING, text, problem);
        let not_either =
            "must be an email address or a URL of https, such as https://example.com/help";
        let url = Url::parse(text).map_err(|_| refuse(not_either))?;
        if url.scheme() != "https" {
            return Err(refuse(not_either));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let problem = "must not hold a user name or password";
            return Err(ConfigError::withheld(SETTING, problem));
        }
        if url.as_str().len() > LONGEST_URL {
            return Err(refuse("must have at most 500 characters"));
        }
        let shown = url.as_str().trim_start_matches("https://");
        Ok(Self {
            shown: shown.strip_suffix('/').unwrap_or(shown).to_owned(),
            href: url.into(),
            way: Way::Page,
        })
    }

    /// Says whether it is a page, and not an address.
    pub(super) fn is_page(&self) -> bool {
        self.way == Way::Page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_page_over_https_is_taken_in_its_parsed_form() {
        let cases = [
            (
                " Help@Example.com ",
                "mailto:help@example.com",
                "help@example.com",
            ),
            // A raw `#` would begin a fragment, and a raw `&` nothing good.
            (
                "a#b&c+d@e.example",
                "mailto:a%23b%26c+d@e.example",
                "a#b&c+d@e.example",
            ),
            ("HTTPS://Example.com", "https://example.com/", "example.com"),
            (
                "https://bücher.example/Hilfe/?a=<b>\"",
                "https://xn--bcher-kva.example/Hilfe/?a=%3Cb%3E%22",
                "xn--bcher-kva.example/Hilfe/?a=%3Cb%3E%22",
            ),
            (
                "https://social.example/@acme",
                "https://social.example/@acme",
                "social.example/@acme",
            ),
        ];
        for (text, href, shown) in cases {
            let contact = Contact::parse(text).unwrap();
            assert_eq!((&*contact.href, &*contact.shown), (href, shown), "{text}");
            assert_eq!(contact.is_page(), href.starts_with("https:"), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_value_unless_that_may_be_a_password() {
        let long = format!("https://example.com/{}", "a".repeat(LONGEST_URL));
        let long_shown = long.chars().take(80).collect::<String>() + "…";
        let cases = [
            ("", Some("")),
            ("help", Some("help")),
            ("/help", Some("/help")),
            ("//example.com/help", Some("//example.com/help")),
            ("http://example.com/", Some("http://example.com/")),
            (
                "http://social.example/@acme",
                Some("http://social.example/@acme"),
            ),
            ("javascript:alert(1)", Some("javascript:alert(1)")),
            ("data:text/html,x", Some("data:text/html,x")),
            ("mailto:help@example.com", Some("mailto:help@example.com")),
            (
                "a@example.com,b@example.com",
                Some("a@example.com,b@example.com"),
            ),
            ("https://", Some("https://")),
            ("https://bad host/", Some("https://bad host/")),
            (&*long, Some(&*long_shown)),
            ("https://ada:secret@example.com/", None),
            ("https://ada@example.com/", None),
            ("https:///secret@example.com/", None),
            ("https:\\\\secret@example.com/", None),
            ("http://ada:secret@example.com/", None),
            ("https://ada:secret@bad host/", None),
        ];
        for (text, want) in cases {
            let error = Contact::parse(text).unwrap_err();
            assert_eq!(error.setting(), "support", "{text}");
            let shown = match &error {
                ConfigError::Invalid { value, .. } => Some(&**value),
                _ => None,
            };
            assert_eq!(shown, want, "{text}");
            assert!(!error.to_string().contains("secret"), "{text}");
        }
    }
}
