//! The ways to pay what is for everybody: from the share of anybody, of known browsers, or of quiet
//! networks.

use std::net::IpAddr;

use super::{
    ask::key_of,
    charges::{Charges, Share},
    quiet::Quiet,
    shares::Shares,
    way::{AfterFailure, Item, Way},
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
    let known = known?;
    let share = Shares::of(limits.mails).known?;
    Some(MAIL.by_known(flow, known, limits.known_browsers, share))
}

impl Everybody {
    /// Returns the ways to pay for an action that costs this besides.
    pub(super) fn ways(
        &self,
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
        let anybody = Share::Anybody(Item::of_all(flow, self.anybody, shares.anybody));
        let known = known.zip(shares.known);
        let known = known.map(|(known, share)| {
            let items = self.by_known(flow, known, limits.known_browsers, share);
            Share::Known(items)
        });
        let quiet = shares.quiet.map(|share| {
            Share::Quiet(Quiet {
                one: self.quiet_one,
                all: self.quiet,
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
            Item::of_all(flow, self.known, share),
        ])
    }
}
