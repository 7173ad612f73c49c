//! `Present`: which of the fields that concern identity headers a request has.
//!
//! One walk over them says it: most requests have `Cookie` alone, and to look each name up takes
//! longer.

use http::HeaderMap;

use super::names::{HTTP2_SETTINGS, NAMES, UPGRADE, is_ours, is_upgrade, tokens};
use crate::ascii;

/// The lengths of all names that are looked for, a bit for each.
const LENGTHS: u64 = lengths(&NAMES)
    | lengths(&[
        HTTP2_SETTINGS,
        UPGRADE,
        AUTHORIZATION,
        CONNECTION,
        COOKIE,
        TRAILER,
    ]);
/// The letters with which they begin.
static FIRST: ascii::Set = {
    // A fifth name does not compile until it stands here, too.
    let [subject, email, organization, session] = NAMES;
    ascii::Set::of(&[
        first(subject),
        first(email),
        first(organization),
        first(session),
        first(HTTP2_SETTINGS),
        first(UPGRADE),
        first(AUTHORIZATION),
        first(CONNECTION),
        first(COOKIE),
        first(TRAILER),
    ])
};

const AUTHORIZATION: &str = "authorization";
const CONNECTION: &str = "connection";
const COOKIE: &str = "cookie";
const TRAILER: &str = "trailer";

/// Which fields a request has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Present {
    /// A field with a name of the layer's or of an upgrade, in any spelling, or one that names such
    /// a field.
    pub(super) has_stripped: bool,
    pub(super) has_cookie: bool,
    pub(super) has_authorization: bool,
}

impl Present {
    pub(super) fn among(headers: &HeaderMap) -> Self {
        let mut present = Self::default();
        for (name, value) in headers {
            let name = name.as_str();
            if !may_be_one(name) {
                continue;
            }
            // A `HeaderMap` keeps names in lower case.
            match name {
                AUTHORIZATION => present.has_authorization = true,
                COOKIE => present.has_cookie = true,
                CONNECTION | TRAILER => {
                    present.has_stripped |= tokens(value.as_bytes()).any(may_be_stripped);
                }
                name => present.has_stripped |= may_be_stripped(name.as_bytes()),
            }
        }
        present
    }
}

fn may_be_stripped(name: &[u8]) -> bool {
    is_ours(name) || is_upgrade(name)
}

/// Says whether a name is as long as one that is looked for, and begins as one: most do not.
fn may_be_one(name: &str) -> bool {
    LENGTHS & bit(name) != 0 && name.bytes().next().is_some_and(|first| FIRST.has(first))
}

const fn lengths(mut names: &[&str]) -> u64 {
    let mut lengths = 0;
    while let [name, others @ ..] = names {
        lengths |= bit(name);
        names = others;
    }
    lengths
}

/// Returns the bit of a name's length. Lengths 64 apart share one.
const fn bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

const fn first(name: &str) -> u8 {
    match name.as_bytes() {
        [first, ..] => *first,
        [] => 0,
    }
}
