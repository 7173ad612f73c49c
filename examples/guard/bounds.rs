//! The ranges of the guard's own numbers.
//!
//! - A zero, or a length in the wrong unit, is an error that names the key, the value, its place
//!   and the range. Taken as it is, it would close each connection at once, answer each request
//!   with 504, or keep connections that do nothing for days.
//! - A grace of zero is a choice: requests under way are cut.

use std::time::Duration;

use tower_magic_link::{
    ConfigError,
    settings::{Settings, SettingsError},
};

/// A length of time, or a number, within its range.
pub(super) struct Bounds<T> {
    name: &'static str,
    least: T,
    most: T,
    /// The range in words.
    words: &'static str,
    read: fn(&Settings, &'static str) -> Result<Option<T>, SettingsError>,
}

const CONNECTIONS_IN_WORDS: &str = "a whole number from 1 to 1000000";
const HOUR: Duration = Duration::from_secs(3_600);

pub(super) const CONNECTIONS: Bounds<usize> = Bounds {
    name: "connection_limit",
    least: 1,
    most: 1_000_000,
    words: CONNECTIONS_IN_WORDS,
    read: |settings, name| settings.parsed(name, CONNECTIONS_IN_WORDS),
};
pub(super) const GRACE: Bounds<Duration> = Bounds {
    name: "shutdown_grace",
    least: Duration::ZERO,
    most: HOUR,
    words: "up to 1h",
    read: |settings, name| settings.length(name),
};
pub(super) const IDLE: Bounds<Duration> = Bounds {
    name: "idle_limit",
    least: Duration::from_secs(1),
    most: HOUR,
    words: "1s to 1h",
    read: |settings, name| settings.length(name),
};
pub(super) const PATIENCE: Bounds<Duration> = Bounds {
    name: "upstream_timeout",
    least: Duration::from_millis(100),
    most: HOUR,
    words: "100ms to 1h",
    // Seconds, as the variable has always had them, or a length with a unit.
    read: |settings, name| {
        let seconds = settings.text(name).and_then(|text| text.parse().ok());
        match seconds {
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None => settings.length(name),
        }
    },
};

impl<T: PartialOrd> Bounds<T> {
    /// Returns the value, or its default. `None` if it has neither.
    pub(super) fn of(&self, settings: &Settings) -> Result<Option<T>, SettingsError> {
        let value = (self.read)(settings, self.name)?;
        let is_within = |value: &T| (&self.least..=&self.most).contains(&value);
        if value.as_ref().is_none_or(is_within) {
            return Ok(value);
        }
        Err(settings.locate(&ConfigError::Invalid {
            setting: self.name,
            value: settings.text(self.name).unwrap_or_default().to_owned(),
            problem: format!("must be {}", self.words).into(),
        }))
    }
}
