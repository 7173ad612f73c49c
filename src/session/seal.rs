//! Seals values that travel through the browser or WorkOS, and that only we may read or make.
//!
//! - The cipher is AES-256-GCM-SIV (RFC 8452). Should a nonce ever repeat, it tells no more than
//!   whether the two values are the same.
//! - Each purpose has its own key, derived from the signing key: a value sealed for one does not
//!   open for another.
//! - The current key seals. Every key of the ring opens until its end.
//! - A sealed value ends on a letter or digit: mail programs leave a `-` or `_` at the end out of
//!   the link that they make of an address.

use std::sync::Arc;

use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce, Tag, aead::AeadInOut};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::{
    KeyRing, Session, SigningKey, base64url,
    record::KeyMark,
    ring::{Entry, Keys},
};
use crate::clock::{Reading, Timestamp};

/// The bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// The characters of a nonce: its last one ends with it, so that it is a text by itself.
const NONCE_CHARACTERS: usize = 16;
/// The nonce before the sealed bytes, and the tag after them.
pub(crate) const OVERHEAD: usize = NONCE + 16;

/// The key that sealed a value, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealedBy {
    mark: u64,
    /// When its last values were sealed, if it has retired.
    last: Timestamp,
}

impl SealedBy {
    /// Says whether we can have sealed a value at that time. A retired key that seals later is in
    /// other hands.
    pub(crate) fn sealed_at(self, moment: Timestamp) -> bool {
        moment <= self.last
    }
}

/// The purpose of a sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The session that a browser was given within the last minute.
    Arrived,
    /// The address of the check-your-mail page.
    Check,
    /// The choice of an organization, with the provider's pending token inside.
    Choice,
    /// The browser in which a person has signed in before.
    Known,
    /// The link that we mail, with the provider's link inside.
    Open,
    /// The permission of another browser to finish a sign-in.
    Permit,
    /// A return-to that is too long for the state.
    ReturnTo,
    /// The `state` that WorkOS hands back.
    State,
}

impl Purpose {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::Arrived,
        Self::Check,
        Self::Choice,
        Self::Known,
        Self::Open,
        Self::Permit,
        Self::ReturnTo,
        Self::State,
    ];

    /// The label of its key. Keys of the labels that begin with `seal:` were another cipher's.
    const fn label(self) -> &'static str {
        match self {
            Self::Arrived => "sealed: arrived",
            Self::Check => "sealed: check page",
            Self::Choice => "sealed: choice",
            Self::Known => "sealed: known browser",
            Self::Open => "sealed: mailed link",
            Self::Permit => "sealed: pass",
            Self::ReturnTo => "sealed: return to",
            Self::State => "sealed: state",
        }
    }
}

impl KeyRing {
    /// Seals bytes for one purpose, as base64url that ends on a letter or digit. The nonce must be
    /// random, or a MAC of the bytes. If the text would end on `-` or `_`, the next nonce is used.
    pub(crate) fn seal(&self, purpose: Purpose, plain: &[u8], nonce: [u8; NONCE]) -> String {
        let write = |room: &mut Vec<u8>| room.extend(plain);
        seal_by(self.load().current(), purpose, plain.len(), nonce, write)
    }

    /// Does the same for a value that is written into the room where it is sealed. It has about
    /// `length` bytes, and is the same each time that it is written.
    ///
    /// Some values come of one that was sealed `before`. `None` if the key of that one has left the
    /// ring: nothing that was forged with it becomes a value of the next key.
    pub(crate) fn seal_written(
        &self,
        before: Option<SealedBy>,
        purpose: Purpose,
        length: usize,
        nonce: [u8; NONCE],
        write: impl Fn(&mut Vec<u8>),
    ) -> Option<String> {
        // By the snapshot that seals. Another one may already be without that key.
        let keys = self.load();
        keys.has(before)
            .then(|| seal_by(keys.current(), purpose, length, nonce, write))
    }

    /// Seals bytes of a session so that one value has one text, as long as the key is the same. So
    /// anybody can see whether two texts hold the same value. `None` if the session's key has left
    /// the ring.
    pub(crate) fn seal_alike(
        &self,
        session: &Session,
        purpose: Purpose,
        plain: &[u8],
    ) -> Option<String> {
        let keys = self.load();
        let KeyMark { ring, key } = session.key();
        let stands = ring != self.id() || keys.iter().any(|entry| entry.key.mark() == key);
        stands.then(|| {
            let name = half_of(mac(keys.current(), "sealed: nonce").chain_update(plain));
            let nonce = name.first_chunk().copied().unwrap_or_default();
            let write = |room: &mut Vec<u8>| room.extend(plain);
            seal_by(keys.current(), purpose, plain.len(), nonce, write)
        })
    }

    /// Opens a value that [`KeyRing::seal`] made for the same purpose with a key of the ring.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        sealed: &str,
        reading: impl Into<Reading>,
    ) -> Option<Vec<u8>> {
        let opened = self.open_with(purpose, sealed, reading);
        opened.map(|(plain, _)| plain)
    }

    /// Does the same, and says which key has sealed it.
    pub(crate) fn open_with(
        &self,
        purpose: Purpose,
        sealed: &str,
        reading: impl Into<Reading>,
    ) -> Option<(Vec<u8>, SealedBy)> {
        // A nonce that was altered fails too: the tag is computed under it.
        let (nonce, sealed) = sealed.as_bytes().split_at_checked(NONCE_CHARACTERS)?;
        let mut room = [0; NONCE];
        base64url::decode(nonce, &mut room)?;
        let nonce = Nonce::from(room);
        // A sealed value names no key, so each is tried: a ring has few. Each decodes it anew: this
        // cipher decrypts in order to verify, and need not leave what does not open as it was.
        let (ring, reading) = (self.load(), reading.into());
        let mut standing = ring.iter().filter(|entry| entry.stands(reading));
        standing.find_map(|entry| {
            let mut plain = vec![0; sealed.len()];
            let (inside, tag) = base64url::decode(sealed, &mut plain)?.split_last_chunk()?;
            let (length, tag) = (inside.len(), Tag::from(*tag));
            plain.truncate(length);
            let room = plain.as_mut_slice().into();
            let opened = aead(&entry.key, purpose).decrypt_inout_detached(&nonce, b"", room, &tag);
            opened.is_ok().then(|| (plain, entry.sealed_by()))
        })
    }

    /// Returns a pseudonym for a value that must not be stored itself. It depends on the value, the
    /// label and the current key.
    pub(crate) fn pseudonym(&self, label: &'static str, value: &[u8]) -> [u8; 16] {
        self.pseudonym_of(label, &[value])
    }

    /// Does the same for a value in parts, as if they were one.
    pub(crate) fn pseudonym_of(&self, label: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        // Keyed, because addresses can be guessed and a plain hash of one found again.
        let mut mac = mac(self.load().current(), label);
        parts.iter().for_each(|part| mac.update(part));
        half_of(mac)
    }

    /// Says whether half of a pseudonym is one of a value in parts, by a key that still stands.
    pub(crate) fn names(
        &self,
        label: &'static str,
        parts: &[&[u8]],
        half: &[u8],
        reading: impl Into<Reading>,
    ) -> bool {
        let keys = self.load();
        keys.standing(reading.into()).any(|key| {
            let mut mac = mac(key, label);
            parts.iter().for_each(|part| mac.update(part));
            // It takes constant time in what is compared.
            mac.verify_truncated_left(half).is_ok()
        })
    }

    /// Returns the pseudonym of an empty value. It is made once for each label.
    pub(crate) fn pseudonym_of_nothing(&self, label: &'static str) -> [u8; 16] {
        let ring = self.load();
        let key = ring.current();
        key.known()
            .pseudonyms
            .of(label, || half_of(mac(key, label)))
    }
}

impl Entry {
    const fn sealed_by(&self) -> SealedBy {
        SealedBy {
            mark: self.key.mark(),
            last: self.last_minted(),
        }
    }
}

impl Keys {
    /// Says whether the key that sealed a value is here, if one did.
    pub(super) fn has(&self, sealed: Option<SealedBy>) -> bool {
        sealed.is_none_or(|sealed| self.iter().any(|entry| entry.key.mark() == sealed.mark))
    }
}

/// Returns the characters of a value of so many bytes once it is sealed.
pub(crate) const fn sealed_len(plain: usize) -> usize {
    characters(plain + OVERHEAD)
}

/// Returns the characters of so many bytes.
const fn characters(bytes: usize) -> usize {
    // Four characters for three bytes, and no padding (RFC 4648, section 5).
    (bytes * 4).div_ceil(3)
}

/// Returns a short fingerprint of a text.
pub(crate) fn fingerprint(text: &str) -> [u8; 16] {
    fingerprint_of([text])
}

/// Returns the fingerprint of a text in parts, as if they were one.
pub(crate) fn fingerprint_of<const N: usize>(parts: [&str; N]) -> [u8; 16] {
    // A hash and not the text: attempts travel in mails and addresses, and must not hold a
    // credential.
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part));
    let hash = hash.finalize();
    hash.first_chunk::<16>().copied().unwrap_or_default()
}

/// Seals by one key what is written.
fn seal_by(
    key: &SigningKey,
    purpose: Purpose,
    length: usize,
    nonce: [u8; NONCE],
    write: impl Fn(&mut Vec<u8>),
) -> String {
    let aead = aead(key, purpose);
    let sealed_by = |nonce| sealed_by(&aead, length, &write, nonce);
    let (mut sealed, mut nonce) = (sealed_by(nonce), nonce);
    // Another nonce, and not another format: opening knows nothing of it. One text in 96 needs a
    // second.
    while sealed.ends_with(['-', '_']) {
        nonce = next(nonce);
        sealed = sealed_by(nonce);
    }
    sealed
}

#[expect(
    clippy::expect_used,
    reason = "encryption fails above 256 GiB alone, and base64url is ASCII"
)]
fn sealed_by(
    aead: &Aes256GcmSiv,
    length: usize,
    write: impl Fn(&mut Vec<u8>),
    nonce: [u8; NONCE],
) -> String {
    // In one room: nonce, sealed bytes, tag, and behind them their text, which is kept alone.
    let mut sealed = Vec::with_capacity(OVERHEAD + length + sealed_len(length));
    sealed.extend(nonce);
    write(&mut sealed);
    let (_, inside) = sealed.split_at_mut(NONCE);
    let tag = aead
        .encrypt_inout_detached(&Nonce::from(nonce), b"", inside.into())
        .expect("what is sealed here is short");
    sealed.extend(tag);
    let length = sealed.len();
    sealed.resize(length + characters(length), 0);
    let (bytes, text) = sealed.split_at_mut(length);
    base64url::encode(bytes, text);
    sealed.drain(..length);
    String::from_utf8(sealed).expect("base64url is ASCII")
}

/// Returns the nonce that follows: as good as the one before it.
fn next(mut nonce: [u8; NONCE]) -> [u8; NONCE] {
    for byte in &mut nonce {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    nonce
}

fn aead(key: &SigningKey, purpose: Purpose) -> Arc<Aes256GcmSiv> {
    let label = purpose.label();
    key.known().ciphers.of(label, || {
        Arc::new(Aes256GcmSiv::new(&key.derived::<32>(label).into()))
    })
}

pub(super) fn mac(key: &SigningKey, label: &'static str) -> Hmac<Sha256> {
    key.known().macs.of(label, || {
        // HMAC fills a shorter key up with zeros to one block (RFC 2104, section 2). Filled up
        // here, the key has the length that its type asks for, and nothing can fail.
        let mut block = [0; 64];
        let secret = key.derived::<32>(label);
        block
            .iter_mut()
            .zip(secret)
            .for_each(|(to, from)| *to = from);
        Hmac::new(&block.into())
    })
}

pub(super) fn half_of(mac: Hmac<Sha256>) -> [u8; 16] {
    let tag = mac.finalize().into_bytes();
    tag.first_chunk::<16>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
