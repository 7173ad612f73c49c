//! The sums behind the default limits.

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
    // In the browsers that began, exchanges are as many as the mails allow. A few networks have
    // a fifth of the mails; their attempts live for 25 minutes.
    let began = within(limits.mails, 60) / 5 * u128::from(limits.exchanges_per_attempt.burst());
    let living = within(limits.mails, 25 * 60) / 5;
    let again = living * 60_000 / limits.exchanges_per_attempt.period().as_millis();
    let calls = 2 * within(limits.mails, 60) / 5 + within(limits.codes, 60) + began + again;
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
