//! `DefaultPages`: the pages of a layer whose application brings none.
//!
//! - Each is one document, from the templates beside this file, and loads nothing but the logo and
//!   the style sheet of the application.
//! - One inline style sheet, allowed by its hash. It follows the reader's choice of light or dark.
//!   The accent is part of it: no element has a style of its own.
//! - The application's own style sheet stands behind everything else in the document. There it wins
//!   over the inline one, and neither the page nor its script waits for it.
//! - At most one inline script, allowed by its hash, and every page works without it. The script
//!   reads what it needs from the document; a text written into the script would change its hash.
//! - Every text from outside passes through askama's HTML escaper, inside an element or a quoted
//!   attribute.

use std::sync::LazyLock;

use askama::Template;

use super::{
    CheckPage, ChoosePage, ConfirmPage, Confirmation, CrossDevice, LoginPage, MatchPage,
    OnwardPage, Page, PageSources, Pages, RememberMe, Resend, Sent, SignedOutPage, TroublePage,
    WayBack,
};
use crate::language::{Countdown, Direction, Filled, Held, Text, Words};

mod accent;
mod address;
mod contact;
mod drawing;
mod logo;
mod look;
mod told;

pub use self::look::DefaultPages;
use self::look::Frame;

/// On pages with a form: sends it once, however often its button is pressed.
const ONCE: &str = include_str!("templates/once.js");
/// On the form for an address: also keeps the fragment.
const KEEP: &str = concat!(
    include_str!("templates/keep.js"),
    include_str!("templates/once.js")
);
/// On the page that leads on: adds the fragment.
const ONWARD: &str = include_str!("templates/onward.js");
/// On pages with a wait until the next mail: also counts down.
const WAIT: &str = concat!(
    include_str!("templates/wait.js"),
    include_str!("templates/once.js")
);

// Hashed once: the texts are the program's own and do not change.
static SCRIPTS: LazyLock<PageSources> = LazyLock::new(|| {
    PageSources::new()
        .inline_script(KEEP)
        .inline_script(ONCE)
        .inline_script(ONWARD)
        .inline_script(WAIT)
});

impl Pages for DefaultPages {
    fn render(&self, page: &Page<'_>) -> String {
        let words = page.words();
        let frame = self.frame(words);
        let say = |text| words.shown(text);
        let about = |text, person| words.html(text, &[("email", Filled::Strong(person))]);
        match page {
            Page::Check(page) => html(&Check {
                frame,
                page,
                problem: page
                    .code_entry()
                    .and_then(|entry| entry.problem())
                    .map(told::code_problem)
                    .map(say),
                named: told::named(page),
                sent: told::sent(page),
                go_on: say(told::go_on(page.sent())),
                open: told::open(page.sent(), words),
                has_link: page.sent() != Sent::Code,
                is_confirmed_elsewhere: page.cross_device() == CrossDevice::Confirm,
                again: Again {
                    label: say(told::again(page.sent())),
                    told_by: "nothing-yet",
                    is_quiet: true,
                    ..Again::of(words, page.resend())
                },
            }),
            Page::Choose(page) => html(&Choose {
                frame,
                page,
                who: about(Text::ChooseWho, page.email()),
            }),
            Page::Confirm(page) => match page.confirmation() {
                Confirmation::SignIn { masked } => html(&Open {
                    frame,
                    page,
                    who: about(Text::OpenWho, masked),
                }),
                Confirmation::SignOut { email } => html(&SignOut {
                    frame,
                    page,
                    who: about(Text::SignOutWho, email),
                }),
            },
            Page::Login(page) => html(&Login {
                frame: Frame {
                    application: page.application().or(frame.application),
                    ..frame
                },
                page,
                problem: page.problem().map(told::address_problem).map(say),
                promise: {
                    let (promise, button) = told::promise(page);
                    (say(promise), say(button))
                },
                is_lost: page.way_back() == WayBack::TooLong,
                is_remembered: page.remember_me() == Some(RememberMe::Ticked),
            }),
            Page::Match(page) => html(&Match {
                frame,
                page,
                problem: page.problem().map(told::letters_problem).map(say),
                where_from: about(Text::MatchWhere, page.masked()),
            }),
            Page::Onward(page) => html(&Onward { frame, page }),
            Page::SignedOut(page) => html(&SignedOut { frame, page }),
            Page::Trouble(page) => html(&TroubleTold {
                frame,
                page,
                again: Again::of(words, page.resend()),
            }),
        }
    }

    fn sources(&self) -> PageSources {
        let sources = SCRIPTS.clone().inline_style(self.style());
        let sources = match self.own_style() {
            Some(address) => sources.style(address),
            None => sources,
        };
        match self.picture() {
            Some(address) => sources.image(address),
            None => sources,
        }
    }
}

/// The button that sends a new mail: its look, its description, and its wait.
struct Again<'a> {
    label: Held<'a>,
    told_by: &'static str,
    is_quiet: bool,
    wait: Option<Countdown>,
    /// The sentence on the wait, as HTML.
    told_wait: String,
}

impl<'a> Again<'a> {
    /// Makes the button of a page on which it is the way on.
    fn of(words: &'a Words, resend: Option<Resend<'_>>) -> Self {
        let sent = resend.map(|resend| resend.sent()).unwrap_or_default();
        let wait = resend.and_then(|resend| resend.wait());
        let wait = wait.and_then(|wait| words.countdown(wait));
        let time = wait.as_ref().map_or("", |wait| &wait.words);
        Self {
            label: words.shown(told::again(sent)),
            told_by: "trouble",
            is_quiet: false,
            told_wait: words.html(Text::AgainWait, &[("time", Filled::Span(time))]),
            wait,
        }
    }
}

#[derive(Template)]
#[template(path = "check.html", config = "src/page/askama.toml")]
struct Check<'a> {
    frame: Frame<'a>,
    page: &'a CheckPage<'a>,
    problem: Option<Held<'a>>,
    named: told::Named<'a>,
    sent: String,
    go_on: Held<'a>,
    open: told::Open<'a>,
    has_link: bool,
    is_confirmed_elsewhere: bool,
    again: Again<'a>,
}

#[derive(Template)]
#[template(path = "choose.html", config = "src/page/askama.toml")]
struct Choose<'a> {
    frame: Frame<'a>,
    page: &'a ChoosePage<'a>,
    who: String,
}

#[derive(Template)]
#[template(path = "match.html", config = "src/page/askama.toml")]
struct Match<'a> {
    frame: Frame<'a>,
    page: &'a MatchPage<'a>,
    problem: Option<Held<'a>>,
    where_from: String,
}

#[derive(Template)]
#[template(path = "onward.html", config = "src/page/askama.toml")]
struct Onward<'a> {
    frame: Frame<'a>,
    page: &'a OnwardPage<'a>,
}

#[derive(Template)]
#[template(path = "open.html", config = "src/page/askama.toml")]
struct Open<'a> {
    frame: Frame<'a>,
    page: &'a ConfirmPage<'a>,
    who: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/page/askama.toml")]
struct Login<'a> {
    frame: Frame<'a>,
    page: &'a LoginPage<'a>,
    problem: Option<Held<'a>>,
    promise: (Held<'a>, Held<'a>),
    is_lost: bool,
    is_remembered: bool,
}

#[derive(Template)]
#[template(path = "sign_out.html", config = "src/page/askama.toml")]
struct SignOut<'a> {
    frame: Frame<'a>,
    page: &'a ConfirmPage<'a>,
    who: String,
}

#[derive(Template)]
#[template(path = "signed_out.html", config = "src/page/askama.toml")]
struct SignedOut<'a> {
    frame: Frame<'a>,
    page: &'a SignedOutPage<'a>,
}

#[derive(Template)]
#[template(path = "trouble.html", config = "src/page/askama.toml")]
struct TroubleTold<'a> {
    frame: Frame<'a>,
    page: &'a TroublePage<'a>,
    again: Again<'a>,
}

#[expect(
    clippy::expect_used,
    reason = "neither a String nor the texts shown in it can fail to format"
)]
fn html(template: &impl Template) -> String {
    template.render().expect("texts format into a String")
}

#[cfg(test)]
mod tests;
