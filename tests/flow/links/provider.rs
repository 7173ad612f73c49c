//! A provider's link is followed in the form that was parsed.

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    provider::{
        Finish, Identity, IdentityProvider, Link, ProviderError, ProviderErrorKind, Start, Started,
    },
    testing::ManualClock,
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, app_of},
};

/// A provider whose link is whatever it likes.
struct Odd(&'static str);

impl IdentityProvider for Odd {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::with_link(Link::new(self.0)))
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }
}

/// Pinned: a link that ended in a newline passed as a URL, and was too much for the `Location` of
/// its visit.
#[tokio::test]
async fn a_providers_link_is_followed_in_the_form_that_was_parsed() {
    let cases = [
        (
            "https://idp.example/x?y=z",
            Some("https://idp.example/x?y=z"),
            "https://idp.example",
        ),
        (
            "https://idp.example/x\n",
            Some("https://idp.example/x"),
            "https://idp.example",
        ),
        (
            " https://idp.example/\r\n x",
            Some("https://idp.example/%20x"),
            "https://idp.example",
        ),
        (
            "https://idp.example/\u{e9}",
            Some("https://idp.example/%C3%A9"),
            "https://idp.example",
        ),
        (
            "HTTPS://IDP.example:443",
            Some("https://idp.example/"),
            "https://idp.example",
        ),
        ("example:open?x=1", Some("example:open?x=1"), "'self';"),
        ("", None, ""),
        ("/x", None, ""),
        ("https://", None, ""),
    ];
    for (link, want, form_action) in cases {
        let post = Post::default();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(Odd(link), keys)
            .public_url(ORIGIN)
            .mailer(post.clone())
            .clock(ManualClock::new())
            .build()
            .unwrap();
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let Some(want) = want else {
            assert_eq!(answer.status(), 502, "{link:?}");
            assert!(post.letters().is_empty(), "{link:?}");
            continue;
        };
        let ours = post.link();
        let onward = browser.get(&ours).await;
        assert_eq!(onward.location(), want, "{link:?}");
        let mut elsewhere = Browser::new(app_of(&layer), ORIGIN);
        let page = elsewhere.get(&ours).await;
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains(form_action), "{link:?}: {policy}");
        assert!(!policy.contains("null"), "{link:?}: {policy}");
    }
}
