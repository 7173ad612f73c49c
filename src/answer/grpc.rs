//! A refusal for gRPC and gRPC-Web.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::rejection::Rejection;

/// The two forms of gRPC-Web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrpcWeb {
    Binary,
    /// In base64.
    Text,
}

impl GrpcWeb {
    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        })
    }
}

impl Rejection {
    /// Trailers-only (gRPC over HTTP/2, "Responses"): the status stands in the header, and there is
    /// no body.
    pub(super) fn to_grpc(&self) -> Response<Bytes> {
        // Trailers-only: the status stands in the head, and HTTP's is 200 (gRPC over HTTP/2,
        // "Responses").
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        );
        self.write_grpc_status(headers);
        response
    }

    /// Writes `grpc-status` and `grpc-message`: into a trailers-only head, or into trailers.
    pub(crate) fn write_grpc_status(&self, headers: &mut HeaderMap) {
        let (status, message) = self.kind().grpc_status();
        headers.insert("grpc-status", HeaderValue::from_static(status));
        // Spaces are percent-encoded nowhere but here; the messages hold nothing else that would
        // be.
        if let Ok(message) = HeaderValue::try_from(message.replace(' ', "%20")) {
            headers.insert("grpc-message", message);
        }
    }

    pub(super) fn to_grpc_web(&self, form: GrpcWeb) -> Response<Bytes> {
        let mut response = Response::new(self.grpc_web_frame(form));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, form.content_type());
        response
    }

    /// One frame of trailers: flag 0x80, length, then header lines.
    pub(crate) fn grpc_web_frame(&self, form: GrpcWeb) -> Bytes {
        let (status, message) = self.kind().grpc_status();
        let message = message.replace(' ', "%20");
        let trailers = format!("grpc-status:{status}\r\ngrpc-message:{message}\r\n");
        let length = u32::try_from(trailers.len()).unwrap_or_default();
        // The highest bit marks trailers, and no bit below it compression (gRPC-Web's protocol).
        let mut frame = vec![0x80];
        frame.extend(length.to_be_bytes());
        frame.extend(trailers.into_bytes());
        match form {
            GrpcWeb::Binary => frame.into(),
            GrpcWeb::Text => STANDARD.encode(frame).into(),
        }
    }
}
