//! `Caller`: calls to WorkOS's API, bounded in time and size, retried only if that is harmless.
//!
//! - One deadline covers a call with its retries, its waits and its body.
//! - It reads at most 64 KiB of an answer, chunk by chunk, whatever its `Content-Length` says.
//! - A redirect is not followed: it would carry the API key to a server that is not configured.
//! - A request that WorkOS may have processed is not repeated, except making a session and reading
//!   a profile. WorkOS deduplicates neither mails nor exchanges: its `Idempotency-Key` works only
//!   for audit logs.

use std::{fmt, iter, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, field::Empty};
use url::Url;

use super::{
    answer::{Answer, Cause},
    base::BaseUrl,
    operation::Operation,
    timeouts::Timeouts,
};
use crate::{
    error::ConfigError,
    provider::{ProviderError, ProviderErrorKind},
};

const USER_AGENT: &str = concat!("tower-magic-link/", env!("CARGO_PKG_VERSION"));

const LONGEST_ANSWER: usize = 64 * 1_024;
const MOST_REPETITIONS: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// A person is waiting at a form. A longer `Retry-After` is reported to them instead of waited out.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// One request.
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) method: Method,
    /// Begins with a slash; its segments are percent-encoded.
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
    /// A content type and a body.
    pub(super) content: Option<(&'static str, String)>,
}

/// Sends calls to WorkOS.
#[derive(Clone)]
pub(super) struct Caller {
    http: reqwest::Client,
    base: BaseUrl,
    pub(super) timeouts: Timeouts,
}

/// A call that failed once.
struct Failure {
    error: ProviderError,
    /// Whether the connection failed, so that WorkOS cannot have seen the request.
    is_unsent: bool,
}

impl Caller {
    pub(super) fn new(base: BaseUrl, timeouts: Timeouts) -> Result<Self, ConfigError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_rustls()
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Cargo unifies features: another crate in the binary may enable these in reqwest. They
            // must not change this client.
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        if base.is_loopback {
            // Requests to this machine must not leave it through a proxy.
            builder = builder.no_proxy();
        }
        if base.is_plain {
            // A machine without root certificates can still use the emulator.
            builder = builder.tls_certs_only(iter::empty());
        }
        let http = builder.build().map_err(|_| {
            ConfigError::invalid(
                "base_url",
                &base.text,
                "cannot be reached over TLS: this machine has no root certificates",
            )
        })?;
        Ok(Self {
            http,
            base,
            timeouts,
        })
    }

    /// Returns the base URL, which holds no password.
    pub(super) fn base(&self) -> &str {
        &self.base.text
    }

    pub(super) fn with_base(self, base: BaseUrl) -> Result<Self, ConfigError> {
        Self::new(base, self.timeouts)
    }

    pub(super) fn with_connect_timeout(self, connect: Duration) -> Result<Self, ConfigError> {
        let timeouts = Timeouts {
            connect,
            ..self.timeouts
        };
        Self::new(self.base, timeouts)
    }

    /// Makes a call, with retries where they are harmless, until a 2xx answer, an error or the
    /// deadline.
    pub(super) async fn call(
        &self,
        call: &Call,
        deadline: Instant,
    ) -> Result<Answer, ProviderError> {
        let mut repetitions = 0;
        loop {
            let failure = match timeout_at(deadline, self.try_in_span(call, repetitions)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(ProviderError::new(ProviderErrorKind::TimedOut)),
            };
            let Some(wait) = failure.wait(call.operation, repetitions, random()) else {
                return Err(failure.error);
            };
            // The known error tells more than a timeout would.
            // A wait that ends at the deadline leaves no time to ask.
            if Instant::now() + wait >= deadline {
                return Err(failure.error);
            }
            sleep(wait).await;
            repetitions += 1;
        }
    }

    /// Tries in a span of the field's names for an HTTP client. The path is left out, because it
    /// holds ids.
    async fn try_in_span(&self, call: &Call, repetitions: u32) -> Result<Answer, Failure> {
        let url = || Url::parse(&self.base.text).ok();
        let span = tracing::debug_span!(
            target: "tower_magic_link",
            "workos",
            "otel.name" = call.operation.name(),
            "otel.kind" = "client",
            "http.request.method" = call.method.as_str(),
            "http.request.resend_count" = repetitions,
            "server.address" = url().as_ref().and_then(Url::host_str),
            "http.response.status_code" = Empty,
            "error.type" = Empty,
        );
        let answer = self.try_once(call).instrument(span.clone()).await;
        match &answer {
            Ok(answer) => {
                span.record("http.response.status_code", answer.status().as_u16());
            }
            Err(failure) => {
                span.record("http.response.status_code", failure.error.status());
                span.record("error.type", failure.error.kind().name());
            }
        }
        answer
    }

    async fn try_once(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = self.ask(call).await?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(Failure::answered(answer.refusal(call.operation)))
        }
    }

    /// Makes a call once, and returns WorkOS's answer, whatever it is.
    pub(super) async fn ask_once(
        &self,
        call: &Call,
        deadline: Instant,
    ) -> Result<Answer, ProviderError> {
        match timeout_at(deadline, self.ask(call)).await {
            Ok(answer) => answer.map_err(|failure| failure.error),
            Err(_) => Err(ProviderError::new(ProviderErrorKind::TimedOut)),
        }
    }

    async fn ask(&self, call: &Call) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &call.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let url = format!("{}{}", self.base.text, call.path);
        let mut request = self.http.request(call.method.clone(), url);
        if let Some((content_type, body)) = &call.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            request = request.body(body.clone());
        }
        let response = request
            .headers(headers)
            .send()
            .await
            .map_err(|error| Failure {
                // A connect timeout is not retried: the person has waited for seconds already.
                is_unsent: error.is_connect() && !error.is_timeout(),
                error: transport(error, None),
            })?;

        let answer = Answer::new(response.status(), response.headers());
        if answer.status().is_redirection() {
            return Ok(answer);
        }
        match read(response, &answer).await {
            Ok(body) => Ok(answer.with_body(body)),
            Err(_) if answer.is_told_by_status() => Ok(answer),
            Err(error) => Err(Failure::answered(error)),
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("base", &self.base.text)
            .field("connect_timeout", &self.timeouts.connect)
            .field("timeout", &self.timeouts.call)
            .field("exchange_timeout", &self.timeouts.exchange)
            .finish_non_exhaustive()
    }
}

impl Failure {
    const fn answered(error: ProviderError) -> Self {
        Self {
            error,
            is_unsent: false,
        }
    }

    /// Returns how long to wait before a retry, or `None` if there must be none. Pure: `random` is
    /// an argument.
    fn wait(&self, operation: Operation, repetitions: u32, random: u32) -> Option<Duration> {
        let asked = self.error.retry_after();
        let may_repeat = match (self.error.status(), operation) {
            _ if self.is_unsent => true,
            // WorkOS did not process it. A mail, or a request that counts as a try, is repeated
            // only if WorkOS itself asks for that.
            (
                Some(429),
                Operation::Authenticate
                | Operation::CreateCode
                | Operation::Select
                | Operation::Send,
            ) => asked.is_some(),
            (Some(429), _) => true,
            // At worst this leaves a session that is never used.
            (Some(500..=599), Operation::Create | Operation::Profile) => true,
            _ => false,
        };
        if !may_repeat || repetitions >= MOST_REPETITIONS || asked > Some(LONGEST_WAIT) {
            return None;
        }
        // 50 and then 100 ms, half of it random, so that clients do not retry in step.
        let whole = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(repetitions));
        let wait = whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX));
        Some(wait.max(asked.unwrap_or_default()))
    }
}

async fn read(mut response: reqwest::Response, answer: &Answer) -> Result<Vec<u8>, ProviderError> {
    let too_long = || {
        answer
            .error(ProviderErrorKind::InvalidAnswer)
            .with_source(Cause::TooLong(LONGEST_ANSWER))
    };
    // Refused by its stated length first, so that a huge answer is not even begun.
    let told = response.content_length().unwrap_or(0);
    if usize::try_from(told).map_or(true, |told| told > LONGEST_ANSWER) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport(error, Some(answer)))?
    {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn transport(error: reqwest::Error, answer: Option<&Answer>) -> ProviderError {
    let kind = if error.is_timeout() {
        ProviderErrorKind::TimedOut
    } else {
        ProviderErrorKind::Unavailable
    };
    // No connection, so no request. Every other error may come after WorkOS has acted.
    let is_unsent = error.is_connect();
    // Without the URL: it may hold a session's id.
    let error = answer
        .map_or_else(|| ProviderError::new(kind), |answer| answer.error(kind))
        .with_source(error.without_url());
    match is_unsent {
        true => error.before_acting(),
        false => error,
    }
}

/// Returns a random number, or the largest one without randomness: the longest wait does no harm.
fn random() -> u32 {
    // This only spreads retries. Without entropy the longest wait does no harm.
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
