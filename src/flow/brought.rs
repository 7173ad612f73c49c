//! `Brought`: what a browser has brought in its cookie, read once for each request.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    clock::Reading, gate::Gate, request::head::RequestHead, session::browser_cookie::BrowserCookie,
};

/// The bytes of what names the newest attempt of a browser.
pub(super) const NEWEST: usize = 16;
/// The bytes of a round, with the time of its last mail.
pub(super) const ROUND: usize = 16 + 8;

/// What a browser's cookie says. To verify the cookie takes an HMAC.
#[derive(Clone, Copy, Default)]
pub(super) struct Brought {
    /// The cookie, if we made it.
    pub(super) cookie: Option<BrowserCookie>,
    /// Its round, with the time of its last mail. Anybody may have planted it.
    pub(super) round: Option<[u8; ROUND]>,
    /// What names its newest attempt. Anybody may have planted it.
    pub(super) newest: Option<[u8; NEWEST]>,
}

impl Brought {
    pub(super) fn of(gate: &Gate, head: &RequestHead<'_>, reading: Reading) -> Self {
        let Some((cookie, round, newest)) = gate.browser_cookie_parts(head) else {
            return Self::default();
        };
        Self {
            cookie: gate.tokens.keys().browser_cookie_of(cookie, reading),
            round: round.and_then(bytes_of),
            newest: newest.and_then(bytes_of),
        }
    }
}

/// Reads a part of the cookie. `None` if it is not of that length.
fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (read == N).then_some(bytes)
}
