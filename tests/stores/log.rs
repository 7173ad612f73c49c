//! What is logged: in every test of this program, or on one thread.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    log
});

/// Begins to listen, or goes on.
pub(crate) fn listen() {
    LazyLock::force(&LOG);
}

/// Returns what was logged so far with a text in it.
pub(crate) fn logged(with: &str) -> Vec<String> {
    let log = LOG.0.lock().unwrap();
    let lines = log.lines().filter(|line| line.contains(with));
    lines.map(str::to_owned).collect()
}

/// Begins to listen on this thread alone, until the guard is dropped.
pub(crate) fn here() -> (Log, DefaultGuard) {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    (log, guard)
}

impl Log {
    /// Says whether a line has these words, however loud it is.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.0.lock().unwrap().contains(words)
    }

    /// Returns the warnings and errors so far.
    pub(crate) fn loud(&self) -> Vec<String> {
        let log = self.0.lock().unwrap();
        let lines = log
            .lines()
            .filter(|line| line.starts_with("WARN") || line.starts_with("ERROR"));
        lines.map(str::to_owned).collect()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tower_magic_link")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push_str(&format!("{}\n", line.0));
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
