//! A clock that panics at the end of an exchange leaves nothing behind.

use std::future::ready;

use super::*;
use crate::provider::PendingToken;

const KEY: Key = [7; 32];
const OTHER: Key = [8; 32];

const fn second(second: u64) -> Timestamp {
    Timestamp::from_secs(1_000 + second)
}

fn granted() -> Arc<Granted> {
    let choice = OrganizationChoice::new(PendingToken::new("pending_01"), []);
    let at = second(0);
    Arc::new(Granted::Choice(Offer { choice, at }))
}

/// Pins: the clock was read outside of what was caught. Its exchange stayed in the table, where
/// every sweep met the panic again.
#[test]
fn an_exchange_whose_end_the_clock_does_not_tell_fails_once_and_is_forgotten() {
    fn broken() -> Timestamp {
        panic!("the clock panics")
    }
    let exchanges = Exchanges::default();
    let join = |key: Key, now: Timestamp, ended: fn() -> Timestamp| {
        let joined = exchanges.join(key, None, now, || ready(Ok(granted())), ended);
        AssertUnwindSafe(joined)
            .catch_unwind()
            .now_or_never()
            .unwrap()
    };
    let panic = join(KEY, second(0), broken).err().unwrap();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the clock panics"));
    assert!(!exchanges.knows(&KEY, second(0)));
    // A second later, everything is looked at.
    for key in [OTHER, KEY] {
        let joined = join(key, second(1), || second(1));
        assert!(matches!(joined, Ok(Ok(_))));
        assert!(exchanges.knows(&key, second(1)));
    }
}
