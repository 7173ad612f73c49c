//! `TwoProviders`: a provider made of two, for a while or for good.
//!
//! - A sign-in begins at the primary. It begins at the fallback if the application says so of the
//!   address, or if the primary is away.
//! - Nothing is stored, and a code does not say who made it. So it is offered to one of the two,
//!   and to the other only if the first one does not know it or is away. The answer of the one that
//!   made it counts, whatever that answer is.
//! - What a person chooses goes to the one that asked: its token is marked. The other one is tried
//!   after it, because the two may have changed places since, or one was alone and made no mark.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::future;

use self::verdict::{
    begun_at_neither, is_decisive, is_decisive_error, is_outage, is_silent, knows_no_proof,
    log_away, log_back, outage_of_two, weight,
};
use super::{
    Abilities, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, OrganizationChoice,
    PendingToken, ProviderError, ProviderErrorKind, Start, StartCode, Started, StartedCode,
};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    email::Email,
};

mod verdict;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Fallback,
    Primary,
}

impl Which {
    const fn other(self) -> Self {
        match self {
            Self::Fallback => Self::Primary,
            Self::Primary => Self::Fallback,
        }
    }

    /// Returns what stands before a pending token of its.
    const fn mark(self) -> &'static str {
        match self {
            Self::Fallback => "f.",
            Self::Primary => "p.",
        }
    }
}

/// A provider made of two: a primary, and a fallback for the addresses that the application names
/// and for when the primary is away.
///
/// It is for an application that moves from one provider to another, and for one that must not
/// depend on a single one. [`guide::moving_off_workos`](crate::guide::moving_off_workos) goes
/// through a move.
///
/// A sign-in begins at the fallback if [`fallback_for`](Self::fallback_for) says so, or if the
/// primary's answer is [`TimedOut`](ProviderErrorKind::TimedOut) or
/// [`Unavailable`](ProviderErrorKind::Unavailable), with no 4xx status other than 408. Any other
/// answer of the primary's stands: a person whom it refuses, or asks for another step, does not get
/// in by the fallback. While the primary is away they do, and then the fallback's answer stands,
/// unless it is away too. If single sign-on at the primary must hold then, too, refuse the
/// identities of these people by the fallback ([`Builder::authorize`](crate::Builder::authorize)).
///
/// Where the fallback answers, no [`Event`](crate::event::Event) has the primary's failure. The log
/// has a line at `WARN` when the primary no longer answers, and one at `INFO` when it answers
/// again. While only some of its calls fail, there may be many such pairs.
///
/// A code or link goes to the primary first, and to the fallback if the primary does not know it or
/// is away. It goes the other way round for the addresses that are named, and after an outage until
/// the primary answers again. Either is shown codes of the other's, so trust both.
///
/// The six digits of a mail are compared at both, and [`MailedLinks`](super::MailedLinks) has
/// digits for every sign-in, also if another one mailed the code. So each guess that
/// [`Limits`](crate::throttle::Limits) lets through has up to twice the chance. It counts if either
/// has compared it. While one cannot be reached, a code that the other one does not know is called
/// wrong, and a new mail helps.
///
/// Each has subjects of its own. [`Identity::proven_by`] says which one proved an identity. Give a
/// person one account by the address, or by a [`Grant`](crate::Grant).
///
/// ```
/// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
/// use tower_magic_link::provider::TwoProviders;
///
/// # let (workos, own) = (StubProvider::new(), StubProvider::new());
/// # let keys = KeyRing::new(SigningKey::generate()?);
/// let both = TwoProviders::new(workos, own)
///     .named("workos", "own")
///     // The move begins with ourselves.
///     .fallback_for(|email| email.domain() == "example.com");
/// let layer = MagicLinkLayer::builder(both, keys).public_url("https://app.example.com").build()?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
pub struct TwoProviders<P, F> {
    primary: P,
    fallback: F,
    names: [String; 2],
    is_for_fallback: Box<dyn Fn(&Email) -> bool + Send + Sync>,
    /// Whether the primary's last answer was an outage. A hint for the order and the log alone.
    is_away: AtomicBool,
}

impl<P: IdentityProvider, F: IdentityProvider> TwoProviders<P, F> {
    /// Makes a provider of two.
    #[must_use]
    pub fn new(primary: P, fallback: F) -> Self {
        Self {
            primary,
            fallback,
            names: ["primary".to_owned(), "fallback".to_owned()],
            is_for_fallback: Box::new(|_| false),
            is_away: AtomicBool::new(false),
        }
    }

    /// Sets the names that [`Identity::proven_by`] has. Default: `primary` and `fallback`.
    #[must_use]
    pub fn named(mut self, primary: impl Into<String>, fallback: impl Into<String>) -> Self {
        self.names = [primary.into(), fallback.into()];
        self
    }

    /// Sets the addresses whose sign-ins begin at the fallback, also while the primary is there. No
    /// sign-in of theirs begins at the primary. Default: none.
    ///
    /// The answer may change at any time: a sign-in that has begun ends where it began. So the
    /// links and codes of these addresses go to the fallback first, and to the primary only if the
    /// fallback does not know them or is away.
    #[must_use]
    pub fn fallback_for(
        mut self,
        is_for_fallback: impl Fn(&Email) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_for_fallback = Box::new(is_for_fallback);
        self
    }

    /// Begins a sign-in at the one that it is for.
    async fn begin<T>(
        &self,
        email: &Email,
        primary: impl Future<Output = Result<T, ProviderError>>,
        fallback: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        if (self.is_for_fallback)(email) {
            return fallback.await;
        }
        match self.heard(primary.await) {
            Err(error) if is_outage(&error) => fallback
                .await
                .map_err(|other| begun_at_neither(error, other)),
            begun => begun,
        }
    }

    /// Offers a proof to the one that probably made it, and then to the other.
    async fn redeem(
        &self,
        first: Which,
        primary: impl Future<Output = Result<Identity, ProviderError>>,
        fallback: impl Future<Output = Result<Identity, ProviderError>>,
    ) -> Result<Identity, ProviderError> {
        let primary = async { self.heard(primary.await) };
        let (answer, second) = match first {
            Which::Primary => {
                let answer = primary.await;
                if is_decisive(&answer) {
                    return self.of(first, answer);
                }
                (answer, fallback.await)
            }
            Which::Fallback => {
                let answer = fallback.await;
                if is_decisive(&answer) {
                    return self.of(first, answer);
                }
                (answer, primary.await)
            }
        };
        self.last(first, answer, second)
    }

    /// Returns the answer of two that counts, if the first one may not be the provider's that made
    /// the proof.
    fn last(
        &self,
        first: Which,
        answer: Result<Identity, ProviderError>,
        second: Result<Identity, ProviderError>,
    ) -> Result<Identity, ProviderError> {
        let has_compared = [&answer, &second].map(|answer| {
            let error = answer.as_ref().err();
            error.is_some_and(ProviderError::has_compared)
        });
        let merged = match (answer, second) {
            // A code that either may have used up is not offered again.
            (Err(one), Err(other)) if is_silent(&one) && is_silent(&other) => {
                Err(outage_of_two(one, other))
            }
            // One that rejects our key, or that another request keeps busy, says nothing of what
            // the first one did.
            (Err(one), Err(other)) if one.may_have_acted() && knows_no_proof(&other) => Err(one),
            // Neither took it. The one that knows more of it has the word.
            (Err(one), Err(other)) if !is_decisive_error(&other) => {
                Err(match weight(&other) > weight(&one) {
                    true => other,
                    false => one,
                })
            }
            (_, second) => self.of(first.other(), second),
        };
        // A guess that one of them has compared counts, although the other's answer says nothing
        // of it. Otherwise there would be guesses without end while one of them is away.
        merged.map_err(|error| match has_compared.contains(&true) {
            true => error.after_comparing(),
            false => error,
        })
    }

    /// Returns the one that probably made a proof of an address.
    fn first(&self, email: &Email) -> Which {
        match self.is_away.load(Ordering::Relaxed) || (self.is_for_fallback)(email) {
            true => Which::Fallback,
            false => Which::Primary,
        }
    }

    /// Notes whether the primary is away, and logs it if that is new.
    fn heard<T>(&self, answer: Result<T, ProviderError>) -> Result<T, ProviderError> {
        let outage = answer.as_ref().err().filter(|error| is_outage(error));
        let was_away = self.is_away.swap(outage.is_some(), Ordering::Relaxed);
        let [primary, _] = &self.names;
        match outage {
            Some(error) if !was_away => log_away(primary, error),
            None if was_away => log_back(primary),
            _ => {}
        }
        answer
    }

    /// Returns an answer as that of one of the two.
    fn of(
        &self,
        which: Which,
        answer: Result<Identity, ProviderError>,
    ) -> Result<Identity, ProviderError> {
        let [primary, fallback] = &self.names;
        let name = match which {
            Which::Fallback => fallback,
            Which::Primary => primary,
        };
        match answer {
            Ok(identity) => Ok(identity.with_proven_by(name)),
            Err(error) => {
                let choice = error.choice().map(|choice| {
                    let token = format!("{}{}", which.mark(), choice.pending().expose());
                    let organizations = choice.organizations().iter().cloned();
                    OrganizationChoice::new(PendingToken::new(token), organizations)
                });
                Err(error.with_choice(choice))
            }
        }
    }
}

impl<P: IdentityProvider, F: IdentityProvider> IdentityProvider for TwoProviders<P, F> {
    /// What both can do.
    fn abilities(&self) -> Abilities {
        let (one, other) = (self.primary.abilities(), self.fallback.abilities());
        one.shared_with(&other)
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        let (primary, fallback) = (self.primary.start(start), self.fallback.start(start));
        self.begin(start.email, primary, fallback).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let (primary, fallback) = (self.primary.finish(finish), self.fallback.finish(finish));
        self.redeem(self.first(finish.email), primary, fallback)
            .await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let primary = self.primary.start_code(start);
        let fallback = self.fallback.start_code(start);
        self.begin(start.email, primary, fallback).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let primary = self.primary.finish_code(finish);
        let fallback = self.fallback.finish_code(finish);
        self.redeem(self.first(finish.email), primary, fallback)
            .await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        let marked = finish.pending.expose();
        let of = |which: Which| Some((which, marked.strip_prefix(which.mark())?));
        let of = of(Which::Primary).or_else(|| of(Which::Fallback));
        let (first, token) = of.unwrap_or((Which::Primary, marked));
        let token = PendingToken::new(token);
        let finish = FinishChoice {
            pending: &token,
            ..*finish
        };
        let choose = async |which| match which {
            Which::Fallback => self.fallback.finish_choice(&finish).await,
            Which::Primary => self.heard(self.primary.finish_choice(&finish).await),
        };
        let answer = choose(first).await;
        let unknown = [ProviderErrorKind::Refused, ProviderErrorKind::Unsupported];
        match &answer {
            Err(error) if unknown.contains(&error.kind()) => {
                let second = choose(first.other()).await;
                self.last(first, answer, second)
            }
            _ => self.of(first, answer),
        }
    }

    async fn check(&self, now: Timestamp) -> Vec<Line> {
        let [primary, fallback] = &self.names;
        let lines = future::join(self.primary.check(now), self.fallback.check(now)).await;
        [check::of(primary, lines.0), check::of(fallback, lines.1)].concat()
    }
}

impl<P: fmt::Debug, F: fmt::Debug> fmt::Debug for TwoProviders<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoProviders")
            .field("primary", &self.primary)
            .field("fallback", &self.fallback)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
