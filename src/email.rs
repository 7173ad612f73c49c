//! `Email`: a parsed and validated e-mail address.
//!
//! - Exactly one recipient: one `@`, a dot-atom before it (RFC 5322, section 3.2.3), a DNS name
//!   after it.
//! - No quotes, comments, display names, address literals or line breaks: they misdeliver mail or
//!   inject headers.
//! - The local part is ASCII: in other systems Unicode case folding has turned one person's address
//!   into another's (CVE-2019-19844).
//! - A non-ASCII domain becomes its punycode (IDNA, UTS 46); addresses compare by ASCII case
//!   folding.

use std::fmt;

/// RFC 5321, section 4.5.3.1.3: a path has 256 octets with its angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;

/// An e-mail address. Two addresses are equal if they differ only in ASCII case.
///
/// `Debug` masks it for logs: `a***@example.com`.
///
/// ```
/// use tower_magic_link::Email;
///
/// let email = Email::parse(" Ada@Example.com ")?;
/// assert_eq!(email.as_str(), "Ada@example.com");
/// assert_eq!(format!("{email:?}"), "A***@example.com");
/// assert!(Email::parse("ada@example.com,eve@example.com").is_err());
/// # Ok::<(), tower_magic_link::InvalidEmail>(())
/// ```
#[derive(Clone)]
pub struct Email {
    address: String,
    at: usize,
}

/// The text is not one address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
#[non_exhaustive]
pub struct InvalidEmail;

impl Email {
    /// Parses an address. It trims surrounding spaces and tabs, and lower-cases the domain.
    ///
    /// # Errors
    ///
    /// When the text is anything but one plain address of at most 254 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim_matches([' ', '\t']);
        // Before any other work: IDNA on megabytes of input would be a denial of service.
        if text.len() > LONGEST_ADDRESS {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        if !is_dot_atom(local) || local.len() > LONGEST_LOCAL {
            return Err(InvalidEmail);
        }
        let domain = domain_name(domain).ok_or(InvalidEmail)?;
        let address = format!("{local}@{domain}");
        if address.len() > LONGEST_ADDRESS {
            return Err(InvalidEmail);
        }
        Ok(Self {
            address,
            at: local.len(),
        })
    }

    /// Returns the address as it was typed, with its domain in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// Returns the domain, in lower case and punycode.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.get(self.at + 1..).unwrap_or_default()
    }

    /// Returns the address with its local part hidden after the first character, for a log or for a
    /// page that strangers may see.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self.address.get(..1).unwrap_or_default();
        format!("{first}***@{}", self.domain())
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.address.eq_ignore_ascii_case(&other.address)
    }
}

impl Eq for Email {}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl std::str::FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        Self::parse(text)
    }
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    })
}

/// Returns the domain in its ASCII form if it is a DNS name of two labels or more.
pub(crate) fn domain_name(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3).ok()?;
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63) && !label.starts_with('-') && !label.ends_with('-')
    };
    // A numeric last label would be an IP address (WHATWG URL, "ends in a number").
    let last = domain.rsplit('.').next()?;
    let is_name = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !last.bytes().all(|b| b.is_ascii_digit());
    is_name.then(|| domain.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_address_is_taken_and_everything_else_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_domain = format!("a@{}.com", "b".repeat(64));
        let cases = [
            ("plain", "ada@example.com", Some("ada@example.com")),
            (
                "spaces around",
                "  ada@example.com\t",
                Some("ada@example.com"),
            ),
            ("tag", "ada+news@example.com", Some("ada+news@example.com")),
            ("capitals", "Ada@EXAMPLE.com", Some("Ada@example.com")),
            (
                "idn domain",
                "ada@bücher.example",
                Some("ada@xn--bcher-kva.example"),
            ),
            ("empty", "", None),
            ("no at", "ada.example.com", None),
            ("two ats", "ada@evil.example@example.com", None),
            ("no local part", "@example.com", None),
            ("no domain", "ada@", None),
            ("one label", "ada@localhost", None),
            ("comma", "ada@example.com,eve@example.com", None),
            ("semicolon", "ada@example.com;eve@example.com", None),
            (
                "line break",
                "ada@example.com\r\nBcc: eve@example.com",
                None,
            ),
            ("trailing line break", "ada@example.com\n", None),
            ("quoted", "\"ada eve\"@example.com", None),
            ("angle brackets", "<ada@example.com>", None),
            ("comment", "ada(eve)@example.com", None),
            ("address literal", "ada@[127.0.0.1]", None),
            ("ip address", "ada@127.0.0.1", None),
            ("fullwidth at", "ada\u{ff20}example.com", None),
            ("small at", "ada\u{fe6b}example.com", None),
            ("dotless i", "m\u{131}ke@example.com", None),
            ("kelvin sign", "\u{212a}ate@example.com", None),
            ("nul", "ada\0@example.com", None),
            ("leading dot", ".ada@example.com", None),
            ("double dot", "ada..l@example.com", None),
            ("domain dots", "ada@example..com", None),
            ("trailing dot", "ada@example.com.", None),
            ("leading dash", "ada@-example.com", None),
            ("long local part", &long_local, None),
            ("long label", &long_domain, None),
            ("encoded word", "=?utf-8?q?ada?=@example.com x", None),
        ];
        for (name, text, want) in cases {
            let got = Email::parse(text).ok();
            assert_eq!(got.as_ref().map(Email::as_str), want, "{name}");
        }
    }

    #[test]
    fn addresses_compare_without_ascii_case_and_print_masked() {
        let ada = Email::parse("Ada@Example.com").unwrap();
        assert_eq!(ada, Email::parse("aDA@example.COM").unwrap());
        assert_ne!(ada, Email::parse("adb@example.com").unwrap());
        assert_eq!(format!("{ada:?}"), "A***@example.com");
        assert_eq!(ada.domain(), "example.com");
    }
}
