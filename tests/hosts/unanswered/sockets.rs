//! Requests over real sockets whose session ends before the response begins.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{StatusCode, uri::PathAndQuery};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tonic::{
    Code,
    client::Grpc,
    transport::{Channel, Server, server::TcpIncoming},
};

use super::{http, request};
use crate::{
    greeter::{COLLECT, Greeter, Text, greeting, heard},
    host::listen,
    names::ADA,
    streams::{ENDS, End, SignedIn, Site, soon},
};

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
