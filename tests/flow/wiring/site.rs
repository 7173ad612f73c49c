//! A layer whose log is heard.

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    testing::{ManualClock, StubProvider},
};

use super::warnings;

/// A layer of its own public URL, whose log is heard.
pub(super) struct Site {
    public_url: &'static str,
    pub(super) clock: ManualClock,
    pub(super) layer: MagicLinkLayer,
}

impl Site {
    pub(super) fn new(
        public_url: &'static str,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        crate::secrets::listen();
        let clock = ManualClock::new();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(public_url)
            .clock(clock.clone());
        let layer = configure(builder).build().unwrap();
        Self {
            public_url,
            clock,
            layer,
        }
    }

    /// Returns the warnings of this layer with a part of their text.
    pub(super) fn warnings(&self, part: &str) -> Vec<String> {
        warnings(self.public_url, part)
    }
}
