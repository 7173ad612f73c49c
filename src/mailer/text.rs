//! The default rendering as plain text, and its words.
//!
//! - Lines are at most 72 characters long (RFC 5322, section 2.1.1, asks for 78), so that no client
//!   breaks them elsewhere.
//! - A link is never broken. It has a line of its own, whatever its length.
//! - A control character in a name becomes a space, so no name can begin a line of its own.

use super::Mail;
use crate::language::{Direction, Text, Words};

const WIDTH: usize = 72;
/// A letter of Arabic and Hebrew that nobody sees (Unicode Standard Annex #9, section 2.6).
const MARK: char = '\u{200f}';

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
    let words = mail.words();
    match mail.application() {
        // A line break in the name could begin another header field.
        Some(name) => plain(&words.fill(Text::MailSubject, &[("application", name)])),
        None if mail.link().is_some() => words.say(Text::MailSubjectLink).to_owned(),
        None => words.say(Text::MailSubjectCode).to_owned(),
    }
}

fn text(mail: &Mail<'_>) -> String {
    let words = mail.words();
    let to = ("email", mail.to().as_str());
    let within = |text, lifetime| {
        let lifetime = words.lifetime(lifetime);
        words.fill_own(text, &[("time", &*lifetime)])
    };
    let mut text = String::new();
    let asked = match mail.application().map(plain) {
        Some(name) => words.fill(Text::MailAskedOf, &[("application", &*name), to]),
        None => words.fill(Text::MailAsked, &[to]),
    };
    let tell = |text: &mut String, paragraph: &str| show(text, &directed(words, paragraph));
    tell(&mut text, &asked);
    if let Some(link) = mail.link() {
        tell(&mut text, &within(Text::MailOpen, mail.lifetime()));
        show(&mut text, link.expose());
    }
    if let Some((code, lifetime)) = mail.code().zip(mail.code_lifetime()) {
        let ask = match mail.link() {
            Some(_) => Text::MailCodeToo,
            None => Text::MailCode,
        };
        tell(&mut text, words.say(ask));
        show(&mut text, code.expose());
        tell(&mut text, &within(Text::MailCodeWorks, lifetime));
    }
    text.push_str(&directed(words, words.say(Text::MailClosing)));
    text.push('\n');
    text
}

/// Replaces control characters in a line by spaces.
pub(super) fn plain(line: &str) -> String {
    line.replace(char::is_control, " ")
}

/// Breaks a paragraph into lines, each in the direction of its language.
///
/// Between two marks of that direction a full stop stands at the end of its line, also in a client
/// that shows every text from left to right, and on a line that begins with an address.
fn directed(words: &Words, paragraph: &str) -> String {
    let lines = wrapped(paragraph);
    match words.direction() {
        Direction::LeftToRight => lines,
        Direction::RightToLeft => {
            let lines = lines.lines().map(|line| format!("{MARK}{line}{MARK}"));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn show(text: &mut String, lines: &str) {
    text.push_str(lines);
    text.push_str("\n\n");
}

/// Breaks a paragraph between words, and behind the full stops and commas of a script without
/// spaces. A word that is too long has a line of its own.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::with_capacity(paragraph.len());
    let mut width = 0;
    // French keeps a mark with its word by a space that does not break.
    let is_break = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    for word in paragraph.split(is_break).filter(|word| !word.is_empty()) {
        let mut space = 1;
        for part in word.split_inclusive(['、', '。', '，', '！', '？']) {
            let length = part.chars().map(columns).sum::<usize>();
            if width > 0 && width + space + length > WIDTH {
                text.push('\n');
                width = 0;
            } else if width > 0 && space > 0 {
                text.push(' ');
                width += space;
            }
            text.push_str(part);
            width += length;
            space = 0;
        }
    }
    text
}

/// Returns how many columns a character takes: the letters of Chinese, Japanese and Korean are wide
/// (Unicode Standard Annex #11).
const fn columns(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' => 2,
        _ => 1,
    }
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
        assert!(
            text.replace('\n', " ")
                .ends_with(&format!("{} ", mail.words().say(Text::MailClosing)))
        );
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
