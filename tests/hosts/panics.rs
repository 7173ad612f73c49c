//! A panic of the application's, or of anything that it gave the layer, costs at most the one
//! request that met it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response, header};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_magic_link::{
    MagicLinkLayer, Session, SessionGuard,
    mailer::{Mail, MailError, Mailer},
    page::{DefaultPages, Page, PageSources, Pages},
    provider::{AuthorizationCode, Identity, IdentityProvider, ProviderError, Start, Started},
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing},
    store::StoreFuture,
    testing::{ManualClock, StubProvider},
};

use crate::{
    answer::Answer,
    names::{ADA, ORIGIN},
    site::{SESSION, keys, program},
};

/// Who panics, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Authorize,
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

const ALL: [Who; 10] = [
    Who::Authorize,
    Who::Finish,
    Who::Inner,
    Who::Listener,
    Who::LookUp,
    Who::Mailer,
    Who::Pages,
    Who::PendingLookUp,
    Who::Revoke,
    Who::Start,
];

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

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.1.pass(Who::Finish);
        self.0.finish(code).await
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
        let (fuse, provider) = (Fuse::default(), StubProvider::new());
        let (ears, rule) = (fuse.clone(), fuse.clone());
        let layer = MagicLinkLayer::builder(Fused(provider.clone(), fuse.clone()), keys())
            .public_url(ORIGIN)
            .clock(ManualClock::new())
            .revocations(Fused(MemoryRevocations::default(), fuse.clone()))
            .mailer(Fused(Silent, fuse.clone()))
            .pages(Fused(DefaultPages::new(), fuse.clone()))
            .on_event(move |_| ears.pass(Who::Listener))
            .authorize(move |_: Identity| {
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

/// A browser that tries again when the server failed.
struct PatientBrowser<'w> {
    fused: &'w FusedLayer,
    jar: BTreeMap<String, String>,
    failures: usize,
}

impl<'w> PatientBrowser<'w> {
    const fn new(fused: &'w FusedLayer) -> Self {
        Self {
            fused,
            jar: BTreeMap::new(),
            failures: 0,
        }
    }

    fn request(&self, method: &str, path: &str) -> Request<Full<Bytes>> {
        let cookies = self.jar.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "));
        let form = if path == "/auth/login" && method == "POST" {
            Full::from("email=ada%40example.com")
        } else {
            Full::default()
        };
        request.body(form).unwrap()
    }

    async fn ask(&mut self, method: &str, path: &str) -> Answer {
        let request = self.request(method, path);
        let mut answer = self.fused.ask(request.clone()).await;
        if answer.status() == 500 {
            self.failures += 1;
            answer = self.fused.ask(request).await;
        }
        for (name, (value, max_age)) in answer.cookies() {
            if max_age == 0 {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }

    async fn ask_for_link(&mut self) -> String {
        assert_eq!(self.ask("GET", "/auth/login").await.status(), 200);
        let check = self.ask("POST", "/auth/login").await.location();
        assert_eq!(self.ask("GET", &check).await.status(), 200);
        let link = self.fused.provider.last_link().unwrap();
        link.expose().strip_prefix(ORIGIN).unwrap().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_request_at_most_and_the_next_try_succeeds() {
    for who in ALL {
        let fused = FusedLayer::new();
        fused.fuse.set(Some(who));
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        let mut answer = browser.ask("GET", &callback).await;
        if who == Who::Authorize {
            // It panicked after the code was used up: only a new link helps, and the page says so,
            // once another click had its second.
            let again = answer.location();
            assert_eq!(browser.ask("GET", &again).await.status(), 400);
            let callback = browser.ask_for_link().await;
            answer = browser.ask("GET", &callback).await;
        }
        assert_eq!(answer.location(), "/", "{who:?}");
        let home = browser.ask("GET", "/private").await;
        assert_eq!(home.text(), "inner", "{who:?}");
        let kept = browser.jar.clone();
        assert_eq!(
            browser.ask("POST", "/auth/logout").await.status(),
            303,
            "{who:?}"
        );
        browser.jar = kept;
        let gone = browser.ask("GET", "/private").await;
        assert!(gone.location().starts_with("/auth/login"), "{who:?}");
        // A listener only hears.
        assert_eq!(
            browser.failures,
            usize::from(who != Who::Listener),
            "{who:?}"
        );
        assert!(!fused.fuse.is_lit(), "{who:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_shares_an_exchange_that_panics_is_told_to_try_again_and_can() {
    for who in [Who::Finish, Who::Authorize] {
        let fused = FusedLayer::new();
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        fused.fuse.set(Some(who));
        let asked = (0..8).map(|_| fused.ask(browser.request("GET", &callback)));
        let all = tokio::time::timeout(Duration::from_secs(60), join_all(asked)).await;
        let mut statuses: Vec<_> = all
            .expect("nobody waits for ever")
            .iter()
            .map(|answer| answer.status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [500, 503, 503, 503, 503, 503, 503, 503],
            "{who:?}"
        );
        // After a panic of the application's rule the code is used up.
        let location = browser.ask("GET", &callback).await.location();
        let is_in = location == "/";
        assert_eq!(is_in, who == Who::Finish, "{who:?}: {location}");
        assert_eq!(browser.jar.contains_key(SESSION), who == Who::Finish);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_while_a_session_is_watched_ends_it_for_all_who_watch() {
    let fused = FusedLayer::new();
    let clock_layer = MagicLinkLayer::builder(StubProvider::new(), keys()).public_url(ORIGIN);
    let clock = ManualClock::new();
    let layer = clock_layer
        .clock(clock.clone())
        .revocations(Fused(MemoryRevocations::default(), fused.fuse.clone()))
        .end_streams()
        .build()
        .unwrap();
    let mut request = program("/x");
    layer.sign_in(&mut request, ADA);
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let mut service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
        *keep.lock().unwrap() = request.extensions().get::<SessionGuard>().cloned();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    service.call(request).await.unwrap();
    let guard = kept.lock().unwrap().take().unwrap();
    let (one, other) = (tokio::spawn(guard.clone()), tokio::spawn(guard));
    tokio::task::yield_now().await;
    fused.fuse.set(Some(Who::LookUp));
    clock.advance(Duration::from_secs(30));
    one.await.unwrap();
    other.await.unwrap();
}
