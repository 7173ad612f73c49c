//! `EmulatedWebhook`: events, signed and delivered over HTTP as WorkOS's are.
//!
//! - An event is signed once, and each retry carries the same signature. WorkOS does not document
//!   whether it signs retries again; [`EmulatedWebhook::sign_again`] does that.
//! - A status from 200 to 299 within 10 seconds means that the event is delivered. Otherwise the
//!   emulator retries three times.
//! - It speaks plain HTTP/1.1, for endpoints on the same machine.

use std::{fmt, io, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha2::Sha256;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use super::{EmulatedUser, Emulator, answer::AnswerBody, id};
use crate::clock::Timestamp;

mod happenings;

/// How long to wait for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// An endpoint that the emulator delivers events to, and the secret that signs them. `Debug` shows
/// no secret.
///
/// ```
/// use tower_magic_link::{
///     KeyRing, MagicLinkLayer, SigningKey, emulator::Emulator, revocation::MemoryRevocations,
///     workos::WorkOs,
/// };
/// # use tower::Layer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let workos = Emulator::new().serve(0).await?;
/// let revocations = MemoryRevocations::default();
/// let layer = MagicLinkLayer::builder(
///     WorkOs::new("sk_test_key", "client_test")?.base_url(workos.base_url())?,
///     KeyRing::new(SigningKey::generate()?),
/// )
/// .public_url("http://127.0.0.1:3000")
/// .revocations(revocations.clone())
/// .webhook_secret("a secret")
/// .build()?;
/// # let app = axum::Router::new().fallback(|| async {}).layer(layer);
/// # let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// # let url = format!("http://{}", listener.local_addr()?);
/// # tokio::spawn(async move { axum::serve(listener, app).await });
///
/// // `url` is where the application behind the layer listens.
/// let webhook = workos.emulator().webhook(format!("{url}/auth/webhook"), "a secret");
/// let delivery = webhook.delete_connection("conn_01").await;
/// assert!(delivery.is_delivered());
/// assert_eq!(revocations.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct EmulatedWebhook {
    emulator: Emulator,
    url: String,
    secret: String,
    repetitions: usize,
    pause: Duration,
}

impl Emulator {
    /// Creates a webhook for an endpoint and its secret. It delivers only what a test asks for.
    pub fn webhook(&self, url: impl Into<String>, secret: impl Into<String>) -> EmulatedWebhook {
        EmulatedWebhook {
            emulator: self.clone(),
            url: url.into(),
            secret: secret.into(),
            repetitions: 3,
            pause: Duration::from_millis(100),
        }
    }
}

impl EmulatedWebhook {
    /// Sets how often a failed delivery is retried. Default: 3 times. WorkOS documents 6, over 3
    /// days.
    pub const fn with_repetitions(mut self, repetitions: usize) -> Self {
        self.repetitions = repetitions;
        self
    }

    /// Sets the pause before the first retry. It doubles for each further one. Default: 100
    /// milliseconds.
    pub const fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Creates an event that happens now, and signs it. The data must be JSON, and is inserted as
    /// it is.
    ///
    /// ```
    /// # use tower_magic_link::emulator::EmulatedWebhook;
    /// # async fn example(webhook: EmulatedWebhook) {
    /// let deleted = webhook.event("user.deleted", r#"{"id":"user_01","email":"ada@example.com"}"#);
    /// assert!(webhook.deliver(&deleted).await.is_delivered());
    /// // WorkOS delivers an event again where it saw no answer. It ends nothing twice.
    /// assert!(webhook.deliver(&webhook.sign_again(&deleted)).await.is_delivered());
    /// # }
    /// ```
    pub fn event(&self, name: &str, data: &str) -> EmulatedEvent {
        let now = self.emulator.now();
        // Without randomness, derive the id from the event, so that it still differs from others.
        let id = id::draw("event_")
            .unwrap_or_else(|_| id::stable("event_", &format!("{name} {now:?} {data}")));
        let made = id::iso8601(now);
        let body = format!(
            r#"{{"object":"event","id":{},"event":{},"data":{data},"created_at":"{made}","context":{{}}}}"#,
            json!(id),
            json!(name),
        );
        self.sign(id, name.to_owned(), body)
    }

    /// Signs an event again, at the present moment.
    pub fn sign_again(&self, event: &EmulatedEvent) -> EmulatedEvent {
        self.sign(event.id.clone(), event.name.clone(), event.body.clone())
    }

    /// Delivers an event, with retries until the endpoint accepts it.
    pub async fn deliver(&self, event: &EmulatedEvent) -> WebhookDelivery {
        let mut answers = Vec::new();
        let mut pause = self.pause;
        loop {
            // Ten seconds for each attempt, and not for all of them.
            let answer = timeout(LONGEST_WAIT, self.post(event)).await;
            let status = answer.ok().and_then(Result::ok);
            answers.push(status);
            let is_taken = status.is_some_and(|status| status.is_success());
            if is_taken || answers.len() > self.repetitions {
                return WebhookDelivery { answers };
            }
            tokio::time::sleep(pause).await;
            // Doubled, as a real sender backs off.
            pause = pause.saturating_mul(2);
        }
    }

    /// Creates an event, signs it and delivers it.
    pub async fn send(&self, name: &str, data: &str) -> WebhookDelivery {
        self.deliver(&self.event(name, data)).await
    }

    fn sign(&self, id: String, name: String, body: String) -> EmulatedEvent {
        let signature = signature(&self.secret, self.emulator.now(), &body);
        EmulatedEvent {
            id,
            name,
            body,
            signature,
        }
    }

    async fn post(&self, event: &EmulatedEvent) -> io::Result<StatusCode> {
        let url = Url::parse(&self.url).map_err(io::Error::other)?;
        let no_host = || io::Error::other("not an http URL");
        let host = url.host_str().filter(|_| url.scheme() == "http");
        let address = format!("{}:{}", host.ok_or_else(no_host)?, url.port().unwrap_or(80));
        let stream = TcpStream::connect(&address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::HOST, &address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "workos-emulator")
            .header("workos-signature", &event.signature)
            .body(AnswerBody::whole(event.body.clone().into()))
            .map_err(io::Error::other)?;
        let answer = sender.send_request(request).await;
        // One connection per attempt: an idle one would outlive the test's server.
        connection.abort();
        Ok(answer.map_err(io::Error::other)?.status())
    }
}

impl fmt::Debug for EmulatedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedWebhook")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A signed event. `Debug` shows neither its data nor the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct EmulatedEvent {
    id: String,
    name: String,
    body: String,
    signature: String,
}

impl EmulatedEvent {
    /// Returns the id: `event_` and 26 characters.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name: `connection.deleted`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the JSON that is delivered.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the value of `WorkOS-Signature`.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

impl fmt::Debug for EmulatedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedEvent")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The outcome of a delivery: the answer to each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct WebhookDelivery {
    answers: Vec<Option<StatusCode>>,
}

impl WebhookDelivery {
    /// Returns the status of each attempt, first to last. `None` stands for no answer.
    #[must_use]
    pub fn answers(&self) -> &[Option<StatusCode>] {
        &self.answers
    }

    /// Returns the status of the last attempt.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answers.last().copied().flatten()
    }

    /// Says whether the endpoint accepted the event.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.status().is_some_and(|status| status.is_success())
    }
}

/// Signs a body at a moment, in milliseconds.
fn signature(secret: &str, now: Timestamp, body: &str) -> String {
    // Milliseconds, which is what WorkOS signs.
    let time = now.as_secs().saturating_mul(1_000);
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mac| mac.chain_update(format!("{time}.{body}")).finalize());
    let mac = mac.map(|mac| mac.into_bytes()).unwrap_or_default();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time}, v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_official_python_sdk() {
        // workos 10.8.0: workos.actions._compute_signature('1700000000000.{"id":"event_1"}',
        // "secret").
        let want =
            "t=1700000000000, v1=003628bf3f5ef01f29414cfdc03fbca6ea9700c60645a01743a702a69d395af8";
        let now = Timestamp::from_secs(1_700_000_000);
        assert_eq!(signature("secret", now, r#"{"id":"event_1"}"#), want);
    }

    #[test]
    fn nothing_that_prints_shows_a_secret_or_a_person() {
        let webhook = Emulator::new().webhook("http://127.0.0.1:1/x", "marker-secret");
        let event = webhook.event("user.deleted", r#"{"email":"ada@example.com"}"#);
        let printed = format!("{webhook:?} {event:?}");
        for secret in ["marker-secret", "ada", event.signature()] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
