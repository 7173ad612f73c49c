//! The choice of one of several organizations: what carries it, and the page that asks.
//!
//! - Nothing is stored: the provider's pending token travels sealed in the page's form, with what
//!   it is bound to. That is the attempt, the browser that brought the proof, and ten minutes.
//! - A program gets a problem with what it needs to choose.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    CODE_LIFETIME,
    attempt::{Attempt, LEEWAY},
    browser,
    exchange::Offer,
    refusal, sealed,
    step::Step,
};
use crate::{
    answer::{Choices, Choosable},
    clock::{Skew, Timestamp},
    email::is_invisible,
    event::Event,
    language::{Text, Words, isolated},
    page::{ChoosePage, OfferedOrganization, Page, TroublePage},
    rejection::{Rejection, RejectionKind},
    session::{Session, cookie::CookieName, seal::Purpose},
    site::endpoint::Endpoint,
};

/// The most organizations that a page offers.
const MOST: usize = 100;
/// The most characters of an organization's name.
const LONGEST_NAME: usize = 100;
/// The most bytes that are sealed: in base64, and with the form's other fields, under 16 KiB.
const LONGEST: usize = 11_000;

/// What the page's form carries, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Choice {
    /// The name of the attempt.
    pub(super) attempt: [u8; 24],
    /// The fingerprint of the browser that brought the proof.
    pub(super) browser: [u8; 16],
    /// When the proof was given, by the wall clock: another replica may take the choice, and the
    /// session begins then.
    at: u64,
    /// By how many seconds this replica's steady time was ahead of that.
    skew: u64,
    /// The mark of this replica's time.
    #[serde(default)]
    by: u32,
    pub(super) pending: String,
    /// The ids and names.
    pub(super) organizations: Vec<(String, String)>,
}

/// Asks the person, or the program, which organization it is.
pub(super) fn ask(step: &Step, attempt: &Attempt, offer: &Offer) -> Response<Bytes> {
    let Some(browser) = browser::cookie_to_name(step) else {
        let rejection = browser::cookie_lost(step, CookieName::Browser);
        return refusal::answer(step, rejection, None);
    };
    let reading = step.flow.shared.clock.at(offer.at);
    let (at, skew) = reading.dated(Timestamp::from_secs(0));
    let organizations = offer.choice.organizations().iter().take(MOST);
    let mut choice = Choice {
        attempt: attempt.name(),
        browser: browser.fingerprint(),
        at: at.as_secs(),
        skew: skew.ahead().as_secs(),
        by: skew.by(),
        pending: offer.choice.pending().expose().to_owned(),
        organizations: organizations
            .map(|organization| {
                let name = organization.name().chars().take(LONGEST_NAME);
                (organization.id().to_owned(), name.collect())
            })
            .collect(),
    };
    let Some(sealed) = choice.seal(step) else {
        return refusal::refuse(step, RejectionKind::ProviderFailed);
    };
    // The page's address is that of the check page, wherever the proof came from.
    let (bare, nonce) = (attempt.with_link(""), crate::random::bytes());
    let (sealed_attempt, _) = sealed::seal_or_shorten(&step.flow, &bare, Purpose::Check, nonce);
    if sealed_attempt.is_empty() {
        // Its key has left the ring: whatever was chosen would find no sign-in.
        return refusal::refuse(step, RejectionKind::AttemptExpired);
    }
    let action = step.path_to(Endpoint::Choose, &sealed_attempt);
    if step.head().wants_page() {
        return choice.page(step, attempt, (&action, &sealed), None);
    }
    let rejection = Rejection::new(RejectionKind::OrganizationRequired);
    tell(step, attempt, &rejection);
    let organizations = choice.organizations.iter();
    let choices = Choices {
        choose_url: step.flow.shared.gate.absolute(&action),
        choice: &sealed,
        organizations: organizations
            .map(|(id, name)| Choosable { id, name })
            .collect(),
    };
    rejection.respond_with_choices(&step.flow.shared, &step.head(), choices)
}

impl Choice {
    /// Leaves an organization out, and returns what its button said.
    pub(super) fn leave_out(&mut self, id: &str) -> Option<String> {
        let at = self
            .organizations
            .iter()
            .position(|(other, _)| other == id)?;
        // Before it is gone: the label tells it from another of the same name.
        let label = self.organizations.get(at).map(|of| self.label(of));
        self.organizations.remove(at);
        label
    }

    /// Says whether an organization is left to choose.
    pub(super) fn has_any(&self) -> bool {
        !self.organizations.is_empty()
    }

    /// Seals the choice, without the last organizations if they do not fit. `None` if not even one
    /// does.
    pub(super) fn seal(&mut self, step: &Step) -> Option<String> {
        let keys = step.flow.shared.gate.tokens.keys();
        loop {
            let plain = serde_json::to_vec(self).ok()?;
            if plain.len() <= LONGEST {
                return Some(keys.seal(Purpose::Choice, &plain, crate::random::bytes()));
            }
            self.organizations.pop();
            if self.organizations.is_empty() {
                return None;
            }
        }
    }

    pub(super) fn open(step: &Step, sealed: &str) -> Option<Self> {
        let keys = step.flow.shared.gate.tokens.keys();
        let plain = keys.open(Purpose::Choice, sealed, step.reading())?;
        serde_json::from_slice(&plain).ok()
    }

    /// Returns when the proof was given, by this replica's steady time.
    pub(super) fn at(&self, step: &Step) -> Timestamp {
        let at = Timestamp::from_secs(self.at);
        let skew = Skew::new(Duration::from_secs(self.skew), self.by);
        at + step.reading().counted(at, skew)
    }

    pub(super) fn ends(&self, step: &Step) -> Timestamp {
        // WorkOS documents no lifetime of its pending tokens. Its codes have ten minutes.
        self.at(step) + CODE_LIFETIME
    }

    /// Says whether a session of the attempt's address may be the one that the choice has yielded.
    /// A session from before the proof is not.
    pub(super) fn may_have_begun(&self, session: &Session) -> bool {
        let mut offered = self.organizations.iter();
        session.auth_time() >= Timestamp::from_secs(self.at)
            && offered.any(|(id, _)| session.provider_organization() == Some(id))
    }

    /// Returns why the choice can no longer be made, or not here: by a clock that is behind the one
    /// of the replica that took the proof, the session would begin in the future.
    pub(super) fn over(&self, step: &Step) -> Option<RejectionKind> {
        if self.at(step) > step.now + LEEWAY {
            return Some(RejectionKind::ClockWrong);
        }
        (self.ends(step) <= step.now).then_some(RejectionKind::ChoiceExpired)
    }

    /// Draws the page, with why the last choice did not work.
    pub(super) fn page(
        &self,
        step: &Step,
        attempt: &Attempt,
        (action, sealed): (&str, &str),
        problem: Option<Rejection>,
    ) -> Response<Bytes> {
        let labels: Vec<_> = self.organizations.iter().map(|of| self.label(of)).collect();
        let offered = self.organizations.iter().zip(&labels);
        let offered = offered.map(|((id, _), label)| OfferedOrganization::new(id, label));
        let words = step.words();
        let told = problem.as_ref().map(|problem| told(problem, words));
        let page = ChoosePage::new(action, sealed, attempt.email.as_str(), offered)
            .with_problem(told.as_deref());
        let page = Page::Choose(page).with_words(words);
        match problem {
            None => step.flow.shared.page(StatusCode::OK, &page),
            Some(rejection) => {
                tell(step, attempt, &rejection);
                rejection.respond_with_page(&step.flow.shared, &page)
            }
        }
    }

    /// Returns what a button says: the name, and the id if it could be taken for another's.
    ///
    /// Anybody may name an organization. A name that differs from another by what nobody sees, or
    /// that ends as if it had its id behind it, must not look like that other one.
    fn label(&self, (id, name): &(String, String)) -> String {
        let seen = visible(name);
        let others = self.organizations.iter();
        let same = others.filter(|(_, other)| visible(other) == seen);
        if seen.is_empty() {
            id.clone()
        } else if name != id && (same.count() > 1 || seen.ends_with(')')) {
            format!("{seen} ({id})")
        } else {
            seen
        }
    }
}

/// Returns a name without the characters that nobody sees.
fn visible(name: &str) -> String {
    let seen: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    seen.trim().to_owned()
}

/// Says what happened, and what to do now.
fn told(problem: &Rejection, words: &Words) -> String {
    let happened = problem.happened(words);
    // The application's own sentence may have another direction.
    let happened = happened.map(|happened| match problem.reason() {
        Some(_) => isolated(&happened),
        None => happened,
    });
    let page = TroublePage::new(problem.kind())
        .with_happened(happened.as_deref())
        .with_advice(problem.advice(words))
        .with_retry_after(problem.retry_after())
        .with_words(words);
    let (happened, advice) = (page.happened(), page.advice());
    words.fill_own(
        Text::ChooseProblem,
        &[("happened", happened), ("advice", &advice)],
    )
}

fn tell(step: &Step, attempt: &Attempt, rejection: &Rejection) {
    let kind = rejection.kind();
    step.tell_of(attempt, &Event::Refused { kind });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins: in a page of another direction, the full stop of the application's sentence stood on
    /// its wrong side.
    #[test]
    fn a_reason_of_the_applications_keeps_its_own_direction() {
        for words in Words::all() {
            let refused = Rejection::new(RejectionKind::OrganizationNotAllowed);
            let own = told(
                &refused.clone().with_reason("It has left.".to_owned()),
                &words,
            );
            assert!(own.contains("\u{2068}It has left.\u{2069}"), "{own}");
            let ours = told(&refused, &words);
            assert!(!ours.contains('\u{2068}'), "{ours}");
        }
    }

    /// Pins: two buttons that looked the same.
    #[test]
    fn no_button_looks_like_another_one() {
        let labels = |names: &[(&str, &str)]| {
            let owned = |(id, name): &(&str, &str)| ((*id).to_owned(), (*name).to_owned());
            let choice = Choice {
                attempt: [0; 24],
                browser: [0; 16],
                at: 0,
                skew: 0,
                by: 0,
                pending: String::new(),
                organizations: names.iter().map(owned).collect(),
            };
            let labels = choice.organizations.iter().map(|of| choice.label(of));
            labels.collect::<Vec<_>>()
        };
        assert_eq!(
            labels(&[("a", "Acme"), ("b", "Globex")]),
            ["Acme", "Globex"]
        );
        let same = ["Acme (a)", "Acme (b)"];
        assert_eq!(labels(&[("a", "Acme"), ("b", "Acme")]), same);
        assert_eq!(
            labels(&[("a", "Acme"), ("b", "Ac\u{200b}me\u{2060}")]),
            same
        );
        assert_eq!(labels(&[("a", "\u{200b}"), ("b", "b")]), ["a", "b"]);
        let feigned = ["Acme (a) (b)", "Acme"];
        assert_eq!(labels(&[("b", "Acme (a)"), ("a", "Acme")]), feigned);
    }
}
