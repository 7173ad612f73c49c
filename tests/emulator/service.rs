//! The emulator without a server, as a Tower service.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::Value;
use tower::ServiceExt;
use tower_magic_link::{
    clock::Timestamp,
    emulator::{AnswerBody, Emulator, Endpoint, Fault},
    testing::ManualClock,
};

use crate::session;

fn create() -> Request<Full<Bytes>> {
    Request::post("/passwordless/sessions")
        .header("authorization", "Bearer sk_test")
        .header("content-type", "application/json")
        .body(session().to_string().into())
        .unwrap()
}

async fn read(response: Response<AnswerBody>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn it_takes_any_body_and_links_to_its_base_url() {
    let emulator = Emulator::new();
    let response = emulator.clone().oneshot(create()).await.unwrap();
    let link = read(response).await["link"].as_str().unwrap().to_owned();
    assert!(
        link.starts_with("http://127.0.0.1:4200/passwordless/"),
        "{link}"
    );
    let request = Request::get(link).body(Empty::<&[u8]>::new()).unwrap();
    let response = emulator.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn the_answer_to_a_head_has_no_body() {
    let request = Request::head("/sso/profile").body(Empty::<&[u8]>::new());
    let response = Emulator::new().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.into_body().frame().await.is_none());
}

#[tokio::test]
async fn a_cut_connection_is_the_service_s_error_and_a_cut_body_the_body_s() {
    let emulator = Emulator::new();
    emulator.order(Endpoint::Create, Fault::Cut);
    let cut = emulator.clone().oneshot(create()).await.unwrap_err();
    assert_eq!(cut.to_string(), "connection cut, as ordered");
    emulator.order(Endpoint::Create, Fault::CutBody);
    let mut body = emulator.oneshot(create()).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"{"));
    assert_eq!(body.frame().await.unwrap().unwrap_err(), cut);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_by_tokio_s_clock() {
    let emulator = Emulator::new();
    let minute = Duration::from_secs(60);
    emulator.order(Endpoint::Create, Fault::Delay(minute));
    let began = tokio::time::Instant::now();
    let response = emulator.oneshot(create()).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert!(began.elapsed() >= minute);
}

#[tokio::test(start_paused = true)]
async fn a_hang_never_answers_and_does_no_work() {
    let emulator = Emulator::new();
    emulator.order(Endpoint::Confirm, Fault::Hang);
    let response = emulator.clone().oneshot(create()).await.unwrap();
    let link = read(response).await["link"].as_str().unwrap().to_owned();
    let follow = || {
        let request = Request::get(link.as_str()).body(Empty::<&[u8]>::new());
        emulator.clone().oneshot(request.unwrap())
    };
    let year = Duration::from_secs(365 * 86_400);
    let hung = tokio::time::timeout(year, follow()).await;
    assert!(hung.is_err());
    let location = follow().await.unwrap().headers()["location"].clone();
    assert!(
        location.to_str().unwrap().contains("?code="),
        "{location:?}"
    );
}

/// A body that goes on for ever, or breaks off after its first piece.
struct Bad {
    breaks_off: bool,
    is_begun: bool,
}

impl http_body::Body for Bad {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let piece = Bytes::from_static(&[b' '; 1_000]);
        let breaks_off = self.breaks_off && std::mem::replace(&mut self.is_begun, true);
        Poll::Ready(Some(if breaks_off {
            Err("broken off")
        } else {
            Ok(http_body::Frame::data(piece))
        }))
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_or_never_ends_is_refused() {
    for (breaks_off, want) in [
        (true, StatusCode::BAD_REQUEST),
        (false, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let bad = Bad {
            breaks_off,
            is_begun: false,
        };
        let request = create().map(|_| bad);
        let response = Emulator::new().oneshot(request).await.unwrap();
        assert_eq!(response.status(), want);
    }
}

/// Pinned: the date was the machine's, so that a self-test by a test's clock failed.
#[tokio::test]
async fn an_answer_is_dated_by_the_emulators_clock() {
    let clock = ManualClock::at(Timestamp::from_secs(784_111_777));
    let emulator = Emulator::builder().clock(clock).build();
    let server = emulator.serve(0).await.unwrap();
    emulator.order(Endpoint::Profile, Fault::Status(StatusCode::BAD_GATEWAY));
    for status in [502, 401] {
        let url = format!("{}/sso/profile", server.base_url());
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), status);
        let dates: Vec<_> = answer.headers().get_all("date").iter().collect();
        assert_eq!(dates, ["Sun, 06 Nov 1994 08:49:37 GMT"]);
    }
}
