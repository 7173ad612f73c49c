//! The sentences of the default pages that depend on the page's data.

use super::super::{CheckPage, CodeProblem, LoginPage, LoginProblem, Sent};
use crate::clock::words;

pub(super) const fn address_problem(problem: LoginProblem) -> &'static str {
    match problem {
        LoginProblem::InvalidAddress => {
            "That doesn’t look like an email address. It should read like name@example.com."
        }
        LoginProblem::InvisibleCharacter => {
            "That address had an invisible character in it. It’s gone now: please send it again."
        }
        LoginProblem::MissingAddress => "Please type your email address.",
    }
}

pub(super) const fn code_problem(problem: CodeProblem) -> &'static str {
    match problem {
        CodeProblem::Expired => "That code is too old. Please ask for a new one.",
        CodeProblem::Missing => "Please type the code.",
        CodeProblem::Used => "That code has been used already, or a newer one has been sent.",
        CodeProblem::Wrong => {
            "That isn’t the code in our newest email. Please check it and try again."
        }
    }
}

pub(super) const fn letters_problem(problem: CodeProblem) -> &'static str {
    match problem {
        CodeProblem::Expired => "Those letters are too old. Please ask for a new link.",
        CodeProblem::Missing => "Please type the letters.",
        CodeProblem::Used => "Those letters belong to another link.",
        CodeProblem::Wrong => "Those aren’t the letters. Please check them and try again.",
    }
}

/// Returns the sign-in form's promise, and the label of its button.
pub(super) const fn promise(page: &LoginPage<'_>) -> (&'static str, &'static str) {
    match page.sent() {
        Sent::Code => ("We’ll email you a code to sign in with.", "Email me a code"),
        Sent::Link => (
            "We’ll email you a link that signs you in.",
            "Email me a link",
        ),
        Sent::LinkAndCode => (
            "We’ll email you a link and a code; either one signs you in.",
            "Email me",
        ),
    }
}

/// Returns what has been sent, with its article.
pub(super) const fn sent(sent: Sent) -> &'static str {
    match sent {
        Sent::Code => "a code",
        Sent::Link => "a link",
        Sent::LinkAndCode => "a link and a code",
    }
}

/// Returns the label of the button that sends it again.
pub(super) const fn again(sent: Sent) -> &'static str {
    match sent {
        Sent::Code => "Send a new code",
        Sent::Link => "Send a new link",
        Sent::LinkAndCode => "Send a new email",
    }
}

/// Returns what to do in the browser that began.
pub(super) const fn go_on(sent: Sent) -> &'static str {
    match sent {
        Sent::Code => "type the code from your email",
        Sent::Link => "open the link from your email",
        Sent::LinkAndCode => "use the link or the code from your email",
    }
}

/// Returns how long the link or the code is good.
pub(super) fn lifetime(page: &CheckPage<'_>) -> String {
    let link = words::lifetime(page.link_lifetime());
    let code = page
        .code_entry()
        .map(|entry| words::lifetime(entry.lifetime()));
    match (page.sent(), code) {
        (Sent::Code, Some(code)) => format!("It works once, within {code}."),
        (Sent::LinkAndCode, Some(code)) if code != link => {
            format!("Use either one: the link works for {link}, the code for {code}.")
        }
        (Sent::LinkAndCode, _) => format!("Use either one, within {link}."),
        (Sent::Code | Sent::Link, _) => format!("It works once, within {link}."),
    }
}
