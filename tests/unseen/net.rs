//! The net: everything that a walk puts out, and the secrets that are found in it.
//!
//! - What is logged and counted is the whole program's: every event and span of `tracing` at
//!   `TRACE` with all fields, every record of the crate `log`, every metric with its labels.
//! - A secret has places where it must stand: a page shows the letters, and a redirect leads to
//!   the check page. [`Source::has`] names them, and nothing else is left out.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    sync::{LazyLock, Mutex},
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::secrets::{Kind, Needles};

/// Where something was put out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// An error: its text, its `Debug`, and those of its sources.
    Error,
    /// What a listener gets.
    Event,
    /// The `Debug` of a response's headers, and each header but where it leads to and its cookies.
    Header,
    /// Where a redirect leads to, without what its own request brought and the check page's `t`.
    Location,
    /// A line or a span of this target.
    Log(String),
    Metric,
    /// A page, without what its own request brought.
    Page,
    /// What a program is told.
    Problem,
    /// The `Debug` or `Display` of a value that an application gets in hand.
    Shown,
}

impl Source {
    /// Says whether a secret must stand there.
    const fn has(&self, kind: Kind) -> bool {
        match self {
            // A person reads the letters and the address there, and posts the rest.
            Self::Page => matches!(
                kind,
                Kind::Address | Kind::Choice | Kind::Letters | Kind::State
            ),
            // A program chooses by it.
            Self::Problem => matches!(kind, Kind::Choice),
            _ => false,
        }
    }
}

/// Something that was put out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) source: Source,
    pub(crate) text: String,
}

/// A secret where it must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    /// What stands before the first one, and the secret.
    around: String,
}

/// Returns the secrets in what was put out: the first of each kind at each source.
pub(crate) fn leaks(needles: &Needles, lines: &BTreeSet<Line>) -> Vec<Leak> {
    let mut leaks = Vec::<Leak>::new();
    for Line { source, text } in lines {
        for (kind, around) in needles.within(text) {
            let is_known = |leak: &Leak| (leak.kind, &leak.source) == (kind, source);
            if !source.has(kind) && !leaks.iter().any(is_known) {
                leaks.push(Leak {
                    source: source.clone(),
                    kind,
                    around: around.to_owned(),
                });
            }
        }
    }
    leaks
}

/// What is logged is the whole program's, so one test walks at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
static LOGGED: Mutex<BTreeSet<Line>> = Mutex::new(BTreeSet::new());
static SPANS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    tracing::subscriber::set_global_default(Everything).expect("nobody else listens");
    log::set_logger(&Everything).expect("nobody else listens");
    log::set_max_level(log::LevelFilter::Trace);
    let builder = PrometheusBuilder::new();
    builder.install_recorder().expect("nobody else counts")
});

/// Begins to listen and to count, or goes on, and forgets what was logged. Whoever holds the guard
/// is alone.
pub(crate) async fn cast() -> tokio::sync::MutexGuard<'static, ()> {
    let guard = ALONE.lock().await;
    LazyLock::force(&METRICS);
    LOGGED.lock().unwrap().clear();
    guard
}

/// Returns what this program has logged and counted.
pub(crate) fn put_out() -> BTreeSet<Line> {
    let mut lines = LOGGED.lock().unwrap().clone();
    lines.extend(counted(&METRICS));
    lines
}

/// Returns each metric, with its labels and its value.
pub(crate) fn counted(metrics: &PrometheusHandle) -> Vec<Line> {
    let text = metrics.render();
    let lines = text.lines().map(|line| Line {
        source: Source::Metric,
        text: line.to_owned(),
    });
    lines.collect()
}

/// Listens to every target, at every level.
struct Everything;

impl Everything {
    fn keep(target: &str, text: String) {
        let source = Source::Log(target.to_owned());
        LOGGED.lock().unwrap().insert(Line { source, text });
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let metadata = span.metadata();
        let mut fields = Fields(metadata.name().to_owned());
        span.record(&mut fields);
        Self::keep(metadata.target(), fields.0);
        let mut spans = SPANS.lock().unwrap();
        spans.push(metadata.target());
        span::Id::from_u64(u64::try_from(spans.len()).unwrap())
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        let at = usize::try_from(span.into_u64()).unwrap() - 1;
        let target = SPANS.lock().unwrap()[at];
        let mut fields = Fields("recorded".to_owned());
        values.record(&mut fields);
        Self::keep(target, fields.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = Fields(metadata.level().to_string());
        event.record(&mut fields);
        Self::keep(metadata.target(), fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        Self::keep(record.target(), record.args().to_string());
    }

    fn flush(&self) {}
}

/// The fields of a line, as a formatter writes them.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}
