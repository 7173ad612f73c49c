//! How many guesses at an address's digits are compared, from however many networks. The docs of
//! `Limits` state the chance that follows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    Builder, RejectionKind, SignIn,
    provider::{
        Abilities, Finish, FinishCode, Identity, IdentityProvider, MailedLinks, ProviderError,
        ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    throttle::{Limits, Rate},
};

use super::{Replica, Site, action, ask, digits::other_than, is_in, is_told, open};
use crate::codes::guesses::type_from;

const OWNER: &str = "198.51.100.1";

/// The layer's own mail, with a count of the digits that it compares.
#[derive(Clone, Default)]
struct Counted {
    own: MailedLinks,
    compared: Arc<AtomicUsize>,
}

impl Counted {
    fn compared(&self) -> usize {
        self.compared.load(Ordering::SeqCst)
    }
}

impl IdentityProvider for Counted {
    fn abilities(&self) -> Abilities {
        self.own.abilities()
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.own.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.own.finish(finish).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.own.start_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let finished = self.own.finish_code(finish).await;
        // Any other answer depends on whether the digits are right.
        let is_compared = finished.as_ref().map_or_else(
            |error| error.kind() != ProviderErrorKind::TooManyTries,
            |_| true,
        );
        self.compared
            .fetch_add(usize::from(is_compared), Ordering::SeqCst);
        finished
    }
}

/// Mails without end, so that the guesses alone are limited: the most that a guesser can have.
fn mails_without_end(builder: Builder) -> Builder {
    let endless = Rate::new(1_000_000, Duration::from_millis(1));
    let limits = Limits::default()
        .mails_per_address(endless)
        .mails_per_address_and_network(endless)
        .mails(endless)
        .codes(endless);
    builder.limits(limits)
}

/// Begins two sign-ins of one address from each of some networks, guesses five times at each mail,
/// and pauses. Returns how many guesses were made.
async fn guess_from(networks: usize, site: &Site, replica: &Replica, pause: Duration) -> usize {
    let mut made = 0;
    for network in 0..networks {
        let peer = format!("10.{}.{}.1", network / 250, network % 250);
        for _ in 0..2 {
            let mut guesser = replica.browser();
            let action = action(&ask(&mut guesser).await);
            let digits = site.post.code();
            for _ in 0..5 {
                let answer = type_from(&mut guesser, &action, other_than(&digits), &peer).await;
                assert!(matches!(answer.status().as_u16(), 422 | 429));
                made += 1;
            }
            site.clock.advance(pause);
        }
    }
    made
}

#[tokio::test]
async fn of_ten_thousand_guesses_at_digits_at_once_50_are_compared_and_the_link_still_works() {
    let (site, provider) = (Site::new(), Counted::default());
    let replica = site.by(provider.clone(), SignIn::LinkAndCode, mails_without_end);
    let mut owner = replica.browser();
    let check = ask(&mut owner).await;
    let (link, digits) = (site.post.link(), site.post.code());
    let made = guess_from(1_000, &site, &replica, Duration::ZERO).await;
    assert_eq!((made, provider.compared()), (10_000, 50));
    let told = type_from(&mut owner, &action(&check), &digits, OWNER).await;
    assert_eq!(told.header("retry-after"), "1800");
    is_told(&told, RejectionKind::RateLimited);
    is_in(&open(&mut owner, &link).await);
    assert_eq!(provider.compared(), 50);
}

#[tokio::test]
async fn ten_thousand_guesses_a_day_at_digits_have_the_chance_that_the_docs_state() {
    let (site, provider) = (Site::new(), Counted::default());
    let replica = site.by(provider.clone(), SignIn::Code, mails_without_end);
    let docs = include_str!("../../../src/throttle/limits.rs");
    let docs: Vec<_> = docs
        .split_whitespace()
        .filter(|word| *word != "///")
        .collect();
    let docs = docs.join(" ");
    // The pauses are 400 seconds short of a day, and the bound is of any 24 hours.
    let days = [
        (98, "the first day", 1_000, 43),
        (48, "each later day", 100, 430),
    ];
    for (most, day, networks, pause) in days {
        let before = provider.compared();
        let pause = Duration::from_secs(pause);
        let made = guess_from(networks, &site, &replica, pause).await;
        assert_eq!(made, networks * 10);
        let compared = provider.compared() - before;
        assert!((most - 2..=most).contains(&compared), "{day}: {compared}");
        let one_in = 1_000_000 / most;
        let stated = format!("1 in {},{:03} in {day}", one_in / 1_000, one_in % 1_000);
        assert!(docs.contains(&stated), "{stated}");
    }
    assert_eq!(site.heard("SignedIn {"), 0);
}
