//! What else such a layer hands out: a session of another one, the choice of an organization, and
//! the record that a browser was given a session.

use std::sync::atomic::AtomicBool;

use http::Request;
use http_body_util::Full;
use tower::{ServiceExt, service_fn};
use tower_magic_link::{
    RejectionKind,
    companion::IssueError,
    provider::Organization,
    testing::{Browser, Visit},
};

use super::*;

/// A layer whose clock was ahead and is set right, and another replica.
struct Pair {
    clock: Dials,
    provider: StubProvider,
    here: MagicLinkLayer,
    other: MagicLinkLayer,
    /// Which of the two serves what is not the callback.
    is_here: Arc<AtomicBool>,
    loses_session: Arc<AtomicBool>,
}

impl Pair {
    fn new(ahead: u64, configure: impl Fn(Builder) -> Builder) -> Self {
        let (clock, keys, provider) = (Dials::at(BEGIN), keys(), StubProvider::new());
        let layer = || {
            let builder = MagicLinkLayer::builder(provider.clone(), keys.clone());
            let builder = builder.public_url(ORIGIN).clock(clock.clone());
            configure(builder).build().unwrap()
        };
        let here = layer();
        run_ahead(&here, &clock, ahead);
        clock.set(BEGIN);
        clock.pass(1);
        let other = layer();
        Self {
            clock,
            provider,
            here,
            other,
            is_here: Arc::new(AtomicBool::new(true)),
            loses_session: Arc::default(),
        }
    }

    fn replicas(&self) -> [(&str, &MagicLinkLayer); 2] {
        [("here", &self.here), ("other", &self.other)]
    }

    fn go_to(&self, name: &str) {
        self.is_here.store(name == "here", Ordering::SeqCst);
    }

    fn browser(&self) -> Browser {
        let services = [&self.here, &self.other].map(|layer| layer.layer(application()));
        let (is_here, loses) = (self.is_here.clone(), self.loses_session.clone());
        let service = service_fn(move |request: Request<String>| {
            let is_callback = request.uri().path() == "/auth/callback";
            let [here, other] = services.clone();
            let service = match is_callback || is_here.load(Ordering::SeqCst) {
                true => here,
                false => other,
            };
            let loses = loses.load(Ordering::SeqCst);
            async move {
                let mut request = request.map(Full::<bytes::Bytes>::from);
                if loses {
                    lose_session(&mut request);
                }
                service.oneshot(request).await
            }
        });
        Browser::new(service, ORIGIN).with_clock(self.clock.clone())
    }

    /// Signs in by the link, as far as that leads.
    async fn opened(&self) -> (Browser, Visit) {
        let mut browser = self.browser();
        browser.get("/x").await;
        browser.submit_login(ADA).await;
        let visit = browser.open(self.provider.last_link()).await;
        (browser, visit)
    }
}

/// Takes the session's cookie off a request.
fn lose_session<B>(request: &mut Request<B>) {
    let headers = request.headers_mut();
    let Some(sent) = headers.remove(header::COOKIE) else {
        return;
    };
    let pairs = sent.to_str().unwrap().split("; ");
    let kept: Vec<_> = pairs
        .filter(|pair| !pair.starts_with(&format!("{SESSION}=")))
        .collect();
    let kept = kept.join("; ").parse().unwrap();
    headers.insert(header::COOKIE, kept);
}

#[test]
fn another_session_is_dated_by_the_right_time_and_ends_with_the_first() {
    const LIFETIME: u64 = 12 * HOUR;
    for ahead in AHEAD {
        let (clock, keys) = (Dials::at(BEGIN), keys());
        let configure = |builder: Builder| builder.session_lifetime(Duration::from_secs(LIFETIME));
        let here = layer(&clock, &keys, configure);
        let before = begun(&here);
        run_ahead(&here, &clock, ahead);
        let begun_ahead = begun(&here);
        clock.set(BEGIN);
        clock.pass(1);
        let other = layer(&clock, &keys, configure);
        let parent = begun(&here);
        let began = clock.now();
        clock.pass(MINUTE);

        let another = here.issuer().issue_from(parent.session()).unwrap();
        let session = another.session();
        assert_eq!(session.issued_at(), clock.now(), "{ahead}");
        assert_eq!(session.auth_time(), began, "{ahead}");
        assert!(is_admitted(&here, &cookie_of(&another)), "{ahead}");
        assert!(is_admitted(&other, &cookie_of(&another)), "{ahead}");

        let of_ahead = here.issuer().issue_from(begun_ahead.session()).unwrap();
        let auth_time = begun_ahead.session().auth_time();
        let issued_at = of_ahead.session().issued_at();
        assert_eq!(issued_at, clock.now().max(auth_time), "{ahead}");
        assert!(is_admitted(&here, &cookie_of(&of_ahead)), "{ahead}");

        // What has ended here yields nothing, although the clock was set back.
        let of_before = here.issuer().issue_from(before.session());
        assert_eq!(of_before.is_err(), ahead >= LIFETIME, "{ahead}");

        clock.pass(LIFETIME - MINUTE - 1);
        assert!(
            here.issuer().issue_from(parent.session()).is_ok(),
            "{ahead}"
        );
        clock.pass(1);
        for replica in [&here, &other] {
            let late = replica.issuer().issue_from(parent.session());
            assert!(matches!(late, Err(IssueError::Ended)), "{ahead}: {late:?}");
        }
    }
}

#[tokio::test]
async fn a_choice_begins_a_session_at_its_proof_by_the_right_time_at_every_replica() {
    for (ahead, replica) in AHEAD
        .into_iter()
        .flat_map(|of| [(of, "here"), (of, "other")])
    {
        let name = format!("{ahead} ahead, chosen {replica}");
        let pair = Pair::new(ahead, |builder| builder);
        let ada = Email::parse(ADA).unwrap();
        for id in ["org_a", "org_b"] {
            pair.provider
                .add_membership(&ada, Organization::new(id, id));
        }
        let (mut browser, page) = pair.opened().await;
        assert!(page.text().contains("Choose an organization"), "{name}");
        let (proof, mut late) = (pair.clock.now(), browser.clone());
        pair.go_to(replica);
        pair.clock.pass(10 * MINUTE - 1);
        let landed = browser.submit(&[("organization", "org_b")]).await;
        assert_eq!(landed.status(), 200, "{name}: {}", landed.text());
        let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
        for (reader_name, reader) in pair.replicas() {
            // What began elsewhere is aged by a replica that was ahead.
            if (replica, reader_name) == ("other", "here") {
                continue;
            }
            assert_eq!(session_of(reader, &cookie).auth_time(), proof, "{name}");
        }
        pair.clock.pass(1);
        let expired = late.submit(&[("organization", "org_b")]).await;
        let heading = RejectionKind::ChoiceExpired.heading();
        assert!(
            expired.text().contains(heading),
            "{name}: {}",
            expired.text()
        );
    }
}

/// The clock is not set right yet. A session that began in the future would outlive a revocation.
#[tokio::test]
async fn a_choice_of_a_replica_that_is_ahead_is_not_taken_by_one_that_is_right() {
    for (ahead, is_taken) in [(60, true), (61, false), (HOUR, false)] {
        let pair = Pair::new(1, |builder| builder);
        let ada = Email::parse(ADA).unwrap();
        for id in ["org_a", "org_b"] {
            pair.provider
                .add_membership(&ada, Organization::new(id, id));
        }
        let right = pair.clock.now().as_secs();
        pair.clock.set(right + ahead);
        let (mut browser, _) = pair.opened().await;
        pair.clock.set(right);
        pair.go_to("other");
        let answer = browser.submit(&[("organization", "org_b")]).await;
        let heading = RejectionKind::ClockWrong.heading();
        assert_eq!(!answer.text().contains(heading), is_taken, "{ahead}");
    }
}

#[tokio::test]
async fn a_browser_that_drops_the_session_is_told_by_every_replica_and_for_a_minute() {
    for (ahead, replica) in AHEAD
        .into_iter()
        .flat_map(|of| [(of, "here"), (of, "other")])
    {
        let name = format!("{ahead} ahead, read {replica}");
        let idle = Duration::from_secs(10 * MINUTE);
        let pair = Pair::new(ahead, |builder| builder.idle_timeout(idle));
        let (mut browser, landed) = pair.opened().await;
        assert_eq!(landed.status(), 200, "{name}: {}", landed.text());
        let mut later = browser.clone();
        pair.go_to(replica);
        pair.loses_session.store(true, Ordering::SeqCst);
        pair.clock.pass(MINUTE - 1);
        let told = browser.get("/x").await;
        assert_eq!(told.status(), 403, "{name}: {}", told.text());
        let heading = RejectionKind::CookiesBlocked.heading();
        assert!(told.text().contains(heading), "{name}: {}", told.text());
        pair.clock.pass(1);
        assert_eq!(later.get("/x").await.status(), 200, "{name}: the form");
    }
}

#[test]
fn an_explanation_names_a_time_within_the_sessions() {
    for ahead in AHEAD {
        let pair = Pair::new(ahead, |builder| builder);
        let cookie = cookie_of(&begun(&pair.here));
        pair.clock.pass(MINUTE);
        for (name, layer) in pair.replicas() {
            let (head, _) = with_cookie(program("/x"), &cookie).into_parts();
            let explanation = layer.explain(&head);
            assert_eq!(explanation.now(), pair.clock.now(), "{ahead}, {name}");
            let (head, _) = program("/x").into_parts();
            let nobody = layer.explain(&head);
            assert_eq!(nobody.now(), pair.clock.now(), "{ahead}, {name}");
        }
    }
}
