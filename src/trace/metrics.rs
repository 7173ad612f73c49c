//! What the crate `metrics` counts, by names of Prometheus's conventions.
//!
//! Every label is of a closed set: nothing that a client writes becomes one.
//!
//! Without the feature `metrics` nothing is counted, and each function is empty.

#![cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, reason = "nothing is counted")
)]

use std::time::Duration;

#[cfg(feature = "metrics")]
const DURATION: &str = "tower_magic_link_call_duration_seconds";

/// Has the counter of an event begin with 0.
pub(crate) fn prepare_event(name: &'static str, reason: &'static str) {
    #[cfg(feature = "metrics")]
    on::prepare(
        "tower_magic_link_events_total",
        ["event", "reason"],
        [name, reason],
    );
}

/// Counts an event by its name and by what tells its kinds apart.
pub(crate) fn count_event(name: &'static str, reason: &'static str) {
    #[cfg(feature = "metrics")]
    on::count(
        "tower_magic_link_events_total",
        ["event", "reason"],
        [name, reason],
    );
}

/// Has the histogram of calls that end so begin, with none.
pub(super) fn prepare_measure(call: &'static str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    on::prepare_measure(DURATION, call, outcome);
}

/// Notes how long a call of a port took, and how it ended: `ok`, or the kind of the failure.
pub(super) fn measure(call: &'static str, outcome: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    on::measure(DURATION, call, outcome, took);
}

/// The state of a store as a gauge: 1 while it is able, 0 while it is lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateGauge {
    /// Its name, and the store's.
    #[cfg(feature = "metrics")]
    names: [&'static str; 2],
}

impl StateGauge {
    /// Says whether a store can do its work.
    pub(crate) const fn of_store(store: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            names: ["tower_magic_link_store_up", store],
        }
    }

    /// Says whether a store is in contact with the server that it shares with other replicas.
    #[cfg(feature = "redis")]
    pub(crate) const fn of_server(store: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            names: ["tower_magic_link_store_server_up", store],
        }
    }

    /// Shows a state that other threads may change meanwhile. Call it after each change.
    pub(crate) fn show(self, is_able: impl Fn() -> bool) {
        #[cfg(feature = "metrics")]
        // Read it again after showing it, so that the last thread to show it shows what holds.
        loop {
            let is_now = is_able();
            on::set(self.names, if is_now { 1.0 } else { 0.0 });
            if is_able() == is_now {
                break;
            }
        }
    }
}

/// The counters of requests. A request looks none up: they are those of the recorder that was there
/// when the layer was built.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    #[cfg(feature = "metrics")]
    on: on::Requests,
}

impl Meters {
    /// Says what each metric means, and prepares the counters.
    pub(crate) fn new() -> Self {
        #[cfg(feature = "metrics")]
        on::describe();
        Self::default()
    }

    /// Counts a request that reached the inner service with a session.
    pub(crate) fn count_admitted(&self) {
        #[cfg(feature = "metrics")]
        self.on.admitted.increment(1);
    }

    /// Counts a request that reached the inner service without a session.
    pub(crate) fn count_passed(&self) {
        #[cfg(feature = "metrics")]
        self.on.passed.increment(1);
    }

    /// Counts a session that was renewed.
    pub(crate) fn count_renewed(&self) {
        #[cfg(feature = "metrics")]
        self.on.renewed.increment(1);
    }

    /// Counts a refusal of the gate's.
    pub(crate) fn count_refused(&self, kind: &'static str, audience: &'static str) {
        #[cfg(feature = "metrics")]
        self.on.count_refused(kind, audience);
    }
}

#[cfg(feature = "metrics")]
mod on {
    use std::{
        collections::HashMap,
        fmt,
        hash::{BuildHasherDefault, Hasher},
        ptr,
        sync::{Arc, LazyLock},
        time::Duration,
    };

    use arc_swap::ArcSwap;
    use metrics::{Counter, Key, KeyName, Label, Level, Metadata, Unit, with_recorder};

    type Labels = [&'static str; 2];

    /// The keys in use, since `metrics` allocates one anew for each count. They are few: the names
    /// and the values of all labels are closed sets. They are found by the places where their texts
    /// stand: a text that stands at two places has two entries.
    static KEYS: LazyLock<ArcSwap<Keys>> = LazyLock::new(ArcSwap::default);

    type Keys = HashMap<Place, Arc<Key>, BuildHasherDefault<Addresses>>;

    /// Where a name and the values of its labels stand, and how long they are.
    type Place = [(usize, usize); 3];

    /// Hashes places of the program's own texts. Nobody chooses those, so the hash needs no secret.
    #[derive(Default)]
    struct Addresses(u64);

    impl Hasher for Addresses {
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.write_usize(usize::from(*byte));
            }
        }

        fn write_usize(&mut self, number: usize) {
            let number = u64::try_from(number).unwrap_or_default();
            // The golden ratio, as a multiplier: its high bits depend on each bit of the number.
            self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }

        fn finish(&self) -> u64 {
            // A map looks for a place by the low bits.
            self.0 ^ (self.0 >> 32)
        }
    }

    fn place(name: &'static str, [first, second]: Labels) -> Place {
        [name, first, second].map(|text| (text.as_ptr().addr(), text.len()))
    }

    static METADATA: Metadata<'static> =
        Metadata::new("tower_magic_link", Level::INFO, Some("tower_magic_link"));

    /// Lends the key of a name and its labels.
    fn with_key(name: &'static str, names: Labels, values: Labels, take: impl FnOnce(&Key)) {
        let place = place(name, values);
        let known = KEYS.load();
        if let Some(key) = known.get(&place) {
            return take(key);
        }
        drop(known);
        let labels = names.into_iter().zip(values);
        let labels = labels.filter(|(name, _)| !name.is_empty());
        let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
        let key = Arc::new(Key::from_parts(name, labels.collect::<Vec<_>>()));
        take(&key);
        KEYS.rcu(|known| {
            let mut known = Keys::clone(known);
            known.entry(place).or_insert_with(|| key.clone());
            known
        });
    }

    pub(super) fn count(name: &'static str, names: Labels, values: Labels) {
        with_key(name, names, values, |key| counter(key).increment(1));
    }

    pub(super) fn prepare(name: &'static str, names: Labels, values: Labels) {
        with_key(name, names, values, |key| drop(counter(key)));
    }

    pub(super) fn set([name, store]: [&'static str; 2], value: f64) {
        with_key(name, ["store", ""], [store, ""], |key| {
            with_recorder(|recorder| recorder.register_gauge(key, &METADATA).set(value));
        });
    }

    fn counter(key: &Key) -> Counter {
        with_recorder(|recorder| recorder.register_counter(key, &METADATA))
    }

    /// The counters of requests, each looked up once.
    pub(super) struct Requests {
        pub(super) admitted: Counter,
        pub(super) passed: Counter,
        pub(super) renewed: Counter,
        /// Those that have counted something, by their two labels: a few tens at most.
        refused: ArcSwap<Vec<(Labels, Counter)>>,
    }

    impl Default for Requests {
        fn default() -> Self {
            let forwarded = |outcome| {
                let label = Label::from_static_parts("outcome", outcome);
                let name = "tower_magic_link_forwarded_total";
                counter(&Key::from_parts(name, vec![label]))
            };
            Self {
                admitted: forwarded("admitted"),
                passed: forwarded("passed"),
                renewed: counter(&Key::from_name("tower_magic_link_sessions_renewed_total")),
                refused: ArcSwap::default(),
            }
        }
    }

    impl Requests {
        pub(super) fn count_refused(&self, kind: &'static str, audience: &'static str) {
            // A label that stands at two places is found at the second place, too, after its first
            // count there.
            let is = |(labels, _): &&(Labels, Counter)| {
                let [known, by] = labels;
                ptr::eq::<str>(*known, kind) && ptr::eq::<str>(*by, audience)
            };
            if let Some((_, counter)) = self.refused.load().iter().find(is) {
                return counter.increment(1);
            }
            let name = "tower_magic_link_refusals_total";
            with_key(name, ["kind", "audience"], [kind, audience], |key| {
                let new = counter(key);
                new.increment(1);
                self.refused.rcu(|known| {
                    let mut known = Vec::clone(known);
                    if !known.iter().any(|entry| is(&entry)) {
                        known.push(([kind, audience], new.clone()));
                    }
                    known
                });
            });
        }
    }

    impl fmt::Debug for Requests {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Requests").finish_non_exhaustive()
        }
    }

    pub(super) fn prepare_measure(name: &'static str, call: &'static str, outcome: &'static str) {
        with_key(name, ["call", "outcome"], [call, outcome], |key| {
            with_recorder(|recorder| drop(recorder.register_histogram(key, &METADATA)));
        });
    }

    pub(super) fn measure(
        name: &'static str,
        call: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        with_key(name, ["call", "outcome"], [call, outcome], |key| {
            with_recorder(|recorder| {
                recorder
                    .register_histogram(key, &METADATA)
                    .record(took.as_secs_f64())
            });
        });
    }

    pub(super) fn describe() {
        let counters = [
            (
                "tower_magic_link_events_total",
                "Events of the layer, by name and reason.",
            ),
            (
                "tower_magic_link_forwarded_total",
                "Requests that reached the inner service, with a session (admitted) or without one (passed).",
            ),
            (
                "tower_magic_link_refusals_total",
                "Requests that may not pass, by the code of the refusal and the kind of client.",
            ),
            (
                "tower_magic_link_sessions_renewed_total",
                "Sessions whose cookie was renewed.",
            ),
        ];
        let gauges = [
            (
                "tower_magic_link_store_server_up",
                "Whether a store is in contact with the server that it shares with other replicas.",
            ),
            (
                "tower_magic_link_store_up",
                "Whether a store can do its work, as it last answered.",
            ),
        ];
        with_recorder(|recorder| {
            for (name, help) in gauges {
                recorder.describe_gauge(KeyName::from_const_str(name), None, help.into());
            }
            for (name, help) in counters {
                recorder.describe_counter(
                    KeyName::from_const_str(name),
                    Some(Unit::Count),
                    help.into(),
                );
            }
            let name = KeyName::from_const_str(super::DURATION);
            let help = "How long a call of a provider, a mailer or a store took, by how it ended.";
            recorder.describe_histogram(name, Some(Unit::Seconds), help.into());
        });
    }
}
