//! The shares of what all clients have together.
//!
//! - A fifth is for anybody, first come first served. A few busy networks can use that up.
//! - Three fifths are for networks that have taken nothing of this share lately: one each hour to
//!   one customer's network. To keep it empty, an attacker needs as many customers' networks as it
//!   refills in an hour.
//! - A fifth is for browsers that have signed in here before. No network can use that up.

use crate::throttle::Rate;

/// The shares of one rate. Together they admit as much as the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) anybody: Rate,
    pub(super) known: Option<Rate>,
    pub(super) quiet: Option<Rate>,
}

impl Shares {
    pub(super) fn of(all: Rate) -> Self {
        // One less, so that a burst of one or two is for anybody.
        let divided = all.burst().saturating_sub(1);
        let (known, quiet) = (divided / 5, divided / 5 * 3 + divided % 5 * 3 / 5);
        let whole = Self {
            anybody: all,
            known: None,
            quiet: None,
        };
        let Some(anybody) = all.share(all.burst().saturating_sub(known + quiet)) else {
            return whole;
        };
        let (known, quiet) = (share(all, known), share(all, quiet));
        match (known, quiet) {
            (Some(known), Some(quiet)) => Self {
                anybody,
                known,
                quiet,
            },
            // So slow a rate has no parts that a throttle can count.
            _ => whole,
        }
    }
}

/// Returns a share, or that there is none. The outer `None` is a share that cannot be counted.
fn share(all: Rate, burst: u32) -> Option<Option<Rate>> {
    match burst {
        0 => Some(None),
        _ => all.share(burst).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::throttle::Limits;

    #[test]
    fn the_shares_admit_no_more_than_the_whole_and_a_small_burst_is_for_anybody() {
        let second = Duration::from_secs(1);
        for (burst, want) in [
            (1, (1, 0, 0)),
            (2, (2, 0, 0)),
            (3, (2, 0, 1)),
            (6, (2, 1, 3)),
            (200, (42, 39, 119)),
            (300, (62, 59, 179)),
            (1_000_000, (200_002, 199_999, 599_999)),
        ] {
            let all = Rate::new(burst, second);
            let shares = Shares::of(all);
            let of = |share: Option<Rate>| share.map_or(0, |share| share.burst());
            let (known, quiet) = (of(shares.known), of(shares.quiet));
            assert_eq!((shares.anybody.burst(), known, quiet), want);
            assert_eq!(shares.anybody.burst() + known + quiet, burst);
            // Each refills in the time of the whole, so that an hour adds up too.
            let each = [Some(shares.anybody), shares.known, shares.quiet];
            for share in each.into_iter().flatten() {
                let late = all.refill().abs_diff(share.refill());
                assert!(late < Duration::from_millis(1), "{share:?} of {all:?}");
            }
        }
    }

    /// The figures of the page of `Limits`: networks and accounts that keep a share empty.
    #[test]
    fn what_keeps_a_share_empty_is_as_many_as_the_docs_say() {
        let limits = Limits::default();
        let page = include_str!("../../throttle/limits.rs");
        let hour = Duration::from_secs(3_600);
        for (all, figures, first) in [
            (
                limits.mails,
                ["42,840", "10,710", "2,340"],
                ["6,137", "1,280"],
            ),
            (limits.codes, ["21,480", "5,370", "1,180"], ["3,095", "649"]),
            (
                limits.exchanges,
                ["21,540", "5,385", "1,190"],
                ["3,129", "660"],
            ),
        ] {
            let shares = Shares::of(all);
            let whole = all.refill().as_millis();
            // As many as it refills while one network, or account, waits for its next.
            let many = |share: Option<Rate>, one: Rate| {
                u128::from(share.unwrap().burst()) * one.period().as_millis() / whole
            };
            let networks = many(shares.quiet, limits.quiet_networks);
            let accounts = many(shares.known, limits.known_browsers);
            for (many, figure) in [networks, networks / 4, accounts].iter().zip(figures) {
                assert_eq!(figure.replace(',', ""), many.to_string());
                assert!(page.contains(&format!(" {figure}")), "{figure}");
            }
            // In the first hour each has its burst besides, and so has the share.
            let within = |rate: Rate, time: Duration| {
                u128::from(rate.burst()) + time.as_nanos() / rate.period().as_nanos()
            };
            let before = hour - Duration::from_secs(1);
            let known = limits.known_browsers;
            let site = within(limits.quiet_networks.times(4), before);
            let account = within(known.with_burst(2 * known.burst()), before);
            assert_eq!((site, within(known, before), account), (7, 8, 11));
            let pairs = [(shares.quiet, site), (shares.known, account)];
            for ((share, each), figure) in pairs.into_iter().zip(first) {
                let many = within(share.unwrap(), hour).div_ceil(each);
                assert_eq!(figure.replace(',', ""), many.to_string());
                assert!(page.contains(&format!(" {figure}")), "{figure}");
            }
        }
        assert_eq!(Shares::of(limits.mails).anybody.burst(), 42);
    }

    #[test]
    fn a_rate_too_slow_or_too_fast_to_divide_is_for_anybody() {
        let day = Duration::from_secs(86_400);
        for all in [Rate::new(30, day), Rate::new(6, day / 2)] {
            let shares = Shares::of(all);
            assert_eq!(
                (shares.anybody, shares.known, shares.quiet),
                (all, None, None)
            );
        }
        let fast = Rate::new(1_000_000, Duration::from_millis(1));
        assert!(Shares::of(fast).quiet.is_some());
    }
}
