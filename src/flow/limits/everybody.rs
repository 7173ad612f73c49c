//! The ways to pay what is for everybody: from the share of anybody, of known browsers, or of quiet
//! networks.

use super::{
    ask::key,
    charges::{AfterFailure, Item, Way},
    networks::Network,
    shares::Shares,
};
use crate::{
    event::LimitScope,
    flow::{known::KnownBrowser, step::Step},
    throttle::{Limits, Rate},
};

/// One action that everybody has together, by the names of its counts.
pub(super) struct Everybody {
    anybody: &'static str,
    known: &'static str,
    /// A known browser, and a person with all their known browsers.
    known_one: &'static str,
    quiet: &'static str,
    /// A quiet network.
    quiet_one: &'static str,
}

pub(super) const CODE: Everybody = Everybody {
    anybody: "throttle: code, everybody",
    known: "throttle: code, known browsers",
    known_one: "throttle: code, known browser",
    quiet: "throttle: code, quiet networks",
    quiet_one: "throttle: code, quiet network",
};
pub(super) const EXCHANGE: Everybody = Everybody {
    anybody: "throttle: exchange, everybody",
    known: "throttle: exchange, known browsers",
    known_one: "throttle: exchange, known browser",
    quiet: "throttle: exchange, quiet networks",
    quiet_one: "throttle: exchange, quiet network",
};
pub(super) const MAIL: Everybody = Everybody {
    anybody: "throttle: mail, everybody",
    known: "throttle: mail, known browsers",
    known_one: "throttle: mail, known browser",
    quiet: "throttle: mail, quiet networks",
    quiet_one: "throttle: mail, quiet network",
};

/// Returns the way of a known browser that asks for mail to its own person.
///
/// It is charged to no network and to no count that strangers can fill, so that none of them can
/// keep the person out. Its own limits are narrow: a stolen cookie mails its person alone.
pub(super) fn known_mail(
    step: &Step,
    limits: &Limits,
    known: Option<&KnownBrowser>,
) -> Option<Way> {
    let share = Shares::of(limits.mails).known?;
    Some(MAIL.by_known(step, known?, limits.known_browsers, share))
}

impl Everybody {
    /// Returns the ways to pay for an action that costs this besides.
    pub(super) fn ways(
        &self,
        step: &Step,
        besides: &Way,
        all: Rate,
        known: Option<&KnownBrowser>,
    ) -> Vec<Way> {
        let Some(limits) = &step.flow.throttling.limits else {
            return Vec::new();
        };
        let shares = Shares::of(all);
        let anybody = vec![of_all(step, self.anybody, shares.anybody)];
        let known = known.zip(shares.known);
        let known =
            known.map(|(known, share)| self.by_known(step, known, limits.known_browsers, share));
        let quiet = shares.quiet.map(|share| {
            let mut way = self.as_quiet(step, limits.quiet_networks);
            way.push(of_all(step, self.quiet, share));
            way
        });
        let ways = [Some(anybody), known, quiet].into_iter().flatten();
        ways.map(|way| [besides.as_slice(), &way].concat())
            .collect()
    }

    fn by_known(&self, step: &Step, known: &KnownBrowser, rate: Rate, share: Rate) -> Way {
        let browser = key(step, self.known_one, &known.id);
        // A person's browsers together, since each sign-in can make another one.
        let person = key(step, self.known_one, &known.person());
        let twice = rate.with_burst(rate.burst().saturating_mul(2));
        vec![
            Item::new(LimitScope::Browser, browser, rate, AfterFailure::GivenBack),
            Item::new(LimitScope::Browser, person, twice, AfterFailure::GivenBack),
            of_all(step, self.known, share),
        ]
    }

    /// Charges the client's networks as quiet ones. Unknown clients have no network to be charged:
    /// where they are, all are.
    fn as_quiet(&self, step: &Step, rate: Rate) -> Way {
        let networks = step.client().into_iter().flat_map(Network::of);
        let charged = networks.map(|network| {
            let key = key(step, self.quiet_one, network.name());
            let rate = network.rate(rate);
            Item::new(LimitScope::Network, key, rate, AfterFailure::GivenBack)
        });
        charged.collect()
    }
}

fn of_all(step: &Step, label: &'static str, rate: Rate) -> Item {
    let key = key(step, label, b"");
    Item::new(LimitScope::Everybody, key, rate, AfterFailure::Kept)
}
