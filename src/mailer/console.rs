//! `ConsoleMailer`: a terminal instead of a mail.

use std::io::{self, Write};

use super::{Mail, MailError, Mailer};
use crate::{check::Line, clock::Timestamp};

/// Prints links and codes to standard output. **For development only**: anyone who reads the output
/// can sign in.
///
/// ```text
/// sign-in link for ada@example.com: http://127.0.0.1:3000/auth/open?t=…
/// sign-in code for ada@example.com: 123456
/// ```
///
/// ```
/// # use tower_magic_link::{Builder, mailer::ConsoleMailer};
/// # fn example(builder: Builder) -> Builder {
/// builder.mailer(ConsoleMailer::new())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsoleMailer;

impl ConsoleMailer {
    /// Makes a mailer that prints.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Mailer for ConsoleMailer {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        print(mail, &mut io::stdout().lock()).map_err(MailError::new)
    }

    async fn check(&self, _now: Timestamp) -> Vec<Line> {
        let why = "it prints instead of mailing, which is for development only";
        vec![Line::not_checked("the console", why)]
    }
}

fn print(mail: &Mail<'_>, out: &mut impl Write) -> io::Result<()> {
    let to = mail.to().as_str();
    if let Some(link) = mail.link() {
        writeln!(out, "sign-in link for {to}: {}", link.expose())?;
    }
    if let Some(code) = mail.code() {
        writeln!(out, "sign-in code for {to}: {}", code.expose())?;
    }
    // A pipe would hold the lines back until a buffer is full.
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Timestamp,
        provider::{Link, OneTimeCode},
    };

    #[test]
    fn each_link_and_code_is_printed_on_a_line() {
        let to = "ada@example.com".parse().unwrap();
        let (link, code) = (
            Link::new("https://x/auth/open?t=1"),
            OneTimeCode::new("123456"),
        );
        let empty = Mail::new(&to, Timestamp::from_secs(0));
        let with_link = empty.clone().with_link(&link, Duration::ZERO);
        let with_code = empty.clone().with_code(&code, Duration::ZERO);
        let link_line = "sign-in link for ada@example.com: https://x/auth/open?t=1\n";
        let code_line = "sign-in code for ada@example.com: 123456\n";
        let both = with_link.clone().with_code(&code, Duration::ZERO);
        let cases = [
            ("link", with_link, link_line.to_owned()),
            ("code", with_code, code_line.to_owned()),
            ("both", both, format!("{link_line}{code_line}")),
        ];
        for (name, mail, want) in cases {
            let mut out = Vec::new();
            print(&mail, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), want, "{name}");
        }
    }
}
