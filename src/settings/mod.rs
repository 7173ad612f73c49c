//! A layer's settings from a TOML file, the environment and flags, for whoever configures a program
//! without writing Rust.
//!
//! - [`Sources`] reads them. A flag wins over a variable, a variable over the file, the file over
//!   the default.
//! - A key that does not exist is an error that names the nearest one. A wrong value is an error
//!   with the file, the key, the value and what is expected.
//! - A secret stands in a variable, or in a file of its own whose path is the key with `_file`. It
//!   is never shown.
//! - [`Settings::builder`] makes a [`Builder`](crate::Builder). What takes code, such as
//!   [`Builder::authorize`](crate::Builder::authorize), is added to that.
//!
//! The `guard` example is a whole program with them: [`guide::guard`](crate::guide::guard).
//!
//! ```
//! use tower_magic_link::settings::Sources;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = ("MAGIC_LINK_KEY".into(), "HDge+0f2qDskwpnolJZd3t2csYlILEfOKiyg0Q2Qvdk=".into());
//! # let variables = [keys];
//!
//! // In an application: `std::env::vars_os()` and `std::env::args().skip(1)`.
//! let flags = ["--public-url", "http://127.0.0.1:3000", "--provider=mailed-links", "--mailer=console"];
//! let settings = Sources::new().environment(variables).flags(flags).read()?;
//! let layer = settings.layer()?;
//! # let _ = layer;
//! # Ok(()) }
//! ```
//!
//! # Every key
//!
//! As a file, with its defaults. A length of time is a whole number with `ms`, `s`, `m`, `h` or
//! `d`.
//!
//! ```toml
#![doc = include_str!("example.toml")]
//! ```

#[cfg(feature = "redis")]
use std::sync::{Arc, OnceLock};
use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

mod apply;
mod error;
mod key;
mod look;
mod near;
mod parts;
mod reading;
mod sources;
mod table;
mod value;

pub use self::{error::SettingsError, sources::Sources};
use self::{
    key::{FILE, Key},
    reading::{Origin, Reading},
    table::KEYS,
    value::{Raw, Value, quoted},
};

/// Settings that were read. `Display` prints all of them as a file, with where each comes from;
/// neither it nor `Debug` shows a secret.
///
/// [`Sources`] makes them. They can also be a part of an application's own configuration, in any
/// format of serde, with all keys of [the page](self) but the secrets themselves:
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Configuration {
///     port: u16,
///     sign_in: tower_magic_link::settings::Settings,
/// }
///
/// let text = r#"{ "port": 3000, "sign_in": { "public_url": "https://app.example.com" } }"#;
/// let configuration: Configuration = serde_json::from_str(text)?;
/// assert!(configuration.sign_in.to_string().contains("public_url = \"https://app.example.com\""));
/// # let _ = configuration.port;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Settings {
    set: BTreeMap<&'static str, Set>,
    own: Vec<Own>,
    /// Made once, and shared by all clones.
    #[cfg(feature = "redis")]
    revocations: Arc<OnceLock<crate::revocation::RedisRevocations>>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
struct Set {
    value: Value,
    origin: Origin,
}

/// A key of the application's.
#[derive(Clone, Debug)]
struct Own {
    name: &'static str,
    default: &'static str,
    about: &'static str,
}

impl Settings {
    /// Returns the text of a key, of the layer or the [application's own](Sources::own), or its
    /// default. A list of the application's has commas. `None` if it has neither, and if the value
    /// is no text.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().flags(["--mount", "/account"]).read()?;
    /// assert_eq!(settings.text("mount"), Some("/account"));
    /// assert_eq!(settings.text("provider"), Some("workos"));
    /// assert_eq!(settings.text("cookie_name"), None);
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.set.get(name).map(|set| &set.value) {
            return Some(text);
        }
        let own = self.own.iter().find(|own| own.name == name);
        let key = Key::named(name).filter(|key| key.form().is_text());
        let default = own.map(|own| own.default).or(key.map(|key| key.default));
        default.filter(|default| !default.is_empty())
    }

    /// Returns the texts of a key of the layer that is a list. Empty if it is not set.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().flags(["--trusted-proxies=10.0.0.1,10.0.0.2"]).read()?;
    /// assert_eq!(settings.list("trusted_proxies"), ["10.0.0.1", "10.0.0.2"]);
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        match self.set.get(name).map(|set| &set.value) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// Parses the text of a key of the application's own.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().own("port", "3000", "Where it listens.");
    /// let settings = settings.flags(["--port=http"]).read()?;
    /// let error = settings.parsed::<u16>("port", "a number up to 65535").unwrap_err();
    /// assert_eq!(error.to_string(), "flag --port \"http\" must be a number up to 65535");
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be parsed. `expected` says what it must be.
    pub fn parsed<T: FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, SettingsError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let parsed = text.trim().parse().map(Some);
        parsed.map_err(|_| self.refused(name, &format!("{text:?} must be {expected}")))
    }

    /// Returns the length of time of a key of the application's own, such as `12h`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().own("patience", "60s", "How long it waits.").read()?;
    /// assert_eq!(settings.length("patience")?, Some(Duration::from_secs(60)));
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn length(&self, name: &str) -> Result<Option<std::time::Duration>, SettingsError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let expected = "must be a length of time such as 500ms, 30s, 15m, 12h or 7d";
        let length = value::length(text.trim()).map(Some);
        length.ok_or_else(|| self.refused(name, &format!("{text:?} {expected}")))
    }

    /// Says what is wrong with the value of a key, and where it stands.
    fn refused(&self, name: &str, problem: &str) -> SettingsError {
        let place = match self.set.get(name).map(|set| &set.origin) {
            Some(origin @ (Origin::Flag(_) | Origin::Variable(_))) => origin.to_string(),
            Some(origin) => format!("{origin}: {name}"),
            None => name.to_owned(),
        };
        SettingsError::of(name, format!("{place} {problem}"))
    }
}

/// All keys as a file, each with what it is for. One that is not set is a comment with its default.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for own in &self.own {
            let default = match own.default {
                "" => String::new(),
                default => quoted(default),
            };
            self.write(f, own.name, own.about, &default)?;
        }
        for key in KEYS {
            let default = match key.form().read(&Raw::Text(key.default.to_owned())) {
                Ok(value) if !key.default.is_empty() => &value.to_string(),
                _ => "",
            };
            if key.is_secret() {
                self.write_secret(f, key)?;
                continue;
            }
            self.write(f, key.name, key.about, default)?;
        }
        Ok(())
    }
}

impl Settings {
    fn write_secret(&self, f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
        let (name, about, variable) = (key.name, key.about, key.variable());
        let file = format!("{name}{FILE}");
        // The file of the keys is a key of its own.
        let has_own = Key::named(&file).is_some();
        let (alone, line) = match self.set.get(name) {
            Some(set) => ("", format!("# {name} = {} ({})\n", set.value, set.origin)),
            None if has_own => (" alone", String::new()),
            None => (", or in a file", format!("# {file} =\n")),
        };
        writeln!(f, "# {about} In the variable {variable}{alone}.\n{line}")
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        about: &str,
        default: &str,
    ) -> fmt::Result {
        writeln!(f, "# {about}")?;
        match self.set.get(name) {
            Some(set) => writeln!(f, "{name} = {} # {}\n", set.value, set.origin),
            None if default.is_empty() => writeln!(f, "# {name} =\n"),
            None => writeln!(f, "# {name} = {default}\n"),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.set.iter().map(|(name, set)| (name, &set.value)))
            .finish()
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, Raw>::deserialize(deserializer)?;
        let mut reading = Reading::new(Vec::new());
        for (name, raw) in values {
            let taken = reading.take(&name, &raw, &Origin::Embedded);
            taken.map_err(D::Error::custom)?;
        }
        Ok(reading.settings)
    }
}

#[cfg(test)]
mod tests;
