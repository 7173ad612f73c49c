//! Settings that cannot work are refused by `build()` with their value; what passes, holds.

use std::time::Duration;

use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey,
    page::{DefaultPages, Page, PageSources, Pages},
    testing::{ManualClock, StubProvider},
};

use crate::names::ORIGIN;

mod cookies;
mod debug;
mod range;
mod size;
mod text;

const SECRET: &[u8; 32] = b"dj7fH2-marker-\x9f\xf1\x02\xe8\xc3kwo1pqzm4vb8x";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::hs256(SECRET).unwrap())
}

fn builder(provider: StubProvider) -> Builder {
    MagicLinkLayer::builder(provider, keys())
        .public_url(ORIGIN)
        .clock(ManualClock::new())
}

/// Pages that load what the test says.
struct Loading(PageSources);

impl Pages for Loading {
    fn render(&self, page: &Page<'_>) -> String {
        DefaultPages::new().render(page)
    }

    fn sources(&self) -> PageSources {
        self.0.clone()
    }
}

/// Builds, and expects the refusal of one setting with its value.
fn is_refused(
    setting: &str,
    value: &str,
    problem: &str,
    configure: impl FnOnce(Builder) -> Builder,
) {
    let error = configure(builder(StubProvider::new())).build();
    let error = error.expect_err(&format!("{setting} {value}"));
    let text = error.to_string();
    assert!(matches!(error, ConfigError::Invalid { .. }), "{error:?}");
    assert_eq!(error.setting(), setting, "{value}: {text}");
    assert!(
        text.starts_with(&format!("{setting} \"{value}")),
        "{value}: {text}"
    );
    assert!(text.contains(problem), "{value}: {text}");
}
