//! Handlers that end or renew the session themselves, public paths, a store that panics.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_magic_link::{
    MagicLinkLayer, Rejection, RejectionKind, Session,
    clock::Signal,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use super::{Answer, text};
use crate::{
    names::ADA,
    site::{builder, program, with_cookie},
    streams::{End, Site},
};

/// The application's answer and the end come together: who has signed out gets neither answer nor
/// head of it.
#[tokio::test]
async fn an_answer_that_comes_with_the_end_is_not_given() {
    let site = Site::new();
    let ada = site.person(ADA);
    let finish = Arc::new(Notify::new());
    let wait = finish.clone();
    let mut service = site.layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let wait = wait.clone();
        async move {
            wait.notified().await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("secret")))
        }
    }));
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut answer = Box::pin(service.ready().await.unwrap().call(request));
    assert!((&mut answer).now_or_never().is_none());
    finish.notify_one();
    site.end(&ada.session, End::Revoked);
    let answer = answer.now_or_never().unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let rejection = answer.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::RevokedSession);
    assert_eq!(site.revocations.watchers(), 0);
}

/// Answers once it was told to, after what it was asked to do first.
fn told<F>(
    site: &Site,
    first: impl Fn(Session) -> F + Clone + Send + 'static,
) -> (
    Arc<Notify>,
    impl Service<Request<Full<Bytes>>, Response = Answer, Error = Infallible>,
)
where
    F: Future<Output = ()> + Send,
{
    let finish = Arc::new(Notify::new());
    let wait = finish.clone();
    let service = site
        .layer
        .layer(service_fn(move |request: Request<Full<Bytes>>| {
            let (wait, first) = (wait.clone(), first.clone());
            async move {
                let session = request.extensions().get::<Session>().cloned();
                if let Some(session) = session {
                    first(session).await;
                }
                wait.notified().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("done")))
            }
        }));
    (finish, service)
}

/// How a handler ends its own session.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Address,
    Everywhere,
    Itself,
    Subject,
}

impl Way {
    pub(super) const ALL: [Self; 4] =
        [Self::Address, Self::Everywhere, Self::Itself, Self::Subject];

    pub(super) async fn take(self, layer: &MagicLinkLayer, session: &Session) {
        self.tries(layer, session).await.unwrap();
    }

    pub(super) async fn tries(
        self,
        layer: &MagicLinkLayer,
        session: &Session,
    ) -> Result<(), StoreError> {
        let subject = || session.subject().to_owned();
        let address = || session.email().to_owned();
        match self {
            Self::Address => layer.end_sessions(Target::Address(address())).await,
            Self::Everywhere => layer.issuer().sign_out_everywhere(session).await,
            Self::Itself => layer.issuer().sign_out(session).await,
            Self::Subject => layer.end_sessions(Target::Subject(subject())).await,
        }
    }
}

/// What a handler has to do after signing its own person out is done, and its answer arrives.
///
/// Pinned: a handler that closed its person's account by `end_sessions` was dropped within it.
#[tokio::test]
async fn a_handler_that_signs_its_own_person_out_goes_on() {
    for way in Way::ALL {
        let site = Site::new();
        let layer = site.layer.clone();
        let (ada, eve) = site.people();
        let (finish, mut service) = told(&site, move |session| {
            let layer = layer.clone();
            async move {
                if session.email() == ADA {
                    way.take(&layer, &session).await;
                }
            }
        });
        // Another request of hers, which waits beside it, is refused.
        let other = with_cookie(program("/x"), &ada.cookie);
        let mut other_site = site.layer.layer(service_fn(|_: Request<Full<Bytes>>| {
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
        }));
        let mut other = Box::pin(other_site.ready().await.unwrap().call(other));
        assert!((&mut other).now_or_never().is_none());

        let call = |cookie: &str| with_cookie(program("/x"), cookie);
        let mut hers = Box::pin(service.ready().await.unwrap().call(call(&ada.cookie)));
        assert!((&mut hers).now_or_never().is_none());
        let refused = other.now_or_never().unwrap().unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!((&mut hers).now_or_never().is_none(), "{way:?}: it goes on");
        finish.notify_one();
        let answer = hers.now_or_never().unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, "done");
        drop((service, eve));
        assert_eq!(site.revocations.watchers(), 0);
    }
}

/// Each of two layers has read the session, and would drop what is inside it.
#[tokio::test]
async fn a_handler_inside_two_layers_that_signs_out_goes_on() {
    for way in Way::ALL {
        let site = Site::new();
        let (ada, layer) = (site.person(ADA), site.layer.clone());
        let finish = Arc::new(Notify::new());
        let wait = finish.clone();
        let handler = service_fn(move |request: Request<Full<Bytes>>| {
            let (layer, wait) = (layer.clone(), wait.clone());
            async move {
                let session = request.extensions().get::<Session>().unwrap();
                way.take(&layer, session).await;
                wait.notified().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("done")))
            }
        });
        let mut service = site.layer.layer(site.layer.layer(handler));
        let request = with_cookie(program("/x"), &ada.cookie);
        let mut answer = Box::pin(service.ready().await.unwrap().call(request));
        assert!((&mut answer).now_or_never().is_none());
        assert!(
            (&mut answer).now_or_never().is_none(),
            "{way:?}: it goes on"
        );
        finish.notify_one();
        let answer = answer.now_or_never().unwrap().unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "done", "{way:?}");
    }
}

/// A body that closes an account says so on its way, also where its response renews the session and
/// the old one has ended before the head.
#[tokio::test]
async fn a_body_that_signs_its_own_person_out_is_whole() {
    let idle = Duration::from_secs(600);
    for (way, age) in Way::ALL.into_iter().flat_map(|way| [(way, 0), (way, 599)]) {
        let site = Site::with(|builder| builder.idle_timeout(idle));
        let (ada, layer) = (site.person(ADA), site.layer.clone());
        site.clock.advance(Duration::from_secs(age));
        let clock = site.clock.clone();
        let service = site
            .layer
            .layer(service_fn(move |request: Request<Full<Bytes>>| {
                let (layer, clock) = (layer.clone(), clock.clone());
                async move {
                    let session = request.extensions().get::<Session>().unwrap().clone();
                    clock.advance(Duration::from_secs(2));
                    let steps = stream::unfold(0, move |step| {
                        let (layer, session) = (layer.clone(), session.clone());
                        async move {
                            if step == 1 {
                                way.take(&layer, &session).await;
                                // What is left to do takes a while.
                                tokio::task::yield_now().await;
                            }
                            let text = ["closing", " and ", "closed"].get(step)?;
                            let frame = Frame::data(Bytes::from_static(text.as_bytes()));
                            Some((Ok::<_, Infallible>(frame), step + 1))
                        }
                    });
                    Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(steps))))
                }
            }));
        let request = with_cookie(program("/x"), &ada.cookie);
        let answer = service.oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "closing and closed", "{way:?} {age}");
    }
}

/// An order that was not recorded ends nothing, and the next end counts.
#[tokio::test]
async fn a_handler_whose_order_fails_ends_with_its_session() {
    let down = StoreDown;
    let site = Site::with(|builder| builder.revocations(down));
    let (ada, layer) = (site.person(ADA), site.layer.clone());
    let (_finish, mut service) = told(&site, move |session| {
        let layer = layer.clone();
        async move {
            let target = Target::Subject(session.subject().to_owned());
            layer.end_sessions(target).await.unwrap_err();
        }
    });
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut hers = Box::pin(service.ready().await.unwrap().call(request));
    assert!((&mut hers).now_or_never().is_none());
    site.end(&ada.session, End::Expired);
    let refused = hers.now_or_never().unwrap().unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

/// A store that records nothing.
#[derive(Clone, Copy, Debug)]
struct StoreDown;

impl Revocations for StoreDown {
    fn look_up(&self, _: &Session) -> Lookup {
        Lookup::Settled(Ok(Standing::Active))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }
}

/// Who ends another person's sessions is refused as before, once its own have ended.
#[tokio::test]
async fn a_handler_that_ends_others_sessions_ends_with_its_own() {
    let site = Site::new();
    let layer = site.layer.clone();
    let (ada, eve) = site.people();
    let other = eve.session.id();
    let (_finish, mut service) = told(&site, move |_| {
        let layer = layer.clone();
        async move { layer.end_sessions(Target::Session(other)).await.unwrap() }
    });
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut hers = Box::pin(service.ready().await.unwrap().call(request));
    assert!((&mut hers).now_or_never().is_none());
    site.end(&ada.session, End::Revoked);
    let refused = hers.now_or_never().unwrap().unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

/// Pinned: where nobody needs a session, the layer did not ask whether the handler had ended it,
/// and the answer of a sign-out ended behind its first frame. So did one that renews the session.
#[tokio::test]
async fn the_answer_of_a_handler_that_signs_out_is_whole_on_every_path() {
    let idle = Duration::from_secs(600);
    for (path, way, age) in ["/bye", "/x"]
        .into_iter()
        .flat_map(|path| Way::ALL.map(|way| (path, way)))
        .flat_map(|(path, way)| [0, 599].map(|age| (path, way, Duration::from_secs(age))))
    {
        let site = Site::with(|builder| builder.optional_path("/bye").idle_timeout(idle));
        let ada = site.person(ADA);
        site.clock.advance(age);
        let layer = site.layer.clone();
        let service = site
            .layer
            .layer(service_fn(move |request: Request<Full<Bytes>>| {
                let layer = layer.clone();
                async move {
                    let session = request.extensions().get::<Session>().unwrap();
                    way.take(&layer, session).await;
                    let frames = ["good", "bye"].map(|text| Ok::<_, Infallible>(Frame::data(text)));
                    let frames = frames.map(|frame| frame.map(|it| it.map_data(Bytes::from)));
                    Ok::<_, Infallible>(Response::new(StreamBody::new(stream::iter(frames))))
                }
            }));
        let request = with_cookie(program(path), &ada.cookie);
        let answer = service.oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "goodbye", "{path} {way:?} {age:?}");
    }
}

/// The cookie that the answer brings is good for longer than the one that its request came with.
#[tokio::test]
async fn an_answer_that_renews_the_session_is_not_cut_off_by_the_old_end() {
    let idle = Duration::from_secs(600);
    let site = Site::with(|builder| builder.idle_timeout(idle));
    let ada = site.person(ADA);
    let (finish, mut service) = told(&site, async |_| {});
    site.clock.advance(idle - Duration::from_secs(1));
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut answer = Box::pin(service.ready().await.unwrap().call(request));
    assert!((&mut answer).now_or_never().is_none());
    site.clock.advance(Duration::from_secs(2));
    assert!((&mut answer).now_or_never().is_none());
    finish.notify_one();
    let answer = answer.now_or_never().unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("set-cookie"));
    let mut body = answer.into_body();
    assert!(body.frame().await.unwrap().is_ok());

    // The renewed one's end counts, and so does signing out.
    for end in [End::Expired, End::Revoked] {
        let ada = site.person(ADA);
        site.clock.advance(idle - Duration::from_secs(1));
        let request = with_cookie(program("/x"), &ada.cookie);
        let mut answer = Box::pin(service.ready().await.unwrap().call(request));
        assert!((&mut answer).now_or_never().is_none());
        match end {
            End::Expired => site.clock.advance(idle),
            _ => site.end(&ada.session, end),
        }
        let answer = answer.now_or_never().unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{end:?}");
    }
}

/// Pinned: it was cut off behind its first frame, because nobody had watched the old end.
#[tokio::test]
async fn what_follows_the_head_of_an_answer_that_renews_the_session_comes_whole() {
    let idle = Duration::from_secs(600);
    for path in ["/x", "/hello"] {
        let site = Site::with(|builder| builder.idle_timeout(idle).optional_path("/hello"));
        let ada = site.person(ADA);
        let finish = Arc::new(Notify::new());
        let wait = finish.clone();
        let mut service = site.layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
            let wait = wait.clone();
            async move {
                wait.notified().await;
                let frames = ["one, ", "two"];
                let frames = frames.map(|text| Ok::<_, Infallible>(Frame::data(text.into())));
                let body: StreamBody<_> = StreamBody::new(stream::iter(frames));
                Ok::<Response<StreamBody<_>>, Infallible>(Response::new(body))
            }
        }));
        site.clock.advance(idle - Duration::from_secs(1));
        let request = with_cookie(program(path), &ada.cookie);
        let mut answer = Box::pin(service.ready().await.unwrap().call(request));
        assert!((&mut answer).now_or_never().is_none());
        site.clock.advance(Duration::from_secs(2));
        finish.notify_one();
        let answer = answer.now_or_never().unwrap().unwrap();
        assert!(answer.headers().contains_key("set-cookie"), "{path}");
        let mut body = answer.into_body();
        let mut read = Vec::<u8>::new();
        while let Some(frame) = body.frame().await {
            let data: Bytes = frame.unwrap().into_data().unwrap();
            read.extend(data);
        }
        assert_eq!(read, b"one, two", "{path}");
    }
}

#[tokio::test]
async fn a_public_path_stays_open_when_the_session_ends() {
    let site = Site::with(|builder| builder.public_path("/about").optional_path("/hello"));
    for path in ["/about", "/hello"] {
        let ada = site.person(ADA);
        let (finish, mut service) = told(&site, async |_| {});
        let request = with_cookie(program(path), &ada.cookie);
        let mut answer = Box::pin(service.ready().await.unwrap().call(request));
        assert!((&mut answer).now_or_never().is_none());
        site.end(&ada.session, End::Revoked);
        assert!((&mut answer).now_or_never().is_none(), "{path}");
        finish.notify_one();
        let answer = answer.now_or_never().unwrap().unwrap();
        assert_eq!(text(answer).await, "done", "{path}");
    }
}

/// A store that panics has ended nothing: the client may come again, with the same cookie.
#[tokio::test]
async fn a_store_that_panics_is_an_outage_and_no_end() {
    let clock = ManualClock::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let layer = builder(&clock)
        .revocations(move |_: Session| {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                assert!(is_first, "the store panics");
                Ok::<_, StoreError>(Standing::Active)
            }
        })
        .end_streams()
        .build()
        .unwrap();
    let mut request = program("/x");
    layer.sign_in(&mut request, ADA);
    let mut service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let mut answer = Box::pin(service.ready().await.unwrap().call(request));
    assert!((&mut answer).now_or_never().is_none());
    clock.advance(Duration::from_secs(30));
    let answer = answer.now_or_never().unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(!answer.headers().contains_key("set-cookie"));
}

/// A store that refuses orders for an address and takes the others, each once it is let.
#[derive(Clone, Debug, Default)]
struct Halves {
    refuses: Arc<Notify>,
    takes: Arc<Notify>,
    ended: MemoryRevocations,
}

impl Revocations for Halves {
    fn look_up(&self, session: &Session) -> Lookup {
        self.ended.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if matches!(revocation.target(), Target::Address(_)) {
                self.refuses.notified().await;
                return Err(StoreError::new(StoreErrorKind::Unavailable));
            }
            self.takes.notified().await;
            self.ended.revoke(revocation).await
        })
    }

    fn watch(&self, session: &Session) -> Option<Signal> {
        self.ended.watch(session)
    }
}

/// Pinned: the first of two orders at once failed, and the second one cut its handler off.
#[tokio::test]
async fn a_handler_of_two_orders_at_once_goes_on_if_the_first_fails() {
    for way in [Way::Itself, Way::Subject] {
        let store = Halves::default();
        let site = Site::with(|builder| builder.revocations(store.clone()));
        let (ada, layer) = (site.person(ADA), site.layer.clone());
        let (finish, mut service) = told(&site, move |session| {
            let layer = layer.clone();
            async move {
                let first = Way::Address.tries(&layer, &session);
                let (first, second) = tokio::join!(first, way.tries(&layer, &session));
                first.unwrap_err();
                second.unwrap();
            }
        });
        let request = with_cookie(program("/x"), &ada.cookie);
        let mut hers = Box::pin(service.ready().await.unwrap().call(request));
        assert!((&mut hers).now_or_never().is_none());
        for let_go in [&store.refuses, &store.takes] {
            let_go.notify_one();
            // The orders are tasks by now.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        assert!((&mut hers).now_or_never().is_none(), "{way:?}: it goes on");
        finish.notify_one();
        let answer = hers.now_or_never().unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{way:?}");
    }
}
