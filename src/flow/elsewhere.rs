//! A link that was opened in another browser than the one that began.
//!
//! - A visit does nothing: GET shows a page, which asks for the match code, or for a click, or says to go back.
//! - The answer is a POST from that page. An empty one is no try; five wrong codes, or one "that wasn't me", end this way for this link,
//!   and never the way of the browser that began.
//! - A right answer gives this browser leave to finish this one sign-in: a sealed cookie, bound to its own.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::{Step, attempt::Attempt, fields::Fields, match_code};
use crate::{
    event::Event,
    gate::lost_cookie,
    page::{CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice, MatchPage, Page},
    rejection::{Rejection, RejectionKind},
    session::{
        cookie::Jar,
        seal::{self, Purpose},
    },
};

/// How many wrong match codes end the other-browser way of a link: one in 12 million guesses is right.
const MOST_TRIES: u32 = 5;
/// How many clicks may be under way at once, before one says no.
const MOST_CLICKS: u32 = 3;

impl Step {
    /// Says whether this browser may finish an attempt: it began it, or has given the right answer.
    pub(super) fn may_finish(&self, attempt: &Attempt) -> bool {
        self.is_ours(attempt) || self.has_pass(attempt)
    }

    /// Shows what another browser is shown. Its form's answer may redirect to `leads_to` beside our own origin.
    pub(super) fn show_elsewhere(
        &self,
        attempt: &Attempt,
        leads_to: Option<&str>,
        problem: Option<CodeProblem>,
    ) -> Response<Bytes> {
        let masked = attempt.email.masked();
        let action = self.here();
        let login = self.flow.shared.gate.login_path(None);
        let page = match self.flow.cross_device {
            CrossDevice::Confirm => {
                let masked = &masked;
                Page::Confirm(ConfirmPage::new(&action, Confirmation::SignIn { masked }))
            }
            CrossDevice::MatchCode => {
                let entry = CodeEntry::new(&action).with_problem(problem);
                Page::Match(MatchPage::new(entry, &masked, &login))
            }
            CrossDevice::Refuse => return self.refuse(RejectionKind::AnotherBrowser),
        };
        let status = match problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut response = self.flow.shared.page_leading_to(status, &page, leads_to);
        // The answer comes with it: a browser that keeps no cookies is told so before anything is used up.
        self.greet(&mut response);
        response
    }

    /// Takes the answer of another browser, which gives it leave to finish, or is answered itself.
    pub(super) async fn answer_elsewhere(
        &self,
        attempt: &Attempt,
        leads_to: Option<&str>,
    ) -> Result<Leave, Box<Response<Bytes>>> {
        let refuse = |rejection: Rejection| Box::new(self.answer(rejection, None));
        let Some(browser) = self.flow.shared.gate.browser_cookie(&self.head(), self.now) else {
            return Err(refuse(self.cookie_lost(Jar::Browser)));
        };
        let form = Fields::of_form(&self.form);
        let field = |name| form.one(name).map_err(|kind| refuse(Rejection::new(kind)));
        let cross_device = self.flow.cross_device;
        let is_guess = cross_device == CrossDevice::MatchCode
            && matches!(form.one("code"), Ok(Some(typed)) if !match_code::is_blank(typed));
        let guessed = is_guess.then_some(&attempt.email);
        self.limit_code_entry(guessed).await.map_err(refuse)?;
        match cross_device {
            CrossDevice::Confirm => self.take_click(attempt, field("answer")?).await,
            CrossDevice::MatchCode => {
                let typed = field("code")?.unwrap_or_default();
                self.take_match_code(attempt, typed, leads_to).await
            }
            CrossDevice::Refuse => Err(refuse(Rejection::new(RejectionKind::AnotherBrowser))),
        }?;
        Ok(self.leave(attempt, browser))
    }

    async fn take_match_code(
        &self,
        attempt: &Attempt,
        typed: &str,
        leads_to: Option<&str>,
    ) -> Result<(), Box<Response<Bytes>>> {
        let ask_again = |problem| Box::new(self.show_elsewhere(attempt, leads_to, Some(problem)));
        if match_code::is_blank(typed) {
            return Err(ask_again(CodeProblem::Missing));
        }
        let of = [b"match code".as_slice(), &attempt.name()].concat();
        let until = attempt.created + self.flow.attempt_lifetime();
        // Taken before the comparison: of a thousand guesses at once, five are compared.
        let taken = self.take_try(&of, MOST_TRIES, until).await;
        let taken = taken.map_err(|rejection| Box::new(self.answer(rejection, None)))?;
        if !attempt.match_code.is(typed) {
            return Err(ask_again(CodeProblem::Wrong));
        }
        taken.give_back().await;
        Ok(())
    }

    async fn take_click(
        &self,
        attempt: &Attempt,
        answer: Option<&str>,
    ) -> Result<(), Box<Response<Bytes>>> {
        let declined = || {
            let rejection = Rejection::new(RejectionKind::LinkDeclined);
            Box::new(self.answer(rejection, None))
        };
        let of = [b"declined".as_slice(), &attempt.name()].concat();
        let until = attempt.created + self.flow.attempt_lifetime();
        // "No" takes all for good; "yes" one, which it gives back. A "yes" that could not give it back turns nothing down.
        let taken = match self.take_try(&of, MOST_CLICKS, until).await {
            Ok(taken) => taken,
            Err(rejection) if rejection.kind() == RejectionKind::TooManyTries => {
                return Err(declined());
            }
            Err(rejection) => return Err(Box::new(self.answer(rejection, None))),
        };
        match answer {
            None => {
                taken.give_back().await;
                Ok(())
            }
            Some(_) => {
                for _ in 1..MOST_CLICKS {
                    // Another "no" may have been faster.
                    let _ = self.take_try(&of, MOST_CLICKS, until).await;
                }
                let email = &attempt.email;
                self.flow
                    .shared
                    .listener
                    .tell(&Event::LinkDeclined { email });
                Err(declined())
            }
        }
    }

    /// Says that a cookie of ours did not come back, and what the request hears of it.
    pub(super) fn cookie_lost(&self, jar: Jar) -> Rejection {
        let gate = &self.flow.shared.gate;
        let name = gate.cookies.name(jar);
        let rejection = lost_cookie::rejection(&self.head(), &gate.public_url, name);
        let likely = rejection.kind();
        self.flow
            .shared
            .listener
            .tell(&Event::CookieLost { name, likely });
        rejection
    }

    fn has_pass(&self, attempt: &Attempt) -> bool {
        let gate = &self.flow.shared.gate;
        let head = self.head();
        let (Some(pass), Some(browser)) = (
            head.cookie(gate.cookies.name(Jar::Pass)).one(),
            gate.browser_cookie(&head, self.now),
        ) else {
            return false;
        };
        let plain = gate.tokens.keys().open(Purpose::Pass, pass, self.now);
        plain.is_some_and(|plain| plain == pass_of(attempt, browser))
    }

    fn leave(&self, attempt: &Attempt, browser: &str) -> Leave {
        let gate = &self.flow.shared.gate;
        let plain = pass_of(attempt, browser);
        let keys = gate.tokens.keys();
        let sealed = keys.seal(Purpose::Pass, &plain, crate::random::bytes());
        let lifetime = self.flow.attempt_lifetime();
        Leave(gate.cookies.set(Jar::Pass, &sealed, lifetime))
    }

    /// Returns the path and query of this request, as the browser sees them: where the page's form posts to.
    fn here(&self) -> String {
        let path = self.path(self.endpoint);
        match self.parts.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        }
    }
}

/// The leave of a browser to finish one sign-in.
pub(super) struct Leave(HeaderValue);

impl Leave {
    /// Keeps it in the browser, for a finish that is another request's.
    pub(super) fn keep(self, response: &mut Response<Bytes>) {
        response.headers_mut().append(header::SET_COOKIE, self.0);
    }
}

fn pass_of(attempt: &Attempt, browser: &str) -> Vec<u8> {
    [attempt.name().as_slice(), &seal::fingerprint(browser)].concat()
}
