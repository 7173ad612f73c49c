//! An application behind a layer that takes events, over HTTP and in the process, and a WorkOS that
//! sends them.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Rejection, RejectionKind, Session, SigningKey,
    clock::{Clock, Timestamp},
    emulator::{EmulatedEvent, EmulatedWebhook, Emulator},
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::{ManualClock, StubProvider},
};

use crate::names::ORIGIN;

pub(crate) const SECRET: &str = "whsec_marker";
pub(crate) const WEBHOOK: &str = "/auth/webhook";

pub(crate) type Body = BoxBody<Bytes, Infallible>;

pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    pub(crate) layer: MagicLinkLayer,
    pub(crate) store: Store,
    pub(crate) workos: Emulator,
}

/// A store in memory that counts its revocations, and refuses the next ones if it is told to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    memory: MemoryRevocations,
    revocations: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
}

impl Store {
    pub(crate) fn revocations(&self) -> usize {
        self.revocations.load(Ordering::SeqCst)
    }

    pub(crate) fn refuse(&self, next: usize) {
        self.failures.store(next, Ordering::SeqCst);
    }
}

impl Revocations for Store {
    fn look_up(&self, session: &Session) -> Lookup {
        self.memory.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        let less = |left: usize| left.checked_sub(1);
        let failures = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        match failures {
            Ok(_) => Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) }),
            Err(_) => self.memory.revoke(revocation),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) kind: Option<RejectionKind>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder.webhook_secret(SECRET))
    }

    pub(crate) fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let workos = Emulator::builder().clock(clock.clone()).build();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        Self::at(clock, &keys, Store::default(), workos, configure)
    }

    /// Makes two replicas of a site. The clock of the second is so many seconds ahead of that of
    /// the first, and of WorkOS.
    pub(crate) fn pair(ahead: i64) -> [Self; 2] {
        let clock = ManualClock::new();
        let workos = Emulator::builder().clock(clock.clone()).build();
        let other = clock.now().as_secs().checked_add_signed(ahead).unwrap();
        let other = ManualClock::at(Timestamp::from_secs(other));
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let store = Store::default();
        [clock, other].map(|clock| {
            let with_secret = |builder: Builder| builder.webhook_secret(SECRET);
            Self::at(clock, &keys, store.clone(), workos.clone(), with_secret)
        })
    }

    fn at(
        clock: ManualClock,
        keys: &KeyRing,
        store: Store,
        workos: Emulator,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys.clone())
            .public_url(ORIGIN)
            .clock(clock.clone())
            .revocations(store.clone())
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
        Self {
            layer: configure(builder).build().unwrap(),
            workos,
            clock,
            events,
            store,
        }
    }

    /// Returns WorkOS's view of the webhook, for events that are not sent over HTTP.
    pub(crate) fn webhook(&self) -> EmulatedWebhook {
        self.workos.webhook("http://127.0.0.1:1", SECRET)
    }

    /// Puts the application on a port, and returns WorkOS's view of its webhook.
    pub(crate) async fn serve(&self) -> EmulatedWebhook {
        let app = axum::Router::new()
            .fallback(async || "hello")
            .layer(self.layer.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}{WEBHOOK}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        self.workos.webhook(url, SECRET).with_pause(Duration::ZERO)
    }

    /// Signs somebody in, and returns their cookie.
    pub(crate) fn sign_in(&self, identity: &Identity) -> String {
        let issued = self.layer.issuer().issue(identity).unwrap();
        let cookie = issued.set_cookie();
        let pair = cookie.to_str().unwrap().split(';').next();
        pair.unwrap().to_owned()
    }

    /// Says whether a session still works.
    pub(crate) async fn is_admitted(&self, cookie: &str) -> bool {
        let request = Request::get("/").header(header::COOKIE, cookie);
        let answer = self.ask(request.body(empty()).unwrap()).await;
        match answer.kind {
            None => true,
            Some(RejectionKind::RevokedSession) => false,
            Some(kind) => panic!("{kind}"),
        }
    }

    /// Delivers an event without HTTP.
    pub(crate) async fn take(&self, event: &EmulatedEvent) -> Answer {
        self.post(event.signature(), event.body()).await
    }

    pub(crate) async fn post(&self, signature: &str, body: &str) -> Answer {
        let request = signed(signature).body(full(body)).unwrap();
        self.ask(request).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let service = self.layer.layer(service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::from("hello")))
        }));
        let response = service.oneshot(request).await.unwrap();
        let kind = response.extensions().get().map(Rejection::kind);
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            kind,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Returns what the listener heard since the last time.
    pub(crate) fn heard(&self) -> String {
        self.events
            .lock()
            .unwrap()
            .drain(..)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Begins a signed request.
pub(crate) fn signed(signature: &str) -> http::request::Builder {
    Request::post(WEBHOOK)
        .header("content-type", "application/json")
        .header("workos-signature", signature)
}

pub(crate) fn empty() -> Body {
    full("")
}

pub(crate) fn full(text: &str) -> Body {
    Full::from(text.to_owned()).boxed()
}
