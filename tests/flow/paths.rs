//! Which paths ask for a session: no spelling of a path, header or method opens what is protected.

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use tower_magic_link::{Builder, PathRule};

use crate::support::{Answer, World};

mod bypasses;
mod headers;
mod optional;
mod readings;

const PROTECTED: &str = "/public/internal";

pub(crate) fn rules(builder: Builder) -> Builder {
    builder
        .public_path("/healthz")
        .public_prefix("/public")
        .protected_prefix(PROTECTED)
        .public_prefix(PathRule::any_method("/open"))
        .optional_path("/")
        .optional_prefix("/news")
}

pub(crate) fn request(
    method: &str,
    uri: impl TryInto<Uri, Error: std::fmt::Debug>,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = uri.try_into().unwrap();
    request
}

/// Sends a request of a stranger, and says whether the application saw it.
async fn reaches(world: &World, request: Request<Full<Bytes>>) -> (bool, Answer) {
    let before = world.hits();
    let answer = world.browser().send(request).await;
    (world.hits() > before, answer)
}

/// Asserts that a stranger is refused, in a program's language.
async fn is_refused(world: &World, request: Request<Full<Bytes>>, name: &str) {
    let (is_reached, answer) = reaches(world, request).await;
    assert!(!is_reached, "{name}");
    assert_eq!(answer.status(), 401, "{name}");
}

fn corpus(name: &str) -> String {
    let corpora = std::env::var("CORPORA").expect("CORPORA names the folder of test data");
    std::fs::read_to_string(format!("{corpora}/{name}")).unwrap()
}
