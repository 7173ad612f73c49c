//! What the feature `metrics` counts on a walk.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use http::{Request, StatusCode};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tower_magic_link::emulator::{Endpoint, Fault};

use crate::{names::ADA, support::World};

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// Counts by the name and the labels, as Prometheus writes them.
#[derive(Default)]
struct Counting {
    counts: Counts,
    described: Mutex<Vec<String>>,
}

struct One(String, Counts);

impl One {
    fn add(&self, value: u64) {
        *self.1.lock().unwrap().entry(self.0.clone()).or_default() += value;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{value}");
        self.add(1);
    }
}

impl Counting {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels = labels.collect::<Vec<_>>().join(",");
        let name = format!("{}{{{labels}}}", key.name());
        Arc::new(One(name, self.counts.clone()))
    }

    fn describe(&self, name: &KeyName) {
        self.described
            .lock()
            .unwrap()
            .push(name.as_str().to_owned());
    }
}

impl Recorder for Counting {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

#[tokio::test]
async fn a_walk_is_counted_by_names_and_labels_of_closed_sets() {
    let recorder = Counting::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::with(|builder| builder.public_path("/about")).await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(browser.get("/reports").await.status(), 200);
    world.browser().get("/about").await;
    let invented = Request::get("/x?invented=1")
        .header("user-agent", "invented")
        .header("accept", "application/invented")
        .body("".into())
        .unwrap();
    assert_eq!(world.browser().send(invented).await.status(), 401);
    let fault = Fault::Status(StatusCode::UNAUTHORIZED);
    world.emulator().order(Endpoint::Create, fault);
    world.browser().ask_for_link(ADA, "/").await;
    browser.post("/auth/logout", "").await;

    let counts = recorder.counts.lock().unwrap().clone();
    for (name, want) in [
        ("events_total{event=link_sent,reason=}", 1),
        ("events_total{event=signed_in,reason=}", 1),
        ("events_total{event=signed_out,reason=owner}", 1),
        (
            "events_total{event=provider_failed,reason=misconfigured}",
            1,
        ),
        ("forwarded_total{outcome=admitted}", 2),
        ("forwarded_total{outcome=passed}", 1),
        ("refusals_total{kind=no_session,audience=program}", 1),
        ("call_duration_seconds{call=provider.start,outcome=ok}", 1),
        (
            "call_duration_seconds{call=provider.start,outcome=misconfigured}",
            1,
        ),
        ("call_duration_seconds{call=provider.finish,outcome=ok}", 1),
        (
            "call_duration_seconds{call=revocations.revoke,outcome=ok}",
            1,
        ),
    ] {
        let name = format!("tower_magic_link_{name}");
        assert_eq!(counts.get(&name), Some(&want), "{name}: {counts:#?}");
    }
    let text = format!("{counts:?}");
    for theirs in ["invented", "example.com", "/auth", "/reports", "prof_"] {
        assert!(!text.contains(theirs), "{theirs}: {text}");
    }
    // Each is described, and in the guide's table.
    let guide = include_str!("../../src/guide/operations.md");
    let described = recorder.described.lock().unwrap();
    for name in counts.keys() {
        let name = name.split('{').next().unwrap();
        assert!(described.iter().any(|other| other == name), "{name}");
    }
    for name in &*described {
        assert!(guide.contains(&format!("| `{name}` |")), "{name}");
    }
}
