//! A clock that shows a time that is years ahead, for a second.

use super::*;
use crate::names::EVE;

const YEAR: u64 = 365 * DAY;

/// Pins: one wild reading ended every session, and revocations were kept for as long as it had been
/// ahead.
#[tokio::test]
async fn one_wild_reading_ends_no_session_and_makes_no_revocation_last() {
    for leap in [DAY + 1, YEAR, 100 * YEAR] {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let ended = MemoryRevocations::default();
        let here = layer(&clock, &keys, |builder| builder.revocations(ended.clone()));
        let before = begun(&here);
        clock.pass(MINUTE);
        clock.set(BEGIN + MINUTE + leap);
        assert!(is_admitted(&here, &cookie_of(&before)), "{leap}");
        let meanwhile = begun(&here);
        let eve = Identity::new("user-2", Email::parse(EVE).unwrap());
        let eve = here.issuer().issue(&eve).unwrap();
        here.issuer()
            .sign_out_everywhere(eve.session())
            .await
            .unwrap();
        clock.set(BEGIN + MINUTE + 1);
        let after = begun(&here);
        let other = layer(&clock, &keys, |builder| builder);
        for issued in [&before, &meanwhile, &after] {
            for replica in [&here, &other] {
                assert!(is_admitted(replica, &cookie_of(issued)), "{leap}");
            }
        }
        let dated = meanwhile.session().auth_time();
        assert!(dated <= clock.now(), "{leap}: {dated:?}");
        let longest = clock.now() + Duration::from_secs(DAY);
        let revocations = ended.revocations();
        // Of the person, the address, and the session itself.
        assert_eq!(revocations.len(), 3, "{leap}");
        for revocation in revocations {
            assert!(revocation.ends(eve.session()), "{leap}: {revocation:?}");
            assert!(revocation.until() <= longest, "{leap}: {revocation:?}");
            assert!(revocation.at() <= clock.now(), "{leap}: {revocation:?}");
        }
    }
}

/// As of a machine that was suspended for so long.
#[test]
fn a_leap_that_lasts_ends_what_has_expired_meanwhile() {
    let (clock, keys) = (Dials::at(BEGIN), keys());
    let here = layer(&clock, &keys, |builder| builder);
    let before = cookie_of(&begun(&here));
    clock.set(BEGIN + 3 * DAY);
    assert!(is_admitted(&here, &before));
    clock.pass(10);
    assert!(!is_admitted(&here, &before));
    let after = begun(&here);
    assert_eq!(after.session().auth_time(), clock.now());
    assert!(is_admitted(&here, &cookie_of(&after)));
}
