//! What a request was answered, whole.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use tower::{Service, ServiceExt};

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    /// Reads a response to its end.
    pub(crate) async fn read<B>(response: Response<B>) -> Self
    where
        B: Body<Data = Bytes>,
        B::Error: fmt::Debug,
    {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned();
        Self {
            head,
            body: body.to_bytes(),
            trailers,
        }
    }

    /// Asks a service in this process.
    pub(crate) async fn of<S, B, R>(service: S, request: Request<B>) -> Self
    where
        S: Service<Request<B>, Response = Response<R>>,
        S::Error: fmt::Debug,
        R: Body<Data = Bytes>,
        R::Error: fmt::Debug,
    {
        Self::read(service.oneshot(request).await.unwrap()).await
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header's value, all of them where there are several, or nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.head.headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
        values.join(", ")
    }

    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status(), 303, "{}", self.text());
        self.header("location")
    }

    /// Returns the code of the problem that a program was told.
    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Returns the cookies that are set: the value and its seconds.
    pub(crate) fn cookies(&self) -> BTreeMap<String, (String, i64)> {
        let fields = self.head.headers.get_all(header::SET_COOKIE).iter();
        fields
            .map(|field| {
                let cookie = cookie::Cookie::parse(field.to_str().unwrap()).unwrap();
                let max_age = cookie.max_age().expect("a Max-Age").whole_seconds();
                (
                    cookie.name().to_owned(),
                    (cookie.value().to_owned(), max_age),
                )
            })
            .collect()
    }
}
