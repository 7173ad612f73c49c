//! Signing in and out: one step per request to an endpoint.
//!
//! ```text
//! login     form → Email → Attempt → provider.start → (mailer) → 303 to check
//! callback  browser cookie + state + code → Attempt → provider.finish → Identity → authorize → Session → cookie → 303
//! logout    session → revocations.revoke → removal cookie → 303
//! ```
//!
//! - Each step reads what it needs, decides, and asks a port at most once for each thing. Every failure is a response.
//! - GET and HEAD change nothing, but in the browser that began the sign-in: there the link goes through.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, Version, header, request::Parts};

use crate::{
    answer::answer_to,
    clock::Timestamp,
    flow::authorize::Authorize,
    mailer::BoundedMailer,
    page::{CrossDevice, Resend, Sent},
    provider::{ErasedProvider, ProviderError, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
    request::{client::client_of, head::RequestHead},
    session::{Session, Term, cookie::Jar, seal::Purpose},
    shared::Shared,
    site::{endpoint::Endpoint, return_to::ReturnTo},
    throttle::Throttling,
};

mod attempt;
pub(crate) mod authorize;
mod callback;
mod check;
mod code;
mod elsewhere;
mod exchange;
mod fields;
mod finish;
mod limits;
mod login;
mod logout;
mod match_code;
mod open;
mod send;
pub(crate) mod session;
pub(crate) mod webhook;

pub(crate) use self::{
    exchange::Exchanges,
    fields::{FORM_TIMEOUT, check_form},
};

/// WorkOS's codes are good for 10 minutes: the one that a followed link yields (Magic Link guide), and the one in a mail (Magic Auth
/// reference).
pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What people sign in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// A six-digit code, which they type where they began: WorkOS's Magic Auth.
    Code,
    /// A link: WorkOS's Magic Link.
    #[default]
    Link,
    /// Either, in one mail: the link on the device where they began, the code where the mail is read on another.
    LinkAndCode,
}

/// What signing in needs beside the gate.
pub(crate) struct Flow {
    pub(crate) shared: Arc<Shared>,
    pub(crate) provider: Box<dyn ErasedProvider>,
    pub(crate) cross_device: CrossDevice,
    pub(crate) sign_in: SignIn,
    pub(crate) mailer: Option<BoundedMailer>,
    pub(crate) application_name: Option<String>,
    pub(crate) authorize: Option<Box<dyn Authorize>>,
    /// Empty: any, and none.
    pub(crate) organizations: Vec<String>,
    /// Empty: any.
    pub(crate) email_domains: Vec<String>,
    pub(crate) link_lifetime: Duration,
    pub(crate) exchanges: Exchanges,
    pub(crate) throttling: Throttling,
    /// There is one only with a secret.
    pub(crate) webhook: Option<webhook::Webhook>,
}

impl Flow {
    /// An attempt lives as long as its link, and the code that the link yields; or as long as the code that was mailed.
    pub(crate) fn attempt_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => CODE_LIFETIME,
            SignIn::Link | SignIn::LinkAndCode => self.link_lifetime + CODE_LIFETIME,
        }
    }

    /// How long what was mailed is good.
    pub(crate) fn mail_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => CODE_LIFETIME,
            SignIn::Link | SignIn::LinkAndCode => self.link_lifetime,
        }
    }

    /// What people are told is mailed.
    pub(crate) fn sent(&self) -> Sent {
        match self.sign_in {
            SignIn::Code => Sent::Code,
            SignIn::Link => Sent::Link,
            SignIn::LinkAndCode => Sent::LinkAndCode,
        }
    }

    fn takes_domain(&self, domain: &str) -> bool {
        self.email_domains.is_empty() || self.email_domains.iter().any(|taken| taken == domain)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("cross_device", &self.cross_device)
            .field("has_mailer", &self.mailer.is_some())
            .field("has_authorize", &self.authorize.is_some())
            .field("organizations", &self.organizations)
            .field("email_domains", &self.email_domains)
            .field("link_lifetime", &self.link_lifetime)
            .field("sign_in", &self.sign_in)
            .field("throttling", &self.throttling)
            .finish_non_exhaustive()
    }
}

/// One request to an endpoint.
pub(crate) struct Step {
    pub(crate) flow: Arc<Flow>,
    pub(crate) endpoint: Endpoint,
    pub(crate) parts: Parts,
    /// Empty, unless the method is POST.
    pub(crate) form: Bytes,
    pub(crate) now: Timestamp,
}

impl Step {
    /// Takes the step. Every failure is a response too.
    pub(crate) async fn take(self) -> Response<Bytes> {
        let is_post = self.parts.method == Method::POST;
        let is_head = self.parts.method == Method::HEAD;
        let mut response = match self.endpoint {
            // Scanners of mail ask with HEAD first: nothing happens, and they learn nothing.
            Endpoint::Callback | Endpoint::Open if is_head => Response::new(Bytes::new()),
            Endpoint::Callback => self.callback().await,
            Endpoint::Check => self.check(),
            Endpoint::Code if is_post => self.code().await,
            Endpoint::Code => self.back_to_check(),
            Endpoint::Login if is_post => self.begin().await,
            Endpoint::Login => self.form(),
            Endpoint::Logout if is_post => self.end().await,
            Endpoint::Logout => self.ask(),
            Endpoint::Open => self.open().await,
            Endpoint::Session => self.who().await,
            Endpoint::Webhook => self.webhook().await,
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(header::VARY, self.flow.shared.gate.vary());
        answer_to(&self.parts.method, response)
    }

    /// POST of the provider's, if there is a webhook.
    async fn webhook(&self) -> Response<Bytes> {
        let Some(webhook) = &self.flow.webhook else {
            return self.refuse(RejectionKind::WebhookSignature);
        };
        let received =
            webhook.receive(&self.flow.shared, &self.parts.headers, &self.form, self.now);
        let received = received.await;
        received.unwrap_or_else(|rejection| self.answer(rejection, None))
    }

    fn head(&self) -> RequestHead<'_> {
        RequestHead::of_parts(&self.parts)
    }

    fn query(&self) -> Result<fields::Fields<'_>, RejectionKind> {
        fields::Fields::of_query(self.parts.uri.query())
    }

    /// Opens the attempt in the query's `t`. `None` when there is none, or it was not sealed for this.
    fn attempt_in_query(
        &self,
        purpose: Purpose,
    ) -> Result<Option<attempt::Attempt>, RejectionKind> {
        let query = self.query()?;
        let sealed = query.one("t")?.unwrap_or_default();
        let keys = self.flow.shared.gate.tokens.keys();
        Ok(attempt::Attempt::open(keys, purpose, sealed, self.now))
    }

    /// Returns the address of the client, where it is known.
    fn client(&self) -> Option<IpAddr> {
        let forwarded = self.flow.throttling.forwarded;
        client_of(&self.parts, &self.flow.shared.proxies, forwarded)
    }

    fn user_agent(&self) -> Option<String> {
        let agent = self.parts.headers.get(header::USER_AGENT)?;
        agent.to_str().ok().map(str::to_owned)
    }

    fn path(&self, endpoint: Endpoint) -> String {
        self.flow.shared.gate.path(endpoint)
    }

    fn refuse(&self, kind: RejectionKind) -> Response<Bytes> {
        self.answer(Rejection::new(kind), None)
    }

    /// Answers a form that was not read to its end.
    pub(crate) fn refuse_form(&self, kind: RejectionKind) -> Response<Bytes> {
        let mut response = self.refuse(kind);
        // RFC 9110, section 15.5.9. HTTP/2 ends the stream instead, and knows no such field (RFC 9113, section 8.2.2).
        if kind == RejectionKind::TooSlow && self.parts.version < Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    /// Answers a refusal; the attempt, where there is one, saves the person typing the address again.
    fn answer(&self, rejection: Rejection, attempt: Option<&attempt::Attempt>) -> Response<Bytes> {
        self.flow.shared.listener.tell(&crate::Event::Refused {
            kind: rejection.kind(),
        });
        let return_to = attempt.and_then(|attempt| self.return_to_of(attempt));
        let action = self.flow.shared.gate.login_path(return_to.as_ref());
        // What was chosen, and a fragment that the browser kept, are for the next mail too. One that was not sent is asked for again
        // at once.
        let before = attempt
            .filter(|attempt| attempt.keeps_fragment || attempt.term == Term::Remembered)
            .map(|attempt| {
                let bare = attempt.with_link("").with_tail("").past_its_wait(self.now);
                self.seal_or_shorten(&bare, Purpose::Check).0
            });
        // Another mail is no cure where the address is refused, nor where what was brought is as good in a moment: then the page leads back to it.
        let brings_proof = matches!(
            self.endpoint,
            Endpoint::Callback | Endpoint::Code | Endpoint::Open
        );
        let kind = rejection.kind();
        let is_in_vain = kind.wants_another_address() || (brings_proof && kind.passes());
        let resend = attempt.filter(|_| !is_in_vain).map(|attempt| {
            Resend::new(&action, attempt.email.as_str())
                .with_attempt(before.as_deref())
                .with_sent(self.flow.sent())
        });
        rejection.respond_at_endpoint(&self.flow.shared, &self.head(), &action, resend)
    }

    /// Says whether this browser began an attempt.
    fn is_ours(&self, attempt: &attempt::Attempt) -> bool {
        attempt.is_of(self.flow.shared.gate.browser_cookie(&self.head(), self.now))
    }

    /// Returns where an attempt wanted to go: in its tail, or in a cookie where it was too long for that.
    fn return_to_of(&self, attempt: &attempt::Attempt) -> Option<ReturnTo> {
        let gate = &self.flow.shared.gate;
        if !attempt.tail.is_empty() {
            return ReturnTo::parse(&attempt.tail, &gate.mount);
        }
        let sealed = self.head().cookie(gate.cookies.name(Jar::ReturnTo)).one()?;
        let plain = gate
            .tokens
            .keys()
            .open(Purpose::ReturnTo, sealed, self.now)?;
        let (id, wanted) = plain.split_first_chunk::<16>()?;
        // The cookie is one for all tabs: another attempt's way is not this one's.
        let wanted = std::str::from_utf8(wanted)
            .ok()
            .filter(|_| *id == attempt.id)?;
        ReturnTo::parse(wanted, &gate.mount)
    }

    /// Returns the session of the request, if its token is good and it was not ended early.
    async fn live_session(&self) -> Result<Option<Session>, Rejection> {
        let Ok(session) = self.flow.shared.gate.session(&self.head(), self.now) else {
            return Ok(None);
        };
        let is_active = self.flow.shared.revocations.is_active(&session).await?;
        Ok(is_active.then_some(session))
    }
}

/// Returns what the person and the program hear of a provider's failure.
fn rejection_of(error: &ProviderError) -> Rejection {
    let kind = match error.kind() {
        ProviderErrorKind::Address => RejectionKind::ProviderRefusedAddress,
        ProviderErrorKind::CodeExpired => RejectionKind::CodeExpired,
        ProviderErrorKind::CodeUsed => RejectionKind::CodeUsed,
        ProviderErrorKind::CodeWrong => RejectionKind::CodeWrong,
        ProviderErrorKind::InvalidAnswer => RejectionKind::ProviderFailed,
        ProviderErrorKind::Misconfigured | ProviderErrorKind::Unsupported => {
            RejectionKind::ProviderMisconfigured
        }
        ProviderErrorKind::NotAllowed => RejectionKind::NotAllowed,
        ProviderErrorKind::RateLimited => RejectionKind::RateLimited,
        ProviderErrorKind::Refused => RejectionKind::LinkUsed,
        ProviderErrorKind::StepUpRequired => RejectionKind::StepUpRequired,
        ProviderErrorKind::TooManyTries => RejectionKind::TooManyTries,
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable => {
            RejectionKind::ProviderUnavailable
        }
        ProviderErrorKind::WrongConnection => RejectionKind::WrongConnection,
    };
    Rejection::new(kind).with_retry_after(error.retry_after())
}
