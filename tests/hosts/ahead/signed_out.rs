//! How long a sign-out holds: for as long as the token that it ends could be admitted anywhere.

use std::sync::Mutex;

use tower_magic_link::{
    revocation::{Lookup, Revocation, Revocations, Standing},
    store::StoreFuture,
};

use super::*;

/// Writes down what ends, and ends nothing: the gate alone judges the token.
#[derive(Clone, Debug, Default)]
struct Noted(Arc<Mutex<Vec<Revocation>>>);

impl Revocations for Noted {
    fn look_up(&self, _: &Session) -> Lookup {
        Lookup::settled(Standing::Active)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.0.lock().unwrap().push(revocation.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Pins: a store forgets by dates. A token that began while the layer's time was ahead is judged by
/// a time that is behind, once the clock has caught up, and outlives its own date.
#[tokio::test]
async fn a_sign_out_is_kept_until_no_replica_admits_the_session_any_more() {
    for ahead in [1, HOUR, DAY] {
        let (clock, keys, noted) = (Dials::at(BEGIN), keys(), Noted::default());
        let configure = |builder: Builder| {
            let life = Duration::from_secs(2 * DAY);
            let builder = builder.session_lifetime(life).idle_timeout(life);
            builder.revocations(noted.clone())
        };
        let here = layer(&clock, &keys, configure);
        run_ahead(&here, &clock, ahead);
        clock.set(BEGIN);
        let issued = begun(&here);
        // At the replica whose clock was ahead, and at one whose clock was right all the time.
        let other = layer(&clock, &keys, configure);
        for replica in [&here, &other] {
            replica.issuer().sign_out(issued.session()).await.unwrap();
        }
        run_ahead(&here, &clock, ahead);
        let end = issued.session().expires_at();
        clock.pass(clock.now().until(end).as_secs());
        let cookie = cookie_of(&issued);
        assert!(is_admitted(&here, &cookie), "{ahead}: judged by the skew");
        let kept = noted.0.lock().unwrap().clone();
        let kept: Vec<_> = kept.iter().map(Revocation::until).collect();
        assert_eq!(kept.len(), 2);
        assert!(
            kept.iter().all(|until| *until > clock.now()),
            "{ahead}: {kept:?}"
        );
        clock.pass(ahead);
        assert!(!is_admitted(&here, &cookie), "{ahead}: it is over");
        assert!(
            kept.iter().all(|until| *until >= clock.now()),
            "{ahead}: {kept:?}"
        );
    }
}
