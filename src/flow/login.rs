//! The form, and what posting it begins.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};

use super::{Step, attempt::Attempt, fields::Fields, rejection_of};
use crate::{
    email::Email,
    endpoint::Endpoint,
    event::Event,
    mailer::{Mail, language},
    page::{LoginPage, LoginProblem, Page},
    provider::{Delivery, Link, Start},
    rejection::{Rejection, RejectionKind, redirect},
    return_to::ReturnTo,
    session::{cookie::Jar, seal::Purpose},
};

impl Step {
    /// GET: shows the form.
    pub(super) fn form(&self) -> Response<Bytes> {
        let return_to = match self.query().and_then(|query| self.wanted(&query)) {
            Ok(return_to) => return_to,
            Err(kind) => return self.refuse(kind),
        };
        let mut response = self.form_page(StatusCode::OK, return_to.as_ref(), None, None);
        let head = self.head();
        if self.shared.gate.browser_cookie(&head).is_none() {
            let cookie = self.fresh_browser_cookie();
            self.keep_browser_cookie(&mut response, &cookie);
        }
        response
    }

    /// POST: begins a sign-in.
    pub(super) async fn begin(&self) -> Response<Bytes> {
        let (email, return_to) = match self.begin_fields() {
            Ok(fields) => fields,
            Err(kind) => return self.refuse(kind),
        };
        let email = match parse(email.as_deref()) {
            Ok(email) => email,
            Err(problem) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return self.form_page(status, return_to.as_ref(), email.as_deref(), Some(problem));
            }
        };
        let browser = self
            .shared
            .gate
            .browser_cookie(&self.head())
            .map_or_else(|| self.fresh_browser_cookie(), str::to_owned);
        let id = crate::random::bytes();
        let attempt = Attempt::new(id, &browser, email, self.now)
            .with_tail(return_to.unwrap_or_default().as_str());
        if let Err(rejection) = self.send(&attempt).await {
            let mut response = self.answer(rejection, Some(&attempt));
            self.keep_browser_cookie(&mut response, &browser);
            return response;
        }
        self.sent(&attempt, &browser)
    }

    /// Has the link made and mailed. An address whose domain is not taken gets none, and whoever asked is not told.
    async fn send(&self, attempt: &Attempt) -> Result<(), Rejection> {
        let flow = &self.shared.flow;
        let email = &attempt.email;
        if !flow.takes_domain(email.domain()) {
            self.shared.listener.tell(&Event::LinkWithheld { email });
            return Ok(());
        }
        let (state, _) = self.seal_or_shorten(attempt, Purpose::State);
        let redirect_uri = self.shared.gate.absolute(&self.path(Endpoint::Callback));
        let delivery = match flow.mailer {
            Some(_) => Delivery::Mailer,
            None => Delivery::Provider,
        };
        let start = Start::new(email, &redirect_uri, &state, flow.link_lifetime, delivery);
        let started = flow.provider.start(&start).await.map_err(|error| {
            self.shared.listener.tell(&Event::of_provider_error(&error));
            rejection_of(&error)
        })?;
        if let Some(mailer) = &flow.mailer {
            let link = started
                .into_link()
                .and_then(|link| self.own_link(attempt, &link))
                .ok_or(Rejection::new(RejectionKind::ProviderFailed))?;
            let mail = Mail::new(email, self.now)
                .with_link(&link, flow.link_lifetime)
                .with_application(flow.application_name.as_deref())
                .with_language(language::preferred(&self.parts.headers));
            mailer.send(&mail).await.map_err(|error| {
                let (reason, status) = (error.reason(), error.status());
                let failed = Event::MailFailed {
                    email,
                    reason,
                    status,
                };
                self.shared.listener.tell(&failed);
                Rejection::new(RejectionKind::MailNotSent)
            })?;
        }
        self.shared.listener.tell(&Event::LinkSent { email });
        Ok(())
    }

    /// Seals the provider's link into one of ours. `None` when it is too long to be mailed.
    fn own_link(&self, attempt: &Attempt, link: &Link) -> Option<Link> {
        let keys = self.shared.gate.tokens.keys();
        let nonce = crate::random::bytes();
        let sealed = attempt
            .with_tail(link.expose())
            .seal(keys, Purpose::Open, nonce)?;
        let path = format!("{}?t={sealed}", self.path(Endpoint::Open));
        Some(Link::new(self.shared.gate.absolute(&path)))
    }

    /// Answers by the check-your-mail page, and leaves the cookies that the way back needs.
    fn sent(&self, attempt: &Attempt, browser: &str) -> Response<Bytes> {
        let (sealed, is_short) = self.seal_or_shorten(attempt, Purpose::Check);
        let mut response = redirect(&format!("{}?t={sealed}", self.path(Endpoint::Check)));
        self.keep_browser_cookie(&mut response, browser);
        if is_short {
            let plain = [attempt.id.as_slice(), attempt.tail.as_bytes()].concat();
            let keys = self.shared.gate.tokens.keys();
            let sealed = keys.seal(Purpose::ReturnTo, &plain, crate::random::bytes());
            let lifetime = self.shared.flow.attempt_lifetime();
            self.keep(&mut response, Jar::ReturnTo, &sealed, lifetime);
        }
        response
    }

    /// Seals an attempt with its way back, or without where that is too long; says which.
    fn seal_or_shorten(&self, attempt: &Attempt, purpose: Purpose) -> (String, bool) {
        let keys = self.shared.gate.tokens.keys();
        if let Some(sealed) = attempt.seal(keys, purpose, crate::random::bytes()) {
            return (sealed, false);
        }
        let short = attempt.with_tail("");
        let sealed = short.seal(keys, purpose, crate::random::bytes());
        // The longest address fits: 254 bytes and 82 around them are 448 characters.
        (sealed.unwrap_or_default(), true)
    }

    fn begin_fields(&self) -> Result<(Option<String>, Option<ReturnTo>), RejectionKind> {
        let form = Fields::of_form(&self.form);
        let email = form.one("email")?.map(str::to_owned);
        let return_to = match self.wanted(&form)? {
            Some(return_to) => Some(return_to),
            None => self.wanted(&self.query()?)?,
        };
        Ok((email, return_to))
    }

    /// Returns where the person wants to go afterwards. What could leave the origin is passed over: they go to the front page.
    fn wanted(&self, fields: &Fields<'_>) -> Result<Option<ReturnTo>, RejectionKind> {
        let wanted = fields.one("return_to")?;
        Ok(wanted.and_then(|wanted| ReturnTo::parse(wanted, &self.shared.gate.mount)))
    }

    fn form_page(
        &self,
        status: StatusCode,
        return_to: Option<&ReturnTo>,
        email: Option<&str>,
        problem: Option<LoginProblem>,
    ) -> Response<Bytes> {
        let action = self.shared.gate.login_path(return_to);
        let page = LoginPage::new(&action)
            .with_application(self.shared.flow.application_name.as_deref())
            .with_email(email)
            .with_problem(problem);
        self.shared.page(status, &Page::Login(page))
    }

    fn fresh_browser_cookie(&self) -> String {
        let keys = self.shared.gate.tokens.keys();
        keys.browser_cookie(crate::random::bytes())
    }

    /// Keeps the browser cookie for a day longer than an attempt that begins now: whoever is late is told so, and not that
    /// this is another browser.
    fn keep_browser_cookie(&self, response: &mut Response<Bytes>, cookie: &str) {
        let lifetime = self.shared.flow.attempt_lifetime() + Duration::from_secs(24 * 60 * 60);
        self.keep(response, Jar::Browser, cookie, lifetime);
    }

    fn keep(&self, response: &mut Response<Bytes>, jar: Jar, value: &str, lifetime: Duration) {
        let cookie = self.shared.gate.cookies.set(jar, value, lifetime);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn parse(email: Option<&str>) -> Result<Email, LoginProblem> {
    match email {
        None => Err(LoginProblem::MissingAddress),
        Some(text) if text.trim().is_empty() => Err(LoginProblem::MissingAddress),
        Some(text) => Email::parse(text).map_err(|_| LoginProblem::InvalidAddress),
    }
}
