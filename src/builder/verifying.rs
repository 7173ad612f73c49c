//! The builder's setting for how often the signature of a key pair is verified.

use super::Builder;
use crate::session::token::Verifying;

impl Builder {
    /// Verifies the signature of an EdDSA or ES256 token at each request. Default: the layer
    /// remembers a token that it has verified twice, and compares the text from then on. That costs
    /// less than an HS256 token, and a hundredth of a signature of a key pair.
    ///
    /// By default, the layer keeps in memory, for each key pair of its ring:
    ///
    /// - up to 4,096 tokens, each of at most 1,024 bytes, with the session that it states, so up to
    ///   8 MiB. Longer tokens are verified each time. Any number of sessions can be live, but only
    ///   those whose tokens are in memory are cheap.
    /// - a token until another one takes its place, its key leaves the ring or the process ends. A
    ///   token is a credential: it may be in memory, or in a core dump, after its session has
    ///   ended.
    ///
    /// It remembers that the key has signed this text, and what the text states. The key's end, the
    /// times of the token and the revocation store are judged at each request, remembered or not.
    /// No token of an HS256 key is remembered.
    ///
    /// ```
    /// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey};
    /// # use tower_magic_link::testing::StubProvider;
    /// # let provider = StubProvider::new();
    ///
    /// // An EdDSA key in practice: `SigningKey::from_str` reads its PEM.
    /// let keys = KeyRing::new(SigningKey::generate()?);
    /// let layer = MagicLinkLayer::builder(provider, keys)
    ///     .public_url("https://app.example.com")
    ///     // The application's rules forbid credentials in memory.
    ///     .verify_each_request()
    ///     .build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn verify_each_request(mut self) -> Self {
        self.verifying = Verifying::Always;
        self
    }
}
