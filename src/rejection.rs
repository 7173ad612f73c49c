//! `Rejection`: why a request was refused, and how each audience hears it.
//!
//! | kind | status | a document gets | a program gets |
//! | --- | --- | --- | --- |
//! | no, bad, ended or expired session | 401 | 303 to the form | 401 `application/problem+json` with `login_url` |
//! | store unavailable | 503 | a page | 503 problem, `Retry-After` |
//! | own endpoint misused | 400, 403, 405, 413, 415 | a page | the same status, a problem |
//!
//! gRPC hears a `grpc-status` in a trailers-only response, gRPC-Web the same in its framing, htmx an `HX-Redirect`; a WebSocket handshake and
//! a prefetch are never redirected.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    audience::Audience,
    head::RequestHead,
    layer::Shared,
    page::{Page, Resend, Trouble, TroublePage},
};

/// How long a client is asked to wait where nobody said.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Why a request was refused. The layer leaves it in the response's extensions, for a log or a metric.
///
/// ```
/// use tower_magic_link::{Rejection, RejectionKind};
///
/// fn is_outage<B>(response: &http::Response<B>) -> bool {
///     let rejection = response.extensions().get::<Rejection>();
///     rejection.is_some_and(|rejection| rejection.kind() == RejectionKind::StoreUnavailable)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    kind: RejectionKind,
    allow: Option<&'static str>,
    retry_after: Option<Duration>,
}

/// What kind of refusal a [`Rejection`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The link was opened in another browser than the one that began the sign-in.
    AnotherBrowser,
    /// The sign-in was begun too long ago.
    AttemptExpired,
    /// Two session cookies with different values.
    ConflictingCookies,
    /// A post to one of the layer's endpoints from another site.
    CrossSite,
    /// The session's token was good until its end.
    ExpiredSession,
    /// The session's token is none of ours.
    InvalidSession,
    /// The link is used, has expired, or was replaced.
    LinkUsed,
    /// The mailer did not take the mail.
    MailNotSent,
    /// A request to one of the layer's endpoints that cannot be read.
    Malformed,
    /// An endpoint does not know the method.
    MethodNotAllowed,
    /// No session cookie.
    NoSession,
    /// The organization, the address's domain or the application's own rule says no.
    NotAllowed,
    /// The proven address is not the one that the sign-in was begun for.
    OtherAddress,
    /// The browser asked for an endpoint ahead of the person.
    Prefetch,
    /// The provider's redirect says that something is wrong other than with the link.
    ProviderDeclined,
    /// The provider's answer could not be understood.
    ProviderFailed,
    /// The provider does not take the layer's key, client id or redirect URI.
    ProviderMisconfigured,
    /// The provider does not take the address.
    ProviderRefusedAddress,
    /// The provider cannot be reached or does not answer in time.
    ProviderUnavailable,
    /// Too many requests.
    RateLimited,
    /// The session was ended early.
    RevokedSession,
    /// The session does not fit into a cookie.
    SessionTooLarge,
    /// The cookie is gone, but the store did not take the end of the session.
    SignOutNotRecorded,
    /// The revocation store did not answer.
    StoreUnavailable,
    /// A form that is larger than any of ours.
    TooLarge,
    /// A form in another format than `application/x-www-form-urlencoded`.
    UnsupportedMediaType,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

impl RejectionKind {
    /// Returns the stable code that programs see: `no_session`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnotherBrowser => "another_browser",
            Self::AttemptExpired => "attempt_expired",
            Self::ConflictingCookies => "conflicting_cookies",
            Self::CrossSite => "cross_site",
            Self::ExpiredSession => "expired_session",
            Self::InvalidSession => "invalid_session",
            Self::LinkUsed => "link_used",
            Self::MailNotSent => "mail_not_sent",
            Self::Malformed => "malformed",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NoSession => "no_session",
            Self::NotAllowed => "not_allowed",
            Self::OtherAddress => "other_address",
            Self::Prefetch => "prefetch",
            Self::ProviderDeclined => "provider_declined",
            Self::ProviderFailed => "provider_failed",
            Self::ProviderMisconfigured => "provider_misconfigured",
            Self::ProviderRefusedAddress => "provider_refused_address",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::RateLimited => "rate_limited",
            Self::RevokedSession => "revoked_session",
            Self::SessionTooLarge => "session_too_large",
            Self::SignOutNotRecorded => "sign_out_not_recorded",
            Self::StoreUnavailable => "store_unavailable",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::WrongConnection => "wrong_connection",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::ConflictingCookies
            | Self::ExpiredSession
            | Self::InvalidSession
            | Self::NoSession
            | Self::RevokedSession => StatusCode::UNAUTHORIZED,
            Self::AttemptExpired | Self::LinkUsed | Self::Malformed | Self::ProviderDeclined => {
                StatusCode::BAD_REQUEST
            }
            Self::AnotherBrowser
            | Self::CrossSite
            | Self::NotAllowed
            | Self::OtherAddress
            | Self::WrongConnection => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ProviderRefusedAddress => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MailNotSent
            | Self::ProviderFailed
            | Self::ProviderMisconfigured
            | Self::SessionTooLarge => StatusCode::BAD_GATEWAY,
            Self::Prefetch
            | Self::ProviderUnavailable
            | Self::SignOutNotRecorded
            | Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Says whether signing in would help: the request is refused for want of a session.
    const fn wants_sign_in(self) -> bool {
        matches!(
            self,
            Self::ConflictingCookies
                | Self::ExpiredSession
                | Self::InvalidSession
                | Self::NoSession
                | Self::RevokedSession
        )
    }

    /// Says whether the session cookie that came is of no further use.
    const fn spoils_cookie(self) -> bool {
        matches!(
            self,
            Self::ExpiredSession | Self::InvalidSession | Self::RevokedSession
        )
    }

    const fn grpc_status(self) -> (&'static str, &'static str) {
        if self.wants_sign_in() {
            ("16", "sign-in required")
        } else if matches!(self, Self::StoreUnavailable) {
            ("14", "session store unavailable")
        } else {
            ("7", "request refused")
        }
    }

    /// Returns what a person reads. What wants a sign-in is answered with the form itself wherever a person can see it.
    const fn trouble(self) -> Trouble {
        match self {
            Self::AnotherBrowser => Trouble::AnotherBrowser,
            Self::AttemptExpired
            | Self::ConflictingCookies
            | Self::ExpiredSession
            | Self::InvalidSession
            | Self::NoSession
            | Self::RevokedSession => Trouble::Expired,
            Self::CrossSite => Trouble::CrossSite,
            Self::LinkUsed => Trouble::LinkUsed,
            Self::MailNotSent => Trouble::MailNotSent,
            Self::Malformed => Trouble::Malformed,
            Self::MethodNotAllowed => Trouble::MethodNotAllowed,
            Self::NotAllowed => Trouble::NotAllowed,
            Self::OtherAddress => Trouble::OtherAddress,
            Self::ProviderDeclined | Self::ProviderFailed => Trouble::ProviderFailed,
            Self::ProviderMisconfigured => Trouble::SignInMisconfigured,
            Self::ProviderRefusedAddress => Trouble::ProviderRefusedAddress,
            Self::Prefetch | Self::ProviderUnavailable => Trouble::ProviderUnavailable,
            Self::RateLimited => Trouble::RateLimited,
            Self::SessionTooLarge => Trouble::SessionTooLarge,
            Self::SignOutNotRecorded => Trouble::SignOutNotRecorded,
            Self::StoreUnavailable => Trouble::StoreUnavailable,
            Self::TooLarge => Trouble::TooLarge,
            Self::UnsupportedMediaType => Trouble::UnsupportedMediaType,
            Self::WrongConnection => Trouble::WrongConnection,
        }
    }

    /// Returns the title of the problem, for programs.
    const fn title(self) -> &'static str {
        if self.wants_sign_in() {
            "Sign-in required"
        } else {
            self.trouble().heading()
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Rejection {
    pub(crate) const fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            allow: None,
            retry_after: None,
        }
    }

    pub(crate) const fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(RejectionKind::MethodNotAllowed)
        }
    }

    pub(crate) const fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Returns why the request was refused.
    #[must_use]
    pub const fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// Returns how long the client was asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let waits = matches!(
            self.kind.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        self.retry_after.or(waits.then_some(DEFAULT_WAIT))
    }

    /// Answers a request that the gate refused.
    pub(crate) fn respond(self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let mut response = match Audience::of(head) {
            Audience::Document => self.to_document(shared, head),
            Audience::Grpc => self.to_grpc(),
            Audience::GrpcWeb => self.to_grpc_web("application/grpc-web+proto", Bytes::from),
            Audience::GrpcWebText => self.to_grpc_web("application/grpc-web-text+proto", |frame| {
                STANDARD.encode(frame).into()
            }),
            Audience::Htmx => self.to_htmx(shared, head),
            Audience::Prefetch => Self::new(RejectionKind::Prefetch).to_program(shared, head),
            Audience::Program | Audience::WebSocket => self.to_program(shared, head),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(header::VARY, HeaderValue::from_static("cookie"));
        if self.kind.spoils_cookie() && !head.is_prefetch() {
            headers.append(header::SET_COOKIE, shared.gate.cookies().removal());
        }
        response.extensions_mut().insert(self);
        response
    }

    /// Answers a request to an endpoint: a page for a person, a problem for a program.
    pub(crate) fn respond_at_endpoint(
        self,
        shared: &Shared,
        head: &RequestHead<'_>,
        resend: Option<Resend<'_>>,
    ) -> Response<Bytes> {
        let mut response = if head.wants_page() {
            self.to_page(shared, &shared.gate.login_path(None), resend)
        } else {
            self.to_program(shared, head)
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }

    fn to_document(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        if self.kind.wants_sign_in() {
            return redirect(&shared.gate.login_path(shared.gate.return_to(head).as_ref()));
        }
        let again = shared.gate.return_to(head).unwrap_or_default();
        self.to_page(shared, again.as_str(), None)
    }

    fn to_page(
        &self,
        shared: &Shared,
        action: &str,
        resend: Option<Resend<'_>>,
    ) -> Response<Bytes> {
        let page = TroublePage::new(self.kind.trouble())
            .with_action(action)
            .with_retry_after(self.retry_after())
            .with_resend(resend);
        let mut response = shared.page(self.kind.status(), &Page::Trouble(page));
        self.add_fields(&mut response);
        response
    }

    pub(crate) fn to_program(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let return_to = shared.gate.return_to(head).filter(|_| head.is_safe());
        let login_url = shared
            .gate
            .absolute(&shared.gate.login_path(return_to.as_ref()));
        let code = self.kind.code();
        let problem = Problem {
            kind: format!("urn:tower-magic-link:{code}"),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            code,
            login_url: self.kind.wants_sign_in().then_some(&login_url),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if self.kind.wants_sign_in() {
            let challenge = format!(r#"MagicLink login_url="{login_url}""#);
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        self.add_fields(&mut response);
        response
    }

    /// htmx swaps what it gets into the page, so it is told to leave the page instead; it comes back to where the page was.
    fn to_htmx(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let mut response = self.to_program(shared, head);
        if self.kind.wants_sign_in() {
            let login = shared.gate.login_path(None);
            if let Ok(login) = HeaderValue::try_from(login) {
                let name = HeaderName::from_static("hx-redirect");
                response.headers_mut().insert(name, login);
            }
        }
        response
    }

    /// Trailers-only (gRPC over HTTP/2, "Responses"): the status stands in the header, and there is no body.
    fn to_grpc(&self) -> Response<Bytes> {
        let (status, message) = self.kind.grpc_status();
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        );
        headers.insert("grpc-status", HeaderValue::from_static(status));
        // Spaces are percent-encoded nowhere but here; the messages hold nothing else that would be.
        if let Ok(message) = HeaderValue::try_from(message.replace(' ', "%20")) {
            headers.insert("grpc-message", message);
        }
        response
    }

    /// One frame of trailers: flag 0x80, length, then header lines.
    fn to_grpc_web(&self, kind: &'static str, encode: fn(Vec<u8>) -> Bytes) -> Response<Bytes> {
        let (status, message) = self.kind.grpc_status();
        let message = message.replace(' ', "%20");
        let trailers = format!("grpc-status:{status}\r\ngrpc-message:{message}\r\n");
        let length = u32::try_from(trailers.len()).unwrap_or_default();
        let mut frame = vec![0x80];
        frame.extend(length.to_be_bytes());
        frame.extend(trailers.into_bytes());
        let mut response = Response::new(encode(frame));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    fn add_fields(&self, response: &mut Response<Bytes>) {
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after() {
            let whole = wait
                .as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole));
        }
    }
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<&'a String>,
}

/// Redirects by 303: the next request is a GET without the body of this one (RFC 9700, section 4.12).
#[expect(
    clippy::expect_used,
    reason = "every location is made of parsed or encoded parts"
)]
pub(crate) fn redirect(location: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(location).expect("visible ASCII");
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
