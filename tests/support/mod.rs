//! A world to sign in to: an application behind the layer, a WorkOS over real HTTP, a clock that
//! the test sets, and browsers that keep cookies as RFC 6265bis says.

mod browser;
mod post;

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, ResponseBody, Session, SigningKey,
    emulator::{Emulator, EmulatorServer, Endpoint},
    provider::IdentityProvider,
    testing::ManualClock,
    workos::WorkOs,
};

use crate::names::ORIGIN;

pub(crate) use self::{
    browser::{Answer, Browser},
    post::Post,
};

pub(crate) const KEY: &str = "sk_test_marker_key";

pub(crate) type App =
    BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody<Full<Bytes>>>, Infallible>;

/// An application behind the layer, and the WorkOS that it asks.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    pub(crate) hits: Arc<AtomicUsize>,
    pub(crate) keys: KeyRing,
    pub(crate) layer: MagicLinkLayer,
    pub(crate) workos: EmulatorServer,
}

impl World {
    /// Makes a world with the default settings.
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// Makes a world with other settings.
    pub(crate) async fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::by(|client| client, configure).await
    }

    /// Makes a world with other settings, of the client too.
    pub(crate) async fn by(
        tune: impl FnOnce(WorkOs) -> WorkOs,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        Self::keyed(keys, tune, configure).await
    }

    /// Makes a world with these keys, and with a provider that is made of the client.
    pub(crate) async fn keyed<P: IdentityProvider>(
        keys: KeyRing,
        provider: impl FnOnce(WorkOs) -> P,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = ManualClock::new();
        let emulator = Emulator::builder().clock(clock.clone()).build();
        let workos = emulator.serve(0).await.unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let builder = MagicLinkLayer::builder(provider(client(&workos)), keys.clone())
            .public_url(ORIGIN)
            .clock(clock.clone())
            .insecure_answer_when_sent()
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
        let layer = configure(builder).build().unwrap();
        Self {
            clock,
            events,
            hits: Arc::default(),
            keys,
            layer,
            workos,
        }
    }

    /// Returns a browser that has never been here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(counted(&self.layer, self.hits.clone()), ORIGIN)
    }

    /// Signs a new browser in.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(self, email, "/").await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        browser
    }

    /// Returns where the link in the last mail to an address leads: the callback, with code and
    /// state.
    pub(crate) async fn follow_mail(&self, email: &str) -> String {
        let link = self.emulator().last_link_to(email).expect("a mail");
        callback_behind(&link).await
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.workos.emulator()
    }

    /// Returns how many codes were exchanged, or tried to be.
    pub(crate) fn exchanges(&self) -> usize {
        self.emulator().count(Endpoint::Token)
    }

    /// Returns how often the application itself was called.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    /// Returns what was told to the listener, as text.
    pub(crate) fn heard(&self) -> String {
        self.events.lock().unwrap().join("\n")
    }
}

/// Returns an application behind a layer: it says who is signed in.
pub(crate) fn app_of(layer: &MagicLinkLayer) -> App {
    counted(layer, Arc::default())
}

fn counted(layer: &MagicLinkLayer, hits: Arc<AtomicUsize>) -> App {
    BoxCloneSyncService::new(
        layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
            hits.fetch_add(1, Ordering::SeqCst);
            let session = request.extensions().get::<Session>();
            let who = session.map_or("nobody", Session::email);
            let text = format!("{} for {who}", request.uri());
            async move { Ok::<_, Infallible>(Response::new(Full::from(text))) }
        })),
    )
}

/// Returns where a link of WorkOS's leads: our callback, with code and state.
pub(crate) async fn callback_behind(link: &str) -> String {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = http.get(link).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    location
        .strip_prefix(ORIGIN)
        .expect("our callback")
        .to_owned()
}

/// Returns the answer to the callback that our own mailed link leads to, by WorkOS's.
pub(crate) async fn by_own_link(browser: &mut Browser, redirect: &Answer) -> Answer {
    let callback = callback_behind(redirect.location()).await;
    browser.get(&callback).await
}

/// Returns a client of a running emulator.
pub(crate) fn client(workos: &EmulatorServer) -> WorkOs {
    WorkOs::new(KEY, "client_test")
        .and_then(|client| client.base_url(workos.base_url()))
        .unwrap()
}
