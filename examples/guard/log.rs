//! What the guard writes to its standard error: the layer's lines, and its own under the name
//! `guard`.
//!
//! No other crate's line is written: what a client of HTTP logs may hold a query, and with it a
//! link.

use std::io;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Writes lines of this level and above from now on.
pub(super) fn begin(level: LevelFilter) {
    let ours = Targets::new()
        .with_target("guard", level)
        .with_target("tower_magic_link", level);
    let lines = fmt::layer().with_ansi(false).with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(lines.with_filter(ours))
        .init();
}
