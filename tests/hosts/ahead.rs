//! A clock that was ahead and is set right: sessions are dated by the right time, live as long as
//! they should here and at other replicas, and nothing that has ended comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::header;
use tower::Layer;
use tower_magic_link::{
    Builder, Email, KeyRing, MagicLinkLayer, Session,
    clock::{Clock, Signal, Timestamp},
    companion::{Issued, Outcome},
    provider::Identity,
    revocation::MemoryRevocations,
    testing::StubProvider,
};

use crate::{
    answer::Answer,
    names::{ADA, ORIGIN},
    site::{SESSION, application, keys, program, with_cookie},
};

mod handed_out;
mod listed;
mod renewed;
mod replicas;
mod signed_out;
mod wild;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// By how much the clock was ahead.
const AHEAD: [u64; 4] = [1, HOUR, DAY, 10 * 365 * DAY];
const BEGIN: u64 = 1_767_225_600;

/// A clock that is set, beside one that is not.
#[derive(Clone, Debug, Default)]
struct Dials(Arc<[AtomicU64; 2]>);

impl Dials {
    fn at(wall: u64) -> Self {
        let dials = Self::default();
        dials.set(wall);
        dials
    }

    fn set(&self, wall: u64) {
        self.0[0].store(wall, Ordering::SeqCst);
    }

    /// Lets time pass, by both clocks.
    fn pass(&self, secs: u64) {
        for dial in &*self.0 {
            dial.fetch_add(secs, Ordering::SeqCst);
        }
    }
}

impl Clock for Dials {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0[0].load(Ordering::SeqCst))
    }

    fn running(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.0[1].load(Ordering::SeqCst)))
    }

    fn sleep_until(&self, _: Timestamp) -> Signal {
        Box::pin(std::future::pending())
    }
}

fn layer(
    clock: &Dials,
    keys: &KeyRing,
    configure: impl FnOnce(Builder) -> Builder,
) -> MagicLinkLayer {
    let builder = MagicLinkLayer::builder(StubProvider::new(), keys.clone())
        .public_url(ORIGIN)
        .clock(clock.clone());
    configure(builder).build().unwrap()
}

fn begun(layer: &MagicLinkLayer) -> Issued {
    let ada = Identity::new("user-1", Email::parse(ADA).unwrap());
    layer.issuer().issue(&ada).unwrap()
}

/// Sets a layer's clock ahead, for so long that the layer takes it for its time.
fn run_ahead(layer: &MagicLinkLayer, clock: &Dials, ahead: u64) {
    clock.set(BEGIN + ahead);
    begun(layer);
    clock.pass(10);
    begun(layer);
}

fn cookie_of(issued: &Issued) -> String {
    format!("{SESSION}={}", issued.token().expose())
}

fn is_admitted(layer: &MagicLinkLayer, cookie: &str) -> bool {
    let (head, _) = with_cookie(program("/x"), cookie).into_parts();
    layer.explain(&head).outcome() == Outcome::Admit
}

/// Returns the cookie that a request gets renewed, if it does.
async fn renewed(layer: &MagicLinkLayer, cookie: &str) -> Option<(String, i64)> {
    let request = with_cookie(program("/x"), cookie);
    let answer = Answer::of(layer.layer(application()), request).await;
    assert_eq!(answer.status(), 200);
    let (value, max_age) = answer.cookies().remove(SESSION)?;
    Some((format!("{SESSION}={value}"), max_age))
}

fn session_of(layer: &MagicLinkLayer, cookie: &str) -> Session {
    let (head, _) = with_cookie(program("/x"), cookie).into_parts();
    layer.explain(&head).session().unwrap().clone()
}

#[tokio::test]
async fn a_session_is_dated_by_the_right_time_and_lives_its_time_at_every_replica() {
    for ahead in AHEAD {
        for idle in [10 * MINUTE, 2 * HOUR] {
            let name = format!("{ahead} ahead, {idle} idle");
            let (clock, keys) = (Dials::at(BEGIN), keys());
            let configure = |builder: Builder| builder.idle_timeout(Duration::from_secs(idle));
            let here = layer(&clock, &keys, configure);
            begun(&here);
            run_ahead(&here, &clock, ahead);
            clock.set(BEGIN);
            clock.pass(1);
            // Another replica, whose clock was right all the time.
            let other = layer(&clock, &keys, configure);

            let issued = begun(&here);
            let wall = clock.now();
            let session = issued.session();
            assert_eq!(
                (session.issued_at(), session.auth_time()),
                (wall, wall),
                "{name}"
            );
            assert_eq!(session.expires_at(), wall + Duration::from_secs(idle));
            let set = issued.set_cookie();
            let max_age = format!("Max-Age={idle}");
            assert!(set.to_str().unwrap().ends_with(&max_age), "{name}: {set:?}");

            let first = cookie_of(&issued);
            clock.pass(idle / 2);
            for replica in [&here, &other] {
                assert!(is_admitted(replica, &first), "{name}");
                let (next, max_age) = renewed(replica, &first).await.expect(&name);
                assert_eq!(u64::try_from(max_age).unwrap(), idle, "{name}");
                for reader in [&here, &other] {
                    // A replica that was ahead ages by that what comes from elsewhere.
                    if std::ptr::eq(reader, &here) && std::ptr::eq(replica, &other) {
                        continue;
                    }
                    let renewed = session_of(reader, &next);
                    assert_eq!(renewed.issued_at(), clock.now(), "{name}");
                    assert_eq!(renewed.auth_time(), wall, "{name}");
                }
            }
            clock.pass(idle - idle / 2 - 1);
            assert!(
                is_admitted(&here, &first) && is_admitted(&other, &first),
                "{name}"
            );
            clock.pass(1);
            for step in [0, ahead, 0] {
                clock.set((wall + Duration::from_secs(idle + step)).as_secs());
                assert!(!is_admitted(&here, &first), "{name}");
            }
            clock.set(BEGIN);
            assert!(!is_admitted(&here, &first), "{name}: set back again");
        }
    }
}

#[test]
fn nothing_that_has_ended_comes_back_and_what_began_ahead_keeps_its_end() {
    const IDLE: u64 = 10 * MINUTE;
    for ahead in AHEAD {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let here = layer(&clock, &keys, |builder| {
            builder.idle_timeout(Duration::from_secs(IDLE))
        });
        let before = cookie_of(&begun(&here));
        run_ahead(&here, &clock, ahead);
        let over = !is_admitted(&here, &before);
        assert_eq!(over, ahead >= IDLE, "{ahead}");
        let begun_ahead = cookie_of(&begun(&here));
        clock.set(BEGIN);
        assert!(is_admitted(&here, &begun_ahead), "{ahead}");
        clock.pass(IDLE - 1);
        assert_eq!(is_admitted(&here, &before), ahead < 1, "{ahead}");
        assert!(is_admitted(&here, &begun_ahead), "{ahead}");
        // Until the wall clock has passed what was ahead, and by then for good.
        for passed in [1, IDLE, ahead, IDLE] {
            clock.pass(passed);
            assert!(!is_admitted(&here, &before), "{ahead}, {passed}");
            assert!(!is_admitted(&here, &begun_ahead), "{ahead}, {passed}");
        }
    }
}

/// Pins: "sign out everywhere" by a time that is ahead would end what begins afterwards.
#[tokio::test]
async fn who_signed_out_everywhere_can_sign_in_again_at_once() {
    for ahead in AHEAD {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let ended = MemoryRevocations::default();
        let here = layer(&clock, &keys, |builder| builder.revocations(ended.clone()));
        run_ahead(&here, &clock, ahead);
        clock.set(BEGIN);
        let first = begun(&here);
        here.issuer()
            .sign_out_everywhere(first.session())
            .await
            .unwrap();
        clock.pass(1);
        let again = begun(&here);
        for (issued, want) in [(&first, 401), (&again, 200)] {
            let mut request = program("/x");
            let cookie = cookie_of(issued).parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookie);
            let answer = Answer::of(here.layer(application()), request).await;
            assert_eq!(answer.status(), want, "{ahead}");
        }
    }
}
