//! What stands beside the layer: forward auth, recent sign-ins, public keys, an explanation, and a
//! bearer token.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{Builder, PeerAddr, ResponseBody, SessionGuard};

use crate::{
    names::ADA,
    support::Answer,
    walk::{SESSION, Walk},
};

const PROXY: &str = "10.0.0.7:40000";
const STRANGER: &str = "203.0.113.9:40000";

/// Keeps what a service of the layer's answers.
async fn keep(walk: &Walk, target: &str, response: Response<ResponseBody<Full<Bytes>>>) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    walk.watch(target, &Answer { head, body });
}

pub(crate) async fn all(walk: &Walk) {
    let set = |builder: Builder| {
        let builder = builder.trusted_proxies(["10.0.0.0/8"]).bearer_tokens();
        builder
            .public_path("/about")
            .forward_identity()
            .end_streams()
    };
    let world = walk.world(set).await;
    let browser = walk.signed_in(&world, ADA).await;
    let token = &browser.jar[SESSION];
    let good = ("cookie", format!("{SESSION}={token}"));
    let bad = ("cookie", format!("{SESSION}={token}x"));
    let bearer = ("authorization", format!("Bearer {token}"));
    let none = ("x-nothing", String::new());
    for (name, value) in [&good, &bad, &bearer, &none] {
        for target in [
            "/reports?page=2",
            "/about",
            "about",
            "http://app.example.com/x",
        ] {
            questions(walk, &world, target, (name, value)).await;
        }
        for path in ["/reports", "/about", "/auth/session"] {
            let (head, ()) = Request::get(path)
                .header(*name, value)
                .body(())
                .unwrap()
                .into_parts();
            let explanation = world.layer.explain(&head);
            walk.show(&explanation);
            walk.say(&explanation);
        }
    }
    let guard = service_fn(move |request: Request<Full<Bytes>>| {
        let guard = request.extensions().get::<SessionGuard>().cloned();
        // What it is handed, and what its headers say to a program behind it.
        let text = format!("{guard:?} {:?}", request.headers());
        async move { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text))) }
    });
    let request = Request::get("/reports").header(good.0, &good.1);
    let request = request.body(Full::default()).unwrap();
    let handed = world.layer.layer(guard).oneshot(request).await.unwrap();
    let handed = handed.into_body().collect().await.unwrap().to_bytes();
    walk.say(&String::from_utf8_lossy(&handed));

    // A cookie of the layer's name is dropped: it is the service's own.
    let forging = service_fn(async |_: Request<Full<Bytes>>| {
        let response = Response::builder().header("set-cookie", format!("{SESSION}=forged"));
        Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
    });
    let request = Request::get("/reports").header(good.0, &good.1);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    world.layer.layer(forging).oneshot(request).await.unwrap();

    let jwks = world.layer.jwks();
    walk.show(&jwks);
    let request = Request::get("/jwks")
        .body(Full::<Bytes>::default())
        .unwrap();
    let keys = jwks.oneshot(request).await.unwrap();
    let keys = keys.into_body().collect().await.unwrap().to_bytes();
    walk.say(&String::from_utf8_lossy(&keys));
    recent(walk, &world, &good, &bearer).await;
}

async fn questions(
    walk: &Walk,
    world: &crate::support::World,
    target: &str,
    (name, value): (&str, &str),
) {
    for (kind, peer) in [
        ("forwarded", PROXY),
        ("original", PROXY),
        ("forwarded", STRANGER),
    ] {
        let service = match kind {
            "original" => world.layer.forward_auth().for_nginx(),
            _ => world.layer.forward_auth(),
        };
        walk.show(&service);
        let peer: SocketAddr = peer.parse().unwrap();
        let request = Request::get("/ask")
            .extension(PeerAddr::from(peer))
            .header(format!("x-{kind}-method"), "GET")
            .header(format!("x-{kind}-uri"), target)
            .header(name, value)
            .body(Full::default())
            .unwrap();
        let (head, body) = service.oneshot(request).await.unwrap().into_parts();
        if head.status.is_success() {
            // The proxy is told who it is.
            continue;
        }
        keep(walk, "/ask", Response::from_parts(head, body)).await;
    }
}

async fn recent(
    walk: &Walk,
    world: &crate::support::World,
    cookie: &(&str, String),
    bearer: &(&str, String),
) {
    let minutes = Duration::from_secs(600);
    world.clock.advance(2 * minutes);
    let recent = world.layer.require_recent(minutes).unwrap();
    walk.show(&recent);
    for ((name, value), accept) in [cookie, bearer]
        .into_iter()
        .flat_map(|field| [(field, "text/html"), (field, "application/json")])
    {
        let inner = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let service = world.layer.layer(recent.layer(inner));
        let request = Request::get("/admin")
            .header(*name, value)
            .header("accept", accept);
        let response = service
            .oneshot(request.body(Full::default()).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        walk.watch("/admin", &Answer { head, body });
    }
}
