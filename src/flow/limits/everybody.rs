//! The ways to pay what is for everybody: from the share of anybody, of known browsers, or of quiet
//! networks.

use std::net::IpAddr;

use super::{
    ask::key_of,
    charges::{AfterFailure, Charges, Item, Share, Way},
    networks::Network,
    shares::Shares,
};
use crate::{
    event::LimitScope,
    flow::{Flow, known::KnownBrowser},
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

/// The way of quiet networks, before the keys of its counts are made.
pub(super) struct Quiet {
    of: &'static Everybody,
    client: Option<IpAddr>,
    /// What one customer's network may do as a quiet one.
    rate: Rate,
    share: Rate,
}

pub(super) static CODE: Everybody = Everybody {
    anybody: "throttle: code, everybody",
    known: "throttle: code, known browsers",
    known_one: "throttle: code, known browser",
    quiet: "throttle: code, quiet networks",
    quiet_one: "throttle: code, quiet network",
};
pub(super) static EXCHANGE: Everybody = Everybody {
    anybody: "throttle: exchange, everybody",
    known: "throttle: exchange, known browsers",
    known_one: "throttle: exchange, known browser",
    quiet: "throttle: exchange, quiet networks",
    quiet_one: "throttle: exchange, quiet network",
};
pub(super) static MAIL: Everybody = Everybody {
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
    flow: &Flow,
    limits: &Limits,
    known: Option<&KnownBrowser>,
) -> Option<Box<[Item; 3]>> {
    let share = Shares::of(limits.mails).known?;
    Some(MAIL.by_known(flow, known?, limits.known_browsers, share))
}

impl Everybody {
    /// Returns the ways to pay for an action that costs this besides.
    pub(super) fn ways(
        &'static self,
        flow: &Flow,
        client: Option<IpAddr>,
        besides: Way,
        all: Rate,
        known: Option<&KnownBrowser>,
    ) -> Charges {
        let Some(limits) = &flow.throttling.limits else {
            return Charges::default();
        };
        let shares = Shares::of(all);
        let anybody = Share::Anybody(of_all(flow, self.anybody, shares.anybody));
        let known = known.zip(shares.known);
        let known = known.map(|(known, share)| {
            let items = self.by_known(flow, known, limits.known_browsers, share);
            Share::Known(items)
        });
        let quiet = shares.quiet.map(|share| {
            Share::Quiet(Quiet {
                of: self,
                client,
                rate: limits.quiet_networks,
                share,
            })
        });
        Charges::shared(besides, [Some(anybody), known, quiet])
    }

    fn by_known(
        &self,
        flow: &Flow,
        known: &KnownBrowser,
        rate: Rate,
        share: Rate,
    ) -> Box<[Item; 3]> {
        let browser = key_of(flow, self.known_one, &known.id);
        // A person's browsers together, since each sign-in can make another one.
        let person = key_of(flow, self.known_one, &known.person());
        let twice = rate.with_burst(rate.burst().saturating_mul(2));
        Box::new([
            Item::new(LimitScope::Browser, browser, rate, AfterFailure::GivenBack),
            Item::new(LimitScope::Browser, person, twice, AfterFailure::GivenBack),
            of_all(flow, self.known, share),
        ])
    }
}

impl Quiet {
    /// Charges the client's networks as quiet ones, and their share. Unknown clients have no
    /// network to be charged: where they are, all are.
    pub(super) fn charge_to(self, flow: &Flow, way: &mut Way) {
        let networks = self.client.into_iter().flat_map(Network::of);
        way.extend(networks.map(|network| {
            let key = key_of(flow, self.of.quiet_one, network.name());
            let rate = network.rate(self.rate);
            Item::new(LimitScope::Network, key, rate, AfterFailure::GivenBack)
        }));
        way.push(of_all(flow, self.of.quiet, self.share));
    }
}

fn of_all(flow: &Flow, label: &'static str, rate: Rate) -> Item {
    let key = key_of(flow, label, b"");
    Item::new(LimitScope::Everybody, key, rate, AfterFailure::Kept)
}
