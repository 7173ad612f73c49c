//! Signing in by the layer's own mail: `MailedLinks`, at one replica or two.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, RejectionKind, Session, SignIn, SigningKey,
    provider::{IdentityProvider, MailedLinks},
    revocation::MemoryRevocations,
    testing::ManualClock,
    throttle::MemoryThrottle,
};

use crate::{
    names::{ADA, ORIGIN},
    page::Page,
    support::{Answer, App, Browser, Post},
};

mod digits;
mod guesses;
mod once;
mod replicas;
mod settings;

/// What the replicas of a site share.
struct Site {
    clock: ManualClock,
    keys: KeyRing,
    post: Post,
    throttle: MemoryThrottle,
    revocations: MemoryRevocations,
    events: Arc<Mutex<Vec<String>>>,
}

/// One replica: the layer, with an application that says whose session it is.
#[derive(Clone)]
struct Replica(App);

impl Site {
    fn new() -> Self {
        Self {
            clock: ManualClock::new(),
            keys: KeyRing::new(SigningKey::generate().unwrap()),
            post: Post::default(),
            throttle: MemoryThrottle::default(),
            revocations: MemoryRevocations::default(),
            events: Arc::default(),
        }
    }

    fn replica(&self, sign_in: SignIn) -> Replica {
        self.with(sign_in, |builder| builder)
    }

    fn with(&self, sign_in: SignIn, set: impl FnOnce(Builder) -> Builder) -> Replica {
        self.by(MailedLinks::new(), sign_in, set)
    }

    fn by(
        &self,
        provider: impl IdentityProvider,
        sign_in: SignIn,
        set: impl FnOnce(Builder) -> Builder,
    ) -> Replica {
        let heard = self.events.clone();
        let builder = MagicLinkLayer::builder(provider, self.keys.clone())
            .public_url(ORIGIN)
            .clock(self.clock.clone())
            .mailer(self.post.clone())
            .sign_in(sign_in)
            .throttle(self.throttle.clone())
            .revocations(self.revocations.clone())
            .insecure_answer_when_sent()
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
        let layer = set(builder).build().unwrap();
        Replica(BoxCloneSyncService::new(layer.layer(service_fn(
            |request: Request<Full<Bytes>>| async move {
                let session = request.extensions().get::<Session>().unwrap();
                let told = [
                    &session.id().to_string(),
                    session.subject(),
                    session.email(),
                ];
                Ok::<_, Infallible>(Response::new(Full::from(told.join(" "))))
            },
        ))))
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn heard(&self, kind: &str) -> usize {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event.starts_with(kind))
            .count()
    }

    fn rotate(&self) {
        let now = tower_magic_link::clock::Clock::now(&self.clock);
        let until = now + Duration::from_secs(12 * 60 * 60);
        let new = SigningKey::generate().unwrap();
        self.keys.handle().rotate(&new, until, now).unwrap();
    }
}

impl Replica {
    fn browser(&self) -> Browser {
        Browser::new(self.0.clone(), ORIGIN)
    }

    /// Returns the browser, as it goes on at this replica.
    fn takes_over(&self, browser: &Browser) -> Browser {
        let mut over = self.browser();
        over.jar = browser.jar.clone();
        over
    }
}

/// Asks for a mail, and returns the check page.
async fn ask(browser: &mut Browser) -> Answer {
    let check = browser.ask_for_link(ADA, "/reports").await;
    assert!(check.text().contains(ADA), "{}", check.text());
    check
}

/// Opens the link of a mail, and returns the last answer.
async fn open(browser: &mut Browser, link: &str) -> Answer {
    let opened = browser.get(link).await;
    browser.follow(opened).await
}

/// Answers the page of another browser with the letters that the check page shows.
async fn answer_elsewhere(browser: &mut Browser, link: &str, check: &Answer) -> Answer {
    let asked = browser.get(link).await;
    assert_eq!(asked.status(), 200, "{}", asked.text());
    let letters = Page::of(&check.text())
        .text_of("match-code")
        .unwrap()
        .to_owned();
    let answered = browser.post(link, &format!("code={letters}")).await;
    browser.follow(answered).await
}

/// Returns where a check page posts the digits to.
fn action(check: &Answer) -> String {
    let text = check.text();
    let (_, rest) = text
        .split_once("action=\"/auth/code?t=")
        .expect("a field for digits");
    format!("/auth/code?t={}", rest.split_once('"').unwrap().0)
}

async fn type_digits(browser: &mut Browser, action: &str, digits: &str) -> Answer {
    let answer = browser.post(action, &format!("code={digits}")).await;
    match answer.status().is_redirection() {
        true => browser.follow(answer).await,
        false => answer,
    }
}

/// Returns the id of the session that the application was asked with.
fn is_in(answer: &Answer) -> String {
    let text = answer.text();
    assert_eq!(answer.status(), 200, "{text}");
    assert!(text.ends_with(&format!(" {ADA}")), "{text}");
    text.split_once(' ').unwrap().0.to_owned()
}

fn is_told(answer: &Answer, trouble: RejectionKind) {
    let text = answer.read();
    assert!(text.contains(trouble.heading()), "{trouble:?}: {text}");
    assert!(!answer.status().is_success(), "{text}");
}

async fn sign_out(browser: &mut Browser) {
    let out = browser.post("/auth/logout", "").await;
    assert_eq!(out.location(), "/auth/logout");
}
