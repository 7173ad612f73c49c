//! `Email`: a parsed and validated e-mail address.
//!
//! - Exactly one recipient: one `@`, a dot-atom before it (RFC 5322, section 3.2.3), a DNS name
//!   after it.
//! - No quotes, comments, display names, address literals or line breaks: they misdeliver mail or
//!   inject headers.
//! - One mailbox to every mail system. A local part that some system reads as a route to another
//!   mailbox, or as an encoding of one, is refused: the reader of that mail would sign in as the
//!   address.
//! - One spelling: the whole address is in lower case. What is compared, limited, mailed and put
//!   into the session are the same bytes. RFC 5321 (section 2.4) lets a server tell `Ada` from
//!   `ada` and advises against it; no large one does.
//! - The local part is ASCII: in other systems Unicode case folding has turned one person's address
//!   into another's (CVE-2019-19844).
//! - A non-ASCII domain becomes its punycode (IDNA, UTS 46).

use std::{borrow::Cow, fmt};

pub(crate) use self::within::masked_within;

mod within;

/// RFC 5321, section 4.5.3.1.3: a path has 256 octets with its angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;

/// An e-mail address, in lower case.
///
/// `Debug` masks it for logs: `a***@example.com`.
///
/// ```
/// use tower_magic_link::Email;
///
/// let email = Email::parse(" Ada@Example.com ")?;
/// assert_eq!(email.as_str(), "ada@example.com");
/// assert_eq!(format!("{email:?}"), "a***@example.com");
/// assert!(Email::parse("ada@example.com,eve@example.com").is_err());
/// // Some mail servers send this on to evil.example.
/// assert!(Email::parse("ada%evil.example@example.com").is_err());
/// # Ok::<(), tower_magic_link::InvalidEmail>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    at: usize,
}

/// The text is not one address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match self.fault {
    Fault::Invisible => "e-mail address has an invisible character in it",
    Fault::Other => "not an e-mail address",
})]
#[non_exhaustive]
pub struct InvalidEmail {
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Invisible,
    Other,
}

impl InvalidEmail {
    const OTHER: Self = Self {
        fault: Fault::Other,
    };

    /// Says whether the text has a character that nobody sees, which a copied address often has.
    #[must_use]
    pub const fn is_invisible(self) -> bool {
        matches!(self.fault, Fault::Invisible)
    }
}

impl Email {
    /// Parses an address, and lower-cases it. It takes off blanks and invisible characters around
    /// the address: zero-width characters, direction marks, a byte order mark.
    ///
    /// It refuses addresses that some mail system delivers to another mailbox:
    ///
    /// | refused in the local part | read as |
    /// | --- | --- |
    /// | `%`, `!` | a route to another host (Postfix, Sendmail; RFC 1123, section 5.2.16) |
    /// | `=`, `?` | an encoded word (RFC 2047), a rewritten sender (SRS, BATV), an X.400 pair |
    /// | `-` first | an option of a program |
    /// | `/` or `\|` first | a file or a program (Sendmail), an X.400 address |
    /// | `imcea` first | an encapsulated address (Exchange) |
    /// | `#ext#` | the mailbox of a guest at another tenant (Entra) |
    ///
    /// # Errors
    ///
    /// When the text is anything but one plain address of at most 254 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim_matches(|c| is_blank(c) || is_invisible(c));
        // Before any other work: IDNA on megabytes of input would be a denial of service.
        if text.len() > LONGEST_ADDRESS {
            return Err(InvalidEmail::OTHER);
        }
        // At the first one: a second lands in the domain, where no name may hold it
        // (CVE-2026-40574).
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail::OTHER)?;
        // Joiners are letters of some domains, and IDNA checks them by their neighbours. Other
        // invisible characters it would drop without a word.
        let is_joiner = |c| matches!(c, '\u{200c}' | '\u{200d}');
        // Nearly every address is ASCII, in which none is invisible.
        let has_invisible = !text.is_ascii()
            && (local.contains(is_invisible)
                || domain.contains(|c| is_invisible(c) && !is_joiner(c)));
        if has_invisible {
            return Err(InvalidEmail {
                fault: Fault::Invisible,
            });
        }
        let mut address = String::with_capacity(text.len());
        address.push_str(local);
        address.make_ascii_lowercase();
        if !is_dot_atom(&address) || is_route(&address) || address.len() > LONGEST_LOCAL {
            return Err(InvalidEmail::OTHER);
        }
        // After the local part, because IDNA is the dearest of the checks.
        let domain = ascii_domain(domain).ok_or(InvalidEmail::OTHER)?;
        let at = address.len();
        address.push('@');
        address.push_str(&domain);
        if address.len() > LONGEST_ADDRESS {
            return Err(InvalidEmail::OTHER);
        }
        Ok(Self { address, at })
    }

    /// Returns a text without its blanks and invisible characters, to be shown again in a form.
    pub(crate) fn visible(text: &str) -> String {
        text.chars().filter(|&c| !is_invisible(c)).collect()
    }

    /// Returns the address, in lower case, with its domain in punycode.
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
        // Always three stars: their number must not tell the length.
        format!("{first}***@{}", self.domain())
    }
}

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

/// Returns a person's id for a log. An application may use the address as the id: what holds an `@`
/// is masked as an address is.
pub(crate) fn masked_subject(subject: &str) -> Cow<'_, str> {
    let Some((local, domain)) = subject.rsplit_once('@') else {
        return subject.into();
    };
    if let Ok(email) = Email::parse(subject) {
        return email.masked().into();
    }
    let first: String = local.chars().take(1).collect();
    format!("{first}***@{domain}").into()
}

/// A blank, of any width. A line break is none: around an address it is an attack on headers.
fn is_blank(c: char) -> bool {
    c == '\t' || c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// A character without a width: zero-width characters, direction marks, the byte order mark.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

/// Letters and digits, and what RFC 5322 adds to them but for `%`, `!`, `?` and `=`. Those four
/// spell an address within the address: no rule of ours could read them as every server does.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"#$&'*+-/^_`{|}~".contains(&b))
    })
}

/// Says whether a local part in lower case is a route by its words.
fn is_route(local: &str) -> bool {
    local.starts_with(['-', '/', '|']) || local.starts_with("imcea") || local.contains("#ext#")
}

/// Returns the domain in its ASCII form if it is a DNS name of two labels or more.
pub(crate) fn domain_name(domain: &str) -> Option<String> {
    ascii_domain(domain).map(Cow::into_owned)
}

fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    // STD3 refuses underscores and every other character that no host name has.
    let domain = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3).ok()?;
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63) && !label.starts_with('-') && !label.ends_with('-')
    };
    // A top-level domain begins with a letter (RFC 1123, section 2.1). Where it does not, a URL
    // parser may read an IP address: `0x7f.1`.
    let last = domain.rsplit('.').next()?;
    let is_name = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && last.starts_with(|c: char| c.is_ascii_alphabetic());
    is_name.then_some(domain)
}

#[cfg(test)]
mod tests;
