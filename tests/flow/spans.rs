//! The spans of `tracing` round each step and each call of a port.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use futures_util::future::{self, Either};
use http::StatusCode;
use tower_magic_link::emulator::{Endpoint, Fault, Hold};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry},
};

use crate::{names::ADA, support::World};

#[derive(Clone, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.0
            .insert(field.name(), text.trim_matches('"').to_owned());
    }
}

/// The spans that have closed, each with the names of those round it, and the events of the layer
/// with the names of theirs.
#[derive(Clone, Default)]
struct Spans {
    closed: Arc<Mutex<Vec<(String, Fields)>>>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Spans {
    /// Listens on this thread, as long as the guard lives.
    fn listen() -> (Self, DefaultGuard) {
        // First, so that every place of this program is known to have a listener.
        crate::secrets::listen();
        let spans = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(spans.clone()));
        (spans, guard)
    }

    fn take(&self) -> Vec<(String, Fields)> {
        std::mem::take(&mut *self.closed.lock().unwrap())
    }

    fn path<S: Subscriber + for<'l> LookupSpan<'l>>(
        id: Option<&span::Id>,
        context: &Context<'_, S>,
    ) -> String {
        let scope = id.and_then(|id| context.span_scope(id));
        let scope = scope.into_iter().flatten().collect::<Vec<_>>();
        let ours = scope.iter().rev();
        let ours = ours.filter(|span| span.metadata().target() == "tower_magic_link");
        let names = ours.map(|span| {
            let extensions = span.extensions();
            let fields: &Fields = extensions.get().unwrap();
            fields.0["otel.name"].clone()
        });
        names.collect::<Vec<_>>().join(" > ")
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Spans {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == "tower_magic_link" {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let current = context.current_span();
            let path = Self::path(current.id(), &context);
            let line = format!("{path}: {}", fields.0["message"]);
            self.events.lock().unwrap().push(line);
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if span.metadata().target() == "tower_magic_link" {
            let path = Self::path(Some(&id), &context);
            let fields = span.extensions().get::<Fields>().unwrap().clone();
            self.closed.lock().unwrap().push((path, fields));
        }
    }
}

#[tokio::test]
async fn each_step_and_each_call_of_a_port_is_a_span_by_opentelemetrys_names() {
    let (spans, _guard) = Spans::listen();
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let taken = spans.take();
    let paths: Vec<_> = taken.iter().map(|(path, _)| path.as_str()).collect();
    for want in [
        "login > throttle.charge",
        "login > provider.start > workos.create",
        "login > provider.start > workos.send",
        "login > provider.start",
        "login",
        "check",
    ] {
        assert!(paths.contains(&want), "{want}: {paths:?}");
    }
    let (_, step) = taken.iter().rfind(|(path, _)| path == "login").unwrap();
    for (name, want) in [
        ("http.request.method", "POST"),
        ("url.path", "/auth/login"),
        ("http.response.status_code", "303"),
    ] {
        assert_eq!(step.0.get(name).map(String::as_str), Some(want), "{name}");
    }
    let of = |name: &str| {
        &taken
            .iter()
            .find(|(path, _)| path.ends_with(name))
            .unwrap()
            .1
            .0
    };
    assert_eq!(of("workos.create")["server.address"], "127.0.0.1");
    assert_eq!(of("workos.create")["http.response.status_code"], "201");
    assert!(!of("provider.start").contains_key("error.type"));
    let sent = "login: link sent".to_owned();
    assert!(
        spans.events.lock().unwrap().contains(&sent),
        "the mail is a task of its own"
    );

    let fault = Fault::Status(StatusCode::BAD_GATEWAY);
    world.emulator().order(Endpoint::Token, fault);
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await;
    let taken = spans.take();
    for (path, want) in [
        (
            "callback > provider.finish > workos.exchange",
            "unavailable",
        ),
        ("callback > provider.finish", "unavailable"),
        ("callback", "provider_answer_lost"),
    ] {
        let found = taken.iter().find(|(other, _)| other == path);
        let (_, fields) = found.unwrap_or_else(|| panic!("{path}"));
        assert_eq!(fields.0["error.type"], want, "{path}");
    }

    // A request that is admitted opens none.
    browser.get(&callback).await;
    spans.take();
    assert_eq!(browser.get("/reports").await.status(), 200);
    assert!(spans.take().is_empty());
}

/// The step is dropped with its request, and the exchange goes on in its span: the trace has the
/// provider's call to its end, and the step has no status.
#[tokio::test]
async fn a_step_that_is_dropped_ends_its_span_without_a_status() {
    let (spans, _guard) = Spans::listen();
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let hold = Hold::new();
    let held = Fault::Hold(hold.clone());
    world.emulator().order(Endpoint::Token, held);
    spans.take();
    let asked = browser.get(&callback);
    let is_asked = async {
        while world.exchanges() == 0 {
            tokio::task::yield_now().await;
        }
    };
    // Both are dropped here, and the step with them.
    let first = future::select(Box::pin(asked), Box::pin(is_asked)).await;
    let is_left = matches!(first, Either::Right(_));
    drop(first);
    assert!(is_left);
    hold.release();
    let taken = loop {
        let taken = spans.take();
        if !taken.is_empty() && taken.iter().any(|(path, _)| path == "callback") {
            break taken;
        }
        spans.closed.lock().unwrap().extend(taken);
        tokio::task::yield_now().await;
    };
    let paths: Vec<_> = taken.iter().map(|(path, _)| path.as_str()).collect();
    assert!(
        paths.contains(&"callback > provider.finish > workos.exchange"),
        "{paths:?}"
    );
    let (_, step) = taken.last().unwrap();
    assert!(
        !step.0.contains_key("http.response.status_code"),
        "{step:?}"
    );
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
