//! What a failure shows: its kind, its request's id and the provider's own word; and what the layer
//! logs, for the tests that read it. `tests/unseen` looks for secrets in all that is put out.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock, Mutex},
};

use http::{Request, StatusCode};
use tower_magic_link::{
    RejectionKind,
    emulator::{Endpoint, Fault},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{names::ADA, support::World};

/// Keeps what the layer logs, at every level, in every test of this program.
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

/// Begins to listen, or goes on.
pub(crate) fn listen() {
    LazyLock::force(&LOG);
}

/// Returns what the layers of this program logged so far.
pub(crate) fn logged() -> String {
    LOG.0.lock().unwrap().clone()
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tower_magic_link"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line("\ntower_magic_link:".to_owned());
        event.record(&mut line);
        self.0.lock().unwrap().push_str(&line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
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
