//! An outage of the revocation store is none of the application's word.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn};
use tower_magic_link::{
    Authorization, Builder, Email, MagicLinkLayer, Session,
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreFuture},
    testing::ManualClock,
};

use super::{ADMIN, EVERY, Hook, READER, renewed, role};
use crate::{
    answer::Answer,
    names::ADA,
    site::{SESSION, builder, program, with_cookie},
};

/// A store that is away for as long as it is said to be.
#[derive(Clone, Debug, Default)]
struct Away {
    is_away: Arc<AtomicBool>,
    store: MemoryRevocations,
}

impl Away {
    fn fault(&self) -> Option<StoreError> {
        let is_away = self.is_away.load(Ordering::SeqCst);
        is_away.then(|| StoreError::unavailable("away"))
    }
}

impl Revocations for Away {
    fn look_up(&self, session: &Session) -> Lookup {
        match self.fault() {
            Some(fault) => Lookup::Settled(Err(fault)),
            None => self.store.look_up(session),
        }
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        match self.fault() {
            Some(fault) => Box::pin(async { Err(fault) }),
            None => self.store.revoke(revocation),
        }
    }
}

struct Site {
    away: Away,
    clock: ManualClock,
    layer: MagicLinkLayer,
    times: Arc<AtomicUsize>,
}

fn site(hook: Hook, set: fn(Builder) -> Builder) -> Site {
    let (away, clock) = (Away::default(), ManualClock::new());
    let times = Arc::<AtomicUsize>::default();
    let counted = times.clone();
    let layer = set(builder(&clock).public_path("/about"))
        .revocations(away.clone())
        .reauthorize(EVERY, move |_: Session| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { hook() }
        })
        .build()
        .unwrap();
    Site {
        away,
        clock,
        layer,
        times,
    }
}

impl Site {
    fn sign_in(&self) -> String {
        let ada = Identity::new("prof_ada", Email::parse(ADA).unwrap());
        let issued = self.layer.issuer().issue_granted(&ada, &role("admin"));
        issued.unwrap().token().expose().to_owned()
    }

    fn set_away(&self, is_away: bool) {
        self.away.is_away.store(is_away, Ordering::SeqCst);
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let inner = service_fn(async |request: Request<Full<Bytes>>| {
            let session = request.extensions().get::<Session>();
            let claims = session.map(|session| session.claims::<serde_json::Value>().unwrap());
            let text = claims.map_or("nobody".to_owned(), |claims| claims.unwrap().to_string());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
        });
        let request = with_cookie(program(path), &format!("{SESSION}={token}"));
        Answer::of(self.layer.layer(inner), request).await
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }
}

/// It was renewed unasked, and asked about an interval after the recovery at the earliest.
#[tokio::test]
async fn the_application_is_asked_about_a_session_that_is_admitted_in_an_outage() {
    for path in ["/x", "/about"] {
        let reader: Hook = || Ok(Authorization::Granted(role("reader")));
        let site = site(reader, Builder::insecure_admit_on_outage);
        let token = site.sign_in();
        site.set_away(true);
        let early = site.get(path, &token).await;
        assert_eq!((early.text().as_str(), site.times()), (ADMIN, 0), "{path}");
        site.clock.advance(EVERY);
        let due = site.get(path, &token).await;
        assert_eq!((due.text().as_str(), site.times()), (READER, 1), "{path}");
        let next = site.get(path, &renewed(&due).unwrap()).await;
        assert_eq!((next.text().as_str(), site.times()), (READER, 1), "{path}");
    }
}

/// The store cannot take the end. A copy of the token is asked about again.
#[tokio::test]
async fn whom_the_application_denies_in_an_outage_is_refused_with_every_copy_of_the_cookie() {
    let denied: Hook = || Ok(Authorization::Denied);
    let site = site(denied, Builder::insecure_admit_on_outage);
    let token = site.sign_in();
    site.clock.advance(EVERY);
    for (is_away, times) in [(true, 1), (true, 2), (false, 3), (false, 3)] {
        site.set_away(is_away);
        let refused = site.get("/x", &token).await;
        assert_eq!(refused.code(), "revoked_session", "{times}");
        assert!(refused.cookies().is_empty(), "{times}");
        assert_eq!(site.times(), times);
    }
}

#[tokio::test]
async fn nobody_is_asked_about_a_session_that_an_outage_keeps_out() {
    let site = site(|| Ok(Authorization::Allowed), |builder| builder);
    let token = site.sign_in();
    site.clock.advance(EVERY);
    site.set_away(true);
    let refused = site.get("/x", &token).await;
    assert_eq!(refused.code(), "store_unavailable");
    assert_eq!(renewed(&refused), None);
    let public = site.get("/about", &token).await;
    assert_eq!(public.text(), "nobody");
    assert_eq!((renewed(&public), site.times()), (None, 0));
    // After the recovery at the first request.
    site.set_away(false);
    let back = site.get("/x", &token).await;
    assert_eq!((back.text().as_str(), site.times()), (ADMIN, 1));
}
