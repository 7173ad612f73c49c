//! `assert_protected`: checks that the layer refuses requests without a session.

use std::fmt;

use http::{Method, Request, Response};
use tower_service::Service;

use super::call::call;
use crate::rejection::Rejection;

/// A kind of client, without a session.
struct Stranger {
    name: &'static str,
    method: Method,
    fields: &'static [(&'static str, &'static str)],
}

const STRANGERS: [Stranger; 4] = [
    Stranger {
        name: "a browser",
        method: Method::GET,
        fields: &[
            ("accept", "text/html,*/*;q=0.8"),
            ("sec-fetch-mode", "navigate"),
        ],
    },
    Stranger {
        name: "a program",
        method: Method::GET,
        fields: &[],
    },
    Stranger {
        name: "a program",
        method: Method::POST,
        fields: &[],
    },
    Stranger {
        name: "a gRPC client",
        method: Method::POST,
        fields: &[("content-type", "application/grpc")],
    },
];

/// Asserts that the layer refuses each of these paths to a caller without a session.
///
/// It requests each path as a browser that navigates, as a program (GET and POST), and as a gRPC
/// client. The service is the whole application, with the layer on it. If the service accepts any
/// body type, as an axum router does, name one:
/// `assert_protected::<axum::body::Body>(router, ["/"])`.
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, service_fn};
/// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey};
/// use tower_magic_link::testing::{StubProvider, assert_protected};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let keys = KeyRing::new(SigningKey::generate()?);
/// let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
///     .public_url("https://app.example.com")
///     .public_path("/healthz")
///     .build()?;
/// let service = layer.layer(service_fn(|_: Request<String>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(String::new()))
/// }));
///
/// assert_protected(service, ["/", "/reports?year=2026", "/healthz/details"]).await;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Panics
///
/// When a request was not refused. The message names each such path, the kind of client, and the
/// status of the answer. Also when there are no paths, and when the service fails.
pub async fn assert_protected<B: From<String>>(
    service: impl Service<Request<B>, Response = Response<impl Sized>, Error: fmt::Debug> + Clone,
    paths: impl IntoIterator<Item = impl AsRef<str>>,
) {
    let (mut asked, mut open) = (0_usize, Vec::new());
    for path in paths {
        let path = path.as_ref();
        let mut answers = Vec::new();
        for stranger in &STRANGERS {
            let response = call(&mut service.clone(), stranger.request(path)).await;
            if !is_refusal(&response) {
                answers.push(format!("{stranger}: {}", response.status()));
            }
        }
        asked += 1;
        if !answers.is_empty() {
            open.push(format!("\n  {path} ({})", answers.join("; ")));
        }
    }
    // An empty list, as of routes that were filtered away, would pass without having checked
    // anything.
    assert!(asked > 0, "no path to check");
    assert!(
        open.is_empty(),
        "{} of {asked} paths can be reached without a session:{}",
        open.len(),
        open.concat()
    );
}

/// Says whether the session was missing. An endpoint of the layer refuses for other reasons too.
fn is_refusal<B>(response: &Response<B>) -> bool {
    let rejection = response.extensions().get::<Rejection>();
    // By the mark that the layer leaves, and not by the status: an application may answer 401 or
    // 303 itself.
    rejection.is_some_and(|rejection| rejection.kind().wants_sign_in())
}

impl Stranger {
    fn request(&self, path: &str) -> Request<String> {
        let mut request = Request::builder().method(&self.method).uri(path);
        for (name, value) in self.fields {
            request = request.header(*name, *value);
        }
        match request.body(String::new()) {
            Ok(request) if path.starts_with('/') => request,
            _ => panic!("{path:?} is not a path"),
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.method, self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, panic::AssertUnwindSafe};

    use futures_util::FutureExt;
    use tower::{Layer, service_fn};

    use super::*;
    use crate::{KeyRing, MagicLinkLayer, SigningKey, builder::Builder, testing::StubProvider};

    /// Returns the message of the failed assertion, or `None` if it holds.
    async fn said(configure: impl FnOnce(Builder) -> Builder, paths: &[&str]) -> Option<String> {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
        let layer = configure(builder.public_url("https://app.example.com"));
        let service = layer
            .build()
            .unwrap()
            .layer(service_fn(async |_: Request<String>| {
                Ok::<_, Infallible>(Response::new("inner".to_owned()))
            }));
        let assertion = AssertUnwindSafe(assert_protected(service, paths));
        let panic = assertion.catch_unwind().await.err()?;
        Some(match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
        })
    }

    #[tokio::test]
    async fn paths_that_want_a_session_pass() {
        let configure = |builder: Builder| builder.public_path("/healthz");
        assert_eq!(said(configure, &["/", "/a?b=c", "/healthz/x"]).await, None);
    }

    #[tokio::test]
    async fn a_forgotten_public_path_is_named_with_who_reached_it() {
        let configure = |builder: Builder| builder.public_path("/admin").public_path("/old");
        let said = said(configure, &["/", "/admin", "/reports", "/old"]).await;
        let reached = "GET by a browser: 200 OK; GET by a program: 200 OK";
        let want = format!(
            "2 of 4 paths can be reached without a session:\n  /admin ({reached})\n  \
             /old ({reached})"
        );
        assert_eq!(said.unwrap(), want);
    }

    #[tokio::test]
    async fn an_optional_path_and_the_layers_own_endpoints_are_open() {
        let configure = |builder: Builder| builder.optional_path("/home");
        for path in ["/home", "/auth/login", "/auth/callback"] {
            let said = said(configure, &[path]).await.unwrap();
            assert!(said.contains(&format!("\n  {path} (")), "{said}");
        }
    }

    #[tokio::test]
    async fn a_service_without_the_layer_fails_the_assertion() {
        let bare = service_fn(async |_: Request<String>| {
            let mut response = Response::new(String::new());
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            Ok::<_, Infallible>(response)
        });
        let assertion = AssertUnwindSafe(assert_protected(bare, ["/"]));
        let panic = assertion.catch_unwind().await.unwrap_err();
        let said = panic.downcast::<String>().unwrap();
        assert!(said.contains("/ (GET by a browser: 401"), "{said}");
    }

    #[tokio::test]
    async fn nothing_to_ask_for_is_a_mistake() {
        assert_eq!(said(|it| it, &[]).await.unwrap(), "no path to check");
        let wrong = said(|it| it, &["reports"]).await.unwrap();
        assert_eq!(wrong, "\"reports\" is not a path");
    }
}
