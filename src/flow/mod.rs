//! Signing in and out: one step per request to an endpoint.
//!
//! ```text
//! login     form → Email → Attempt → provider.start → (mailer); after a fixed time 303 to check
//! callback  browser cookie + state + code → Attempt → provider.finish → Identity → authorize → Session → cookie → 303
//! choose    browser cookie + sealed choice + organization → provider.finish_choice → Identity → …
//! logout    session → revocations.revoke → removal cookie → 303
//! ```
//!
//! - Each step reads what it needs, decides, and calls a port at most once for each thing. Every
//!   failure is a response.
//! - GET and HEAD change nothing, except that a link opened in the browser that began the sign-in
//!   finishes it.

mod arrival;
mod asked;
mod attempt;
pub(crate) mod authorize;
mod brought;
mod browser;
mod callback;
mod check;
mod choice;
mod choose;
mod code;
mod comes_after;
mod copied;
pub(crate) mod denial;
mod elsewhere;
mod exchange;
mod failure;
mod fields;
mod finish;
mod guesses;
mod known;
mod lend;
mod limits;
mod login;
mod logout;
mod mailbox;
mod mailing;
mod match_code;
mod open;
mod redeem;
mod refusal;
mod sealed;
mod send;
pub(crate) mod session;
mod settings;
mod step;
mod steps;
mod typed;
pub(crate) mod webhook;

pub use self::settings::SignIn;
pub(crate) use self::{
    exchange::Exchanges,
    fields::{FORM_TIMEOUT, accept_form},
    mailing::{Answering, Mailing},
    refusal::{asked_for, refuse_form},
    settings::{CODE_LIFETIME, Flow},
    step::Step,
    steps::take,
};

// Orders of the application go on by themselves, too.
pub(super) use crate::shared::apart;
