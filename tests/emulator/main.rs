//! The emulator over real HTTP: each endpoint, each error, each fault.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tower_magic_link::{
    clock::{Clock, Timestamp},
    emulator::{Emulator, EmulatorBuilder, EmulatorServer},
};
use url::Url;

use crate::names::ADA;

#[path = "../../examples/emulator.rs"]
#[expect(dead_code, reason = "its main and its printing")]
mod example;
mod faults;
mod magic_auth;
#[path = "../support/names.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod names;
mod outbox;
mod passwordless;
mod printing;
mod service;
mod sso;

const KEY: &str = "sk_test_key";
const CALLBACK: &str = "http://localhost:3000/auth/callback";

/// A clock that stands still until it is put forward.
#[derive(Clone, Debug)]
struct HandClock(Arc<AtomicU64>);

impl HandClock {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_600_270_148)))
    }

    fn put_forward(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// An emulator on a port, and a client that knows how to talk to it.
struct Desk {
    emulator: Emulator,
    server: EmulatorServer,
    clock: HandClock,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Read {
    status: StatusCode,
    location: Option<Url>,
    headers: http::HeaderMap,
    text: String,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Emulator::builder()).await
    }

    async fn with(builder: EmulatorBuilder) -> Self {
        let clock = HandClock::new();
        let emulator = builder.clock(clock.clone()).build();
        let server = emulator.serve(0).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            emulator,
            server,
            clock,
            http,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base_url())
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(KEY)
    }

    async fn get(&self, url: &str) -> Read {
        Read::of(self.http.get(url)).await
    }

    async fn create_with(&self, body: Value) -> Read {
        Read::of(self.post("/passwordless/sessions").json(&body)).await
    }

    /// Makes a session and returns its id and link.
    async fn create(&self) -> (String, String) {
        let read = self.create_with(session()).await;
        assert_eq!(read.status, 201, "{}", read.text);
        let body = read.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("id"), text("link"))
    }

    async fn send(&self, id: &str) -> Read {
        Read::of(self.post(&format!("/passwordless/sessions/{id}/send"))).await
    }

    /// Makes a session, follows its link, and returns the code.
    async fn code(&self) -> String {
        let (_, link) = self.create().await;
        self.get(&link).await.query("code").unwrap()
    }

    async fn exchange(&self, code: &str) -> Read {
        Read::of(
            self.http
                .post(self.url("/sso/token"))
                .json(&exchange_of(code)),
        )
        .await
    }

    async fn profile(&self, access_token: &str) -> Read {
        let request = self.http.get(self.url("/sso/profile"));
        Read::of(request.bearer_auth(access_token)).await
    }
}

impl Read {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::all(request.send().await.unwrap()).await
    }

    async fn all(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let location = headers
            .get("location")
            .map(|location| location.to_str().unwrap().parse().unwrap());
        Self {
            status,
            location,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    fn json(&self) -> Value {
        let content_type = self.headers["content-type"].to_str().unwrap();
        assert!(content_type.contains("application/json"), "{content_type}");
        serde_json::from_str(&self.text).unwrap()
    }

    /// Returns a parameter of the address that the answer redirects to.
    fn query(&self, name: &str) -> Option<String> {
        let location = self.location.as_ref().expect("a redirect");
        let mut pairs = location.query_pairs();
        pairs
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }
}

fn session() -> Value {
    json!({ "email": ADA, "type": "MagicLink", "redirect_uri": CALLBACK, "state": "st" })
}

fn exchange_of(code: &str) -> Value {
    json!({
        "client_id": "client_123",
        "client_secret": KEY,
        "grant_type": "authorization_code",
        "code": code,
    })
}
