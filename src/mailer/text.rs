//! The default rendering as plain text, and its words.
//!
//! - Lines are at most 72 characters long (RFC 5322, section 2.1.1, asks for 78), so that no client
//!   breaks them elsewhere.
//! - A link is never broken. It has a line of its own, whatever its length.
//! - A control character in a name becomes a space, so no name can begin a line of its own.

use super::Mail;
use crate::clock::words;

/// The last paragraph of every mail.
pub(super) const CLOSING: &str =
    "If you didn't ask for this, ignore this email; nobody gets in without it.";

const WIDTH: usize = 72;

impl Mail<'_> {
    /// Returns the subject: `Sign in to Acme`. It never holds the code, which locked screens would
    /// show and mail servers log.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(self)
    }

    /// Returns the mail as plain text, its lines at most 72 characters long, save the link, which
    /// has a line of its own.
    #[must_use]
    pub fn text(&self) -> String {
        text(self)
    }
}

/// Says what the mail is for.
fn subject(mail: &Mail<'_>) -> String {
    match mail.application() {
        // A line break in the name could begin another header field.
        Some(name) => plain(&format!("Sign in to {name}")),
        None if mail.link().is_some() => "Your sign-in link".to_owned(),
        None => "Your sign-in code".to_owned(),
    }
}

fn text(mail: &Mail<'_>) -> String {
    let place = mail
        .application()
        .map(|name| format!(" to {}", plain(name)));
    let place = place.unwrap_or_default();
    let mut text = String::new();
    tell(
        &mut text,
        &format!("You asked to sign in{place} as {}.", mail.to().as_str()),
    );
    if let Some(link) = mail.link() {
        let lifetime = words::lifetime(mail.lifetime());
        tell(
            &mut text,
            &format!("Open this link. It works once, within {lifetime}:"),
        );
        show(&mut text, link.expose());
    }
    if let Some((code, lifetime)) = mail.code().zip(mail.code_lifetime()) {
        let lifetime = words::lifetime(lifetime);
        let ask = match mail.link() {
            Some(_) => {
                "Reading this on another device? Then type this code on the page where you asked to sign in:"
            }
            None => "Type this code on the page where you asked to sign in:",
        };
        tell(&mut text, ask);
        show(&mut text, code.expose());
        tell(
            &mut text,
            &format!(
                "The code works once, within {lifetime}. Nobody else needs it: do not share it."
            ),
        );
    }
    text.push_str(&wrapped(CLOSING));
    text.push('\n');
    text
}

/// Replaces control characters in a line by spaces.
pub(super) fn plain(line: &str) -> String {
    line.replace(char::is_control, " ")
}

fn tell(text: &mut String, paragraph: &str) {
    show(text, &wrapped(paragraph));
}

fn show(text: &mut String, lines: &str) {
    text.push_str(lines);
    text.push_str("\n\n");
}

/// Breaks a paragraph between words. A word that is too long has a line of its own.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::with_capacity(paragraph.len());
    let mut width = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Timestamp,
        email::Email,
        provider::{Link, OneTimeCode},
    };

    fn ada() -> Email {
        "ada@example.com".parse().unwrap()
    }

    #[test]
    fn the_subject_names_the_application_and_never_the_code() {
        let (to, link, code) = (
            ada(),
            Link::new("https://x/?t=1"),
            OneTimeCode::new("123456"),
        );
        let bare = Mail::new(&to, Timestamp::from_secs(0));
        let with_link = bare.clone().with_link(&link, Duration::from_secs(900));
        let with_code = bare.clone().with_code(&code, Duration::from_secs(600));
        let both = with_link.clone().with_code(&code, Duration::from_secs(600));
        let cases = [
            ("link", with_link, "Your sign-in link"),
            ("code", with_code, "Your sign-in code"),
            ("both", both.clone(), "Your sign-in link"),
            (
                "name",
                both.clone().with_application("Acme"),
                "Sign in to Acme",
            ),
            (
                "header",
                both.with_application("A\r\nBcc: eve@example.com"),
                "Sign in to A  Bcc: eve@example.com",
            ),
        ];
        for (name, mail, want) in cases {
            assert_eq!(mail.subject(), want, "{name}");
        }
    }

    #[test]
    fn link_and_code_stand_alone_on_their_lines_and_the_rest_wraps() {
        let to = ada();
        let (url, code) = (
            format!("https://app.example.com/auth/open?t={}", "x".repeat(900)),
            "123456",
        );
        let (link, code) = (Link::new(&url), OneTimeCode::new(code));
        let name = "A Company With A Very Long Name That Goes On And On And On And On And On";
        let mail = Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(5_400))
            .with_code(&code, Duration::from_secs(600))
            .with_application(name);
        let text = mail.text();
        for alone in [url.as_str(), "123456"] {
            assert!(
                text.contains(&format!("\n\n{alone}\n\n")),
                "{alone} in {text}"
            );
        }
        for line in text.lines().filter(|line| *line != url) {
            assert!(line.len() <= WIDTH, "{line}");
        }
        for words in [
            "1 hour and 30 minutes",
            "10 minutes",
            "ada@example.com",
            "Reading this on another device?",
        ] {
            assert!(text.replace('\n', " ").contains(words), "{words} in {text}");
        }
        assert!(text.replace('\n', " ").ends_with(&format!("{CLOSING} ")));
    }

    #[test]
    fn a_mail_with_one_of_them_does_not_speak_of_the_other() {
        let (to, link, code) = (
            ada(),
            Link::new("https://x/?t=1"),
            OneTimeCode::new("123456"),
        );
        let bare = Mail::new(&to, Timestamp::from_secs(100));
        let with_link = bare.clone().with_link(&link, Duration::from_secs(900));
        let with_code = bare.with_code(&code, Duration::from_secs(600));
        assert!(!with_link.text().contains("code") && !with_link.html().contains("code"));
        assert!(!with_code.text().contains("link") && !with_code.html().contains("href"));
        assert_eq!(with_link.expires_at(), Timestamp::from_secs(1_000));
        assert_eq!(with_code.expires_at(), Timestamp::from_secs(700));
        assert_eq!(with_link.code_lifetime(), None);
    }

    #[test]
    fn a_name_begins_no_line_of_its_own() {
        let (to, link) = (ada(), Link::new("https://x/?t=1"));
        let mail = Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(900))
            .with_application("Acme\r\n\r\nhttps://evil.example\u{85}");
        let text = mail.text();
        assert!(!text.contains("\nhttps://evil"), "{text}");
        assert!(!text.contains('\r') && !text.contains('\u{85}'), "{text}");
    }

    #[test]
    fn debug_shows_neither_link_nor_code_nor_the_whole_address() {
        let (to, link, code) = (
            ada(),
            Link::new("https://secret/"),
            OneTimeCode::new("123456"),
        );
        let mail = Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(900))
            .with_code(&code, Duration::from_secs(600));
        let debug = format!("{mail:?}");
        for secret in ["secret", "123456", "ada@"] {
            assert!(!debug.contains(secret), "{debug}");
        }
        assert!(debug.contains("a***@example.com"), "{debug}");
    }
}
