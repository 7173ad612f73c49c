//! A panic during a sign-in costs one request at most.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, header};
use http_body_util::Full;
use tower_magic_link::{
    clock::{Clock, Signal, Timestamp},
    testing::ManualClock,
};

use super::{FusedLayer, Who};
use crate::{answer::Answer, names::ORIGIN, site::SESSION};

const ALL: [Who; 11] = [
    Who::Authorize,
    Who::AuthorizeCall,
    Who::Finish,
    Who::Inner,
    Who::Listener,
    Who::LookUp,
    Who::Mailer,
    Who::Pages,
    Who::PendingLookUp,
    Who::Revoke,
    Who::Start,
];

/// A browser that tries again when the server failed.
struct PatientBrowser<'w> {
    fused: &'w FusedLayer,
    jar: BTreeMap<String, String>,
    /// The statuses of the failures.
    failures: Vec<u16>,
}

impl<'w> PatientBrowser<'w> {
    const fn new(fused: &'w FusedLayer) -> Self {
        Self {
            fused,
            jar: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    fn request(&self, method: &str, path: &str) -> Request<Full<Bytes>> {
        let cookies = self.jar.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "));
        let form = if path == "/auth/login" && method == "POST" {
            Full::from("email=ada%40example.com")
        } else {
            Full::default()
        };
        request.body(form).unwrap()
    }

    async fn ask(&mut self, method: &str, path: &str) -> Answer {
        let request = self.request(method, path);
        let mut answer = self.fused.ask(request.clone()).await;
        if answer.status().is_server_error() {
            self.failures.push(answer.status().as_u16());
            answer = self.fused.ask(request).await;
        }
        for (name, (value, max_age)) in answer.cookies() {
            if max_age == 0 {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }

    async fn ask_for_link(&mut self) -> String {
        assert_eq!(self.ask("GET", "/auth/login").await.status(), 200);
        let check = self.ask("POST", "/auth/login").await.location();
        assert_eq!(self.ask("GET", &check).await.status(), 200);
        let link = self.fused.provider.last_link().unwrap();
        link.expose().strip_prefix(ORIGIN).unwrap().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_request_at_most_and_the_next_try_succeeds() {
    for who in ALL {
        let fused = FusedLayer::new();
        fused.fuse.set(Some(who));
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        // Also where the rule panicked after the code was used up: what it proved is kept.
        let answer = browser.ask("GET", &callback).await;
        assert_eq!(answer.location(), "/", "{who:?}");
        let home = browser.ask("GET", "/private").await;
        assert_eq!(home.text(), "inner", "{who:?}");
        let kept = browser.jar.clone();
        assert_eq!(
            browser.ask("POST", "/auth/logout").await.status(),
            303,
            "{who:?}"
        );
        browser.jar = kept;
        let gone = browser.ask("GET", "/private").await;
        assert!(gone.location().starts_with("/auth/login"), "{who:?}");
        let want: &[u16] = match who {
            // A listener only hears.
            Who::Listener => &[],
            // A mailer or a provider that panics as mail is asked for has failed, with a page.
            Who::Mailer => &[502],
            Who::Start => &[503],
            _ => &[500],
        };
        assert_eq!(browser.failures, want, "{who:?}");
        assert!(!fused.fuse.is_lit(), "{who:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_shares_an_exchange_that_panics_is_told_to_try_again_and_can() {
    // A provider that panics may have redeemed the code before: the page offers a new mail.
    for (who, status) in [
        (Who::Finish, 502),
        (Who::Authorize, 503),
        (Who::AuthorizeCall, 503),
    ] {
        let fused = FusedLayer::new();
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        fused.fuse.set(Some(who));
        let asked = (0..8).map(|_| fused.ask(browser.request("GET", &callback)));
        let all = tokio::time::timeout(Duration::from_secs(60), join_all(asked)).await;
        let mut statuses: Vec<_> = all
            .expect("nobody waits for ever")
            .iter()
            .map(|answer| answer.status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [500, status, status, status, status, status, status, status],
            "{who:?}"
        );
        let location = browser.ask("GET", &callback).await.location();
        assert_eq!(location, "/", "{who:?}");
        assert!(browser.jar.contains_key(SESSION), "{who:?}");
    }
}

/// A clock that panics once, at one of its readings. Clones are the same clock.
#[derive(Clone, Debug, Default)]
struct Fragile {
    clock: ManualClock,
    /// The reading that panics, counted from now. Zero: none.
    panics_at: Arc<AtomicUsize>,
}

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        let at = self.panics_at.load(Ordering::SeqCst);
        self.panics_at.store(at.saturating_sub(1), Ordering::SeqCst);
        assert_ne!(at, 1, "the clock panics");
        self.clock.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Signal {
        self.clock.sleep_until(at)
    }
}

/// Pins: a clock that panicked when an exchange had ended left that exchange in the table of all,
/// and every second a sign-in of somebody else met the panic again.
#[tokio::test(start_paused = true)]
async fn a_clock_that_panics_once_during_a_sign_in_costs_no_later_one() {
    let mut reading = 0;
    loop {
        reading += 1;
        let clock = Fragile::default();
        let fused = FusedLayer::by(clock.clone());
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        clock.panics_at.store(reading, Ordering::SeqCst);
        let answer = fused.ask(browser.request("GET", &callback)).await;
        if clock.panics_at.load(Ordering::SeqCst) > 0 {
            assert_eq!(answer.location(), "/", "the clock was read less often");
            break;
        }
        clock.clock.advance(Duration::from_secs(600));
        let mut other = PatientBrowser::new(&fused);
        let callback = other.ask_for_link().await;
        let location = other.ask("GET", &callback).await.location();
        assert_eq!(location, "/", "reading {reading}");
        assert_eq!(other.failures, [0; 0], "reading {reading}");
    }
    assert!(reading > 4, "{reading} readings");
}
