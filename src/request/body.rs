//! What a request's head says of its body.

use http::{HeaderMap, HeaderValue, header};

/// The declared length and media type of a body.
pub(crate) struct BodyHead<'h> {
    length: Option<u64>,
    media_type: Option<&'h [u8]>,
    is_chunked: bool,
}

impl<'h> BodyHead<'h> {
    pub(crate) fn of(headers: &'h HeaderMap) -> Self {
        let length = headers.get(header::CONTENT_LENGTH);
        Self {
            // A length that does not parse counts as unstated. The bytes are counted anyway as they
            // arrive.
            length: length.and_then(|length| length.to_str().ok()?.parse().ok()),
            media_type: headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes),
            is_chunked: headers.contains_key(header::TRANSFER_ENCODING),
        }
    }

    /// Says whether the body says that it is longer than this.
    pub(crate) fn is_longer_than(&self, most: usize) -> bool {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        self.length.is_some_and(|length| length > most)
    }

    /// Says whether the body is of a media type, whatever its parameters (RFC 9110, section 8.3.1).
    pub(crate) fn is(&self, media_type: &str) -> bool {
        self.media_type.is_some_and(|said| {
            let said = said.split(|&b| b == b';').next().unwrap_or_default();
            said.trim_ascii()
                .eq_ignore_ascii_case(media_type.as_bytes())
        })
    }

    /// Says whether there is no body, which then needs no type.
    pub(crate) fn is_absent(&self) -> bool {
        self.media_type.is_none() && self.length.unwrap_or(0) == 0 && !self.is_chunked
    }
}
