//! What every page holds, in every state.

mod check;
mod confirm;
mod every;
mod login;
mod look;
mod markup;
mod pseudo;
mod trouble;

use std::time::Duration;

use self::every::{PROBLEMS, SENT, every_page, every_page_in, every_page_of, resends};
use super::super::{CodeEntry, LoginProblem};
use super::look::STYLE;
use super::*;
use crate::rejection::RejectionKind;

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}
