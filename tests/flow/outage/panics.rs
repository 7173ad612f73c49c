//! A mailer or a provider that panics as mail is asked for has failed: an event reports it, no
//! request breaks off, and every address is answered alike.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SignIn, SigningKey,
    mailer::{Mail, MailError, Mailer},
    provider::{
        Finish, Identity, IdentityProvider, ProviderError, Start, StartCode, Started, StartedCode,
    },
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::{ADA, ORIGIN},
    secrets,
    support::{Browser, Post, app_of},
};

/// An address of a domain that the layer does not take.
const FOREIGN: &str = "eve@elsewhere.example";
/// What the panic says. It may repeat an address, so nothing of the layer's says it.
const MARKER: &str = "panic-marker";
/// Longer than the answer waits, which is a second.
const LATE: Duration = Duration::from_secs(2);

type Set = fn(Builder) -> Builder;

/// Who panics.
#[derive(Clone, Copy, Debug)]
enum Who {
    Mailer,
    /// One whose link and code the layer mails.
    Provider,
    /// One that mails its links itself.
    ProviderThatMails,
}

const EVERY: [Who; 3] = [Who::Mailer, Who::Provider, Who::ProviderThatMails];

impl Who {
    /// Returns how a good address is answered, and the event that reports why.
    const fn failure(self) -> (u16, &'static str) {
        match self {
            Self::Mailer => (
                502,
                "is_of_recipient: false, reason: \"the mailer panicked\"",
            ),
            Self::Provider | Self::ProviderThatMails => (503, "ProviderFailed { kind: Unavailable"),
        }
    }
}

/// When it panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before it returns a future.
    Call,
    /// In its future, after the person has the answer.
    Late,
    /// In its future, at once.
    Once,
}

/// A mailer and a provider that panics until it is mended.
#[derive(Clone)]
struct Faulty {
    at: At,
    is_mended: Arc<AtomicBool>,
    stub: StubProvider,
}

impl Faulty {
    fn fail(&self) -> impl Future<Output = ()> + Send {
        let (at, is_mended) = (self.at, self.is_mended.load(Ordering::SeqCst));
        assert!(is_mended || at != At::Call, "{MARKER}");
        async move {
            if is_mended {
                return;
            }
            if at == At::Late {
                tokio::time::sleep(LATE).await;
            }
            panic!("{MARKER}");
        }
    }
}

impl Mailer for Faulty {
    fn send(&self, _: &Mail<'_>) -> impl Future<Output = Result<(), MailError>> + Send {
        let failing = self.fail();
        async move {
            failing.await;
            Ok(())
        }
    }
}

impl IdentityProvider for Faulty {
    fn start(
        &self,
        start: &Start<'_>,
    ) -> impl Future<Output = Result<Started, ProviderError>> + Send {
        let failing = self.fail();
        async move {
            failing.await;
            self.stub.start(start).await
        }
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.stub.finish(finish).await
    }

    fn start_code(
        &self,
        start: &StartCode<'_>,
    ) -> impl Future<Output = Result<StartedCode, ProviderError>> + Send {
        let failing = self.fail();
        async move {
            failing.await;
            self.stub.start_code(start).await
        }
    }
}

struct Site {
    faulty: Faulty,
    events: Arc<Mutex<Vec<String>>>,
    layer: MagicLinkLayer,
}

impl Site {
    fn new(who: Who, at: At, set: Set) -> Self {
        let faulty = Faulty {
            at,
            is_mended: Arc::default(),
            stub: StubProvider::new(),
        };
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = match who {
            Who::Mailer => {
                MagicLinkLayer::builder(StubProvider::new(), keys).mailer(faulty.clone())
            }
            Who::Provider => MagicLinkLayer::builder(faulty.clone(), keys)
                .mailer(Post::default())
                .sign_in(SignIn::LinkAndCode),
            Who::ProviderThatMails => MagicLinkLayer::builder(faulty.clone(), keys),
        };
        let events = Arc::<Mutex<Vec<String>>>::default();
        let heard = events.clone();
        let builder = builder
            .public_url(ORIGIN)
            .clock(ManualClock::new())
            .email_domains(["example.com"])
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
        Self {
            faulty,
            events,
            layer: set(builder).build().unwrap(),
        }
    }

    /// Asks for mail in a new browser. Returns the status and the text of the answer.
    async fn ask(&self, email: &str) -> (u16, String) {
        let mut browser = Browser::new(app_of(&self.layer), ORIGIN);
        let form = format!("email={email}");
        let answer = browser.post("/auth/login", &form).await;
        let text = answer.text().replace(email, "someone");
        (answer.status().as_u16(), text)
    }

    fn heard(&self) -> String {
        self.events.lock().unwrap().join("\n")
    }
}

/// Pins: a good address got the panic, and one that may not sign in the usual answer.
#[tokio::test(start_paused = true)]
async fn a_mailer_or_provider_that_panics_is_an_outage_for_every_address_alike() {
    secrets::listen();
    let sets: [Set; 2] = [|builder| builder, Builder::insecure_answer_when_sent];
    for who in EVERY {
        for at in [At::Call, At::Once] {
            for set in sets {
                let site = Site::new(who, at, set);
                let (status, event) = who.failure();
                let good = site.ask(ADA).await;
                assert_eq!(good.0, status, "{who:?}, {at:?}");
                assert_eq!(site.ask(FOREIGN).await, good, "{who:?}, {at:?}");
                // No wait follows an outage.
                for _ in 0..5 {
                    assert_eq!(site.ask(ADA).await, good, "{who:?}, {at:?}");
                }
                let heard = site.heard();
                assert!(heard.contains(event), "{who:?}, {at:?}: {heard}");
                assert!(!heard.contains("LinkSent"), "{who:?}, {at:?}: {heard}");

                site.faulty.is_mended.store(true, Ordering::SeqCst);
                for email in [ADA, FOREIGN] {
                    assert_eq!(site.ask(email).await.0, 303, "{who:?}, {at:?}: {email}");
                }
            }
        }
    }
    let logged = secrets::logged();
    for line in ["the mailer panicked", "the provider panicked"] {
        assert!(logged.contains(line), "{line}");
    }
    assert!(!logged.contains(MARKER));
}

/// Pins: such a panic was reported by no event, its charges were kept, and nobody was told.
#[tokio::test(start_paused = true)]
async fn a_panic_after_the_answer_is_reported_and_told_to_the_next_person() {
    for who in EVERY {
        let site = Site::new(who, At::Late, |builder| builder);
        let (status, event) = who.failure();
        assert_eq!(site.ask(ADA).await.0, 303, "{who:?}");
        assert!(!site.heard().contains(event), "{who:?}");
        tokio::time::sleep(LATE).await;
        let heard = site.heard();
        assert!(heard.contains(event), "{who:?}: {heard}");
        assert!(!heard.contains("LinkSent"), "{who:?}: {heard}");

        let next = site.ask("grace@example.com").await;
        assert_eq!(next.0, status, "{who:?}");
        assert_eq!(site.ask(FOREIGN).await, next, "{who:?}");
        for _ in 0..5 {
            assert_eq!(site.ask(ADA).await, next, "{who:?}");
            // Its charges are given back when it has failed.
            tokio::time::sleep(LATE).await;
        }
        site.faulty.is_mended.store(true, Ordering::SeqCst);
        for email in [ADA, FOREIGN] {
            assert_eq!(site.ask(email).await.0, 303, "{who:?}: {email}");
        }
    }
}
