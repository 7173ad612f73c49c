//! How the layer refuses each audience, and the answers that are the layer's own.
//!
//! - A refused request gets the answer of its [`Audience`], whose documentation has the table.
//! - A misused endpoint of the layer's own is 400, 403, 405, 408, 413 or 415: a page for a
//!   document, a problem for a program.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use self::way_back::{asking_page, page_before, page_of_form, proof_again};
use crate::{
    ascii,
    language::Words,
    page::{Page, Resend, TroublePage},
    rejection::{Rejection, RejectionKind},
    request::{audience::Audience, head::RequestHead, said::Said},
    shared::Shared,
    site::endpoint::Endpoint,
};

mod asked;
mod grpc;
mod own;
mod problem;
mod refuse;
mod to_form;
mod way_back;

pub(crate) use self::{
    asked::Asked,
    grpc::GrpcWeb,
    own::{json, own},
    problem::{Choices, Choosable},
    to_form::fields as redirect_fields,
};

/// What only one refusal says, in the language of the request.
struct Told<'s> {
    detail: Option<String>,
    happened: Option<String>,
    words: &'s Words,
}

impl Rejection {
    /// Answers a request that the gate refused.
    fn respond(
        self,
        audience: Audience,
        shared: &Shared,
        head: &RequestHead<'_>,
        said: &Said<'_>,
    ) -> Response<Bytes> {
        let is_window = audience == Audience::Document && head.is_safe() && !said.is_framed();
        let is_spoilt = self.kind().spoils_cookie(is_window);
        if audience == Audience::Document
            && !is_spoilt
            && let Some(location) = self.form_of(shared, head, said)
        {
            let mut response = to_form::redirect(shared, location);
            response.extensions_mut().insert(self);
            return response;
        }
        let mut response = match audience {
            Audience::Document => self.to_document(shared, head, said),
            Audience::Grpc => self.to_grpc(),
            Audience::GrpcWeb => self.to_grpc_web(GrpcWeb::Binary),
            Audience::GrpcWebText => self.to_grpc_web(GrpcWeb::Text),
            Audience::Htmx => self.to_htmx(shared, head, said),
            // No redirect: a browser drops a prefetch that fails, and asks again at the person's
            // own click.
            Audience::Prefetch => Self::new(RejectionKind::Prefetch).to_program(shared, head, said),
            Audience::Preflight | Audience::WebSocket => self.to_program(shared, head, said),
            Audience::Program => {
                let mut response = self.to_program(shared, head, said);
                if said.is_fetch() {
                    self.lead(shared, head, response.headers_mut());
                }
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(header::VARY, shared.gate.vary());
        // Only if the cookie itself is bad. After an outage it may be good again (unknown is not
        // invalid).
        if is_spoilt && !said.is_prefetch() && !shared.gate.is_bearer(head) {
            match self.kind() {
                RejectionKind::InvalidSession => shared.gate.forget_invalid(head, headers),
                _ => shared.gate.forget(head, headers),
            }
        }
        response.extensions_mut().insert(self);
        response
    }

    /// Answers a request to an endpoint: a page for a person, a problem for a program. The login
    /// path is the way on for whoever has no better one.
    pub(crate) fn respond_at_endpoint(
        self,
        shared: &Shared,
        head: &RequestHead<'_>,
        login: &str,
        resend: Option<Resend<'_>>,
    ) -> Response<Bytes> {
        let is_webhook = shared.gate.endpoint(head) == Some(Endpoint::Webhook);
        let said = &head.said();
        let mut response = if said.wants_page() && !is_webhook {
            let way_on = match self.kind() {
                // Where our cookie does not come back to, no relative way leads on.
                RejectionKind::InsecureConnection | RejectionKind::OtherHost => {
                    shared.gate.absolute(login)
                }
                // A proof that WorkOS has redeemed is kept for a minute, so the same request may
                // succeed.
                kind if kind.is_temporary() && resend.is_none() => {
                    proof_again(shared, head).unwrap_or_else(|| login.to_owned())
                }
                _ => login.to_owned(),
            };
            self.to_page(shared, head, &way_on, resend)
        } else {
            self.to_program(shared, head, said)
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }

    /// Answers a program that must choose an organization.
    pub(crate) fn respond_with_choices(
        self,
        shared: &Shared,
        head: &RequestHead<'_>,
        choices: Choices<'_>,
    ) -> Response<Bytes> {
        let login = shared.gate.login_path(None);
        let mut response = self.to_problem(shared, head, &login, Some(choices));
        response.extensions_mut().insert(self);
        response
    }

    /// Answers with a page that asks again.
    pub(crate) fn respond_with_page(self, shared: &Shared, page: &Page<'_>) -> Response<Bytes> {
        let mut response = shared.page(self.kind().status(), page);
        self.add_fields(&mut response);
        response.extensions_mut().insert(self);
        response
    }

    pub(super) fn to_document(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        said: &Said<'_>,
    ) -> Response<Bytes> {
        // A redirect would lose the body of a POST without a word (RFC 9110, section 15.4.4).
        if !head.is_safe() {
            return self.to_unsaved(shared, head);
        }
        if let Some(location) = self.form_of(shared, head, said) {
            return redirect(location);
        }
        if self.kind().wants_sign_in() {
            if said.is_framed() {
                return self.to_frame(shared, head);
            }
            // A `fetch` would follow the redirect by itself.
            let login = shared.gate.login_path_of(head);
            let mut response = self.to_page(shared, head, &login, None);
            self.challenge(shared, head, &login, response.headers_mut());
            self.lead(shared, head, response.headers_mut());
            return response;
        }
        // The session is good and its person may not pass: the way on is another address.
        if self.kind().wants_another_address() {
            let login = shared.gate.login_path_of(head);
            return self.to_page_of(shared, head, &login);
        }
        let again = shared.gate.return_to(head).unwrap_or_default();
        self.to_page_of(shared, head, again.as_str())
    }

    /// Returns the form's path, if a document is redirected there.
    fn form_of(&self, shared: &Shared, head: &RequestHead<'_>, said: &Said<'_>) -> Option<String> {
        let is_redirected = self.kind().wants_sign_in()
            && head.is_safe()
            && !said.is_framed()
            && !said.follows_redirects();
        is_redirected.then(|| shared.gate.login_path_of(head))
    }

    /// Says in a frame that the session has ended. The form itself cannot be framed, and the frame
    /// would become an empty box. Signing in leads back to the page around the frame.
    fn to_frame(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let login = shared.gate.login_path(page_before(shared, head).as_ref());
        let mut response = self.to_page_of(shared, head, &login);
        self.challenge(shared, head, &login, response.headers_mut());
        response
    }

    /// Says that what a form has sent was not saved. It leads back to the page of that form.
    fn to_unsaved(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let page = page_of_form(shared, head);
        let login = shared.gate.login_path(page.as_ref());
        if self.kind().wants_another_address() {
            return self.to_page_of(shared, head, &login);
        }
        if !self.kind().wants_sign_in() {
            return self.to_page_of(shared, head, page.unwrap_or_default().as_str());
        }
        let mut response = self.to_page_of(shared, head, &login);
        self.challenge(shared, head, &login, response.headers_mut());
        response
    }

    /// Leads a person who is shown this answer to the form, and then to what was asked for. A
    /// service worker may ask by a `fetch` that looks like one for data, and show the answer as a
    /// page. A script that fetches data does not notice it (HTML, "shared declarative refresh
    /// steps").
    fn lead(&self, shared: &Shared, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        if !self.kind().wants_sign_in() || !head.is_safe() {
            return;
        }
        let login = shared.gate.login_path_of(head);
        let refresh = ["0; url=", shared.gate.public_url.origin(), &login].concat();
        if let Ok(refresh) = HeaderValue::try_from(refresh) {
            headers.insert(header::REFRESH, refresh);
        }
    }

    /// Returns the page in place of one of the application's, for its window or its frame.
    fn to_page_of(&self, shared: &Shared, head: &RequestHead<'_>, action: &str) -> Response<Bytes> {
        if !head.said().is_framed() {
            return self.to_page(shared, head, action, None);
        }
        let told = self.told(shared, head);
        let page = match head.is_safe() {
            true => self.page(&told, action).in_frame(),
            false => self.page(&told, action).in_frame_after_form(),
        };
        let mut response = shared.page_in_frame(self.kind().status(), &Page::Trouble(page));
        self.add_fields(&mut response);
        response
    }

    /// Returns what only this refusal says, in the language of the request.
    fn told<'s>(&self, shared: &'s Shared, head: &RequestHead<'_>) -> Told<'s> {
        let words = shared.languages.words(head);
        Told {
            detail: self.detail(words),
            happened: self.happened(words),
            words,
        }
    }

    fn page<'a>(&self, told: &'a Told<'_>, action: &'a str) -> TroublePage<'a> {
        TroublePage::new(self.kind())
            .with_action(action)
            .with_detail(told.detail.as_deref())
            .with_happened(told.happened.as_deref())
            .with_advice(self.advice(told.words))
            .with_retry_after(self.wait_of_page())
            .with_words(told.words)
    }

    pub(super) fn to_page(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        action: &str,
        resend: Option<Resend<'_>>,
    ) -> Response<Bytes> {
        let told = self.told(shared, head);
        let page = self.page(&told, action).with_resend(resend);
        let mut response = shared.page(self.kind().status(), &Page::Trouble(page));
        self.add_fields(&mut response);
        response
    }

    /// htmx swaps what it gets into the page, so it is told to leave the page instead. The person
    /// comes back to the page, not to the part of it that was asked for.
    pub(super) fn to_htmx(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        said: &Said<'_>,
    ) -> Response<Bytes> {
        let login = shared
            .gate
            .login_path(asking_page(shared, head, said).as_ref());
        let mut response = self.to_problem(shared, head, &login, None);
        if (self.kind().wants_sign_in() || self.kind().wants_another_address())
            && let Ok(login) = HeaderValue::try_from(login)
        {
            let name = HeaderName::from_static("hx-redirect");
            response.headers_mut().insert(name, login);
        }
        response
    }

    pub(super) fn add_fields(&self, response: &mut Response<Bytes>) {
        let headers = response.headers_mut();
        if let Some(allow) = self.allow() {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after() {
            let whole = wait
                .as_secs()
                // Rounded up: a client that comes back a moment too early would be refused again.
                .saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole));
        }
    }
}

/// Redirects by 303: the next request is a GET without the body of this one (RFC 9700, section
/// 4.12).
pub(crate) fn redirect(location: impl Into<String>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, ascii::header_value(location.into()));
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

/// Takes the body off an answer to HEAD; its length stays in the head (RFC 9110, section 9.3.2).
///
/// hyper does the same over HTTP/1.1. Over HTTP/2 it would send the body, and the client would take
/// that for a broken stream.
pub(crate) fn answer_to(method: &Method, mut response: Response<Bytes>) -> Response<Bytes> {
    if method == Method::HEAD && !response.body().is_empty() {
        let body = std::mem::take(response.body_mut());
        let length = HeaderValue::from(body.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
    }
    response
}
