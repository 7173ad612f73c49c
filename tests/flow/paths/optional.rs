//! An optional path passes a session on if there is one.

use std::convert::Infallible;

use http::HeaderValue;
use tower_magic_link::{
    Builder, Session,
    revocation::Standing,
    store::{StoreError, StoreErrorKind},
};

use super::{reaches, request, rules};
use crate::{names::ADA, support::World};

#[tokio::test(start_paused = true)]
async fn an_optional_path_gets_the_session_where_there_is_one_and_always_varies() {
    type Store = fn(Builder) -> Builder;
    let stores: [(&str, Store, &str); 5] = [
        ("memory", |builder| builder, ADA),
        (
            "active",
            |builder| builder.revocations(async |_: Session| Ok::<_, Infallible>(Standing::Active)),
            ADA,
        ),
        (
            "revoked",
            |builder| {
                builder.revocations(async |_: Session| Ok::<_, Infallible>(Standing::Revoked))
            },
            "nobody",
        ),
        (
            "down",
            |builder| {
                builder.revocations(async |_: Session| {
                    Err::<Standing, _>(StoreError::new(StoreErrorKind::Unavailable))
                })
            },
            "nobody",
        ),
        (
            "slow",
            |builder| {
                builder.revocations(async |_: Session| {
                    std::future::pending::<Result<Standing, Infallible>>().await
                })
            },
            "nobody",
        ),
    ];
    for (name, store, signed_in) in stores {
        let world = World::with(|builder| rules(store(builder))).await;
        let signed = |path: &str| {
            let mut asked = request("GET", path);
            world.layer.sign_in(&mut asked, ADA);
            asked
        };
        let forged = |path: &str| {
            let mut asked = request("GET", path);
            let cookie = HeaderValue::from_static("__Host-magic-link=forged");
            asked.headers_mut().insert("cookie", cookie);
            asked
        };
        let varies_when_public: &[&str] = if signed_in == ADA { &["cookie"] } else { &[] };
        let cases: [(_, _, _, &[&str]); 8] = [
            ("signed in", signed("/news/1"), signed_in, &["cookie"]),
            ("signed in, exact", signed("/"), signed_in, &["cookie"]),
            ("stranger", request("GET", "/news/1"), "nobody", &["cookie"]),
            (
                "stranger, exact",
                request("GET", "/"),
                "nobody",
                &["cookie"],
            ),
            ("forged", forged("/news"), "nobody", &["cookie"]),
            (
                "public, signed in",
                signed("/public"),
                signed_in,
                varies_when_public,
            ),
            ("public, stranger", request("GET", "/public"), "nobody", &[]),
            ("public, forged", forged("/public"), "nobody", &[]),
        ];
        for (case, asked, who, vary) in cases {
            let (_, answer) = reaches(&world, asked).await;
            assert_eq!(answer.status(), 200, "{name}, {case}");
            assert!(
                answer.text().ends_with(&format!(" for {who}")),
                "{name}, {case}: {}",
                answer.text()
            );
            let got: Vec<_> = answer.head.headers.get_all("vary").iter().collect();
            assert_eq!(got, vary, "{name}, {case}");
            assert_eq!(answer.set_cookies(), Vec::<String>::new(), "{name}, {case}");
        }
    }
}
