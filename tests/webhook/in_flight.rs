//! Events that come while the provider still answers the sign-in that they are about.

use std::{convert::Infallible, sync::Arc};

use http::{Request, Response};
use tokio::sync::Notify;
use tower::{Layer, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    provider::{Finish, Identity, IdentityProvider, ProviderError, Start, Started},
    testing::{Browser, StubProvider},
};

use crate::{
    names::{ADA, ORIGIN},
    site::{SECRET, Site},
};

/// Redeems a code at once, and answers when it may.
#[derive(Clone, Default)]
struct Held {
    stub: StubProvider,
    has_redeemed: Arc<Notify>,
    may_answer: Arc<Notify>,
}

impl IdentityProvider for Held {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let identity = self.stub.finish(finish).await?;
        self.has_redeemed.notify_one();
        self.may_answer.notified().await;
        Ok(identity.with_provider_session(Some("session_1".to_owned())))
    }
}

/// Pins: the end was known when the layer made the session, and was taken for one from before the
/// sign-in. The session outlived it. But the provider's session cannot have ended before it began.
#[tokio::test]
async fn a_session_that_ends_at_workos_while_its_sign_in_is_under_way_is_refused() {
    for (ended, want) in [("session_1", "/auth/login?return_to=/"), ("session_2", "/")] {
        let (provider, site) = (Held::default(), Site::new());
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(provider.clone(), keys)
            .public_url(ORIGIN)
            .clock(site.clock.clone())
            .revocations(site.store.clone())
            .webhook_secret(SECRET)
            .build()
            .unwrap();
        let site = Site { layer, ..site };
        let inner = service_fn(|_: Request<String>| async {
            Ok::<_, Infallible>(Response::new("inside".to_owned()))
        });
        let service = site.layer.layer(inner);
        let mut browser = Browser::new(service, ORIGIN).with_clock(site.clock.clone());
        browser.get("/").await;
        browser.submit_login(ADA).await;
        let link = provider.stub.last_link();
        let opened = async {
            browser.open(link).await;
        };
        let revoked = async {
            provider.has_redeemed.notified().await;
            let data = format!(r#"{{"id":"{ended}"}}"#);
            let answer = site
                .take(&site.webhook().event("session.revoked", &data))
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            provider.may_answer.notify_one();
        };
        tokio::join!(opened, revoked);
        assert_eq!(provider.stub.finished(), 1);
        assert_eq!(browser.get("/").await.path(), want, "{ended}");
    }
}
