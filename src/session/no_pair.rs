//! No key pairs: neither backend is compiled in.

/// What no value can be.
#[derive(Clone)]
pub(super) enum Pair {}

impl Pair {
    pub(super) const NO_PEM: &'static str =
        "is PEM: key pairs need feature aws-lc-rs or rust-crypto";

    pub(super) const fn ed25519(_: &[u8]) -> Option<(Self, Vec<u8>)> {
        None
    }

    pub(super) const fn p256(_: &[u8]) -> Option<(Self, Vec<u8>)> {
        None
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        match *self {}
    }

    pub(super) const fn public_jwk(&self) -> String {
        match *self {}
    }

    pub(super) const fn sign(&self, _: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(super) const fn verifies(&self, _: &[u8], _: &[u8]) -> bool {
        match *self {}
    }
}
