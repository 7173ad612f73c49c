//! base64url without padding (RFC 4648, section 5), as tokens have it.
//!
//! - One sequence of bytes has one text: padding, other characters, and bits behind the last byte
//!   are refused. Otherwise a revoked or a hashed text could be written in another way.
//! - It is `base64-simd`, since half of what it takes to read a token was its base64. Where that is
//!   not so, the crate uses `base64`.

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

/// Decodes a text into a room. `None` if it is not base64url, or if its bytes have no room.
pub(super) fn decode(text: impl AsRef<[u8]>, room: &mut [u8]) -> Option<&[u8]> {
    let text = text.as_ref();
    // Asked first, because decoding into too small a room panics.
    let length = URL_SAFE_NO_PAD.decoded_length(text).ok()?;
    let room = room.get_mut(..length)?;
    let bytes = URL_SAFE_NO_PAD.decode(text, room.as_out()).ok()?;
    Some(bytes)
}

/// Says whether a text is base64url.
pub(super) fn is_valid(text: impl AsRef<[u8]>) -> bool {
    URL_SAFE_NO_PAD.check(text.as_ref()).is_ok()
}

/// Encodes bytes into a room, which has the length of their text at least.
pub(super) fn encode<'r>(bytes: &[u8], room: &'r mut [u8]) -> &'r str {
    URL_SAFE_NO_PAD.encode_as_str(bytes, room.as_out())
}

/// Appends bytes to a text.
pub(super) fn encode_onto(text: &mut String, bytes: impl AsRef<[u8]>) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose};
    use proptest::prelude::*;

    use super::*;

    /// Texts of every length around the widths at which vectors are read, and what is none.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[A-Za-z0-9_-]{0,140}",
            "[A-Za-z0-9_=+/ -]{0,140}",
            ("[A-Za-z0-9_-]{0,140}", 0..140_usize, any::<char>()).prop_map(
                |(mut text, at, odd)| {
                    text.insert(at.min(text.len()), odd);
                    text
                }
            ),
            proptest::collection::vec(any::<u8>(), 0..140)
                .prop_map(|bytes| general_purpose::URL_SAFE_NO_PAD.encode(bytes)),
            proptest::collection::vec(any::<u8>(), 0..140)
                .prop_map(|bytes| general_purpose::URL_SAFE.encode(bytes)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn a_text_is_decoded_exactly_as_the_crate_base64_decodes_it(text in text()) {
            let want = general_purpose::URL_SAFE_NO_PAD.decode(&text).ok();
            let mut room = [0; 512];
            prop_assert_eq!(decode(&text, &mut room), want.as_deref());
            prop_assert_eq!(is_valid(&text), want.is_some());
            if let Some(bytes) = want {
                let mut exact = vec![0; bytes.len()];
                prop_assert_eq!(decode(&text, &mut exact), Some(bytes.as_slice()));
                if let Some((_, less)) = exact.split_last_mut() {
                    prop_assert_eq!(decode(&text, less), None, "there is no room");
                }
                let mut back = "before.".to_owned();
                prop_assert_eq!(encode(&bytes, &mut room), &text);
                encode_onto(&mut back, bytes);
                prop_assert_eq!(back, format!("before.{text}"));
            }
        }
    }
}
