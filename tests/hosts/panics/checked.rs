//! A port whose `check` panics before it returns a future is one line of the self-test.

use std::future::ready;

use tower_magic_link::{
    MagicLinkLayer, Session, SessionId,
    check::{Checking, Line},
    clock::Timestamp,
    mailer::{Mail, MailError, Mailer},
    provider::{
        Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started,
    },
    revocation::{Lookup, Revocation, Revocations, Standing},
    sessions::{ListedSession, Sessions},
    store::{StoreError, StoreFuture},
    throttle::{Charge, Charged, Take, Throttle, ThrottleKey},
};

use crate::{names::ORIGIN, site::keys};

/// Every port, none of whose checks returns.
#[derive(Debug)]
struct Hopeless;

fn lines() -> Vec<Line> {
    panic!("hunter2")
}

impl IdentityProvider for Hopeless {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Err(ProviderErrorKind::Unavailable.into())
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Unavailable.into())
    }

    fn check(&self, _: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        ready(lines())
    }
}

impl Mailer for Hopeless {
    async fn send(&self, _: &Mail<'_>) -> Result<(), MailError> {
        Ok(())
    }

    fn check(&self, _: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        ready(lines())
    }
}

impl Revocations for Hopeless {
    fn look_up(&self, _: &Session) -> Lookup {
        Lookup::Settled(Ok(Standing::Active))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn check(&self, _: Timestamp) -> Checking<'_> {
        Box::pin(ready(lines()))
    }
}

impl Sessions for Hopeless {
    fn note<'a>(&'a self, _: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn forget<'a>(&'a self, _: &'a str, _: SessionId) -> StoreFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn list<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn check(&self, _: Timestamp) -> Checking<'_> {
        Box::pin(ready(lines()))
    }
}

impl Throttle for Hopeless {
    async fn charge(&self, _: &[Charge], _: Timestamp) -> Result<Charged, StoreError> {
        Ok(Charged::Admitted)
    }

    async fn take_try(
        &self,
        _: ThrottleKey,
        _: u32,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Take, StoreError> {
        Ok(Take::Taken { left: 1 })
    }

    async fn give_try_back(&self, _: ThrottleKey, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn check(&self, _: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        ready(lines())
    }
}

/// Pins: the call stood outside of what was caught, and there was no report.
#[tokio::test]
async fn a_port_whose_check_panics_before_it_returns_a_future_is_one_line_that_has_failed() {
    let layer = MagicLinkLayer::builder(Hopeless, keys())
        .public_url(ORIGIN)
        .mailer(Hopeless)
        .revocations(Hopeless)
        .throttle(Hopeless)
        .session_index(Hopeless)
        .build()
        .unwrap();
    let report = layer.check().await;
    let failed = report.lines().iter().filter(|line| line.has_failed());
    let failed: Vec<_> = failed.map(Line::what).collect();
    let ports = [
        "provider",
        "mailer",
        "revocation store",
        "throttle",
        "session index",
    ];
    assert_eq!(failed, ports, "{report}");
    let report = report.to_string();
    assert_eq!(report.matches("its check panicked").count(), ports.len());
    assert!(!report.contains("hunter2"), "{report}");
}
