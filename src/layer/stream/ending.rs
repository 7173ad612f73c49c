//! `Ending`: ends a response's body as its content type allows.
//!
//! | the response's content type | the end |
//! | --- | --- |
//! | `application/grpc…` | trailers: `grpc-status: 16` |
//! | `application/grpc-web…`, `…-text…` | a frame with the same trailers |
//! | anything else | as if the body were complete |
//!
//! A body's error type is the inner service's, so the layer cannot make an error of its own. An
//! event stream ends cleanly: `EventSource` reconnects, and gets a 401. If the body's length is
//! known, hyper and every client notice that it was cut off. Otherwise they do not.

use std::{future::Future, pin::Pin, task::Context};

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body::Frame;

use super::SessionGuard;
use crate::{
    answer::GrpcWeb,
    rejection::{Rejection, RejectionKind},
};

/// How and when a body is ended.
pub(crate) struct Ending {
    pub(crate) guard: SessionGuard,
    pub(crate) tail: Tail,
    /// Whether a client may mistake what it has got for the whole. A gRPC client is told of the
    /// end, and an `EventSource` connects again.
    pub(crate) may_be_taken_for_whole: bool,
}

/// What a client receives when the layer ends its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    Grpc,
    GrpcWeb(GrpcWeb),
    Nothing,
}

impl Ending {
    pub(crate) fn of<B>(response: &Response<B>, guard: SessionGuard) -> Self {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let kind = kind.map(|kind| kind.as_bytes()).unwrap_or_default();
        let tail = Tail::of(kind);
        Self {
            guard,
            tail,
            may_be_taken_for_whole: tail == Tail::Nothing && !begins(kind, b"text/event-stream"),
        }
    }

    /// Says whether the session has ended, and otherwise registers the task to be woken. A body
    /// that has ordered the end itself goes on.
    pub(crate) fn has_ended(&mut self, cx: &mut Context<'_>) -> bool {
        Pin::new(&mut self.guard).poll(cx).is_ready() && !self.guard.runs_on()
    }
}

/// Says whether a content type begins so.
fn begins(content_type: &[u8], with: &[u8]) -> bool {
    let start = content_type.get(..with.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(with))
}

impl Tail {
    fn of(content_type: &[u8]) -> Self {
        let begins = |with| begins(content_type, with);
        if !begins(b"application/grpc".as_slice()) {
            return Self::Nothing;
        }
        // The longest first, because each is a prefix of the one before it.
        if begins(b"application/grpc-web-text".as_slice()) {
            Self::GrpcWeb(GrpcWeb::Text)
        } else if begins(b"application/grpc-web".as_slice()) {
            Self::GrpcWeb(GrpcWeb::Binary)
        } else {
            Self::Grpc
        }
    }

    /// Returns the body's last frame.
    pub(crate) fn frame<D: From<Bytes>>(self) -> Option<Frame<D>> {
        // A gRPC client gets the same status, whether its session has ended or never existed.
        let rejection = Rejection::new(RejectionKind::NoSession);
        match self {
            Self::Grpc => {
                let mut trailers = HeaderMap::with_capacity(2);
                rejection.write_grpc_status(&mut trailers);
                Some(Frame::trailers(trailers))
            }
            Self::GrpcWeb(form) => Some(Frame::data(rejection.grpc_web_frame(form).into())),
            Self::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_speaks_the_language_of_the_response() {
        let cases: [(&[u8], Tail); 9] = [
            (b"application/grpc", Tail::Grpc),
            (b"application/grpc+proto", Tail::Grpc),
            (b"Application/GRPC; x=y", Tail::Grpc),
            (
                b"application/grpc-web+proto",
                Tail::GrpcWeb(GrpcWeb::Binary),
            ),
            (b"application/grpc-web-text", Tail::GrpcWeb(GrpcWeb::Text)),
            (b"application/gr", Tail::Nothing),
            (b"text/event-stream", Tail::Nothing),
            (b"", Tail::Nothing),
            (b"\xff", Tail::Nothing),
        ];
        for (kind, want) in cases {
            let name = String::from_utf8_lossy(kind);
            assert_eq!(Tail::of(kind), want, "{name}");
        }
    }
}
