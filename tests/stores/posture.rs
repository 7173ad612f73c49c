//! What requests hear when the store cannot tell: closed by default, open where the application
//! wants it so, and said once.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use tokio::net::TcpSocket;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    revocation::{RedisRevocations, Revocation, Revocations, Target},
    store::Redis,
    testing::StubProvider,
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    redis::free_port,
};

/// Nothing listens at this address: the store knows nothing from the start.
fn lost() -> (RedisRevocations, TcpSocket) {
    let (port, held) = free_port();
    let redis = Redis::new(&format!("redis://127.0.0.1:{port}")).unwrap();
    (RedisRevocations::connect_later(&redis), held)
}

#[tokio::test]
async fn an_outage_closes_what_is_protected_unless_the_posture_says_otherwise() {
    type Posture = fn(Builder) -> Builder;
    let postures: [(Posture, u16, &str); 2] = [
        (
            |builder| builder,
            503,
            "StoreLost { kind: Unavailable, is_admitting: false }",
        ),
        (
            Builder::insecure_admit_on_outage,
            200,
            "StoreLost { kind: Unavailable, is_admitting: true }",
        ),
    ];
    for (posture, status, first) in postures {
        let (store, _held) = lost();
        let told = Arc::new(Mutex::new(Vec::new()));
        let ears = told.clone();
        let builder = MagicLinkLayer::builder(
            StubProvider::new(),
            KeyRing::new(SigningKey::generate().unwrap()),
        )
        .public_url(ORIGIN)
        .revocations(store.clone())
        .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")));
        let layer = posture(builder).build().unwrap();
        let service = layer.layer(service_fn(async |_: Request<String>| {
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
        let mut ended = Request::new(String::new());
        let session = layer.sign_in(&mut ended, EVE);
        for path in ["/", "/a", "/auth/session"] {
            let mut request = Request::new(String::new());
            *request.uri_mut() = path.parse().unwrap();
            layer.sign_in(&mut request, ADA);
            let answer = service.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert!(
                answer.headers().get("set-cookie").is_none(),
                "{path}: the cookie stays"
            );
        }
        let revocation = Revocation::new(
            Target::Session(session.id()),
            Timestamp::from_secs(1),
            session.expires_at(),
        );
        store.revoke(&revocation).await.unwrap_err();
        let answer = service.clone().oneshot(ended).await.unwrap();
        assert_eq!(
            answer.status(),
            401,
            "what is known to have ended has ended"
        );
        let told = told.lock().unwrap();
        assert_eq!(told[0], first);
        let lost = told.iter().filter(|event| event.starts_with("StoreLost"));
        let recovered = told.iter().filter(|event| *event == "StoreRecovered");
        assert_eq!((lost.count(), recovered.count()), (1, 0), "{told:?}");
    }
}
