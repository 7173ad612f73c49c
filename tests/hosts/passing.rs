//! The inner service's response passes as it is: frames, trailers, size, end, and errors in the
//! middle.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{ResponseBody, Session, testing::ManualClock};

use crate::{
    names::ADA,
    site::{builder, cookie_of, program, with_cookie},
};

/// A body that gives what it was given, and says of itself what it was told to say.
struct Told {
    frames: VecDeque<Result<Frame<Bytes>, &'static str>>,
    hint: SizeHint,
}

impl Body for Told {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

fn told() -> Told {
    let mut hint = SizeHint::new();
    hint.set_lower(7);
    hint.set_upper(11);
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", "abc".parse().unwrap());
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"one "))),
        Ok(Frame::data(Bytes::new())),
        Ok(Frame::data(Bytes::from_static(b"two"))),
        Ok(Frame::trailers(trailers)),
        Err("cut"),
    ];
    Told {
        frames: frames.into(),
        hint,
    }
}

/// Writes a body down, step by step, with what it says of itself before each.
async fn record<B>(mut body: B) -> Vec<String>
where
    B: Body<Data = Bytes, Error = &'static str> + Unpin,
{
    let mut steps = Vec::new();
    loop {
        let (is_end, hint) = (body.is_end_stream(), body.size_hint());
        let frame = body.frame().await;
        steps.push(format!("{is_end} {hint:?} {frame:?}"));
        if frame.is_none() {
            return steps;
        }
    }
}

#[tokio::test]
async fn the_inner_response_passes_untouched_save_for_vary() {
    let layer = builder(&ManualClock::new()).public_path("/about").build();
    let layer = layer.unwrap();
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        let response = Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .version(http::Version::HTTP_2)
            .header("vary", "accept-encoding")
            .header("set-cookie", "theirs=1")
            .header("cache-control", "public")
            .extension(7_u8);
        Ok::<_, Infallible>(response.body(told()).unwrap())
    }));
    let (cookie, _) = cookie_of(&layer);
    let cases = [
        (
            "signed in",
            with_cookie(program("/x"), &cookie),
            vec!["accept-encoding", "cookie"],
        ),
        ("public", program("/about"), vec!["accept-encoding"]),
    ];
    let want = record(told()).await;
    for (name, request, vary) in cases {
        let response = service.clone().oneshot(request).await.unwrap();
        let (head, body): (_, ResponseBody<Told>) = response.into_parts();
        assert_eq!(head.status, StatusCode::IM_A_TEAPOT, "{name}");
        assert_eq!(head.version, http::Version::HTTP_2, "{name}");
        assert_eq!(head.extensions.get(), Some(&7_u8), "{name}");
        assert_eq!(head.headers["set-cookie"], "theirs=1", "{name}");
        assert_eq!(head.headers["cache-control"], "public", "{name}");
        let got: Vec<_> = head.headers.get_all("vary").iter().collect();
        assert_eq!(got, vary, "{name}");
        assert_eq!(head.headers.len(), 2 + vary.len(), "{name}");
        assert_eq!(record(body).await, want, "{name}");
    }
}

#[tokio::test]
async fn the_request_passes_untouched_save_for_the_session_in_its_extensions() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let service = layer.layer(service_fn(move |request: Request<String>| {
        *sink.lock().unwrap() = Some(request);
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let (cookie, session) = cookie_of(&layer);
    for method in [Method::GET, Method::HEAD, Method::PATCH, Method::OPTIONS] {
        let request = Request::builder()
            .method(&method)
            .uri("https://host.example/a%2fb?c=d")
            .version(http::Version::HTTP_2)
            .header("x-one", "1")
            .extension("kept")
            .body("body".to_owned())
            .unwrap();
        let request = with_cookie(request, &cookie);
        let headers = request.headers().clone();
        service.clone().oneshot(request).await.unwrap();
        let (head, body) = seen.lock().unwrap().take().unwrap().into_parts();
        assert_eq!((&head.method, body.as_str()), (&method, "body"));
        assert_eq!(head.uri, "https://host.example/a%2fb?c=d");
        assert_eq!(head.version, http::Version::HTTP_2);
        assert_eq!(head.headers, headers, "the cookie too");
        assert_eq!(head.extensions.get(), Some(&"kept"));
        let got = head.extensions.get::<Session>().unwrap();
        assert_eq!((got, got.email()), (&session, ADA));
    }
}
