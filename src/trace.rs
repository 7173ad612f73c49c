//! What `tracing` sees of the layer's work beside its events: a span round each step of signing in
//! or out, and round each call of a port.
//!
//! - The names are OpenTelemetry's where it has some. `otel.name` and `otel.kind` are for
//!   `tracing-opentelemetry`.
//! - No span holds a query, a body, a cookie or a whole address.
//! - A call that is dropped, because its caller has left, ends its span without `error.type`. So
//!   does a step, without `http.response.status_code`.
//! - A request that is admitted from memory opens none.

use std::future::Future;

use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

mod metrics;

pub(crate) use self::metrics::{Meters, StateGauge, count_event, prepare_event};

/// A call of a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    name: &'static str,
}

/// How a call failed, in one word of a closed set.
pub(crate) trait Failure {
    fn kind_name(&self) -> &'static str;
}

impl Call {
    /// `name` is the port's, a dot and the call's: `provider.start`.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// Has the histograms of some outcomes begin, before a call has ended so.
    pub(crate) fn prepare(self, outcomes: impl IntoIterator<Item = &'static str>) {
        for outcome in outcomes {
            metrics::prepare_measure(self.name, outcome);
        }
    }

    fn span(self) -> Span {
        tracing::debug_span!(
            target: "tower_magic_link",
            "call",
            "otel.name" = self.name,
            "otel.kind" = "client",
            "error.type" = Empty,
        )
    }
}

/// Waits for a call in a span of its own, and notes how it failed.
pub(crate) async fn observe<T, E: Failure>(
    call: Call,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let span = call.span();
    let begun = Instant::now();
    let answer = answer.instrument(span.clone()).await;
    let outcome = match &answer {
        Ok(_) => "ok",
        Err(error) => {
            span.record("error.type", error.kind_name());
            error.kind_name()
        }
    };
    metrics::measure(call.name, outcome, begun.elapsed());
    answer
}
