//! The mails: with a link, a code or both, as HTML and as text.

use std::time::Duration;

use tower_magic_link::{
    clock::Timestamp,
    mailer::Mail,
    provider::{Link, OneTimeCode},
};

use crate::choice::Choice;

const NAMES: [&str; 3] = ["mail-link", "mail-code", "mail-link-and-code"];
const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

pub(crate) fn names() -> impl Iterator<Item = String> {
    let forms = |name| [".html", ".txt"].map(|form| format!("{name}{form}"));
    NAMES.into_iter().flat_map(forms)
}

/// Returns the mail of this name. A text begins with its subject.
pub(crate) fn shown(choice: &Choice<'_>, name: &str) -> Option<String> {
    let (name, form) = name.rsplit_once('.')?;
    let name = NAMES.into_iter().find(|known| *known == name)?;
    let to = "ada@example.com".parse().ok()?;
    // As long as the layer's own is.
    let token = "MWJkN2Y0LXNlYWxlZC1hdHRlbXB0".repeat(16);
    let link = Link::new(format!("https://app.example.com/auth/open?t={token}"));
    let code = OneTimeCode::new("481516");
    let mut mail = Mail::new(&to, Timestamp::from_secs(1_767_225_600))
        .with_application(choice.application())
        .with_words(choice.words);
    if name != "mail-code" {
        mail = mail.with_link(&link, LINK_LIFETIME);
    }
    if name != "mail-link" {
        mail = mail.with_code(&code, CODE_LIFETIME);
    }
    match form {
        "html" => Some(mail.html()),
        "txt" => Some(format!("{}\n\n{}", mail.subject(), mail.text())),
        _ => None,
    }
}
