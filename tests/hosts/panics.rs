//! A panic of the application's, or of anything that it gave the layer, costs at most the one
//! request that met it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_magic_link::{
    MagicLinkLayer, Session,
    clock::Clock,
    mailer::{Mail, MailError, Mailer},
    page::{DefaultPages, Page, PageSources, Pages},
    provider::{Finish, Identity, IdentityProvider, ProviderError, Start, Started},
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing},
    store::StoreFuture,
    testing::{ManualClock, StubProvider},
};

use crate::{answer::Answer, names::ORIGIN, site::keys};

mod checked;
mod reauthorized;
mod sign_in;
mod signed_out;
mod watched;

/// Who panics, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Authorize,
    AuthorizeCall,
    Finish,
    Inner,
    Listener,
    LookUp,
    Mailer,
    Pages,
    PendingLookUp,
    Revoke,
    Start,
}

/// Whose turn to panic it is.
#[derive(Clone, Debug, Default)]
struct Fuse(Arc<Mutex<Option<Who>>>);

impl Fuse {
    fn set(&self, who: Option<Who>) {
        *self.0.lock().unwrap() = who;
    }

    fn is_lit(&self) -> bool {
        self.0.lock().unwrap().is_some()
    }

    /// Panics if it is this one's turn, and gives it to nobody.
    fn pass(&self, who: Who) {
        let is_turn = self
            .0
            .lock()
            .unwrap()
            .take_if(|turn| *turn == who)
            .is_some();
        assert!(!is_turn, "{who:?} panics");
    }
}

#[derive(Clone, Debug)]
struct Fused<T>(T, Fuse);

impl IdentityProvider for Fused<StubProvider> {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.1.pass(Who::Start);
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.1.pass(Who::Finish);
        self.0.finish(finish).await
    }
}

impl Revocations for Fused<MemoryRevocations> {
    fn look_up(&self, session: &Session) -> Lookup {
        self.1.pass(Who::LookUp);
        let (fuse, store, session) = (self.1.clone(), self.0.clone(), session.clone());
        Lookup::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            fuse.pass(Who::PendingLookUp);
            match store.look_up(&session) {
                Lookup::Settled(standing) => standing,
                Lookup::Pending(_) => Ok(Standing::Active),
            }
        }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.1.pass(Who::Revoke);
        self.0.revoke(revocation)
    }
}

/// Mails nothing: the test takes the link from the provider.
#[derive(Clone, Copy, Debug)]
struct Silent;

impl Mailer for Fused<Silent> {
    async fn send(&self, _: &Mail<'_>) -> Result<(), MailError> {
        self.1.pass(Who::Mailer);
        Ok(())
    }
}

impl Pages for Fused<DefaultPages> {
    fn render(&self, page: &Page<'_>) -> String {
        self.1.pass(Who::Pages);
        self.0.render(page)
    }

    fn sources(&self) -> PageSources {
        self.0.sources()
    }
}

/// A layer all of whose parts may panic.
struct FusedLayer {
    fuse: Fuse,
    layer: MagicLinkLayer,
    provider: StubProvider,
}

impl FusedLayer {
    fn new() -> Self {
        Self::by(ManualClock::new())
    }

    fn by(clock: impl Clock) -> Self {
        let (fuse, provider) = (Fuse::default(), StubProvider::new());
        let (ears, rule) = (fuse.clone(), fuse.clone());
        let layer = MagicLinkLayer::builder(Fused(provider.clone(), fuse.clone()), keys())
            .public_url(ORIGIN)
            .clock(clock)
            .revocations(Fused(MemoryRevocations::default(), fuse.clone()))
            .mailer(Fused(Silent, fuse.clone()))
            .pages(Fused(DefaultPages::new(), fuse.clone()))
            .on_event(move |_, _| ears.pass(Who::Listener))
            .authorize(move |_: Identity| {
                rule.pass(Who::AuthorizeCall);
                let rule = rule.clone();
                async move {
                    rule.pass(Who::Authorize);
                    true
                }
            })
            .end_streams()
            .build()
            .unwrap();
        Self {
            fuse,
            layer,
            provider,
        }
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let fuse = self.fuse.clone();
        let application = service_fn(move |_: Request<Full<Bytes>>| {
            let fuse = fuse.clone();
            async move {
                fuse.pass(Who::Inner);
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner")))
            }
        });
        let service = ServiceBuilder::new()
            .layer(CatchPanicLayer::new())
            .layer(&self.layer)
            .service(application);
        Answer::of(service, request).await
    }
}
