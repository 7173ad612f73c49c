//! What must never be seen: keys, tokens, codes, states, links and whole addresses in a log, a
//! span, an event, a metric, a `Debug`, or a URL of ours.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use http::{Request, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tower_magic_link::{
    Builder, RejectionKind,
    emulator::{Endpoint, Fault},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    names::{ADA, EVE},
    support::{KEY, World},
};

/// Keeps what the layer logs, at every level, in every test of this program; and what anybody logs
/// that has the API key in it.
///
/// It is the whole program's: tracing asks the thread that first reaches a place whether anybody
/// listens there, and remembers the answer.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).expect("nobody else listens");
    log
});

/// What every layer of this program counts.
static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let builder = PrometheusBuilder::new();
    builder.install_recorder().expect("nobody else counts")
});

/// Begins to listen, or goes on.
pub(crate) fn listen() {
    LazyLock::force(&LOG);
    LazyLock::force(&METRICS);
}

/// Returns what the layers of this program logged so far.
pub(crate) fn logged() -> String {
    LOG.0.lock().unwrap().clone()
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.keep(span.metadata(), |line| span.record(line));
        span::Id::from_u64(if is_ours(span.metadata()) {
            OURS
        } else {
            OTHERS
        })
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        let mut line = Line("\nrecorded:".to_owned());
        values.record(&mut line);
        if span.into_u64() == OURS || line.0.contains(KEY) {
            self.0.lock().unwrap().push_str(&line.0);
        }
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The ids of all spans: they say no more than whose the span is.
const OURS: u64 = 1;
const OTHERS: u64 = 2;

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "tower_magic_link"
}

impl Log {
    fn keep(&self, metadata: &Metadata<'_>, write: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("\n{}:", metadata.target()));
        write(&mut line);
        if is_ours(metadata) || line.0.contains(KEY) {
            self.0.lock().unwrap().push_str(&line.0);
        }
    }
}

/// What a listener sees of a world: the events, their fields and their contexts, in each form.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<String>>);

impl Seen {
    /// Listens to a layer's events, and to the log of this program.
    pub(crate) fn on(&self, builder: Builder) -> Builder {
        listen();
        let seen = self.clone();
        builder.on_event(move |event, context| {
            let fields: Vec<_> = event.fields().chain(context.fields()).collect();
            let line = format!("{event:?} {context:?} {fields:?}\n");
            seen.0.lock().unwrap().push_str(&line);
        })
    }

    /// Fails if one of the secrets is in what was seen or logged, and if an event is missing that
    /// the walk was to cause.
    pub(crate) fn has_none_of(&self, secrets: &[String], events: &[&str]) {
        let seen = self.0.lock().unwrap().clone();
        for event in events {
            assert!(seen.contains(event), "no {event}: {seen}");
        }
        let counted = METRICS.render();
        for event in ["signed_in", "signed_out", "refused", "mail_failed"] {
            let series = format!("tower_magic_link_events_total{{event=\"{event}\"");
            assert!(counted.contains(&series), "no {event}: {counted}");
        }
        let seen = [seen, logged(), counted].concat();
        let found: Vec<_> = secrets
            .iter()
            .filter_map(|secret| around(&seen, secret))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Returns a secret that is seen, with what stands before it. Digits are one only where they stand
/// alone: a longer number or a random id may have any six in it.
fn around<'s>(seen: &'s str, secret: &str) -> Option<&'s str> {
    assert!(secret.len() >= 6, "{secret} is no secret");
    let is_number = secret.bytes().all(|b| b.is_ascii_digit());
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let (at, _) = seen.match_indices(secret).find(|(at, _)| {
        let (before, after) = (&seen[..*at], &seen[at + secret.len()..]);
        !is_number || !before.ends_with(is_word) && !after.starts_with(is_word)
    })?;
    let from = (at.saturating_sub(60)..=at).find(|from| seen.is_char_boundary(*from))?;
    Some(&seen[from..at + secret.len()])
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

#[tokio::test]
async fn no_secret_reaches_a_log_an_event_or_a_debug() {
    let told = Seen::default();
    let world = World::with(|builder| told.on(builder)).await;
    let mut seen = String::new();
    let mut secrets = vec![
        "sk_test_marker_key".to_owned(),
        ADA.to_owned(),
        EVE.to_owned(),
    ];

    // A walk, and whatever can go wrong on it.
    let mut browser = world.browser();
    let posted = browser
        .post("/auth/login?return_to=/reports", "email=ada@example.com")
        .await;
    secrets.push(posted.location().split_once("t=").unwrap().1.to_owned());
    let callback = world.follow_mail(ADA).await;
    let query = callback.split_once('?').unwrap().1;
    secrets
        .extend(url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()));
    secrets.push(world.emulator().last_link_to(ADA).unwrap());
    world.browser().get(&callback).await;
    for fault in [
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::Status(StatusCode::UNAUTHORIZED),
        Fault::Cut,
    ] {
        world.emulator().order(Endpoint::Token, fault);
        browser.get(&callback).await;
    }
    let landed = browser.get(&callback).await;
    writeln!(seen, "{}", landed.location()).unwrap();
    world.clock.advance(Duration::from_secs(61));
    let mut again = browser.clone();
    again.jar.remove("__Host-magic-link");
    again.get(&callback).await;
    browser.ask_for_link(ADA, "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email(EVE));
    let other = world.follow_mail(ADA).await;
    browser.get(&other).await;
    // One of them says nothing but that it is there.
    secrets.extend(browser.jar.values().filter(|value| *value != "1").cloned());
    for (endpoint, fault) in [
        (Endpoint::Create, Fault::InvalidJson),
        (
            Endpoint::Send,
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        (
            Endpoint::Create,
            Fault::Redirect("https://evil.example".to_owned()),
        ),
    ] {
        world.emulator().order_always(endpoint, fault);
        browser.post("/auth/login", "email=ada@example.com").await;
        world.emulator().clear_orders(endpoint);
    }
    browser.get("/").await;
    let mut forged = browser.clone();
    forged.jar.insert(
        "__Host-magic-link".to_owned(),
        format!("{}x", browser.jar["__Host-magic-link"]),
    );
    forged.get("/").await;
    browser.post("/auth/logout", "").await;
    browser.clone().get("/").await;

    writeln!(seen, "{:?} {:?}", world.layer, world.keys).unwrap();
    writeln!(seen, "{:?}", crate::support::client(&world.workos)).unwrap();
    seen.push_str(&told.0.lock().unwrap());
    let logged = LOG.0.lock().unwrap().clone();
    assert!(logged.contains("a***@example.com"), "{logged}");
    seen.push_str(&logged);
    for secret in &secrets {
        assert!(!seen.contains(secret.as_str()), "{secret} in {seen}");
    }
    assert!(secrets.len() > 8, "{}", secrets.len());
    assert!(
        seen.contains(&format!("{:?}", RejectionKind::OtherAddress)),
        "{seen}"
    );
}

#[tokio::test]
async fn what_went_wrong_at_the_provider_is_told_with_its_request_id_alone() {
    let world = World::new().await;
    world
        .emulator()
        .order_always(Endpoint::Create, Fault::Status(StatusCode::UNAUTHORIZED));
    let answer = world.browser().ask_for_link(ADA, "/").await;
    assert_eq!(answer.status(), 502);
    let heard = world.heard();
    assert!(
        heard.contains("ProviderFailed") && heard.contains("status: Some(401)"),
        "{heard}"
    );
    assert!(heard.contains("request_id: Some("), "{heard}");
}

#[tokio::test]
async fn the_providers_own_word_for_a_failure_is_told_and_its_sentence_is_not() {
    let world = World::new().await;
    let cases = [
        ("invalid_client", r#"code: Some("invalid_client")"#),
        // What is no machine word may be a secret in the wrong place.
        ("424242", "code: None"),
        ("01HWXVEWWSMR5HS8M6FBGMBJJ9", "code: None"),
    ];
    for (word, want) in cases {
        let refusal = Fault::oauth_refusal(word);
        world.emulator().order_always(Endpoint::Create, refusal);
        let answer = world.browser().ask_for_link(ADA, "/").await;
        assert_eq!(answer.status(), 502, "{word}");
        let heard = world.heard();
        let failure = heard.rsplit("ProviderFailed").next().unwrap();
        assert!(failure.contains(want), "{word}: {heard}");
        assert!(!heard.contains("as ordered"), "{word}: {heard}");
        world.emulator().clear_orders(Endpoint::Create);
    }
}

#[tokio::test]
async fn a_refusal_carries_its_kind_and_no_more() {
    let world = World::new().await;
    let answer = world
        .browser()
        .send(Request::get("/x?token=secret").body("".into()).unwrap())
        .await;
    let rejection = answer
        .head
        .extensions
        .get::<tower_magic_link::Rejection>()
        .unwrap();
    assert_eq!(rejection.kind(), RejectionKind::NoSession);
    assert!(!format!("{rejection:?}").contains("secret"));
}
