//! `Limits`: how often each step of a sign-in may happen.

use std::time::Duration;

use super::rate::Rate;
use crate::error::ConfigError;

/// How often mail may be asked for, codes typed and links exchanged, before the layer asks for a
/// wait.
///
/// | what | counted per | default: burst, then one each | why |
/// | --- | --- | --- | --- |
/// | mails | address and network | 3, 3 minutes | Leaves an impatient person two more mails. A single network cannot exhaust an address's mail allowance; two networks together can. WorkOS itself sends an address 3 codes a minute |
/// | mails | address | 10, 2 minutes | A victim of mail bombing from many networks gets 40 mails in the first hour, not thousands; from one IPv4 address or /64 23, from one /24 or /48 26 |
/// | mails | network | 60, 5 seconds | An office of 200 behind one address is mailed within 12 minutes: 43 at once, the 60th after 5 seconds |
/// | mails; codes and exchanges of its person | known browser | 3, 10 minutes, of each | As for an address and a network. All known browsers of one person have twice the burst together |
/// | mails | all clients | 200, 50 milliseconds | 400 in the first 10 seconds, where WorkOS takes 500 writes |
/// | codes | address and network | 20, 1 hour | The tries of four mails at once. An attacker at one IPv4 address or /64 has 44 guesses in the first day, at one /24 or /48 64, then 24 a day, and cannot use up the guesses of another network |
/// | codes | address | 50, 30 minutes | All networks together have 98 guesses in any 24 hours: NIST SP 800-63B allows 100 failures in a row. Two IPv4 addresses or /64s cannot use them up; two of a /24 or /48, or three, can |
/// | codes | network | 60, 5 seconds | As for mails; the five tries per link or code apply as well |
/// | codes | all clients | 300, 100 milliseconds | Together with mails and exchanges under WorkOS's 6,000 calls a minute |
/// | exchanges | attempt | 5, 5 minutes | A link comes back once. What fails at the provider is given back |
/// | exchanges | network | 60, 1 second | An office of 200 that opens its links together is signed in within 3 minutes |
/// | exchanges | all clients, in other browsers | 600, 100 milliseconds | Three times as many links may come back at once as may be mailed at once |
/// | exchanges | attempt, calls of WorkOS | 10, 10 seconds; no setting | Also while each call fails |
/// | what is for all clients | quiet network | 1, 1 hour, of each | See below |
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
/// there is none, and two or three networks that keep guessing can keep a person without a session
/// out.
///
/// An exchange hands the code of a followed link to WorkOS. A double click, or a reload within a
/// minute of the sign-in, shares one exchange and costs nothing. Over the limit the link is not
/// used up: the page offers to try it again. An attempt is the sign-in that one mail is for. In the
/// browser that began, an exchange was paid for by its mail: it counts for its attempt and its
/// network, and never for all clients.
///
/// # Networks
///
/// A client is counted in several networks at once, the wider ones with higher limits. The table
/// has those of the narrowest.
///
/// | network | all mails, codes, exchanges | for one address | source |
/// | --- | --- | --- | --- |
/// | an IPv4 address, a /64 of IPv6 | 1 time | 1 time | One customer has "at least one /64, and in most cases significantly more" (RFC 6177, section 2) |
/// | a /56 | 2 times | 1.5 times the burst | A home |
/// | a /24 of IPv4, a /48 | 4 times | 2 times the burst | A site. Nothing narrower is routed by itself |
///
/// For one address a wider network refills no faster: otherwise one home would take every refill of
/// the address. An office, or a carrier that translates addresses, is many people behind one IPv4
/// address. 60 mails and 720 more an hour are for them, and their known browsers count apart. Of
/// those 60 they get 43 at once, by the share that is for anybody (42) and the one of a quiet
/// network, and 4 more each second, as long as nobody else asks.
///
/// A request whose client address is unknown, such as one from a Unix socket, has no network count:
/// a shared count would let each such client lock out the others. Per address and network, all
/// unknown clients count as one network. An address then has only one network's allowance, and **a
/// stranger who keeps asking can keep its owner from getting a mail**, or from typing its code.
/// Therefore serve with a [`PeerAddr`](crate::PeerAddr) or axum's `ConnectInfo<SocketAddr>`.
///
/// # Who can keep people out
///
/// What is for all clients is three shares, so that it is not first come, first served:
///
/// - A fifth is for anybody.
/// - A fifth is for *known browsers*. A browser is known for 180 days after a sign-in, by a sealed
///   cookie that proves nothing else. If the key that sealed it
///   [ends](crate::keys::RetiredKey::until) sooner, the browser is known until then. It counts for
///   its own person alone. For mail, that person
///   then needs no share of the network's or the address's limits. Its codes, and its links that
///   come back in another browser, take from this share when the one for anybody is empty; the
///   limits of the network and the address hold for them all the same.
/// - Three fifths are for *quiet networks*: those that have taken nothing of this share for an
///   hour. A /24 or a /48 may take four at once, then one each 15 minutes: seven in its first hour,
///   the eighth at the 60th minute, and four in each later hour.
///
/// With a burst of one or two, all of it is for anybody. At the defaults an attacker needs
///
/// - to keep one person out of their mail: 2 networks (a /24 or a /48 each), while they ask from a
///   browser that has never signed in here. From a known browser, no number is enough;
/// - to keep everybody from mail who comes from a browser that is not known: 42,840 IPv4 addresses
///   or /64s, in at least 10,710 networks of /24 or /48. In the first hour 6,137 such networks are
///   enough, because each has its burst besides. With fewer, the share is empty for a part of each
///   hour: with 10,000 addresses for 14 minutes;
/// - to keep them from typing codes: 21,480 addresses, in 5,370 networks, and in the first hour in
///   3,095. The link of the same mail still works. To keep them from finishing in another browser
///   than the one that began: 21,540, in 5,385, and in the first hour in 3,129;
/// - to keep out known browsers too: 2,340 accounts of their own besides, each of which has signed
///   in here; from codes 1,180, and from finishing in another browser 1,190. In the first hour it
///   takes 1,280, from codes 649, and from finishing 660: one known browser may do eight in that
///   hour, the ninth at the 60th minute, and all browsers of one account eleven.
///
/// # What failed
///
/// If the provider or the mailer fails, the layer gives back what counted for the person and the
/// network. A wait does not follow an outage. It does not give back
///
/// - a mail that may have left, because the provider mails it and its answer was late or
///   unreadable, or by [`MailError::may_have_left`](crate::mailer::MailError::may_have_left). A
///   broken connection and a 5xx of the provider are given back
///   ([`Unavailable`](crate::provider::ProviderErrorKind::Unavailable)): if it mailed all the same,
///   an address gets more mails during that outage than its limits say;
/// - what the address or the request is or may be at fault for: the provider or the mail server
///   refused it, or the mail server had no answer to it;
/// - a mail that the provider limits, if other mail has gone out in the last five minutes: the
///   limit is then the address's own, and the page does not tell it;
/// - what is for all clients, and at an exchange the network's, which are full again within
///   seconds. An attempt has the provider called 10 times at once, then each 10 seconds, even if
///   each call fails. A code that leads to several organizations, of which the layer accepts one,
///   takes a second call, which is counted likewise. Without these, a failing provider could be
///   called without end.
///
/// A typed code that the limit of its address refuses is charged to its network all the same.
///
/// # When a limit changes
///
/// The counts of a shared store outlive a change of the limits. A narrower limit holds for what is
/// counted already: a key is refused until what it has used leaves room in the new burst, which may
/// take longer than the new limit's refill. While replicas with old and new limits run together,
/// each goes by its own, and neither takes off what the other has counted, unless a clock is set
/// back by more than a minute.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::throttle::{Limits, Rate};
///
/// let limits = Limits::default()
///     .codes_per_address(Rate::new(30, Duration::from_secs(3_600)))
///     .mails_per_address_and_network(Rate::new(2, Duration::from_secs(600)))
///     .mails_per_network(Rate::new(500, Duration::from_secs(1)))
///     // Browsers that have signed in here: 5 mails at once, then one each 5 minutes.
///     .known_browsers(Rate::new(5, Duration::from_secs(300)))
///     // While others flood the layer: two mails to one network each two hours.
///     .quiet_networks(Rate::new(2, Duration::from_secs(3_600)));
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
    pub(crate) known_browsers: Rate,
    pub(crate) quiet_networks: Rate,
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

    /// Sets how often one network may ask for mail: an IPv4 address or a /64. A /56 may twice as
    /// often, a /24 of IPv4 or a /48 four times. Default: 60, then one each 5 seconds.
    pub const fn mails_per_network(mut self, rate: Rate) -> Self {
        self.mails_per_network = rate;
        self
    }

    /// Sets how often all clients together may ask for mail. Default: 200, then 20 a second.
    ///
    /// Three fifths are for quiet networks and a fifth for known browsers.
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
    /// yet. Default: 5, then one each 5 minutes.
    pub const fn exchanges_per_attempt(mut self, rate: Rate) -> Self {
        self.exchanges_per_attempt = rate;
        self
    }

    /// Sets how often links may come back from one network. Default: 60, then one a second.
    pub const fn exchanges_per_network(mut self, rate: Rate) -> Self {
        self.exchanges_per_network = rate;
        self
    }

    /// Sets how often links may come back from all clients together, in other browsers than those
    /// that began. Default: 600, then 10 a second.
    pub const fn exchanges(mut self, rate: Rate) -> Self {
        self.exchanges = rate;
        self
    }

    /// Sets how often a browser that has signed in here before may ask for mail to its own person,
    /// beside what its network may. It may type codes of its person, and have links of its person
    /// come back, as often from the share of known browsers. All such browsers of one person have
    /// twice the burst together. Default: 3, then one each 10 minutes, of each of the three.
    pub const fn known_browsers(mut self, rate: Rate) -> Self {
        self.known_browsers = rate;
        self
    }

    /// Sets how often one network may take from the share that is kept for quiet networks: of the
    /// mails, of the codes, and of the exchanges. A /56 may twice as often, a /24 of IPv4 or a /48
    /// four times. Default: 1, then one each hour.
    ///
    /// It is taken only while busier networks have used up the share of anybody. A slower rate
    /// keeps a larger number of attackers out, and makes people of one network wait for longer.
    pub const fn quiet_networks(mut self, rate: Rate) -> Self {
        self.quiet_networks = rate;
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
        self.exchanges.validate("exchanges")?;
        self.known_browsers.validate("known_browsers")?;
        self.quiet_networks.validate("quiet_networks")
    }
}

impl Default for Limits {
    fn default() -> Self {
        let network = Rate::new(60, Duration::from_secs(5));
        let everybody = Rate::new(300, Duration::from_millis(100));
        let minute = Duration::from_secs(60);
        Self {
            // Each figure's reason stands in the table of `Limits`; a test below pins the sums.
            mails_per_address: Rate::new(10, Duration::from_secs(120)),
            mails_per_address_and_network: Rate::new(3, Duration::from_secs(180)),
            mails_per_network: network,
            mails: Rate::new(200, Duration::from_millis(50)),
            codes_per_address: Rate::new(50, Duration::from_secs(1_800)),
            codes_per_address_and_network: Rate::new(20, Duration::from_secs(3_600)),
            codes_per_network: network,
            codes: everybody,
            exchanges_per_attempt: Rate::new(5, 5 * minute),
            exchanges_per_network: Rate::new(60, Duration::from_secs(1)),
            exchanges: Rate::new(600, Duration::from_millis(100)),
            known_browsers: Rate::new(3, 10 * minute),
            quiet_networks: Rate::new(1, 60 * minute),
        }
    }
}

#[cfg(test)]
mod tests;
