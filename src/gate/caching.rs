//! What the layer says to caches about a response that was given a session.

use crate::site::rules::Exposure;

/// What the layer says to caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Nothing.
    #[default]
    Leave,
    /// `no-store`, whatever the application says.
    NoStore,
    /// `private`, if the application sends no `Cache-Control`.
    Private,
}

impl Caching {
    /// Says what holds for a path. Everybody gets the same from a public path, its files among it:
    /// `no-store` there would hide nothing, and have browsers load every file again.
    pub(crate) const fn on(self, exposure: Exposure) -> Self {
        match (self, exposure) {
            (Self::NoStore, Exposure::Public) => Self::Private,
            (caching, _) => caching,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_store_is_for_paths_that_depend_on_a_session() {
        let cases = [
            (Caching::NoStore, Exposure::Protected, Caching::NoStore),
            (Caching::NoStore, Exposure::Optional, Caching::NoStore),
            (Caching::NoStore, Exposure::Public, Caching::Private),
            (Caching::Private, Exposure::Protected, Caching::Private),
            (Caching::Private, Exposure::Optional, Caching::Private),
            (Caching::Private, Exposure::Public, Caching::Private),
            (Caching::Leave, Exposure::Protected, Caching::Leave),
            (Caching::Leave, Exposure::Optional, Caching::Leave),
            (Caching::Leave, Exposure::Public, Caching::Leave),
        ];
        for (caching, exposure, want) in cases {
            assert_eq!(caching.on(exposure), want, "{caching:?} {exposure:?}");
        }
    }
}
