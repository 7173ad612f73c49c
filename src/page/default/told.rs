//! Which text of the default pages depends on the page's data.

use super::super::{CheckPage, CodeProblem, LoginPage, LoginProblem, Sent};
use crate::{
    language::{Filled, Held, Text, Words},
    rejection::RejectionKind,
};

pub(super) const fn address_problem(problem: LoginProblem) -> Text {
    match problem {
        LoginProblem::InvalidAddress => Text::LoginInvalid,
        LoginProblem::InvisibleCharacter => Text::LoginInvisible,
        LoginProblem::MissingAddress => Text::LoginMissing,
    }
}

pub(super) const fn code_problem(problem: CodeProblem) -> Text {
    match problem {
        CodeProblem::Expired => Text::CheckCodeExpired,
        CodeProblem::Missing => Text::CheckCodeMissing,
        CodeProblem::Replaced => Text::CheckCodeReplaced,
        CodeProblem::Used => Text::CheckCodeUsed,
        CodeProblem::Wrong => Text::CheckCodeWrong,
    }
}

pub(super) const fn letters_problem(problem: CodeProblem) -> Text {
    match problem {
        CodeProblem::Expired => Text::MatchExpired,
        CodeProblem::Missing => Text::MatchMissing,
        CodeProblem::Replaced | CodeProblem::Used => Text::MatchUsed,
        CodeProblem::Wrong => Text::MatchWrong,
    }
}

/// Returns the sign-in form's promise, and the label of its button.
pub(super) const fn promise(page: &LoginPage<'_>) -> (Text, Text) {
    match page.sent() {
        Sent::Code => (Text::LoginPromiseCode, Text::LoginSendCode),
        Sent::Link => (Text::LoginPromiseLink, Text::LoginSendLink),
        Sent::LinkAndCode => (Text::LoginPromiseBoth, Text::LoginSendBoth),
    }
}

/// Returns the label of the button that sends it again.
pub(super) const fn again(sent: Sent) -> Text {
    match sent {
        Sent::Code => Text::AgainCode,
        Sent::Link => Text::AgainLink,
        Sent::LinkAndCode => Text::AgainBoth,
    }
}

/// Returns what to do in the browser that began.
pub(super) const fn go_on(sent: Sent) -> Text {
    match sent {
        Sent::Code => Text::CheckElsewhereCode,
        Sent::Link => Text::CheckElsewhereLink,
        Sent::LinkAndCode => Text::CheckElsewhereBoth,
    }
}

/// What opening the link does in this browser, and in another.
pub(super) struct Open<'a> {
    pub(super) letters: Held<'a>,
    pub(super) asks: Held<'a>,
    pub(super) here: Held<'a>,
}

/// Returns what opening the link does. Behind a field for a code, it is the other way.
pub(super) fn open(sent: Sent, words: &Words) -> Open<'_> {
    let (letters, asks, here) = match sent {
        Sent::LinkAndCode => (
            Text::CheckOrOpenLetters,
            Text::CheckOrOpenAsks,
            Text::CheckOrOpenHere,
        ),
        Sent::Code | Sent::Link => (
            Text::CheckOpenLetters,
            Text::CheckOpenAsks,
            Text::CheckOpenHere,
        ),
    };
    Open {
        letters: words.shown(letters),
        asks: words.shown(asks),
        here: words.shown(here),
    }
}

/// What a page is called in the window's title and above its text.
pub(super) struct Named<'a> {
    pub(super) title: &'a str,
    pub(super) heading: &'a str,
}

/// Returns what the page after the form is called: in a browser that did not begin, nothing is
/// awaited.
pub(super) fn named<'a>(page: &'a CheckPage<'_>) -> Named<'a> {
    let words = page.words();
    if page.email().is_some() {
        return Named {
            title: words.say(Text::CheckTitle),
            heading: words.say(Text::CheckHeading),
        };
    }
    let heading = words.part(&["trouble", RejectionKind::AnotherBrowser.story(), "heading"]);
    Named {
        title: heading,
        heading,
    }
}

/// Returns what was sent where, and how long it is good, as HTML.
pub(super) fn sent(page: &CheckPage<'_>) -> String {
    let words = page.words();
    let link = words.lifetime(page.link_lifetime());
    let code = page
        .code_entry()
        .map(|entry| words.lifetime(entry.lifetime()));
    let (text, time) = match (page.sent(), &code) {
        (Sent::Code, Some(code)) => (Text::CheckSentCode, code),
        (Sent::Code, None) => (Text::CheckSentCode, &link),
        (Sent::LinkAndCode, Some(code)) if *code != link => (Text::CheckSentBothApart, code),
        (Sent::LinkAndCode, _) => (Text::CheckSentBoth, &link),
        (Sent::Link, _) => (Text::CheckSentLink, &link),
    };
    words.html(
        text,
        &[
            ("email", Filled::Strong(page.email().unwrap_or_default())),
            ("time", Filled::Plain(time)),
            ("link_time", Filled::Plain(&link)),
            ("code_time", Filled::Plain(time)),
        ],
    )
}
