//! What ends while the application is asked about a session, and what has ended under a name that
//! the session gets only then.

use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tower::Layer;
use tower_magic_link::{
    Authorization, Builder, Email, Grant, MagicLinkLayer, Session, provider::Identity,
    revocation::Target, testing::ManualClock,
};

use super::{EVERY, Slow};
use crate::{
    answer::Answer,
    names::ADA,
    site::{SESSION, application, builder, program, with_cookie},
};

type Answered = Result<Authorization, String>;
type Ask = fn(MagicLinkLayer, Session) -> BoxFuture<'static, Answered>;

async fn end(layer: &MagicLinkLayer, target: Target) {
    layer.end_sessions(target).await.unwrap();
}

fn organization(id: &str) -> Target {
    Target::Organization(id.to_owned())
}

/// A layer whose hook may end sessions, as another request does that comes meanwhile.
fn site(ask: Ask, store: fn(Builder) -> Builder) -> (ManualClock, MagicLinkLayer) {
    let clock = ManualClock::new();
    let own = Arc::<OnceLock<MagicLinkLayer>>::default();
    let of_hook = own.clone();
    let layer = store(builder(&clock).public_path("/about"))
        .reauthorize(EVERY, move |session: Session| {
            ask(of_hook.get().unwrap().clone(), session)
        })
        .build()
        .unwrap();
    own.set(layer.clone()).unwrap();
    (clock, layer)
}

/// The first request after it was admitted, and had a new cookie.
#[tokio::test]
async fn what_is_revoked_while_the_application_is_asked_is_not_admitted() {
    let cases: [(&str, Ask, bool); 6] = [
        (
            "signed out",
            |layer, session| {
                Box::pin(async move {
                    layer.issuer().sign_out(&session).await.unwrap();
                    Ok(Authorization::Allowed)
                })
            },
            false,
        ),
        (
            "its person, and a grant",
            |layer, session| {
                Box::pin(async move {
                    end(&layer, Target::Subject(session.subject().to_owned())).await;
                    Ok(Authorization::Granted(Grant::new().names(None, None)))
                })
            },
            false,
        ),
        (
            "its person, and the hook fails",
            |layer, session| {
                Box::pin(async move {
                    end(&layer, Target::Subject(session.subject().to_owned())).await;
                    Err("the database is down".to_owned())
                })
            },
            false,
        ),
        (
            "the organization that it gets",
            |layer, _| {
                Box::pin(async move {
                    end(&layer, organization("tenant-b")).await;
                    Ok(Authorization::Granted(
                        Grant::new().organization("tenant-b"),
                    ))
                })
            },
            false,
        ),
        (
            "the organization that it loses, which the provider did not name",
            |layer, _| {
                Box::pin(async move {
                    end(&layer, organization("tenant-a")).await;
                    Ok(Authorization::Granted(
                        Grant::new().organization("tenant-b"),
                    ))
                })
            },
            true,
        ),
        (
            "another person",
            |layer, _| {
                Box::pin(async move {
                    end(&layer, Target::Subject("prof_eve".to_owned())).await;
                    Ok(Authorization::Allowed)
                })
            },
            true,
        ),
    ];
    let stores: [fn(Builder) -> Builder; 2] = [
        |builder| builder,
        |builder| builder.revocations(Slow::default()),
    ];
    for (name, ask, is_admitted) in cases {
        for store in stores {
            // Each at a site of its own: what the hook has ended once stays ended.
            let began = || {
                let (clock, layer) = site(ask, store);
                let ada = Identity::new("prof_ada", Email::parse(ADA).unwrap());
                let grant = Grant::new().organization("tenant-a");
                let issued = layer.issuer().issue_granted(&ada, &grant).unwrap();
                clock.advance(EVERY);
                (layer, format!("{SESSION}={}", issued.token().expose()))
            };
            let ask = |path, cookie: &str| with_cookie(program(path), cookie);

            let (layer, cookie) = began();
            let private = Answer::of(layer.layer(application()), ask("/x", &cookie)).await;
            let (layer, cookie) = began();
            let public = Answer::of(layer.layer(application()), ask("/about", &cookie)).await;
            let (layer, cookie) = began();
            let permit = Answer::of(layer.forward_auth(), ask("/", &cookie)).await;
            let is_known = !public.text().contains("nobody");
            if is_admitted {
                assert_eq!((private.status().as_u16(), is_known), (200, true), "{name}");
                assert_eq!(permit.header("x-auth-decision"), "permit", "{name}");
                assert_ne!(private.cookies()[SESSION].1, 0, "{name}");
            } else {
                assert_eq!(private.status(), 401, "{name}");
                assert_eq!(private.code(), "revoked_session", "{name}");
                assert!(private.cookies().is_empty(), "{name}");
                assert_eq!((public.status().as_u16(), is_known), (200, false), "{name}");
                assert!(!public.cookies().contains_key(SESSION), "{name}");
                assert_eq!(permit.code(), "revoked_session", "{name}");
            }
        }
    }
}
