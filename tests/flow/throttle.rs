//! Limits: a person who asks for mail too often has to wait, and nobody else does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use tower_magic_link::{
    PeerAddr,
    clock::Timestamp,
    store::{StoreError, StoreErrorKind},
    throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
};

use crate::support::{Answer, Browser, World};

mod address;
mod exchange;
mod flood;
mod given_back;
mod known;
mod network;
mod proxy;
mod settings;

const SECOND: Duration = Duration::from_secs(1);

/// Begins a sign-in, from a peer where one is given, with more header fields.
async fn begin(
    browser: &mut Browser,
    email: &str,
    peer: Option<&str>,
    fields: &[(&str, &str)],
) -> Answer {
    let mut request = Request::post("/auth/login")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if let Some(peer) = peer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
        request = request.extension(PeerAddr::from(peer));
    }
    let email: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    let request = request.body(format!("email={email}").into()).unwrap();
    browser.send(request).await
}

async fn status(world: &World, email: &str, peer: Option<&str>) -> u16 {
    let answer = begin(&mut world.browser(), email, peer, &[]).await;
    answer.status().as_u16()
}

/// A throttle at the other end of a network.
#[derive(Debug, Default)]
pub(crate) struct Far {
    memory: MemoryThrottle,
    takes_nothing_back: bool,
}

impl Far {
    pub(crate) fn that_takes_nothing_back() -> Self {
        Self {
            takes_nothing_back: true,
            ..Self::default()
        }
    }
}

impl Throttle for Far {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.memory.charge(charges, now).await
    }

    async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
        self.memory.give_back(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        self.memory.take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        if self.takes_nothing_back {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        self.memory.give_try_back(key, now).await
    }
}

/// Counts at once, and answers once it may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slow {
    memory: MemoryThrottle,
    pub(crate) is_held: Arc<AtomicBool>,
    pub(crate) taken: Arc<AtomicUsize>,
    pub(crate) given_back: Arc<AtomicUsize>,
}

impl Throttle for Slow {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        self.memory.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        let taken = self.memory.take_try(key, most, until, now).await;
        self.taken.fetch_add(1, Ordering::SeqCst);
        while self.is_held.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        taken
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        let given_back = self.memory.give_try_back(key, now).await;
        self.given_back.fetch_add(1, Ordering::SeqCst);
        given_back
    }
}
