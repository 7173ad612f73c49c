//! Calls a service as a server does: once it is ready, and until its whole answer is read.

use std::{fmt, future::poll_fn, pin::pin};

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

/// Sends a request to a service. Panics when the service fails.
pub(super) async fn call<S, B, R>(service: &mut S, request: Request<String>) -> Response<R>
where
    S: Service<Request<B>, Response = Response<R>, Error: fmt::Debug>,
    B: From<String>,
{
    if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
        panic!("the service does not become ready: {error:?}");
    }
    match service.call(request.map(B::from)).await {
        Ok(response) => response,
        Err(error) => panic!("the service fails: {error:?}"),
    }
}

/// Reads a response to its end. Panics when its body fails.
pub(super) async fn read<R: Body<Error: fmt::Debug>>(response: Response<R>) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => bytes.put(data),
            // Trailers are no part of a page.
            Ok(Err(_)) => {}
            Err(error) => panic!("the body of the response fails: {error:?}"),
        }
    }
    Response::from_parts(head, bytes.freeze())
}
