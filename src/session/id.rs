//! `SessionId`: which session it is.

use std::fmt;

use super::base64url;

/// The id of a session: 128 random bits. It is no credential.
///
/// ```
/// use tower_magic_link::SessionId;
///
/// let id: SessionId = "AAECAwQFBgcICQoLDA0ODw".parse()?;
/// assert_eq!(id.to_string(), "AAECAwQFBgcICQoLDA0ODw");
/// # Ok::<(), tower_magic_link::InvalidSessionId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

/// The text is not a session id, which has 22 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a session id")]
#[non_exhaustive]
pub struct InvalidSessionId;

impl SessionId {
    /// Makes an id from 128 bits, which must be random.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 128 bits, for a store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Writes the id as text into a room.
    pub(crate) fn text(self, room: &mut [u8; 22]) -> &str {
        base64url::encode(&self.0, room)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    pub(super) fn parse_bytes(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        // Fewer bytes would leave zeros behind them, and one session would have two texts.
        let is_whole = base64url::decode(text, &mut bytes)?.len() == 16;
        is_whole.then_some(Self(bytes))
    }
}

impl std::str::FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        Self::parse(text).ok_or(InvalidSessionId)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; 22]))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
