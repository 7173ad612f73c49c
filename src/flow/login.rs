//! The login form, and the sign-in that posting it begins.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{
    arrival, attempt::Attempt, browser, fields::Fields, refusal, sealed, send, step::Step,
};
use crate::{
    answer::redirect,
    email::Email,
    page::{LoginPage, LoginProblem, Page, RememberMe, Sent, WayBack},
    random::Drawn,
    rejection::RejectionKind,
    session::{
        Session, Term,
        browser_cookie::BrowserCookie,
        cookie::CookieName,
        seal::{NONCE, Purpose},
    },
    site::{
        endpoint::Endpoint,
        return_to::{ReturnTo, TOO_LONG},
    },
};

/// The random bytes of a sign-in that begins: its id, a browser cookie's, and a nonce for each of
/// the two purposes for which its attempt is sealed.
const RANDOM: usize = 16 + 16 + NONCE + NONCE;

/// Shows the form on GET, even to a browser with a session.
///
/// That sign-in may be too old for the page that was asked for. The form then holds the session's
/// address.
pub(super) async fn form(step: &Step) -> Response<Bytes> {
    let wanted = step.query().and_then(|query| wanted(step, &query));
    let (return_to, way_back) = match wanted {
        Ok(wanted) => wanted,
        Err(kind) => return refusal::refuse(step, kind),
    };
    if let Some(refused) = arrival::dropped(step).await {
        return refused;
    }
    let session = step
        .flow
        .shared
        .gate
        .session_in_cookie(&step.head(), step.reading());
    // The address of a person who may not pass would be refused again.
    let session = session.ok().filter(|session| {
        let allowed = &step.flow.shared.gate.allowed;
        allowed.has_session(session)
    });
    let form = FormPage {
        return_to: return_to.as_ref(),
        email: session.as_ref().map(Session::email),
        problem: None,
        term: session.as_ref().map(Session::term).unwrap_or_default(),
        way_back,
    };
    let mut response = form_page(step, StatusCode::OK, &form);
    browser::greet(step, &mut response);
    response
}

/// Begins a sign-in, on POST.
pub(super) async fn begin(step: &Step) -> Response<Bytes> {
    let form = match begin_form(step) {
        Ok(form) => form,
        Err(kind) => return refusal::refuse(step, kind),
    };
    let before = form.before.as_ref();
    // A second click within the wait mails nothing, and shows the same page again.
    if before.is_some_and(|before| before.attempt.resend_wait(step.now).is_some()) {
        let sealed = before
            .map(|before| before.sealed.as_str())
            .unwrap_or_default();
        return redirect(step.path_to(Endpoint::Check, sealed));
    }
    let keeps_fragment =
        form.keeps_fragment || before.is_some_and(|before| before.attempt.keeps_fragment);
    // A resend has no box to tick: what was ticked at the first form still holds.
    let term = match before.map(|before| before.attempt.term) {
        Some(Term::Remembered) => Term::Remembered,
        Some(Term::Usual) | None => form.term,
    };
    let BeginForm {
        email,
        return_to,
        way_back,
        ..
    } = form;
    let email = match email {
        Ok(email) => email,
        Err((problem, email)) => {
            let form = FormPage {
                return_to: return_to.as_ref(),
                email: email.as_deref(),
                problem: Some(problem),
                term,
                way_back,
            };
            return form_page(step, StatusCode::UNPROCESSABLE_ENTITY, &form);
        }
    };
    let mut random = Drawn::<RANDOM>::new();
    let browser = browser::cookie_to_keep(step, || random.take());
    let match_code = browser::match_code(step, browser, &email);
    let attempt = Attempt {
        keeps_fragment,
        term,
        tail: return_to.unwrap_or_default().into_text(),
        ..Attempt::new(
            random.take(),
            browser.fingerprint(),
            email,
            match_code,
            step.reading(),
        )
    };
    let attempt = Arc::new(attempt);
    match send::send(step, &attempt, random.take()).await {
        Ok(told) => sent(step, &attempt, told, browser, random.take()),
        Err(rejection) => {
            // The page of the failure offers another mail, which continues this attempt in this
            // browser.
            let mut response = refusal::answer(step, rejection, Some(&attempt));
            browser::keep_browser_cookie(step, &mut response, browser);
            response
        }
    }
}

/// Redirects to the check-your-mail page, and sets the cookies that finishing the sign-in needs.
/// The nonce must be random.
fn sent(
    step: &Step,
    attempt: &Attempt,
    told: Sent,
    browser: BrowserCookie,
    nonce: [u8; NONCE],
) -> Response<Bytes> {
    let flow = &step.flow;
    let (sealed, is_short) = sealed::seal_for_check(flow, attempt, told, nonce);
    let is_short = is_short || sealed::may_be_short(flow, attempt);
    let mut response = redirect(step.path_to(Endpoint::Check, &sealed));
    browser::keep_newest(step, &mut response, browser, attempt);
    if is_short {
        let plain = [attempt.id.as_slice(), attempt.tail.as_bytes()].concat();
        let keys = step.flow.shared.gate.tokens.keys();
        let sealed = keys.seal(Purpose::ReturnTo, &plain, crate::random::bytes());
        let lifetime = browser::lifetime(step);
        browser::keep(step, &mut response, CookieName::ReturnTo, &sealed, lifetime);
    }
    response
}

fn begin_form(step: &Step) -> Result<BeginForm, RejectionKind> {
    let form = Fields::of_form(&step.form);
    let (return_to, way_back) = match wanted(step, &form)? {
        (None, WayBack::Kept) => wanted(step, &step.query()?)?,
        wanted => wanted,
    };
    Ok(BeginForm {
        before: form
            .one("t")?
            .and_then(|sealed| sealed::before(step, sealed)),
        email: typed(form.one("email")?),
        keeps_fragment: form.one("fragment")?.is_some(),
        return_to,
        term: term_of(step, &form)?,
        way_back,
    })
}

/// Returns how long the person wants to stay signed in. If the form does not ask, no answer counts.
fn term_of(step: &Step, form: &Fields<'_>) -> Result<Term, RejectionKind> {
    let answer = form.one("remember_me")?;
    // Browsers send `on` for a checkbox without a value (HTML, section 4.10.5.1.15).
    let is_yes = matches!(answer, Some("on" | "true"));
    let is_asked = step.flow.shared.gate.lifetimes.remembered.is_some();
    Ok(match is_yes && is_asked {
        true => Term::Remembered,
        false => Term::Usual,
    })
}

/// Returns where the person wants to go afterwards. A target that could leave the origin is
/// ignored, and they go to the front page. So they do if it is too long, and the form says so.
fn wanted(step: &Step, fields: &Fields<'_>) -> Result<(Option<ReturnTo>, WayBack), RejectionKind> {
    let wanted = fields.one("return_to")?;
    let is_too_long = wanted.is_some_and(ReturnTo::is_too_long) || fields.one(TOO_LONG)?.is_some();
    let wanted = wanted.and_then(|wanted| ReturnTo::parse(wanted, &step.flow.shared.gate.mount));
    let way_back = match (&wanted, is_too_long) {
        (None, true) => WayBack::TooLong,
        _ => WayBack::Kept,
    };
    Ok((wanted, way_back))
}

fn form_page(step: &Step, status: StatusCode, form: &FormPage<'_>) -> Response<Bytes> {
    let gate = &step.flow.shared.gate;
    let action = match form.way_back {
        WayBack::Kept => gate.login_path(form.return_to),
        WayBack::TooLong => gate.login_path_without(),
    };
    let remember_me = gate.lifetimes.remembered.map(|_| match form.term {
        Term::Remembered => RememberMe::Ticked,
        Term::Usual => RememberMe::Offered,
    });
    let page = LoginPage::new(&action)
        .with_application(step.flow.application_name.as_deref())
        .with_email(form.email)
        .with_problem(form.problem)
        .with_remember_me(remember_me)
        .with_sent(step.flow.sent())
        .with_way_back(form.way_back);
    let page = Page::Login(page).with_words(step.words());
    step.flow.shared.page(status, &page)
}

/// The fields of a posted form.
struct BeginForm {
    before: Option<sealed::Before>,
    email: Result<Email, (LoginProblem, Option<String>)>,
    keeps_fragment: bool,
    return_to: Option<ReturnTo>,
    term: Term,
    way_back: WayBack,
}

/// What the page of the form shows.
struct FormPage<'a> {
    return_to: Option<&'a ReturnTo>,
    email: Option<&'a str>,
    problem: Option<LoginProblem>,
    term: Term,
    way_back: WayBack,
}

/// Reads the address, or returns why there is none, and what the form shows again: what was typed,
/// without what nobody sees, so that sending the form once more helps.
fn typed(email: Option<&str>) -> Result<Email, (LoginProblem, Option<String>)> {
    parse(email).map_err(|problem| (problem, email.map(Email::visible)))
}

fn parse(email: Option<&str>) -> Result<Email, LoginProblem> {
    match email {
        None => Err(LoginProblem::MissingAddress),
        // Blanks alone are an empty field, and not a wrong address.
        Some(text) if text.trim().is_empty() => Err(LoginProblem::MissingAddress),
        Some(text) => Email::parse(text).map_err(|error| match error.is_invisible() {
            true => LoginProblem::InvisibleCharacter,
            false => LoginProblem::InvalidAddress,
        }),
    }
}
