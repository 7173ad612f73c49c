//! `Sources`: where settings come from, and which of them wins.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    error::SettingsError,
    key::{FILE, Key, PREFIX},
    near::nearest,
    origin::Origin,
    reading::{LIST, Reading, plain, unreadable},
    table::KEYS,
    value::{Form, Raw, Value, shown},
    whole::{Own, Settings},
};

/// Where settings come from: a file, the environment, and flags.
///
/// A flag wins over a variable, a variable over the file, and the file over the default. A list is
/// replaced as a whole, and a list without an entry is an error: it would take away what the list
/// restricts. Only `public_…`, `optional_…`, `trusted_proxies` and `workos_connection_types` may be
/// set to none, as in `public_path = []`. Commas separate the entries of a flag, of a variable and
/// of a text in a file. In a list of a file, `["/a", "/b"]`, an entry with a comma is an error. An
/// empty variable counts as not set. A setting that one source sets twice is an error, but for the
/// flags of a list.
///
/// ```
/// use tower_magic_link::settings::Sources;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("tower-magic-link-sources-{}", std::process::id()));
/// # std::fs::write(&path, "public_url = \"https://app.example.com\"\ngreeting = \"hello\"\n")?;
/// let settings = Sources::new()
///     // A key of the application's own, in the same file: `--greeting`, `GREETING`.
///     .own("greeting", "", "What the application says.")
///     .file(&path)
///     .environment(std::env::vars_os())
///     .flags(["--session-lifetime", "8h"])
///     .read()?;
/// assert_eq!(settings.text("greeting"), Some("hello"));
/// # std::fs::remove_file(&path)?;
/// # Ok(()) }
/// ```
///
/// `Debug` shows no variable and no flag: any of them may be a secret.
#[derive(Default)]
#[must_use]
pub struct Sources {
    own: Vec<Own>,
    /// Further variables of keys, each with its key.
    older: Vec<(&'static str, &'static str)>,
    file: Option<PathBuf>,
    variables: Vec<(String, OsString)>,
    flags: Vec<String>,
}

impl Sources {
    /// Makes sources of nothing: every setting has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of the application's own: its name, its default (empty: none) and what it is for.
    /// Its variable is its name in capitals, without a prefix. [`Settings::text`] and
    /// [`Settings::parsed`] return it. Its value is printed with all others, so it must be no
    /// secret.
    pub fn own(mut self, name: &'static str, default: &'static str, about: &'static str) -> Self {
        self.own.push(Own {
            name,
            default,
            about,
        });
        self
    }

    /// Also reads a key from a variable of another name, such as that of an earlier release. Errors
    /// and the printed settings show the name that is set. Two that are set are an error.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// // In an application: `std::env::vars_os()`.
    /// let variables = [("PUBLIC_URL".into(), "https://app.example.com".into())];
    /// let sources = Sources::new().variable("PUBLIC_URL", "public_url");
    /// let settings = sources.environment(variables).read()?;
    /// assert!(settings.to_string().contains("\"https://app.example.com\" # variable PUBLIC_URL\n"));
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    pub fn variable(mut self, variable: &'static str, key: &'static str) -> Self {
        self.older.push((variable, key));
        self
    }

    /// Reads a file in TOML. It must be there.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Reads these variables: `std::env::vars_os()`. The variable of a key is `MAGIC_LINK_` and its
    /// name in capitals, and of a key of WorkOS its name alone: `WORKOS_API_KEY`. A variable that
    /// begins with `MAGIC_LINK_` and names no key is an error, unless it is one that Kubernetes
    /// writes for a service whose name begins so: `MAGIC_LINK_ADMIN_SERVICE_HOST`, or
    /// `MAGIC_LINK_PORT` with a value such as `tcp://10.0.0.1:80`. A variable of a key in small
    /// letters, such as `magic_link_mount`, is an error too.
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let named = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        self.variables.extend(named);
        self
    }

    /// Reads these flags: `std::env::args().skip(1)`, without those of the application. The flag of
    /// a key is its name with hyphens: `--session-lifetime 12h` or `--session-lifetime=12h`. A
    /// switch needs no value. A list has commas, or several flags.
    pub fn flags(mut self, flags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Reads everything.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, a key does not exist, or a value is not what its key takes.
    pub fn read(self) -> Result<Settings, SettingsError> {
        let mut reading = Reading::new(self.own);
        if let Some(path) = &self.file {
            read_file(&mut reading, path)?;
        }
        for (name, value) in self.variables {
            read_variable(&mut reading, &self.older, &name, value)?;
        }
        read_flags(&mut reading, self.flags)?;
        Ok(reading.settings)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("own", &self.own)
            .field("older", &self.older)
            .field("file", &self.file)
            .field("variables", &self.variables.len())
            .field("flags", &self.flags.len())
            .finish()
    }
}

fn read_file(reading: &mut Reading, path: &Path) -> Result<(), SettingsError> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| SettingsError::new(format!("{shown} {}", unreadable(&error))))?;
    let values: BTreeMap<String, Raw> = toml::from_str(&text).map_err(|error| {
        // Without the line itself: a password may stand there.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        let what = error.message();
        SettingsError::new(format!("{shown}, line {line}, is no TOML: {what}"))
    })?;
    let origin = Origin::File(shown.to_string());
    for (name, raw) in values {
        reading.take(&name, &raw, &origin)?;
    }
    Ok(())
}

fn read_variable(
    reading: &mut Reading,
    older: &[(&'static str, &'static str)],
    variable: &str,
    value: OsString,
) -> Result<(), SettingsError> {
    if value.is_empty() {
        return Ok(());
    }
    let older = older.iter().find(|(name, _)| *name == variable);
    let older = older.map(|(_, key)| (*key).to_owned());
    let Some(name) = name_of(reading, variable).or(older) else {
        let in_capitals = variable.to_ascii_uppercase();
        if KEYS.iter().any(|key| is_variable_of(key, &in_capitals)) {
            let text = format!("variable {variable} is not known: do you mean {in_capitals}?");
            return Err(SettingsError::of(variable, text));
        }
        let rest = variable.strip_prefix(PREFIX);
        let Some(rest) = rest.filter(|rest| !is_of_kubernetes(rest, &value)) else {
            return Ok(());
        };
        // Without the prefix, which would make any two alike.
        let names = KEYS.iter().map(|key| key.name);
        let meant = nearest(&rest.to_ascii_lowercase(), names).and_then(Key::named);
        let meant = meant.map(Key::variable);
        let meant = match meant {
            Some(meant) => format!(": do you mean {meant}?"),
            None => format!(": {LIST}"),
        };
        let text = format!("variable {} is not known{meant}", plain(variable));
        return Err(SettingsError::unknown(variable, text));
    };
    let value = value.into_string();
    let value =
        value.map_err(|_| SettingsError::of(&name, format!("variable {variable} is not UTF-8")))?;
    let origin = Origin::Variable(variable.to_owned());
    reading.take(&name, &Raw::Text(value), &origin)
}

/// Says whether Kubernetes writes such a variable for a service whose name begins with
/// `magic-link`: its host and its ports, and the same as Docker's links have them.
fn is_of_kubernetes(rest: &str, value: &OsStr) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let value = value.to_string_lossy();
    let is_link = value.starts_with("tcp://") || value.starts_with("udp://");
    let parts: Vec<_> = rest.split('_').collect();
    rest == "SERVICE_HOST"
        || rest.ends_with("_SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || rest.contains("_SERVICE_PORT")
        // …_PORT and …_PORT_80_TCP are links, and …_PORT_80_TCP_ADDR, …_PORT and …_PROTO of one.
        || (is_link && parts.contains(&"PORT"))
        || parts.windows(3).any(|of| {
            matches!(of, ["PORT", number, "TCP" | "UDP" | "SCTP"] if is_number(number))
        })
}

/// Says whether a variable is a key's, or that of a secret's file.
fn is_variable_of(key: &Key, variable: &str) -> bool {
    let Some(rest) = variable.strip_prefix(&key.variable()) else {
        return false;
    };
    rest.is_empty() || (key.is_secret() && rest == FILE.to_ascii_uppercase())
}

/// Returns the name of a key, or of a secret's file, whose variable this is.
fn name_of(reading: &Reading, variable: &str) -> Option<String> {
    if let Some(key) = KEYS.iter().find(|key| is_variable_of(key, variable)) {
        return Some(match key.variable() == variable {
            true => key.name.to_owned(),
            false => format!("{}{FILE}", key.name),
        });
    }
    let mut own = reading.own().iter().map(|own| own.name);
    own.find(|name| name.to_ascii_uppercase() == variable)
        .map(str::to_owned)
}

fn read_flags(reading: &mut Reading, flags: Vec<String>) -> Result<(), SettingsError> {
    let mut flags = flags.into_iter().peekable();
    let mut lists: BTreeMap<String, (Origin, Vec<String>)> = BTreeMap::new();
    while let Some(flag) = flags.next() {
        let Some(words) = flag.strip_prefix("--") else {
            // What stands behind `=` may be a secret.
            let (name, _) = flag.split_once('=').unwrap_or((&flag, ""));
            return Err(SettingsError::new(format!(
                "{} is no flag: flags begin with --",
                shown(name)
            )));
        };
        let (words, value) = match words.split_once('=') {
            Some((words, value)) => (words, Some(value.to_owned())),
            None => (words, None),
        };
        let name = words.replace('-', "_");
        let origin = Origin::Flag(format!("--{words}"));
        let key = Key::named(&name);
        let form = key.map(Key::form);
        let is_switch = form == Some(Form::Switch);
        let value = match value {
            Some(value) => value,
            None if is_switch => true.to_string(),
            None => flags
                .next_if(|next| reading.knows(&name) && !next.starts_with("--"))
                .map_or_else(|| reading.no_value(&name, &origin), Ok)?,
        };
        let raw = Raw::Text(value);
        // Each flag of a list by itself: beside another one, an empty one is a mistake too.
        match key.filter(|key| key.form().is_list()) {
            Some(key) => {
                if let Value::Texts(parts) = reading.value_of(key, &raw, &origin)? {
                    let (_, list) = lists.entry(name).or_insert((origin, Vec::new()));
                    list.extend(parts);
                }
            }
            None => reading.take(&name, &raw, &origin)?,
        }
    }
    // All of a list together take the place of what the file and the variables say.
    for (name, (origin, list)) in lists {
        reading.take(&name, &Raw::Texts(list), &origin)?;
    }
    Ok(())
}
