//! The default rendering as HTML.
//!
//! - It loads nothing and tracks no reader: no image, no style sheet, no script, no form.
//! - Every text from outside passes through askama's HTML escaper, inside an element or a quoted
//!   attribute.
//! - A line has one link at most, so that no line is too long to be sent as it is.
//! - Styles are inline, because many clients drop style sheets. Colours are the reader's, except
//!   those of the button and the link.

use askama::Template;

use super::{Mail, text::plain};
use crate::language::{Direction, Filled, Text, Words};

#[derive(Template)]
#[template(path = "mail.html", config = "src/mailer/askama.toml")]
struct Html<'a> {
    words: &'a Words,
    is_reversed: bool,
    subject: &'a str,
    heading: String,
    asked: String,
    link: Option<(&'a str, String)>,
    code: Option<(&'a str, String)>,
}

impl Mail<'_> {
    /// Returns the mail as an HTML document. It loads nothing from anywhere, and follows the
    /// reader's choice of light or dark.
    #[must_use]
    pub fn html(&self) -> String {
        html(self)
    }
}

fn html(mail: &Mail<'_>) -> String {
    let application = mail.application().map(plain);
    let code = mail.code().zip(mail.code_lifetime());
    let words = mail.words();
    let within = |text, lifetime| {
        let lifetime = words.lifetime(lifetime);
        words.fill_own(text, &[("time", &*lifetime)])
    };
    let html = Html {
        words,
        is_reversed: words.direction() == Direction::RightToLeft,
        subject: &mail.subject(),
        heading: match &application {
            Some(name) => {
                let name = [("application", Filled::Isolated(name))];
                words.html(Text::MailHeadingOf, &name)
            }
            None => words.html(Text::MailHeading, &[]),
        },
        asked: {
            let to = [("email", Filled::Strong(mail.to().as_str()))];
            words.html(Text::MailAsked, &to)
        },
        link: mail
            .link()
            .map(|link| (link.expose(), within(Text::MailWorks, mail.lifetime()))),
        code: code.map(|(code, lifetime)| (code.expose(), within(Text::MailCodeWorks, lifetime))),
    };
    // Rendering cannot fail: it writes into memory, and no filter fails.
    html.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Timestamp,
        provider::{Link, OneTimeCode},
    };

    const NAUGHTY: &str = "\"'><script>alert(1)</script>&amp;{{x}}\u{202e}\u{0}";

    fn render(link: &str, code: &str, application: &str) -> String {
        let to = "o'a&b`{x}@example.com".parse().unwrap();
        let (link, code) = (Link::new(link), OneTimeCode::new(code));
        Mail::new(&to, Timestamp::from_secs(0))
            .with_link(&link, Duration::from_secs(900))
            .with_code(&code, Duration::from_secs(600))
            .with_application(application)
            .html()
    }

    #[test]
    fn every_text_from_outside_is_escaped() {
        let html = render(NAUGHTY, NAUGHTY, NAUGHTY);
        assert!(!html.contains("<script") && !html.contains("'>"), "{html}");
        // Twice in the heading and the title, thrice for the link, once for the code.
        assert_eq!(html.matches("&#60;script&#62;").count(), 6, "{html}");
        assert!(html.contains("o&#39;a&#38;b`{x}@example.com"), "{html}");
        let kept: Vec<_> = html
            .split('<')
            .skip(1)
            .map(|tag| tag.split(['>', ' ']).next().unwrap())
            .collect();
        let plain = render("https://x/", "1", "Acme");
        let want: Vec<_> = plain
            .split('<')
            .skip(1)
            .map(|tag| tag.split(['>', ' ']).next().unwrap())
            .collect();
        assert_eq!(kept, want, "naughty texts make no tag");
    }

    #[test]
    fn link_and_code_are_shown_and_the_link_is_a_button_too() {
        let html = render("https://app.example.com/auth/open?t=a-_b", "123456", "Acme");
        assert_eq!(
            html.matches("<a href=\"https://app.example.com/auth/open?t=a-_b\" ")
                .count(),
            2
        );
        assert!(html.contains(">https://app.example.com/auth/open?t=a-_b</a>"));
        assert!(html.contains(">123456</bdi>"));
        assert!(html.contains("within 15&#160;minutes") && html.contains("within 10&#160;minutes"));
        assert!(html.contains("nobody gets in without it."));
        assert!(html.ends_with("</html>"));
    }

    #[test]
    fn nothing_is_loaded_from_anywhere() {
        let html = render("https://app.example.com/auth/open?t=x", "123456", "Acme");
        for refused in [
            "<img",
            "<link",
            "<script",
            "<iframe",
            "<form",
            "src=",
            "url(",
            "@import",
            "<table",
            "background=",
            "ping=",
        ] {
            assert!(!html.contains(refused), "{refused}");
        }
        let others = html.replace("https://app.example.com/auth/open?t=x", "");
        assert!(!others.contains("://"), "{others}");
    }
}
