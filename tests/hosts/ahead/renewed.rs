//! Renewals while the clock is not what it was at the sign-in: the end that counts from the sign-in
//! stays where it is, and no renewal makes the sign-in a younger one.

use super::*;

const ABSOLUTE: u64 = 12 * HOUR;
const IDLE: u64 = 20 * MINUTE;
const STEP: u64 = 5 * MINUTE;
const RECENT: Duration = Duration::from_secs(10 * MINUTE);

fn configure(builder: Builder) -> Builder {
    builder.idle_timeout(Duration::from_secs(IDLE))
}

/// Uses a session every five minutes until it ends. Returns for how long it lived, and the last
/// moment at which its sign-in was recent.
async fn used(layer: &MagicLinkLayer, clock: &Dials, mut cookie: String) -> (u64, u64) {
    let (mut lived, mut recent) = (0, 0);
    while is_admitted(layer, &cookie) {
        if session_of(layer, &cookie).is_fresh(RECENT) {
            recent = lived;
        }
        if let Some((later, _)) = renewed(layer, &cookie).await {
            cookie = later;
        }
        clock.pass(STEP);
        lived += STEP;
        assert!(lived <= 2 * ABSOLUTE, "it has no end");
    }
    (lived, recent)
}

/// Pins: each renewal moved the absolute end by what the clock had been ahead.
#[tokio::test]
async fn no_renewal_moves_the_end_that_counts_from_the_sign_in() {
    for ahead in AHEAD {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let here = layer(&clock, &keys, configure);
        begun(&here);
        run_ahead(&here, &clock, ahead);
        let cookie = cookie_of(&begun(&here));
        clock.set(BEGIN);
        let (lived, recent) = used(&here, &clock, cookie).await;
        assert_eq!(lived, ABSOLUTE, "{ahead}");
        assert_eq!(recent, STEP, "{ahead}");
    }
}

/// The clock is set back after the sign-in, and right again after a renewal.
#[tokio::test]
async fn a_clock_that_was_behind_at_a_renewal_gives_no_more_time() {
    for behind in [HOUR, DAY] {
        let (clock, keys) = (Dials::at(BEGIN + 2 * DAY), keys());
        let here = layer(&clock, &keys, configure);
        let first = cookie_of(&begun(&here));
        clock.pass(2 * STEP + MINUTE);
        clock.set(BEGIN + 2 * DAY + 2 * STEP + MINUTE - behind);
        let (cookie, _) = renewed(&here, &first).await.expect("a renewal");
        assert!(!session_of(&here, &cookie).is_fresh(RECENT), "{behind}");
        clock.pass(MINUTE);
        clock.set(BEGIN + 2 * DAY + 2 * STEP + 2 * MINUTE);
        let (lived, recent) = used(&here, &clock, cookie).await;
        let at_most = ABSOLUTE - 2 * STEP - 2 * MINUTE + STEP;
        assert!(lived <= at_most, "{behind}: {lived}");
        assert_eq!(recent, 0, "{behind}");
    }
}

/// What another session yields ends with the sign-in that both have.
#[test]
fn another_session_ends_with_the_sign_in_that_both_have() {
    for ahead in AHEAD {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let here = layer(&clock, &keys, |builder| builder);
        begun(&here);
        run_ahead(&here, &clock, ahead);
        let parent = begun(&here);
        clock.set(BEGIN);
        clock.pass(ABSOLUTE - MINUTE);
        let another = here.issuer().issue_from(parent.session()).unwrap();
        assert!(!another.session().is_fresh(RECENT), "{ahead}");
        let cookie = cookie_of(&another);
        assert!(is_admitted(&here, &cookie), "{ahead}");
        clock.pass(2 * MINUTE);
        assert!(!is_admitted(&here, &cookie), "{ahead}");
    }
}
