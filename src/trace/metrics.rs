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

/// Counts an event by its name and by what tells its kinds apart.
pub(crate) fn count_event(name: &'static str, reason: &'static str) {
    #[cfg(feature = "metrics")]
    on::count(
        "tower_magic_link_events_total",
        ["event", "reason"],
        [name, reason],
    );
}

/// Notes how long a call of a port took, and how it ended: `ok`, or the kind of the failure.
pub(super) fn measure(call: &'static str, outcome: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    on::measure(
        "tower_magic_link_call_duration_seconds",
        call,
        outcome,
        took,
    );
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
        fmt, ptr,
        sync::{Arc, LazyLock},
        time::Duration,
    };

    use arc_swap::ArcSwap;
    use metrics::{Counter, Key, KeyName, Label, Level, Metadata, Unit, with_recorder};

    type Labels = [&'static str; 2];

    /// The keys in use, since `metrics` allocates one anew for each count. They are few: the names
    /// and the values of all labels are closed sets. So they are looked through, by the place where
    /// a text stands: one that stands at two places has two entries.
    static KEYS: LazyLock<ArcSwap<Vec<Arc<Known>>>> = LazyLock::new(ArcSwap::default);

    struct Known {
        name: &'static str,
        values: Labels,
        key: Key,
    }

    impl Known {
        fn is(&self, name: &'static str, values: &Labels) -> bool {
            let [first, second] = values;
            let [own_first, own_second] = &self.values;
            ptr::eq(self.name, name)
                && ptr::eq::<str>(*own_first, *first)
                && ptr::eq::<str>(*own_second, *second)
        }
    }

    static METADATA: Metadata<'static> =
        Metadata::new("tower_magic_link", Level::INFO, Some("tower_magic_link"));

    /// Lends the key of a name and its labels.
    fn with_key(name: &'static str, names: Labels, values: Labels, take: impl FnOnce(&Key)) {
        let known = KEYS.load();
        if let Some(known) = known.iter().find(|known| known.is(name, &values)) {
            return take(&known.key);
        }
        drop(known);
        let labels = names.into_iter().zip(values);
        let labels = labels.filter(|(name, _)| !name.is_empty());
        let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
        let key = Key::from_parts(name, labels.collect::<Vec<_>>());
        take(&key);
        KEYS.rcu(|known| {
            let is_new = !known.iter().any(|known| known.is(name, &values));
            let new = is_new.then(|| {
                Arc::new(Known {
                    name,
                    values,
                    key: key.clone(),
                })
            });
            known.iter().cloned().chain(new).collect::<Vec<_>>()
        });
    }

    pub(super) fn count(name: &'static str, names: Labels, values: Labels) {
        with_key(name, names, values, |key| counter(key).increment(1));
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
        with_recorder(|recorder| {
            for (name, help) in counters {
                recorder.describe_counter(
                    KeyName::from_const_str(name),
                    Some(Unit::Count),
                    help.into(),
                );
            }
            let name = KeyName::from_const_str("tower_magic_link_call_duration_seconds");
            let help = "How long a call of a provider, a mailer or a store took, by how it ended.";
            recorder.describe_histogram(name, Some(Unit::Seconds), help.into());
        });
    }
}
