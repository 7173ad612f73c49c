//! What the feature `metrics` counts on a walk.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Request, StatusCode};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tower::ServiceExt;
use tower_magic_link::{
    PeerAddr, Session, SessionId,
    clock::Timestamp,
    companion::ForwardAuth,
    emulator::{Endpoint, Fault},
    revocation::Standing,
    sessions::{ListedSession, Sessions},
    store::{StoreError, StoreFuture},
    throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
};

use crate::{
    names::{ADA, EVE},
    support::World,
};

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

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        panic!("{}: {value} more", self.0);
    }

    fn decrement(&self, value: f64) {
        panic!("{}: {value} less", self.0);
    }

    fn set(&self, value: f64) {
        assert!([0.0, 1.0].contains(&value), "{value}");
        let value = u64::from(value > 0.5);
        self.1.lock().unwrap().insert(self.0.clone(), value);
    }
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

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
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

/// Pins: the question by which nginx gets the answer was counted as a second refusal, and as a
/// request that reached the service if its session was good by then.
#[tokio::test]
async fn the_second_question_of_nginx_counts_nothing() {
    let recorder = Counting::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world =
        World::with(|builder| builder.trusted_proxies(["10.0.0.7"]).public_path("/about")).await;
    let asked = world.layer.forward_auth().for_nginx();
    let refusing = asked.clone().refusing();
    let ask = async |service: &ForwardAuth, path: &str| {
        let peer = SocketAddr::from(([10, 0, 0, 7], 40_000));
        let question = Request::get("/ask")
            .extension(PeerAddr::from(peer))
            .header("x-original-method", "GET")
            .header("x-original-uri", path)
            .body(String::new())
            .unwrap();
        service.clone().oneshot(question).await.unwrap().status()
    };
    let counted = || {
        let counts = recorder.counts.lock().unwrap();
        let of_requests = |name: &str| name.contains("refusals_") || name.contains("forwarded_");
        let counts = counts.iter().filter(|(name, _)| of_requests(name));
        counts.map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(ask(&asked, "/reports").await, 401);
    assert_eq!(counted(), 1);
    assert_eq!(ask(&refusing, "/reports").await, 401);
    assert_eq!(ask(&refusing, "/about").await, 503);
    assert_eq!(counted(), 1);
    assert_eq!(ask(&asked, "/about").await, 200);
    assert_eq!(counted(), 2);
}

/// An index that fails when it is told to.
#[derive(Debug)]
struct Listed(Arc<AtomicBool>);

impl Sessions for Listed {
    fn note<'a>(&'a self, _: &'a ListedSession, _: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(async { answer(&self.0) })
    }

    fn forget<'a>(&'a self, _: &'a str, _: SessionId) -> StoreFuture<'a, ()> {
        Box::pin(async { answer(&self.0) })
    }

    fn list<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Vec<ListedSession>> {
        Box::pin(async { answer(&self.0).map(|()| Vec::new()) })
    }
}

/// Limits that are not counted while the throttle fails.
#[derive(Debug)]
struct Counted(Arc<AtomicBool>, MemoryThrottle);

impl Throttle for Counted {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        answer(&self.0)?;
        self.1.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        answer(&self.0)?;
        self.1.take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.1.give_try_back(key, now).await
    }
}

fn answer(is_away: &AtomicBool) -> Result<(), StoreError> {
    match is_away.load(Ordering::SeqCst) {
        true => Err(StoreError::unavailable("away")),
        false => Ok(()),
    }
}

#[tokio::test]
async fn each_store_has_a_gauge_that_falls_and_rises_with_it() {
    let recorder = Counting::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let is_away = Arc::new(AtomicBool::new(false));
    let world = World::with(|builder| {
        let asked = is_away.clone();
        builder
            .revocations(move |_: Session| {
                let answer = answer(&asked).map(|()| Standing::Active);
                async move { answer }
            })
            .throttle(Counted(is_away.clone(), MemoryThrottle::default()))
            .session_index(Listed(is_away.clone()))
    })
    .await;
    let up = || {
        let counts = recorder.counts.lock().unwrap();
        ["revocations", "sessions", "throttle"].map(|store| {
            let name = format!("tower_magic_link_store_up{{store={store}}}");
            counts.get(&name).copied()
        })
    };
    // Before anything has asked them.
    assert_eq!(up(), [Some(1); 3]);
    let person = world.signed_in(ADA).await;
    assert_eq!(up(), [Some(1); 3]);

    is_away.store(true, Ordering::SeqCst);
    assert_eq!(person.clone().get("/reports").await.status(), 503);
    assert_eq!(up(), [Some(0), Some(1), Some(1)], "only one was asked");
    let mut newcomer = world.browser();
    newcomer.ask_for_link(EVE, "/").await;
    assert_eq!(up(), [Some(0), Some(1), Some(0)]);
    let callback = world.follow_mail(EVE).await;
    assert_eq!(newcomer.get(&callback).await.status(), 303);
    assert_eq!(up(), [Some(0); 3]);

    is_away.store(false, Ordering::SeqCst);
    assert_eq!(person.clone().get("/reports").await.status(), 200);
    assert_eq!(up(), [Some(1), Some(0), Some(0)]);
    world.signed_in(ADA).await;
    assert_eq!(up(), [Some(1); 3]);
}
