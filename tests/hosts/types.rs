//! What the compiler holds to: one pointer, no type parameters, the inner service's own error and
//! any request body.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    marker::{PhantomData, PhantomPinned},
    mem::size_of,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use pin_project::pin_project;
use tower::{Layer, Service, ServiceExt};
use tower_magic_link::{
    MagicLink, MagicLinkLayer, ResponseBody, ResponseFuture, testing::ManualClock,
};

use crate::{
    answer::Answer,
    site::{application, builder, cookie_of, with_cookie},
};

const _: () = assert!(size_of::<MagicLinkLayer>() == size_of::<usize>());
const _: () = is_shared::<MagicLinkLayer>();
const _: () = is_shared::<MagicLink<Failing>>();
const _: () = is_sent::<ResponseFuture<Failing, Odd, Ready<Result<Response<Odd>, Broken>>>>();
const _: () = is_sent::<ResponseBody<Odd>>();

const fn is_shared<T: Clone + Send + Sync + 'static>() {}
const fn is_sent<T: Send + 'static>() {}

/// An error that is not `Into<BoxError>`.
#[derive(Debug, PartialEq, Eq)]
struct Broken(u8);

/// A service that fails, when called or when asked whether it is ready.
#[derive(Clone, Debug)]
struct Failing {
    is_ready: bool,
}

impl<B> Service<Request<B>> for Failing {
    type Response = Response<Full<Bytes>>;
    type Error = Broken;
    type Future = Ready<Result<Response<Full<Bytes>>, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(if self.is_ready {
            Ok(())
        } else {
            Err(Broken(1))
        })
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Err(Broken(2)))
    }
}

/// A body that is neither `Sync` nor `Unpin`, whose error is nobody's.
#[pin_project]
struct Odd {
    text: Option<Bytes>,
    not_sync: PhantomData<Cell<()>>,
    #[pin]
    not_unpin: PhantomPinned,
}

impl Odd {
    fn new(text: &'static str) -> Self {
        Self {
            text: Some(Bytes::from_static(text.as_bytes())),
            not_sync: PhantomData,
            not_unpin: PhantomPinned,
        }
    }
}

impl Body for Odd {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.project().text.take().map(|text| Ok(Frame::data(text))))
    }
}

fn layer() -> MagicLinkLayer {
    builder(&ManualClock::new()).build().unwrap()
}

#[tokio::test]
async fn an_error_of_the_inner_service_comes_through_as_it_is() {
    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    let request = || with_cookie(Request::new(Full::<Bytes>::default()), &cookie);

    let mut called = layer.layer(Failing { is_ready: true });
    let error = ServiceExt::<Request<Full<Bytes>>>::ready(&mut called)
        .await
        .unwrap()
        .call(request())
        .await
        .unwrap_err();
    assert_eq!(error, Broken(2));

    let asked = layer.layer(Failing { is_ready: false });
    assert_eq!(asked.oneshot(request()).await.unwrap_err(), Broken(1));
}

#[tokio::test]
async fn a_body_that_is_neither_sync_nor_unpin_passes_and_is_read_as_a_form() {
    let layer = layer();
    let service = layer.layer(application::<Odd>());
    let (cookie, session) = cookie_of(&layer);
    let request = with_cookie(Request::new(Odd::new("")), &cookie);
    let answer = Answer::of(service.clone(), request).await;
    assert_eq!(answer.text(), crate::greeter::greeting(&session));

    let form = Request::post("/auth/login")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Odd::new("email=ada%40example.com"))
        .unwrap();
    let answer = Answer::of(service, form).await;
    assert!(answer.location().starts_with("/auth/check?t="));
}

#[tokio::test]
async fn a_service_and_a_body_that_stay_on_one_thread_work_there() {
    #[derive(Clone)]
    struct Local(Rc<Cell<u8>>);

    impl Service<Request<Full<LocalBytes>>> for Local {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Full<LocalBytes>>) -> Self::Future {
            self.0.set(self.0.get() + 1);
            ready(Ok(Response::default()))
        }
    }

    let layer = layer();
    let (cookie, _) = cookie_of(&layer);
    let calls = Rc::new(Cell::new(0));
    let body = Full::new(LocalBytes(Rc::from(&b"x"[..]), 0));
    let request = with_cookie(Request::new(body), &cookie);
    let answer = Answer::of(layer.layer(Local(calls.clone())), request).await;
    assert_eq!((answer.status().as_u16(), calls.get()), (200, 1));
}

/// Bytes that stay on one thread.
#[derive(Clone)]
struct LocalBytes(Rc<[u8]>, usize);

impl bytes::Buf for LocalBytes {
    fn remaining(&self) -> usize {
        self.0.len() - self.1
    }

    fn chunk(&self) -> &[u8] {
        &self.0[self.1..]
    }

    fn advance(&mut self, by: usize) {
        self.1 += by;
    }
}
