//! The form, and what posting it begins.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};

use super::{
    Step,
    attempt::{Attempt, LONGEST},
    fields::Fields,
};
use crate::{
    answer::redirect,
    email::Email,
    page::{LoginPage, LoginProblem, Page, RememberMe},
    rejection::RejectionKind,
    request::head::Found,
    session::{Session, Term, cookie::Jar, seal::Purpose},
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

/// The longest provider's link that the way back has room beside, if at all. WorkOS's have 71 characters.
const LONGEST_LINK: usize = 200;

impl Step {
    /// GET: shows the form, to whoever is signed in too: a sign-in may be too old for what they want. They need not type their own address again.
    pub(super) fn form(&self) -> Response<Bytes> {
        let return_to = match self.query().and_then(|query| self.wanted(&query)) {
            Ok(return_to) => return_to,
            Err(kind) => return self.refuse(kind),
        };
        if self.has_dropped_session() {
            return self.session_dropped();
        }
        let session = self
            .flow
            .shared
            .gate
            .session_in_cookie(&self.head(), self.now);
        let form = FormPage {
            return_to: return_to.as_ref(),
            email: session.as_ref().ok().map(Session::email),
            problem: None,
            term: session.as_ref().map(Session::term).unwrap_or_default(),
        };
        let mut response = self.form_page(StatusCode::OK, &form);
        self.greet(&mut response);
        response
    }

    /// Says whether this browser was handed a session a moment ago, and has none: it would be sent round and round.
    fn has_dropped_session(&self) -> bool {
        let cookie = |jar| self.head().cookie(self.flow.shared.gate.cookies.name(jar));
        cookie(Jar::Arrived) != Found::Nothing && cookie(Jar::Session) == Found::Nothing
    }

    fn session_dropped(&self) -> Response<Bytes> {
        let mut response = self.answer(self.cookie_lost(Jar::Session), None);
        // The next try is an honest one.
        let removal = self.flow.shared.gate.cookies.removal_of(Jar::Arrived);
        response.headers_mut().append(header::SET_COOKIE, removal);
        response
    }

    /// Gives a browser that has none its cookie.
    pub(super) fn greet(&self, response: &mut Response<Bytes>) {
        if self
            .flow
            .shared
            .gate
            .browser_cookie(&self.head(), self.now)
            .is_none()
        {
            let cookie = self.fresh_browser_cookie();
            self.keep_browser_cookie(response, &cookie);
        }
    }

    /// POST: begins a sign-in.
    pub(super) async fn begin(&self) -> Response<Bytes> {
        let form = match self.begin_form() {
            Ok(form) => form,
            Err(kind) => return self.refuse(kind),
        };
        let before = form.before.as_ref();
        if before.is_some_and(|before| before.attempt.resend_wait(self.now).is_some()) {
            let sealed = before
                .map(|before| before.sealed.as_str())
                .unwrap_or_default();
            return redirect(&format!("{}?t={sealed}", self.path(Endpoint::Check)));
        }
        let keeps_fragment =
            form.keeps_fragment || before.is_some_and(|before| before.attempt.keeps_fragment);
        let term = match before.map(|before| before.attempt.term) {
            Some(Term::Remembered) => Term::Remembered,
            Some(Term::Usual) | None => form.term,
        };
        let BeginForm {
            email, return_to, ..
        } = form;
        let email = match parse(email.as_deref()) {
            Ok(email) => email,
            Err(problem) => {
                let form = FormPage {
                    return_to: return_to.as_ref(),
                    email: email.as_deref(),
                    problem: Some(problem),
                    term,
                };
                return self.form_page(StatusCode::UNPROCESSABLE_ENTITY, &form);
            }
        };
        let browser = self
            .flow
            .shared
            .gate
            .browser_cookie(&self.head(), self.now)
            .map_or_else(|| self.fresh_browser_cookie(), str::to_owned);
        let keys = self.flow.shared.gate.tokens.keys();
        let attempt = Attempt {
            keeps_fragment,
            term,
            tail: return_to.unwrap_or_default().as_str().to_owned(),
            ..Attempt::new(crate::random::bytes(), &browser, email, keys, self.now)
        };
        match self.send(&attempt).await {
            Ok(sent) => self.sent(&Attempt { sent, ..attempt }, &browser),
            Err(rejection) => {
                let mut response = self.answer(rejection, Some(&attempt));
                self.keep_browser_cookie(&mut response, &browser);
                response
            }
        }
    }

    /// Answers by the check-your-mail page, and leaves the cookies that the way back needs.
    fn sent(&self, attempt: &Attempt, browser: &str) -> Response<Bytes> {
        let (sealed, is_short) = self.seal_or_shorten(attempt, Purpose::Check);
        let is_short = is_short || self.may_be_short(attempt);
        let mut response = redirect(&format!("{}?t={sealed}", self.path(Endpoint::Check)));
        self.keep_browser_cookie(&mut response, browser);
        if is_short {
            let plain = [attempt.id.as_slice(), attempt.tail.as_bytes()].concat();
            let keys = self.flow.shared.gate.tokens.keys();
            let sealed = keys.seal(Purpose::ReturnTo, &plain, crate::random::bytes());
            let lifetime = self.flow.attempt_lifetime();
            self.keep(&mut response, Jar::ReturnTo, &sealed, lifetime);
        }
        response
    }

    /// Says whether our own mailed link may have no room for the way back. The link that was made is not asked: for some addresses none is, and
    /// the answer must be the same for all.
    fn may_be_short(&self, attempt: &Attempt) -> bool {
        self.flow.mailer.is_some() && {
            let longest = attempt.with_link(&"x".repeat(LONGEST_LINK));
            self.seal_or_shorten(&longest, Purpose::Open).1
        }
    }

    /// Seals an attempt with its way back, or without where that is too long; says which. A link may make it too long even so: then it is empty.
    pub(super) fn seal_or_shorten(&self, attempt: &Attempt, purpose: Purpose) -> (String, bool) {
        let keys = self.flow.shared.gate.tokens.keys();
        let room = match purpose {
            Purpose::Open => LONGEST.saturating_sub(self.open_url("").len()),
            _ => LONGEST,
        };
        let seal = |attempt: &Attempt| {
            let sealed = attempt.seal(keys, purpose, crate::random::bytes());
            sealed.filter(|sealed| sealed.len() <= room)
        };
        if let Some(sealed) = seal(attempt) {
            return (sealed, false);
        }
        // The longest address fits: 254 bytes and 91 around them are 460 characters. So it does with WorkOS's link, 555, behind the longest origin and mount, 403.
        (seal(&attempt.with_tail("")).unwrap_or_default(), true)
    }

    fn begin_form(&self) -> Result<BeginForm, RejectionKind> {
        let form = Fields::of_form(&self.form);
        let return_to = match self.wanted(&form)? {
            Some(return_to) => Some(return_to),
            None => self.wanted(&self.query()?)?,
        };
        Ok(BeginForm {
            before: form.one("t")?.and_then(|sealed| self.before(sealed)),
            email: form.one("email")?.map(str::to_owned),
            keeps_fragment: form.one("fragment")?.is_some(),
            return_to,
            term: self.term_of(&form)?,
        })
    }

    /// Returns how long the person wants to stay signed in. Where that is not asked, no answer counts.
    fn term_of(&self, form: &Fields<'_>) -> Result<Term, RejectionKind> {
        let answer = form.one("remember_me")?;
        // `on` is what browsers send for a box without a value (HTML, section 4.10.5.1.15).
        let is_yes = matches!(answer, Some("on" | "true"));
        let is_asked = self.flow.shared.gate.lifetimes.remembered.is_some();
        Ok(match is_yes && is_asked {
            true => Term::Remembered,
            false => Term::Usual,
        })
    }

    /// Opens the attempt that goes on with another mail, if it is one of this browser.
    fn before(&self, sealed: &str) -> Option<Before> {
        let keys = self.flow.shared.gate.tokens.keys();
        let attempt = Attempt::open(keys, Purpose::Check, sealed, self.now)?;
        let sealed = sealed.to_owned();
        self.is_ours(&attempt).then_some(Before { attempt, sealed })
    }

    /// Returns where the person wants to go afterwards. What could leave the origin is passed over: they go to the front page.
    fn wanted(&self, fields: &Fields<'_>) -> Result<Option<ReturnTo>, RejectionKind> {
        let wanted = fields.one("return_to")?;
        Ok(wanted.and_then(|wanted| ReturnTo::parse(wanted, &self.flow.shared.gate.mount)))
    }

    fn form_page(&self, status: StatusCode, form: &FormPage<'_>) -> Response<Bytes> {
        let gate = &self.flow.shared.gate;
        let action = gate.login_path(form.return_to);
        let remember_me = gate.lifetimes.remembered.map(|_| match form.term {
            Term::Remembered => RememberMe::Ticked,
            Term::Usual => RememberMe::Offered,
        });
        let page = LoginPage::new(&action)
            .with_application(self.flow.application_name.as_deref())
            .with_email(form.email)
            .with_problem(form.problem)
            .with_remember_me(remember_me)
            .with_sent(self.flow.sent());
        self.flow.shared.page(status, &Page::Login(page))
    }

    fn fresh_browser_cookie(&self) -> String {
        let keys = self.flow.shared.gate.tokens.keys();
        keys.browser_cookie(crate::random::bytes())
    }

    /// Keeps the browser cookie for a day longer than an attempt that begins now: whoever is late is told so, and not that
    /// this is another browser.
    fn keep_browser_cookie(&self, response: &mut Response<Bytes>, cookie: &str) {
        let lifetime = self.flow.attempt_lifetime() + Duration::from_secs(24 * 60 * 60);
        self.keep(response, Jar::Browser, cookie, lifetime);
    }

    pub(super) fn keep(
        &self,
        response: &mut Response<Bytes>,
        jar: Jar,
        value: &str,
        lifetime: Duration,
    ) {
        let cookie = self.flow.shared.gate.cookies.set(jar, value, lifetime);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// What the form says.
struct BeginForm {
    before: Option<Before>,
    email: Option<String>,
    keeps_fragment: bool,
    return_to: Option<ReturnTo>,
    term: Term,
}

/// What the form is shown with.
struct FormPage<'a> {
    return_to: Option<&'a ReturnTo>,
    email: Option<&'a str>,
    problem: Option<LoginProblem>,
    term: Term,
}

/// The attempt that goes on, where another mail was asked for.
struct Before {
    attempt: Attempt,
    sealed: String,
}

fn parse(email: Option<&str>) -> Result<Email, LoginProblem> {
    match email {
        None => Err(LoginProblem::MissingAddress),
        Some(text) if text.trim().is_empty() => Err(LoginProblem::MissingAddress),
        Some(text) => Email::parse(text).map_err(|_| LoginProblem::InvalidAddress),
    }
}
