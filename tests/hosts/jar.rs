//! Signing in and out in a handler of axum's, through the jar of tower-cookies; on either side of
//! the layer.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, Request, StatusCode, header},
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::Full;
use tower_cookies::{Cookie, CookieManagerLayer, Cookies};
use tower_magic_link::{
    Builder, Email, MagicLinkLayer, Session, companion::IssueError, provider::Identity,
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    names::ADA,
    script::{Act, Script},
    site::{SESSION, builder, cookie_of, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse";
const ARRIVED: &str = "__Host-magic-link-arrived";

/// Which of the two layers is nearer to the handler.
#[derive(Clone, Copy, Debug)]
enum Order {
    JarInside,
    JarOutside,
}

const ORDERS: [Order; 2] = [Order::JarInside, Order::JarOutside];

/// A layer whose sessions end after an idle hour; the form for the password is public.
fn layer(builder: Builder) -> MagicLinkLayer {
    builder
        .idle_timeout(60 * MINUTE)
        .public_path((Method::POST, "/password"))
        .build()
        .unwrap()
}

fn app(layer: &MagicLinkLayer, order: Order) -> Router {
    let (signing_in, signing_out) = (layer.issuer(), layer.issuer());
    let sign_in = async move |cookies: Cookies, password: String| {
        if password != PASSWORD {
            return StatusCode::FORBIDDEN;
        }
        let ada = Identity::new("user-1", Email::parse(ADA).unwrap());
        signing_in.sign_in_with(&cookies, &ada).unwrap();
        cookies.add(Cookie::new("theme", "dark"));
        StatusCode::NO_CONTENT
    };
    let sign_out = async move |cookies: Cookies, session: Session| match signing_out
        .sign_out_with(&cookies, &session)
        .await
    {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let routes = Router::new()
        .route("/", get(async |session: Session| greeting(&session)))
        .route("/password", post(sign_in))
        .route("/leave", post(sign_out));
    match order {
        Order::JarInside => routes.layer(CookieManagerLayer::new()).layer(layer.clone()),
        Order::JarOutside => routes.layer(layer.clone()).layer(CookieManagerLayer::new()),
    }
}

fn post_to(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(path).body(Full::from(body)).unwrap()
}

async fn ask(app: &Router, request: Request<Full<Bytes>>, cookie: &str) -> Answer {
    Answer::of(
        app.clone(),
        with_cookie(request.map(axum::body::Body::new), cookie),
    )
    .await
}

fn set_by(answer: &Answer) -> Vec<String> {
    let set = answer.head.headers.get_all(header::SET_COOKIE).iter();
    set.map(|it| it.to_str().unwrap().to_owned()).collect()
}

fn sorted(mut set: Vec<String>) -> Vec<String> {
    set.sort();
    set
}

#[tokio::test]
async fn a_handler_signs_in_and_out_through_the_jar() {
    for order in ORDERS {
        let layer = layer(builder(&ManualClock::new()));
        let app = app(&layer, order);
        let refused = ask(&app, post_to("/password", "guess"), "a=1").await;
        assert_eq!(
            (refused.status().as_u16(), set_by(&refused).len()),
            (403, 0)
        );

        let answer = ask(&app, post_to("/password", PASSWORD), "a=1").await;
        assert_eq!(answer.status(), 204, "{order:?}");
        let set = set_by(&answer);
        assert_eq!(set.len(), 2, "{order:?}: {set:?}");
        let ours = set.iter().find(|set| set.starts_with(SESSION)).unwrap();
        let (pair, attributes) = ours.split_once("; ").unwrap();
        let want = "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600";
        assert_eq!(attributes, want, "{order:?}");

        let home = ask(&app, program("/"), pair).await;
        assert!(home.text().starts_with("hello ada@"), "{order:?}");
        let left = ask(&app, post_to("/leave", ""), pair).await;
        assert_eq!(left.status(), 204, "{order:?}");
        assert_eq!(
            sorted(set_by(&left)),
            sorted(
                layer
                    .issuer()
                    .removals()
                    .map(|it| it.to_str().unwrap().to_owned())
                    .into()
            ),
            "{order:?}"
        );
        assert_eq!(left.cookies()[ARRIVED], (String::new(), 0), "{order:?}");
        assert_eq!(
            ask(&app, program("/"), pair).await.code(),
            "revoked_session"
        );
    }
}

#[tokio::test]
async fn signing_out_while_renewal_is_due_leaves_the_browser_signed_out() {
    for order in ORDERS {
        let clock = ManualClock::new();
        let layer = layer(builder(&clock));
        let app = app(&layer, order);
        let (cookie, _) = cookie_of(&layer);
        clock.advance(30 * MINUTE);
        let renewed = ask(&app, program("/"), &cookie).await;
        assert_eq!(renewed.cookies()[SESSION].1, 3_600, "{order:?}: it is due");
        let left = ask(&app, post_to("/leave", ""), &cookie).await;
        // A browser takes them in order: the last one stays.
        assert_eq!(left.cookies()[SESSION], (String::new(), 0), "{order:?}");
        assert_eq!(left.header("cache-control"), "no-store", "{order:?}");
        if matches!(order, Order::JarInside) {
            assert_eq!(set_by(&left).len(), 2);
        }
    }
}

#[tokio::test]
async fn the_cookie_is_removed_even_where_the_jar_cannot_read_the_request_or_the_store_fails() {
    for order in ORDERS {
        let plain = layer(builder(&ManualClock::new()));
        let failing = layer(builder(&ManualClock::new()).revocations(Forgets));
        for (layer, neighbour, want) in [(plain, "a=\u{e9}", 204), (failing, "a=1", 503)] {
            let (cookie, _) = cookie_of(&layer);
            let mut request = post_to("/leave", "");
            let latin: Vec<u8> = neighbour
                .chars()
                .map(|c| u8::try_from(c).unwrap())
                .collect();
            let field = [&latin, &b"; "[..], cookie.as_bytes()].concat();
            let field = http::HeaderValue::from_bytes(&field).unwrap();
            request.headers_mut().insert(header::COOKIE, field);
            let request = request.map(axum::body::Body::new);
            let left = Answer::of(app(&layer, order), request).await;
            assert_eq!(left.status(), want, "{order:?} {neighbour}");
            assert_eq!(
                left.cookies()[SESSION],
                (String::new(), 0),
                "{order:?} {neighbour}"
            );
        }
    }
}

/// A store that finds nothing and takes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgets;

impl tower_magic_link::revocation::Revocations for Forgets {
    fn look_up(&self, session: &Session) -> tower_magic_link::revocation::Lookup {
        Script::settled(Act::Active).look_up(session)
    }

    fn revoke<'a>(
        &'a self,
        _: &'a tower_magic_link::revocation::Revocation,
    ) -> tower_magic_link::store::StoreFuture<'a, ()> {
        let out = tower_magic_link::store::StoreError::new(
            tower_magic_link::store::StoreErrorKind::Unavailable,
        );
        Box::pin(std::future::ready(Err(out)))
    }
}

#[tokio::test]
async fn a_name_that_only_the_jar_takes_for_ours_is_not_ours() {
    for order in ORDERS {
        let layer = layer(builder(&ManualClock::new()));
        let app = app(&layer, order);
        let (cookie, session) = cookie_of(&layer);
        let (other, _) = cookie_of(&layer);
        let planted = other.replace("__Host-", "%5f%5fHost-");
        let jar = Cookie::parse_encoded(planted.clone()).unwrap();
        assert_eq!(jar.name(), SESSION, "to the jar it has our name");
        for both in [
            format!("{planted}; {cookie}"),
            format!("{cookie}; {planted}"),
        ] {
            assert_eq!(
                ask(&app, program("/"), &both).await.text(),
                greeting(&session)
            );
        }
        assert_eq!(ask(&app, program("/"), &planted).await.code(), "no_session");
        let left = ask(&app, post_to("/leave", ""), &format!("{cookie}; {planted}")).await;
        assert_eq!(left.cookies()[SESSION], (String::new(), 0));
    }
}

#[test]
fn a_session_that_is_not_made_leaves_the_jar_as_it_was() {
    let layer = layer(builder(&ManualClock::new()));
    let cookies = Cookies::default();
    let ada = Identity::new("user-1", Email::parse(ADA).unwrap());
    let ada = ada.with_names(Some("x".repeat(4_096)), None);
    let error = layer.issuer().sign_in_with(&cookies, &ada).unwrap_err();
    assert!(matches!(error, IssueError::TooLarge { .. }), "{error}");
    assert!(cookies.list().is_empty());
}
