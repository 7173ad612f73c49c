//! A response that has not begun ends with the session: long polls, uploads and client-streaming
//! calls, over real sockets.
//!
//! Pinned: the session was first asked about when the body began, so that a long poll answered
//! whoever had signed out meanwhile.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response, StatusCode, uri::PathAndQuery};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::sync::{Notify, mpsc};
use tonic::{
    Code,
    client::Grpc,
    transport::{Channel, Server, server::TcpIncoming},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_magic_link::{
    Rejection, RejectionKind, ResponseBody, Session, revocation::Standing, store::StoreError,
    testing::ManualClock,
};

use crate::{
    greeter::{COLLECT, Greeter, Text, greeting, heard},
    host::listen,
    names::ADA,
    site::{builder, program, with_cookie},
    streams::{ENDS, End, SignedIn, Site, soon},
};

type Answer = Response<ResponseBody<Full<Bytes>>>;
type Http<B> = Client<hyper_util::client::legacy::connect::HttpConnector, B>;

fn http<B>(is_h2: bool) -> Http<B>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let mut http = Client::builder(TokioExecutor::new());
    http.http2_only(is_h2).build_http()
}

fn request(address: SocketAddr, path: &str, person: &SignedIn) -> http::request::Builder {
    Request::builder()
        .uri(format!("http://{address}{path}"))
        .header("cookie", &person.cookie)
}

const fn kind_of(end: End) -> &'static str {
    match end {
        End::Expired => "expired_session",
        End::Revoked | End::RevokedEverywhere => "revoked_session",
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_its_session_and_another_persons_goes_on() {
    for end in ENDS {
        for is_h2 in [false, true] {
            let site = Site::new();
            let address = site.serve().await;
            let (ada, eve) = site.people();
            let poll = |person: &SignedIn| {
                let request = request(address, "/poll", person).body(Full::<Bytes>::default());
                let http = http(is_h2);
                tokio::spawn(async move { http.request(request.unwrap()).await })
            };
            let (adas, mut eves) = (poll(&ada), poll(&eve));
            site.settles_at(2, 2).await;
            site.end(&ada.session, end);
            let answer = soon(adas).await.unwrap().unwrap();
            let name = format!("{end:?}, h2: {is_h2}");
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
            // The browser may hold a newer session by now.
            assert!(!answer.headers().contains_key("set-cookie"), "{name}");
            assert_eq!(answer.headers()["cache-control"], "no-store", "{name}");
            let problem = answer.into_body().collect().await.unwrap().to_bytes();
            let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
            assert_eq!(problem["code"], kind_of(end), "{name}");
            let login = problem["login_url"].as_str().unwrap();
            assert!(login.ends_with("/auth/login?return_to=/poll"), "{login}");
            // The application's own future is gone too.
            site.settles_at(1, 1).await;
            assert!((&mut eves).now_or_never().is_none(), "{name}");
            site.tick();
            let answer = soon(eves).await.unwrap().unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text, "tick 1", "{name}");
            site.settles_at(0, 0).await;
        }
    }
}

#[tokio::test]
async fn a_page_that_is_long_in_coming_leads_to_the_form_and_back() {
    let site = Site::new();
    let address = site.serve().await;
    let ada = site.person(ADA);
    let request = request(address, "/poll?x=1", &ada)
        .header("sec-fetch-mode", "navigate")
        .body(Full::<Bytes>::default());
    let http = http(false);
    let page = tokio::spawn(async move { http.request(request.unwrap()).await });
    site.settles_at(1, 1).await;
    site.end(&ada.session, End::Revoked);
    let answer = soon(page).await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers()["location"].to_str().unwrap();
    assert_eq!(location, "/auth/login?return_to=/poll%3Fx%3D1");
    site.settles_at(0, 0).await;
}

#[tokio::test]
async fn an_upload_ends_with_its_session() {
    for end in ENDS {
        for is_h2 in [false, true] {
            let site = Site::new();
            let address = site.serve().await;
            let ada = site.person(ADA);
            let (pieces, receiver) = mpsc::channel::<Bytes>(1);
            let body = StreamBody::new(stream::unfold(receiver, async |mut receiver| {
                let piece = receiver.recv().await?;
                Some((Ok::<_, Infallible>(Frame::data(piece)), receiver))
            }));
            let request = request(address, "/upload", &ada).method("POST");
            let request = request.body(Box::pin(body));
            let http = http(is_h2);
            let upload = tokio::spawn(async move { http.request(request.unwrap()).await });
            pieces.send(Bytes::from_static(b"first")).await.unwrap();
            site.settles_at(1, 1).await;
            site.end(&ada.session, end);
            let answer = soon(upload).await.unwrap().unwrap();
            let name = format!("{end:?}, h2: {is_h2}");
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
            site.settles_at(0, 0).await;
        }
    }
}

#[tokio::test]
async fn a_client_streaming_call_ends_as_unauthenticated() {
    for end in ENDS {
        let site = Site::new();
        let (listener, address) = listen().await;
        let server = Server::builder()
            .layer(site.layer.clone())
            .add_service(Greeter);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = channel.connect().await.unwrap();
        let (ada, eve) = site.people();
        let call = |person: &SignedIn| {
            let mut client = Grpc::new(channel.clone());
            let (words, receiver) = mpsc::unbounded_channel();
            words.send("me".to_owned()).unwrap();
            let receiver = stream::unfold(receiver, async |mut receiver| {
                Some((receiver.recv().await?, receiver))
            });
            let mut request = tonic::Request::new(receiver.boxed());
            let cookie = person.cookie.parse().unwrap();
            request.metadata_mut().append("cookie", cookie);
            let call = tokio::spawn(async move {
                client.ready().await.unwrap();
                let path = PathAndQuery::from_static(COLLECT);
                client.client_streaming(request, path, Text).await
            });
            (words, call)
        };
        let ((_words, adas), (last_words, eves)) = (call(&ada), call(&eve));
        site.settles_at(2, 0).await;
        site.end(&ada.session, end);
        let status = soon(adas).await.unwrap().unwrap_err();
        let want = (Code::Unauthenticated, "sign-in required");
        assert_eq!(heard(&status), want, "{end:?}");
        site.settles_at(1, 0).await;
        drop(last_words);
        let greeted = soon(eves).await.unwrap().unwrap().into_inner();
        assert_eq!(greeted, greeting(&eve.session), "{end:?}");
        site.settles_at(0, 0).await;
    }
}

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

async fn text(answer: Answer) -> Bytes {
    answer.into_body().collect().await.unwrap().to_bytes()
}

/// What a handler has to do after signing its own person out is done, and its answer arrives.
#[tokio::test]
async fn a_handler_that_signs_its_own_person_out_goes_on() {
    for is_everywhere in [false, true] {
        let site = Site::new();
        let issuer = site.layer.issuer();
        let (ada, eve) = site.people();
        let (finish, mut service) = told(&site, move |session| {
            let issuer = issuer.clone();
            async move {
                if session.email() == ADA {
                    match is_everywhere {
                        true => issuer.sign_out_everywhere(&session).await.unwrap(),
                        false => issuer.sign_out(&session).await.unwrap(),
                    }
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
        assert!((&mut hers).now_or_never().is_none(), "it goes on");
        finish.notify_one();
        let answer = hers.now_or_never().unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, "done");
        drop((service, eve));
        assert_eq!(site.revocations.watchers(), 0);
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
