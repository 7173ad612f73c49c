//! `Rate` and `Limits`: how often each step of a sign-in may happen.

use std::{ops::RangeInclusive, time::Duration};

use crate::error::ConfigError;

/// The bursts that the layer accepts.
const BURSTS: RangeInclusive<u32> = 1..=1_000_000;
/// The periods that the layer accepts.
const PERIODS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(86_400);
/// The longest that a rate may take to refill. A key is remembered for at most as long.
const LONGEST_REFILL: Duration = Duration::from_secs(30 * 86_400);

/// A burst, refilled by one each period.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::throttle::Rate;
///
/// let three_then_one_a_minute = Rate::new(3, Duration::from_secs(60));
/// assert_eq!(three_then_one_a_minute.refill(), Duration::from_secs(180));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    burst: u32,
    period: Duration,
}

impl Rate {
    /// Creates a rate: `burst` at once, then one every `period`.
    ///
    /// A layer accepts bursts of 1 to 1,000,000, periods of 1 millisecond to 1 day, and at most 30
    /// days to refill (burst times period). [`Builder::build`](crate::Builder::build) refuses
    /// others. Time is counted in whole seconds, so a period of 100 milliseconds is ten each
    /// second.
    #[must_use]
    pub const fn new(burst: u32, period: Duration) -> Self {
        Self { burst, period }
    }

    /// Returns how many are admitted at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns how long it takes to refill by one.
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// Returns how long it takes to refill from empty to full. A store may forget a key that was
    /// not charged for this long.
    #[must_use]
    pub const fn refill(&self) -> Duration {
        self.period.saturating_mul(self.burst)
    }

    /// Returns the nearest rate that a layer accepts.
    pub(super) fn clamped(self) -> Self {
        let period = self.period.clamp(*PERIODS.start(), *PERIODS.end());
        let burst = self.burst.clamp(*BURSTS.start(), *BURSTS.end());
        // A caller of a store may give it any rate. Clamped, no arithmetic on it overflows.
        let most = LONGEST_REFILL.as_nanos() / period.as_nanos().max(1);
        Self {
            burst: burst.min(u32::try_from(most).unwrap_or(u32::MAX)),
            period,
        }
    }

    fn validate(self, setting: &'static str) -> Result<(), ConfigError> {
        let problem = if !BURSTS.contains(&self.burst) {
            "must have a burst of 1 to 1,000,000"
        } else if !PERIODS.contains(&self.period) {
            "must have a period of 1 millisecond to 1 day"
        } else if self.refill() > LONGEST_REFILL {
            "must refill within 30 days"
        } else {
            return Ok(());
        };
        let value = format!("{} and one each {:?}", self.burst, self.period);
        Err(ConfigError::invalid(setting, value, problem))
    }
}

/// How often mail may be asked for, codes typed and links exchanged, before the layer asks for a
/// wait.
///
/// | what | counted per | default: burst, then one each | why |
/// | --- | --- | --- | --- |
/// | mails | address and network | 3, 3 minutes | Leaves an impatient person two more mails. A single network cannot exhaust an address's mail allowance; two networks together can. WorkOS itself sends an address 3 codes a minute |
/// | mails | address | 10, 2 minutes | A victim of mail bombing from many networks gets 40 mails in the first hour, not thousands; from one network 23 |
/// | mails | network | 60, 5 seconds | An office of 200 behind one address signs in within 12 minutes |
/// | mails | all clients | 300, 100 milliseconds | Stays under WorkOS's 500 writes in 10 seconds |
/// | codes | address and network | 20, 1 hour | The tries of four mails at once. An attacker on one network has 44 guesses in the first day, then 24 a day, and cannot use up the guesses of another network |
/// | codes | address | 50, 30 minutes | All networks together have 98 guesses in any 24 hours: NIST SP 800-63B allows 100 failures in a row. Two networks cannot use them up, three can |
/// | codes | network | 60, 5 seconds | As for mails; the five tries per link or code apply as well |
/// | codes | all clients | 300, 100 milliseconds | As for mails |
/// | exchanges | attempt | 10, 10 seconds | A link comes back once; further exchanges are reloads while WorkOS does not answer |
/// | exchanges | network | 60, 1 second | An office of 200 that opens its links together is signed in within 3 minutes |
/// | exchanges | all clients | 600, 100 milliseconds | Twice as many links may come back at once as may be mailed at once |
///
/// A mail takes at most two calls to WorkOS's API, a code and an exchange one each. The three
/// limits over all clients therefore stay under WorkOS's 6,000 calls a minute.
///
/// Counting ignores an address's case, and the part of the local part from its first `+`:
/// `ada+x@example.com` and `ada@example.com` are mostly one mailbox. `gmail.com` and
/// `googlemail.com` count as one domain, where dots in the local part are ignored too. Everywhere
/// else in the crate these stay different addresses.
///
/// A code of an address is the six digits in its mail, or the letters that another browser asks
/// for. An empty field, or text that cannot be a code, counts only for the network and for all
/// clients. While codes are refused, the link of the mail still works.
///
/// A guesser signs in as one person with a chance of **1 in 10,204 in the first day, and of 1 in
/// 20,833 in each later day**, however many networks they have: 98 guesses, then 48 a day, each
/// right once in 1,000,000 (six random digits). Only digits that are compared count for the
/// address, and each mail allows five. A browser with a session of that person is not kept out by
/// strangers' guesses. Other browsers use the link. With [`SignIn::Code`](crate::SignIn::Code)
/// there is none, and three networks that keep guessing can keep a person without a session out.
///
/// An exchange hands the code of a followed link to WorkOS. A double click, or a reload within a
/// minute of the sign-in, shares one exchange and costs nothing. Over the limit the link is not
/// used up: the page offers to try it again. An attempt is the sign-in that one mail is for.
///
/// A network is an IPv4 address, or the first 64 bits of an IPv6 address, which is what one
/// customer gets. A request whose client address is unknown, such as one from a Unix socket, has no
/// network count: a shared count would let each such client lock out the others. Per address and
/// network, all unknown clients count as one network. An address then has only one network's
/// allowance, and **a stranger who keeps asking can keep its owner from getting a mail**, or from
/// typing its code. Therefore serve with a [`PeerAddr`](crate::PeerAddr) or axum's
/// `ConnectInfo<SocketAddr>`.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::throttle::{Limits, Rate};
///
/// let limits = Limits::default()
///     .codes_per_address(Rate::new(30, Duration::from_secs(3_600)))
///     .mails_per_address_and_network(Rate::new(2, Duration::from_secs(600)))
///     .mails_per_network(Rate::new(500, Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) mails_per_address: Rate,
    pub(crate) mails_per_address_and_network: Rate,
    pub(crate) mails_per_network: Rate,
    pub(crate) mails: Rate,
    pub(crate) codes_per_address: Rate,
    pub(crate) codes_per_address_and_network: Rate,
    pub(crate) codes_per_network: Rate,
    pub(crate) codes: Rate,
    pub(crate) exchanges_per_attempt: Rate,
    pub(crate) exchanges_per_network: Rate,
    pub(crate) exchanges: Rate,
}

impl Limits {
    /// Sets how often all networks together may ask for mail to one address, to begin a sign-in or
    /// to send a link again. Default: 10, then one each 2 minutes.
    ///
    /// Keep it wider than [`Limits::mails_per_address_and_network`]. Otherwise a single network can
    /// exhaust an address's mail allowance.
    pub const fn mails_per_address(mut self, rate: Rate) -> Self {
        self.mails_per_address = rate;
        self
    }

    /// Sets how often one network may ask for mail to one address. Default: 3, then one each 3
    /// minutes.
    pub const fn mails_per_address_and_network(mut self, rate: Rate) -> Self {
        self.mails_per_address_and_network = rate;
        self
    }

    /// Sets how often one network may ask for mail. Default: 60, then one each 5 seconds.
    pub const fn mails_per_network(mut self, rate: Rate) -> Self {
        self.mails_per_network = rate;
        self
    }

    /// Sets how often all clients together may ask for mail. Default: 300, then 10 a second.
    pub const fn mails(mut self, rate: Rate) -> Self {
        self.mails = rate;
        self
    }

    /// Sets how often codes of one address's mails may be compared, whatever network they are typed
    /// at, right or wrong. Default: 50, then one each 30 minutes: 98 in any 24 hours.
    ///
    /// Keep it wider than [`Limits::codes_per_address_and_network`]. Otherwise a single network can
    /// use up an address's guesses.
    pub const fn codes_per_address(mut self, rate: Rate) -> Self {
        self.codes_per_address = rate;
        self
    }

    /// Sets how often one network may type codes for one address, right or wrong. Default: 20, then
    /// one each hour.
    pub const fn codes_per_address_and_network(mut self, rate: Rate) -> Self {
        self.codes_per_address_and_network = rate;
        self
    }

    /// Sets how often one network may type codes, right or wrong. Default: 60, then one each 5
    /// seconds.
    pub const fn codes_per_network(mut self, rate: Rate) -> Self {
        self.codes_per_network = rate;
        self
    }

    /// Sets how often all clients together may type codes. Default: 300, then 10 a second.
    pub const fn codes(mut self, rate: Rate) -> Self {
        self.codes = rate;
        self
    }

    /// Sets how often the links of one sign-in may come back with a code that was not exchanged
    /// yet. Default: 10, then one each 10 seconds.
    pub const fn exchanges_per_attempt(mut self, rate: Rate) -> Self {
        self.exchanges_per_attempt = rate;
        self
    }

    /// Sets how often links may come back from one network. Default: 60, then one a second.
    pub const fn exchanges_per_network(mut self, rate: Rate) -> Self {
        self.exchanges_per_network = rate;
        self
    }

    /// Sets how often links may come back from all clients together. Default: 600, then 10 a
    /// second.
    pub const fn exchanges(mut self, rate: Rate) -> Self {
        self.exchanges = rate;
        self
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.mails_per_address.validate("mails_per_address")?;
        self.mails_per_address_and_network
            .validate("mails_per_address_and_network")?;
        self.mails_per_network.validate("mails_per_network")?;
        self.mails.validate("mails")?;
        self.codes_per_address.validate("codes_per_address")?;
        self.codes_per_address_and_network
            .validate("codes_per_address_and_network")?;
        self.codes_per_network.validate("codes_per_network")?;
        self.codes.validate("codes")?;
        self.exchanges_per_attempt
            .validate("exchanges_per_attempt")?;
        self.exchanges_per_network
            .validate("exchanges_per_network")?;
        self.exchanges.validate("exchanges")
    }
}

impl Default for Limits {
    fn default() -> Self {
        let network = Rate::new(60, Duration::from_secs(5));
        let everybody = Rate::new(300, Duration::from_millis(100));
        Self {
            // Each figure's reason stands in the table of `Limits`; a test below pins the sums.
            mails_per_address: Rate::new(10, Duration::from_secs(120)),
            mails_per_address_and_network: Rate::new(3, Duration::from_secs(180)),
            mails_per_network: network,
            mails: everybody,
            codes_per_address: Rate::new(50, Duration::from_secs(1_800)),
            codes_per_address_and_network: Rate::new(20, Duration::from_secs(3_600)),
            codes_per_network: network,
            codes: everybody,
            exchanges_per_attempt: Rate::new(10, Duration::from_secs(10)),
            exchanges_per_network: Rate::new(60, Duration::from_secs(1)),
            exchanges: Rate::new(600, Duration::from_millis(100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_rate_is_taken_within_its_ranges_and_else_refused_with_its_value() {
        let cases = [
            ("one", 1, SECOND, None),
            ("most", 1_000_000, Duration::from_millis(1), None),
            ("slowest", 30, DAY, None),
            ("no burst", 0, SECOND, Some("burst")),
            ("large burst", 1_000_001, SECOND, Some("burst")),
            ("no period", 1, Duration::ZERO, Some("period")),
            (
                "short period",
                1,
                Duration::from_micros(999),
                Some("period"),
            ),
            ("long period", 1, DAY + SECOND, Some("period")),
            ("long refill", 31, DAY, Some("refill")),
            ("overflow", u32::MAX, Duration::MAX, Some("burst")),
        ];
        for (name, burst, period, want) in cases {
            let rate = Rate::new(burst, period);
            let error = Limits::default().codes(rate).validate().err();
            assert_eq!(error.is_some(), want.is_some(), "{name}");
            assert_eq!(rate.clamped() == rate, want.is_none(), "{name}");
            assert_eq!(rate.clamped().validate("x"), Ok(()), "{name}");
            if let (Some(error), Some(want)) = (error, want) {
                assert_eq!(error.setting(), "codes", "{name}");
                let text = error.to_string();
                assert!(
                    text.contains(want) && text.contains(&burst.to_string()),
                    "{text}"
                );
            }
        }
        assert_eq!(Limits::default().validate(), Ok(()));
    }

    #[test]
    fn the_defaults_stay_under_workoss_own_limits() {
        let limits = Limits::default();
        let within = |rate: Rate, seconds: u32| {
            let more = Duration::from_secs(seconds.into()).as_millis() / rate.period().as_millis();
            u128::from(rate.burst()) + more
        };
        // Rate limits page: 6,000 requests a minute for an API key, 500 writes in 10 seconds, 3
        // codes a minute to an address. A mail is at most two calls: a link that is made and
        // mailed, or a link and a code that are made.
        let exchanged = within(limits.exchanges, 60);
        let calls = 2 * within(limits.mails, 60) + within(limits.codes, 60) + exchanged;
        assert!(calls <= 6_000, "{calls} a minute");
        assert!(within(limits.mails, 10) <= 500);
        // Many networks together can reach WorkOS's own limit per address. A single network cannot,
        // and leaves the address some of its allowance.
        let pair = limits.mails_per_address_and_network;
        assert!(within(pair, 60) <= 3);
        assert!(pair.period() > limits.mails_per_address.period());
        assert!(pair.burst() < limits.mails_per_address.burst());
        assert_eq!(within(limits.mails_per_address, 3_600), 40);
        assert_eq!(within(pair, 3_600), 23);
        assert_eq!(within(limits.codes_per_address_and_network, 86_400), 44);
        assert_eq!(within(limits.codes_per_address, 86_400), 98);
        assert!(2 * limits.codes_per_address_and_network.burst() < 50);
    }
}
