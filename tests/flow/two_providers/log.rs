//! The primary's outage in the log: the fallback's success hides it from the events.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_magic_link::{
    Email,
    provider::{
        AuthorizationCode, Delivery, Finish, FinishChoice, Identity, IdentityProvider,
        PendingToken, ProviderError, ProviderErrorKind as Kind, Start, Started, TwoProviders,
    },
    testing::{ManualClock, StubProvider, TestAttempt},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::Registry,
};

use crate::names::{ADA, ORIGIN};

type Answer = fn() -> ProviderError;

/// A provider that fails as it is told to, and knows no proof.
#[derive(Clone, Default)]
struct Failing(Arc<Mutex<Option<Answer>>>);

impl Failing {
    fn answer(&self) -> Result<(), ProviderError> {
        let answer = *self.0.lock().unwrap();
        answer.map_or(Ok(()), |answer| Err(answer()))
    }
}

impl IdentityProvider for Failing {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        self.answer()?;
        Ok(Started::mailed())
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.answer()?;
        Err(Kind::Refused.into())
    }

    async fn finish_choice(&self, _: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.answer()?;
        Err(Kind::Refused.into())
    }
}

/// The lines of the layer's log on this thread, each with its level and its fields in order.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Listens as long as the guard lives.
    fn listen() -> (Self, DefaultGuard) {
        // First, so that every place of this program is known to have a listener.
        crate::secrets::listen();
        let lines = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(lines.clone()));
        (lines, guard)
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tower_magic_link" {
            let mut fields = Fields::default();
            event.record(&mut fields);
            fields.0.sort();
            let line = format!("{} {}", event.metadata().level(), fields.0.join(" "));
            self.0.lock().unwrap().push(line);
        }
    }
}

#[derive(Default)]
struct Fields(Vec<String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Choice,
    Finish,
    Start,
}

/// Makes a call, whatever comes of it.
async fn make(call: Call, both: &impl IdentityProvider) {
    let (email, lifetime) = (Email::parse(ADA).unwrap(), Duration::from_secs(900));
    let attempt = TestAttempt::new(&ManualClock::new());
    match call {
        Call::Choice => {
            let pending = PendingToken::new("p.unknown");
            let finish = FinishChoice::new(attempt.show(), &pending, "org_1");
            let _ = both.finish_choice(&finish).await;
        }
        Call::Finish => {
            let code = AuthorizationCode::new("unknown");
            let finish = Finish::new(attempt.show(), &code, &email, lifetime);
            let _ = both.finish(&finish).await;
        }
        Call::Start => {
            let delivery = Delivery::Provider;
            let shown = attempt.show();
            let start = Start::new(shown, &email, ORIGIN, "state", lifetime, delivery);
            both.start(&start).await.unwrap();
        }
    }
}

/// Pins: while the fallback began every sign-in, nothing said that the primary was away.
#[tokio::test]
async fn an_outage_of_the_primary_is_one_line_of_the_log_and_its_end_is_another() {
    let out: Answer = || {
        let out = ProviderError::new(Kind::Unavailable).with_status(503);
        out.with_code(Some("lock_timeout"))
    };
    let late: Answer = || Kind::TimedOut.into();
    let answers = [
        None,
        Some(out),
        Some(late),
        Some(out),
        None,
        None,
        Some(late),
    ];
    let away = "the primary provider does not answer";
    let want = [
        format!(
            "WARN code=\"lock_timeout\" kind=\"unavailable\" message={away} provider=\"workos\" \
             status=503"
        ),
        "INFO message=the primary provider answers again provider=\"workos\"".to_owned(),
        format!("WARN kind=\"timed_out\" message={away} provider=\"workos\""),
    ];
    for call in [Call::Choice, Call::Finish, Call::Start] {
        let (lines, _guard) = Lines::listen();
        let primary = Failing::default();
        let both = TwoProviders::new(primary.clone(), StubProvider::new()).named("workos", "own");
        for answer in answers {
            *primary.0.lock().unwrap() = answer;
            make(call, &both).await;
        }
        assert_eq!(*lines.0.lock().unwrap(), want, "{call:?}");
    }
}

/// An answer that says that the primary is there ends the outage, though it is a failure.
#[tokio::test]
async fn a_4xx_of_the_primary_begins_no_outage_in_the_log_and_ends_one() {
    let busy: Answer = || {
        let busy = ProviderError::new(Kind::Unavailable).with_status(409);
        busy.before_acting()
    };
    let late: Answer = || Kind::TimedOut.into();
    let (lines, _guard) = Lines::listen();
    let primary = Failing::default();
    let both = TwoProviders::new(primary.clone(), StubProvider::new());
    for (answer, want) in [(busy, 0), (late, 1), (busy, 2), (busy, 2)] {
        *primary.0.lock().unwrap() = Some(answer);
        make(Call::Finish, &both).await;
        assert_eq!(lines.0.lock().unwrap().len(), want);
    }
}
