//! `WorkOS-Signature: t=<milliseconds since 1970>, v1=<HMAC-SHA256 of "<t>.<body>", in lower-case
//! hex>`.
//!
//! - The field must have exactly this form, which WorkOS's SDKs document: one field, both parts in
//!   this order, one space between them, and nothing else. An unknown part is refused, so that
//!   nobody can offer a weaker scheme (a `v0`).
//! - The MAC covers the bytes as received, and is compared in constant time.
//! - The time is in milliseconds. A time in seconds would lie in 1970, and is refused as too old.
//!   The tolerance applies in both directions, to the whole second.
//! - Any of several secrets is accepted, so that a secret can be replaced.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::{clock::Timestamp, rejection::RejectionKind, secret::redacted};

const FIELD: &str = "workos-signature";
/// The year 5138, in milliseconds, has no more digits.
const MOST_DIGITS: usize = 14;
const MAC: usize = 32;

/// A secret that signs events. Its text is not kept.
#[derive(Clone)]
pub(crate) struct Secret(Hmac<Sha256>);

impl Secret {
    /// Makes a secret, or `None` if it is empty or has blanks around it. A secret that was read
    /// from a file with its line break would refuse every event.
    pub(crate) fn new(secret: &str) -> Option<Self> {
        // Anyone could sign with an empty key. Blanks come from copying, and would make every event
        // fail.
        if secret.is_empty() || secret.trim() != secret {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// Says whether this secret signed a body. The MACs are compared in constant time.
    fn signed(&self, signature: &Signature<'_>, body: &[u8]) -> bool {
        let mac = self.0.clone();
        mac.chain_update(signature.time.as_bytes())
            .chain_update(b".")
            .chain_update(body)
            .verify_slice(&signature.mac)
            .is_ok()
    }
}

redacted!(Secret);

/// Checks that an event comes from the provider, and now.
#[derive(Debug)]
pub(crate) struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

impl Verifier {
    pub(crate) const fn new(secrets: Vec<Secret>, tolerance: Duration) -> Self {
        Self { secrets, tolerance }
    }

    pub(crate) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), RejectionKind> {
        let signature = of_headers(headers)?;
        let signed = |secret: &Secret| secret.signed(&signature, body);
        if !self.secrets.iter().any(signed) {
            return Err(RejectionKind::WebhookSignature);
        }
        // Checked after the signature, so that only the provider can make us report a wrong clock.
        let at = Timestamp::from_secs(signature.millis / 1_000);
        if at.until(now).max(now.until(at)) > self.tolerance {
            return Err(RejectionKind::WebhookUntimely);
        }
        Ok(())
    }
}

/// A signature that has the right shape.
#[derive(Debug)]
pub(crate) struct Signature<'h> {
    /// The digits as they were signed.
    time: &'h str,
    millis: u64,
    mac: [u8; MAC],
}

impl<'h> Signature<'h> {
    fn parse(field: &'h str) -> Option<Self> {
        let (time, mac) = field.strip_prefix("t=")?.split_once(", v1=")?;
        // `parse` alone would also take a plus sign.
        let is_number = time.len() <= MOST_DIGITS && time.bytes().all(|b| b.is_ascii_digit());
        let millis = time.parse().ok().filter(|_| is_number)?;
        let mac = unhex(mac)?;
        Some(Self { time, millis, mac })
    }
}

/// Reads the signature of a request, without verifying it.
pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Signature<'_>, RejectionKind> {
    let mut fields = headers.get_all(FIELD).iter();
    let one = match (fields.next(), fields.next()) {
        // With two fields, a proxy and the layer could judge different ones.
        (Some(field), None) => field.to_str().ok(),
        _ => None,
    };
    one.and_then(Signature::parse)
        .ok_or(RejectionKind::WebhookSignature)
}

/// Reads lower-case hex only, as WorkOS writes it and its SDKs expect it.
fn unhex(text: &str) -> Option<[u8; MAC]> {
    fn digit(byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            // Lower case alone, so that a signature has one spelling.
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        }
    }
    if text.len() != 2 * MAC {
        return None;
    }
    let mut bytes = [0; MAC];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair.first_chunk()?;
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
