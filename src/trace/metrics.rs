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

/// Counts a request that reached the inner service: `admitted` or `passed`.
pub(crate) fn count_forwarded(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    on::count(
        "tower_magic_link_forwarded_total",
        ["outcome", ""],
        [outcome, ""],
    );
}

/// Counts a refusal of the gate's.
pub(crate) fn count_refusal(kind: &'static str, audience: impl FnOnce() -> &'static str) {
    #[cfg(feature = "metrics")]
    on::count(
        "tower_magic_link_refusals_total",
        ["kind", "audience"],
        [kind, audience()],
    );
}

/// Counts a session that was renewed.
pub(crate) fn count_renewal() {
    #[cfg(feature = "metrics")]
    on::count(
        "tower_magic_link_sessions_renewed_total",
        ["", ""],
        ["", ""],
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

/// Says what each metric means, for a recorder that is there by now.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    on::describe();
}

#[cfg(feature = "metrics")]
mod on {
    use std::{
        collections::HashMap,
        sync::{LazyLock, PoisonError, RwLock},
        time::Duration,
    };

    use metrics::{Key, KeyName, Label, Level, Metadata, Unit, with_recorder};

    type Labels = [&'static str; 2];

    /// The keys in use, since `metrics` allocates one anew for each count. They are few: the names
    /// and the values of all labels are closed sets.
    static KEYS: LazyLock<RwLock<HashMap<(&'static str, Labels), Key>>> =
        LazyLock::new(RwLock::default);

    static METADATA: Metadata<'static> =
        Metadata::new("tower_magic_link", Level::INFO, Some("tower_magic_link"));

    /// Lends the key of a name and its labels.
    fn with_key(name: &'static str, names: Labels, values: Labels, take: impl FnOnce(&Key)) {
        let known = KEYS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(&(name, values)) {
            return take(key);
        }
        drop(known);
        let labels = names.into_iter().zip(values);
        let labels = labels.filter(|(name, _)| !name.is_empty());
        let labels: Vec<_> = labels
            .map(|(name, value)| Label::from_static_parts(name, value))
            .collect();
        let mut known = KEYS.write().unwrap_or_else(PoisonError::into_inner);
        take(
            known
                .entry((name, values))
                .or_insert_with(|| Key::from_parts(name, labels)),
        );
    }

    pub(super) fn count(name: &'static str, names: Labels, values: Labels) {
        with_key(name, names, values, |key| {
            with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
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
