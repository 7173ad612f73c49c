//! `Settings`: what was read, and how it is printed.

#[cfg(feature = "redis")]
use std::sync::{Arc, OnceLock};
use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{
    error::SettingsError,
    key::{FILE, Key},
    origin::Origin,
    table::KEYS,
    value::{Raw, Value, length, quoted, shown},
};

/// Settings that were read. `Display` prints all of them as a file, with where each comes from;
/// neither it nor `Debug` shows a secret.
///
/// [`Sources`](super::Sources) makes them. They can also be a part of an application's own
/// configuration, in any format of serde, with all keys of [the page](super) but the secrets
/// themselves:
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
///
/// A parser may add the line of the text to an error, as the crate `toml` does, and a secret may
/// stand there: log its `message` alone. [`Sources::file`](super::Sources::file) shows no line.
#[derive(Clone, Default)]
pub struct Settings {
    pub(super) set: BTreeMap<&'static str, Set>,
    pub(super) own: Vec<Own>,
    /// Made once, and shared by all clones.
    #[cfg(feature = "redis")]
    pub(super) revocations: Arc<OnceLock<crate::revocation::RedisRevocations>>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The path of the file that a secret was read from.
    pub(super) file: Option<String>,
}

impl Set {
    /// Says where the value of a key stands, as the beginning of a sentence. For a secret of a file
    /// it names `…_file` and the path.
    pub(super) fn place_of(&self, name: &str) -> String {
        let (name, path) = match &self.file {
            Some(path) => (format!("{name}{FILE}"), format!(" {}", shown(path))),
            None => (name.to_owned(), String::new()),
        };
        match &self.origin {
            origin @ (Origin::Flag(_) | Origin::Variable(_)) => format!("{origin}{path}"),
            origin => format!("{origin}: {name}{path}"),
        }
    }
}

/// A key of the application's.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) about: &'static str,
}

impl Settings {
    /// Returns the text of a key, of the layer or the [application's own](super::Sources::own), or
    /// its default. A list of the application's has commas. `None` if it has neither, and if the
    /// value is no text.
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

    /// Says whether a source has set a key: the layer's, a secret, or the application's own. A
    /// secret that is set by its file is set. A default is not.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().flags(["--mount=/account"]).read()?;
    /// assert!(settings.is_set("mount"));
    /// assert!(!settings.is_set("session_lifetime") && !settings.is_set("key"));
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }

    /// Returns a switch of the layer. `None` if no source has set it, and if it is no switch.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().flags(["--end-streams=false"]).read()?;
    /// assert_eq!(settings.switch("end_streams"), Some(false));
    /// assert_eq!(settings.switch("no_store"), None);
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn switch(&self, name: &str) -> Option<bool> {
        match self.set.get(name).map(|set| &set.value) {
            Some(Value::Switch(is_on)) => Some(*is_on),
            _ => None,
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
        parsed.map_err(|_| self.refused(name, &format!("{} must be {expected}", shown(text))))
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
        let length = length(text.trim()).map(Some);
        length.ok_or_else(|| self.refused(name, &format!("{} {expected}", shown(text))))
    }

    /// Says what is wrong with the value of a key, and where it stands.
    pub(super) fn refused(&self, name: &str, problem: &str) -> SettingsError {
        let set = self.set.get(name);
        let place = set.map_or_else(|| name.to_owned(), |set| set.place_of(name));
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
            // No line of TOML: a file with it could not be read.
            Some(Set { value, origin, .. }) if value.is_withheld() => {
                let why = "it looks like a secret, which belongs elsewhere";
                writeln!(f, "# {name} = {value} ({origin}): {why}\n")
            }
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
