//! What caches are told about a response that was given a session, and what a browser clears when
//! the session ends.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{Builder, MagicLinkLayer, testing::ManualClock};

use crate::{
    answer::Answer,
    script::{Act, Script},
    site::{builder, cookie_of, grpc, program, with_cookie},
};

type Mode = fn(Builder) -> Builder;

/// What an application says of caching.
type Said = &'static [(&'static str, &'static str)];

const SILENT: Said = &[];

fn layer(mode: Mode) -> MagicLinkLayer {
    let builder = builder(&ManualClock::new())
        .optional_path("/welcome")
        .public_path("/about");
    mode(builder).build().unwrap()
}

/// Asks for a path, with a session or without, of an application that says this of caching.
async fn ask(layer: &MagicLinkLayer, path: &str, has_session: bool, said: Said) -> Answer {
    let mut request = program(path);
    if has_session {
        request = with_cookie(request, &cookie_of(layer).0);
    }
    answered(layer, request, StatusCode::OK, said).await
}

async fn answered(
    layer: &MagicLinkLayer,
    request: Request<Full<Bytes>>,
    status: StatusCode,
    said: Said,
) -> Answer {
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        let mut response = Response::new(Full::<Bytes>::default());
        *response.status_mut() = status;
        for (name, value) in said {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, value.parse().unwrap());
        }
        Ok::<_, Infallible>(response)
    });
    Answer::of(layer.layer(inner), request).await
}

#[tokio::test]
async fn a_response_that_was_given_a_session_is_private_unless_the_application_says_otherwise() {
    let theirs: Said = &[("cache-control", "public, max-age=60")];
    let expires: Said = &[("expires", "Fri, 01 Jan 2100 00:00:00 GMT")];
    let pragma: Said = &[("pragma", "no-cache")];
    let aimed: Said = &[("cdn-cache-control", "max-age=60")];
    let private: Mode = |builder| builder;
    let no_store: Mode = Builder::no_store;
    let off: Mode = Builder::insecure_no_cache_control;
    let cases = [
        ("silent", private, "/x", true, SILENT, "private"),
        (
            "outspoken",
            private,
            "/x",
            true,
            theirs,
            "public, max-age=60",
        ),
        (
            "how long, not for whom",
            private,
            "/x",
            true,
            expires,
            "private",
        ),
        ("of requests", private, "/x", true, pragma, "private"),
        ("of another cache", private, "/x", true, aimed, "private"),
        ("optional", private, "/welcome", true, SILENT, "private"),
        ("optional, stranger", private, "/welcome", false, SILENT, ""),
        ("public", private, "/about", true, SILENT, "private"),
        ("public, stranger", private, "/about", false, SILENT, ""),
        ("no_store", no_store, "/x", true, SILENT, "no-store"),
        (
            "no_store, outspoken",
            no_store,
            "/x",
            true,
            theirs,
            "no-store",
        ),
        (
            "no_store, of another cache",
            no_store,
            "/x",
            true,
            aimed,
            "no-store",
        ),
        (
            "no_store, optional",
            no_store,
            "/welcome",
            true,
            theirs,
            "no-store",
        ),
        (
            "no_store, optional, stranger",
            no_store,
            "/welcome",
            false,
            SILENT,
            "",
        ),
        (
            "no_store, public",
            no_store,
            "/about",
            true,
            SILENT,
            "private",
        ),
        (
            "no_store, public file",
            no_store,
            "/about",
            true,
            theirs,
            "public, max-age=60",
        ),
        (
            "no_store, public, stranger",
            no_store,
            "/about",
            false,
            SILENT,
            "",
        ),
        ("off", off, "/x", true, SILENT, ""),
        (
            "off, outspoken",
            off,
            "/x",
            true,
            theirs,
            "public, max-age=60",
        ),
        ("off, optional", off, "/welcome", true, SILENT, ""),
    ];
    for (name, mode, path, has_session, said, want) in cases {
        let answer = ask(&layer(mode), path, has_session, said).await;
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(answer.header("cache-control"), want, "{name}");
        let varies = if path == "/about" && !has_session {
            ""
        } else {
            "cookie"
        };
        assert_eq!(answer.header("vary"), varies, "{name}");
        let is_kept_from_all = want == "no-store";
        for (field, value) in said.iter().filter(|(field, _)| *field != "cache-control") {
            let want = if is_kept_from_all { "" } else { value };
            assert_eq!(answer.header(field), want, "{name}: {field}");
        }
    }
}

/// RFC 9110, section 15.4.5: a 304 has the `Cache-Control` of its 200.
#[tokio::test]
async fn caches_are_told_on_every_status_and_in_grpc() {
    let modes: [(Mode, &str); 2] = [
        (|builder| builder, "private"),
        (Builder::no_store, "no-store"),
    ];
    for (mode, want) in modes {
        let layer = layer(mode);
        let (cookie, _) = cookie_of(&layer);
        for status in [200, 204, 206, 301, 304, 404, 410, 500] {
            let status = StatusCode::from_u16(status).unwrap();
            let said: Said = &[("etag", "\"1\"")];
            let request = with_cookie(program("/file"), &cookie);
            let answer = answered(&layer, request, status, said).await;
            assert_eq!(answer.status(), status);
            assert_eq!(answer.header("cache-control"), want, "{status}");
            assert_eq!(answer.header("etag"), "\"1\"", "{status}");
        }
        let request = with_cookie(grpc("/greeter.Greeter/Once"), &cookie);
        let answer = answered(&layer, request, StatusCode::OK, SILENT).await;
        assert_eq!(answer.header("cache-control"), want);
    }
}

#[tokio::test]
async fn caches_are_told_too_when_the_store_had_to_wait() {
    let store = Script::pending(Act::Active);
    let layer = builder(&ManualClock::new()).revocations(store);
    let layer = layer.build().unwrap();
    let answer = ask(&layer, "/x", true, SILENT).await;
    assert_eq!(answer.header("cache-control"), "private");
}

#[tokio::test]
async fn a_session_that_the_store_does_not_vouch_for_says_nothing_to_caches() {
    for act in [Act::Revoked, Act::Fail] {
        let builder = builder(&ManualClock::new()).revocations(Script::settled(act));
        let layer = builder.optional_path("/welcome").build().unwrap();
        let answer = ask(&layer, "/welcome", true, SILENT).await;
        assert_eq!(answer.header("cache-control"), "", "{act:?}");
        assert_eq!(answer.header("vary"), "cookie", "{act:?}");
    }
}

async fn sign_out(layer: &MagicLinkLayer, field: (&'static str, &str)) -> HeaderMap {
    let request = Request::post("/auth/logout")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(field.0, field.1);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let answer = layer.layer(inner).oneshot(request).await.unwrap();
    answer.headers().clone()
}

#[tokio::test]
async fn signing_out_clears_what_was_asked_for() {
    let both: Mode = |builder| {
        builder
            .clear_storage_on_sign_out()
            .clear_cache_on_sign_out()
    };
    let cases: [(Mode, Option<&str>); 4] = [
        (|builder| builder, None),
        (Builder::clear_cache_on_sign_out, Some("\"cache\"")),
        (Builder::clear_storage_on_sign_out, Some("\"storage\"")),
        (both, Some("\"cache\", \"storage\"")),
    ];
    for (mode, want) in cases {
        let layer = layer(mode);
        let (cookie, _) = cookie_of(&layer);
        let headers = sign_out(&layer, ("cookie", &cookie)).await;
        let cleared = headers.get("clear-site-data");
        let cleared = cleared.map(|value| value.to_str().unwrap());
        assert_eq!(cleared, want);
    }
}

/// Another site's form, or a program, has no browser's data cleared.
#[tokio::test]
async fn nothing_is_cleared_where_no_browser_is_signed_out() {
    let layer = layer(|builder| builder.clear_cache_on_sign_out().bearer_tokens());
    let (cookie, _) = cookie_of(&layer);
    let token = cookie.split_once('=').unwrap().1;
    let bearer = format!("Bearer {token}");
    let headers = sign_out(&layer, ("authorization", &bearer)).await;
    assert_eq!(headers.get("clear-site-data"), None);
    assert_eq!(headers.get("set-cookie"), None);

    let request = Request::post("/auth/logout").header("sec-fetch-site", "cross-site");
    let request = request.header("cookie", cookie).body(Full::default());
    let answer = answered(&layer, request.unwrap(), StatusCode::OK, SILENT).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.header("clear-site-data"), "");
}
