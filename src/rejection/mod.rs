//! `Rejection`: why a request was refused, and how each audience hears it.
//!
//! | kind | status | a document gets | a program gets |
//! | --- | --- | --- | --- |
//! | no, bad, ended or expired session | 401 | 303 to the form | 401 `application/problem+json` with `login_url` |
//! | sign-in too long ago | 401 | 303 to the form | the same problem, another code |
//! | store unavailable | 503 | a page | 503 problem, `Retry-After` |
//! | own endpoint misused | 400, 403, 405, 408, 413, 415 | a page | the same status, a problem |
//!
//! gRPC hears a `grpc-status` in a trailers-only response, gRPC-Web the same in its framing, htmx an `HX-Redirect`; a WebSocket handshake and
//! a prefetch are never redirected.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    gate::Gate,
    page::{Page, Resend, TroublePage},
    request::{audience::Audience, head::RequestHead},
    shared::Shared,
    site::endpoint::Endpoint,
};

mod kind;
mod redirect;
mod way_back;

pub use self::kind::RejectionKind;
pub(crate) use self::redirect::redirect;
use self::way_back::{driven_page, proof_again};

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
    /// What else a person reads who is to tell it to somebody else. No secret.
    detail: Option<Box<str>>,
    retry_after: Option<Duration>,
}

impl Rejection {
    pub(crate) const fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            allow: None,
            detail: None,
            retry_after: None,
        }
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(RejectionKind::MethodNotAllowed)
        }
    }

    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
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
        let mut response = match Audience::of_head(head) {
            Audience::Document => self.to_document(shared, head),
            Audience::Grpc => self.to_grpc(),
            Audience::GrpcWeb => self.to_grpc_web(GrpcWeb::Binary),
            Audience::GrpcWebText => self.to_grpc_web(GrpcWeb::Text),
            Audience::Htmx => self.to_htmx(shared, head),
            Audience::Prefetch => Self::new(RejectionKind::Prefetch).to_program(shared, head),
            Audience::Preflight | Audience::Program | Audience::WebSocket => {
                self.to_program(shared, head)
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(header::VARY, shared.gate.vary());
        if self.kind.spoils_cookie() && !head.is_prefetch() && !shared.gate.is_bearer(head) {
            shared.gate.forget(head, headers);
        }
        response.extensions_mut().insert(self);
        response
    }

    /// Answers a request to an endpoint: a page for a person, a problem for a program. The login path is the way on for whoever has no better one.
    pub(crate) fn respond_at_endpoint(
        self,
        shared: &Shared,
        head: &RequestHead<'_>,
        login: &str,
        resend: Option<Resend<'_>>,
    ) -> Response<Bytes> {
        let is_webhook = shared.gate.endpoint(head) == Some(Endpoint::Webhook);
        let mut response = if head.wants_page() && !is_webhook {
            let way_on = match self.kind {
                // Where our cookie does not come back to, no relative way leads on.
                RejectionKind::InsecureConnection | RejectionKind::OtherHost => {
                    shared.gate.absolute(login)
                }
                kind if kind.passes() && resend.is_none() => {
                    proof_again(shared, head).unwrap_or_else(|| login.to_owned())
                }
                _ => login.to_owned(),
            };
            self.to_page(shared, &way_on, resend)
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
            .with_detail(self.detail.as_deref())
            .with_retry_after(self.retry_after())
            .with_resend(resend);
        let mut response = shared.page(self.kind.status(), &Page::Trouble(page));
        self.add_fields(&mut response);
        response
    }

    pub(crate) fn to_program(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let return_to = shared.gate.return_to(head).filter(|_| head.is_safe());
        self.to_problem(shared, head, &shared.gate.login_path(return_to.as_ref()))
    }

    fn to_problem(&self, shared: &Shared, head: &RequestHead<'_>, login: &str) -> Response<Bytes> {
        let login_url = shared.gate.absolute(login);
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
            if let Some(challenge) = self.bearer_challenge(&shared.gate, head) {
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        self.add_fields(&mut response);
        response
    }

    /// htmx swaps what it gets into the page, so it is told to leave the page instead. The person comes back to the page, not to the part of
    /// it that was asked for.
    fn to_htmx(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let login = shared.gate.login_path(driven_page(shared, head).as_ref());
        let mut response = self.to_problem(shared, head, &login);
        if self.kind.wants_sign_in()
            && let Ok(login) = HeaderValue::try_from(login)
        {
            let name = HeaderName::from_static("hx-redirect");
            response.headers_mut().insert(name, login);
        }
        response
    }

    /// Trailers-only (gRPC over HTTP/2, "Responses"): the status stands in the header, and there is no body.
    fn to_grpc(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        );
        self.write_grpc_status(headers);
        response
    }

    /// Writes `grpc-status` and `grpc-message`: into a trailers-only head, or into trailers.
    pub(crate) fn write_grpc_status(&self, headers: &mut HeaderMap) {
        let (status, message) = self.kind.grpc_status();
        headers.insert("grpc-status", HeaderValue::from_static(status));
        // Spaces are percent-encoded nowhere but here; the messages hold nothing else that would be.
        if let Ok(message) = HeaderValue::try_from(message.replace(' ', "%20")) {
            headers.insert("grpc-message", message);
        }
    }

    fn to_grpc_web(&self, form: GrpcWeb) -> Response<Bytes> {
        let mut response = Response::new(self.grpc_web_frame(form));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, form.content_type());
        response
    }

    /// One frame of trailers: flag 0x80, length, then header lines.
    pub(crate) fn grpc_web_frame(&self, form: GrpcWeb) -> Bytes {
        let (status, message) = self.kind.grpc_status();
        let message = message.replace(' ', "%20");
        let trailers = format!("grpc-status:{status}\r\ngrpc-message:{message}\r\n");
        let length = u32::try_from(trailers.len()).unwrap_or_default();
        let mut frame = vec![0x80];
        frame.extend(length.to_be_bytes());
        frame.extend(trailers.into_bytes());
        match form {
            GrpcWeb::Binary => frame.into(),
            GrpcWeb::Text => STANDARD.encode(frame).into(),
        }
    }

    /// Offers bearer tokens, where they are accepted (RFC 6750, section 3): the scheme never stands alone, and no error is named to who
    /// brought no token. A good token of too old a sign-in has an error of its own (RFC 9470, section 3).
    fn bearer_challenge(&self, gate: &Gate, head: &RequestHead<'_>) -> Option<HeaderValue> {
        if !gate.takes_bearer {
            return None;
        }
        let error = match (gate.is_bearer(head), self.kind) {
            (false, _) => "",
            (true, RejectionKind::RecentSignInRequired) => {
                r#", error="insufficient_user_authentication""#
            }
            (true, _) => r#", error="invalid_token""#,
        };
        let realm = gate.public_url.origin();
        HeaderValue::try_from(format!(r#"Bearer realm="{realm}"{error}"#)).ok()
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

/// The two forms of gRPC-Web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrpcWeb {
    Binary,
    /// In base64.
    Text,
}

impl GrpcWeb {
    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        })
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
