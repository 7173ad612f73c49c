//! `Reading`: takes one value after the other, and says what is wrong with one.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{
    error::SettingsError,
    key::{FILE, Key, PREFIX},
    near::nearest,
    origin::Origin,
    table::KEYS,
    value::{Form, Raw, Secret, Value, shown},
    whole::{Own, Set, Settings},
};
use crate::secret::may_be_secret;

/// Where all names stand.
pub(super) const LIST: &str = "the docs of tower_magic_link::settings list all";

/// The settings so far.
pub(super) struct Reading {
    pub(super) settings: Settings,
}

impl Reading {
    pub(super) fn new(own: Vec<Own>) -> Self {
        let settings = Settings {
            own,
            ..Settings::default()
        };
        Self { settings }
    }

    pub(super) fn own(&self) -> &[Own] {
        &self.settings.own
    }

    /// Says whether a name is a key's, or that of a secret's file.
    pub(super) fn knows(&self, name: &str) -> bool {
        Key::named(name).is_some()
            || Key::of_file(name).is_some()
            || self.own().iter().any(|own| own.name == name)
    }

    /// Takes the value of a name. It replaces one of another source. Two of one source are an
    /// error: which one is meant?
    pub(super) fn take(
        &mut self,
        name: &str,
        raw: &Raw,
        origin: &Origin,
    ) -> Result<(), SettingsError> {
        let mut file = None;
        let (name, value) = if let Some(key) = Key::named(name) {
            (key.name, self.value_of(key, raw, origin)?)
        } else if let Some(key) = Key::of_file(name) {
            file = raw.text().map(|path| path.trim().to_owned());
            (key.name, secret_in_file(key, name, raw, origin)?)
        } else if let Some(own) = self.own().iter().find(|own| own.name == name) {
            let text = raw.text().map(Value::Text);
            let wrong = || {
                wrong(
                    name,
                    raw,
                    origin,
                    "must be a text, a number or a list of texts",
                )
            };
            (own.name, text.ok_or_else(wrong)?)
        } else {
            return Err(self.unknown(name, raw, origin));
        };
        let before = self.settings.set.get(name).map(|set| &set.origin);
        if let Some(before) = before.filter(|before| before.is_of_same_source(origin)) {
            return Err(twice(name, before, origin));
        }
        let origin = origin.clone();
        let set = Set {
            value,
            origin,
            file,
        };
        self.settings.set.insert(name, set);
        Ok(())
    }

    /// Reads the value of a key.
    pub(super) fn value_of(
        &self,
        key: &Key,
        raw: &Raw,
        origin: &Origin,
    ) -> Result<Value, SettingsError> {
        if key.is_secret() && !matches!(origin, Origin::Variable(_)) {
            let (name, variable) = (key.name, key.variable());
            let how = format!(
                "{name} is a secret, which files and flags would show: set the variable {variable}, or \
                 {name}{FILE} to the path of a file that holds it"
            );
            return Err(SettingsError::of(name, format!("{origin}: {how}")));
        }
        if let Some(of) = key.name.strip_suffix("_url")
            && raw.text().is_some_and(|text| holds_login(&text))
        {
            return Err(refused(key.name, origin, &no_login(of)));
        }
        let form = key.form();
        form.read(raw).map_err(|expected| {
            if form.is_secret() {
                return SettingsError::of(key.name, format!("{origin} {expected}"));
            }
            wrong(key.name, raw, origin, &expected)
        })
    }

    fn unknown(&self, name: &str, raw: &Raw, origin: &Origin) -> SettingsError {
        for (feature, is_on) in [
            ("redis", cfg!(feature = "redis")),
            ("smtp", cfg!(feature = "smtp")),
            ("workos", cfg!(feature = "workos")),
        ] {
            if name.starts_with(&format!("{feature}_")) && !is_on {
                let place = match origin {
                    Origin::Flag(flag) => format!("flag {}", plain(flag)),
                    origin => origin.to_string(),
                };
                let shown = plain(name);
                let text = format!("{place}: {shown} needs the feature {feature} of this crate");
                return SettingsError::unknown(name, text);
            }
        }
        let files: Vec<_> = KEYS.iter().filter(|key| key.is_secret()).collect();
        let files: Vec<_> = files
            .iter()
            .map(|key| format!("{}{FILE}", key.name))
            .collect();
        let own = self.own().iter().map(|own| own.name);
        let names = KEYS.iter().map(|key| key.name).chain(own);
        let meant = nearest(name, names.chain(files.iter().map(String::as_str)));
        let (known, meant) = match origin {
            Origin::Flag(flag) => {
                let meant = meant.map(|meant| format!("--{}", meant.replace('_', "-")));
                (format!("flag {} is not known", plain(flag)), meant)
            }
            origin => (
                format!("{origin}: there is no setting {}", plain(name)),
                meant.map(str::to_owned),
            ),
        };
        let meant = match (meant, raw) {
            (Some(meant), _) => format!(": do you mean {meant}?"),
            (None, Raw::Other(_)) => {
                ": it is a table, and all settings stand beside each other".to_owned()
            }
            (None, _) => format!(": {LIST}"),
        };
        SettingsError::unknown(name, known + &meant)
    }

    /// Says that a flag lacks its value, or does not exist.
    pub(super) fn no_value(&self, name: &str, origin: &Origin) -> Result<String, SettingsError> {
        if !self.knows(name) {
            return Err(self.unknown(name, &Raw::Switch(true), origin));
        }
        Err(SettingsError::of(name, format!("{origin} lacks its value")))
    }
}

/// Says that one source sets a key twice. No value is shown: it may be a secret.
fn twice(name: &str, before: &Origin, origin: &Origin) -> SettingsError {
    let is_secret = Key::named(name).is_some_and(Key::is_secret);
    let text = match origin {
        _ if is_secret && before != origin => {
            format!("{origin}: {name} and {name}{FILE} are both set: remove one")
        }
        Origin::File(_) | Origin::Embedded => {
            format!("{origin}: {name} is set twice: remove one")
        }
        origin if before == origin => format!("{origin} is given twice: remove one"),
        origin => format!("{before} and {origin} are the same setting: remove one"),
    };
    SettingsError::of(name, text)
}

/// Reads the file that a name of `…_file` leads to.
fn secret_in_file(
    key: &Key,
    name: &str,
    raw: &Raw,
    origin: &Origin,
) -> Result<Value, SettingsError> {
    let Ok(Value::Text(path)) = Form::Text.read(raw) else {
        return Err(wrong(name, raw, origin, "must be the path of a file"));
    };
    // The secret itself may stand where its path belongs.
    let is_path = path.contains('/') || Path::new(&path).exists();
    let text = secret_of(&path).map_err(|error| {
        let problem = unreadable(&error);
        match is_path {
            true => wrong(name, raw, origin, &problem),
            false => refused(name, origin, &format!("(not shown) {problem}")),
        }
    })?;
    // A space may belong to a password, and an editor adds the end of the line.
    let text = text.trim_end_matches(['\r', '\n']);
    let secret = Secret(text.to_owned());
    if text.trim().is_empty() {
        return Err(wrong(name, raw, origin, "is an empty file"));
    }
    if key.form() == Form::Secrets && secret.each().next().is_none() {
        return Err(wrong(
            name,
            raw,
            origin,
            "is a file of commas without a secret",
        ));
    }
    Ok(Value::Secret(secret))
}

/// Says that a file cannot be read, as the end of a sentence that begins with its path.
pub(super) fn unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}; check the path, and who may read it")
}

/// Reads a file of at most 64 KiB, without the byte order mark of an editor.
fn secret_of(path: &str) -> io::Result<String> {
    const MOST: u64 = 64 * 1_024;
    let mut text = String::new();
    let read = File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > MOST) {
        return Err(io::Error::other("it is larger than 64 KiB"));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Says whether a URL holds a user name or a password: before an `@`, or in a socket's query.
fn holds_login(url: &str) -> bool {
    url.contains('@') || url.contains("pass=")
}

/// Says where a login belongs instead of the key `…_url`.
fn no_login(of: &str) -> String {
    match of {
        "redis" | "smtp" => format!(
            "must hold no login: set {of}_user, and the password by the variable MAGIC_LINK_{}_PASSWORD \
             or by {of}_password_file",
            of.to_ascii_uppercase()
        ),
        _ => "must not hold a user name or password".to_owned(),
    }
}

/// Shows a name as it is, if it can be one, and quoted and cut otherwise. One that looks like a
/// secret in the wrong place is not shown.
pub(super) fn plain(name: &str) -> String {
    let is_plain = name.len() <= 80 && !name.contains(|c: char| !c.is_ascii_graphic());
    let word = name.trim_start_matches("--").trim_start_matches(PREFIX);
    match is_plain {
        // A flag's name has hyphens where a key of WorkOS has underscores.
        _ if may_be_secret(word) || may_be_secret(&word.replace('-', "_")) => {
            "(not shown)".to_owned()
        }
        true => name.to_owned(),
        false => shown(name),
    }
}

fn wrong(name: &str, raw: &Raw, origin: &Origin, expected: &str) -> SettingsError {
    let text = raw.text().unwrap_or_default();
    let shown = match raw {
        Raw::Text(text) => shown(text),
        Raw::Texts(texts) if texts.iter().any(|text| may_be_secret(text)) => {
            "(not shown)".to_owned()
        }
        Raw::Texts(texts) if text.chars().count() <= 80 => format!("{texts:?}"),
        Raw::Texts(_) => shown(&text),
        raw => raw.text().unwrap_or_else(|| "of this type".to_owned()),
    };
    // A URL may hold a password, where it must not.
    let shown = match holds_login(&text) && name.ends_with("_url") {
        true => "(not shown)".to_owned(),
        false => shown,
    };
    refused(name, origin, &format!("{shown} {expected}"))
}

/// Says what is wrong with a value that is not shown.
fn refused(name: &str, origin: &Origin, problem: &str) -> SettingsError {
    let at = match origin {
        Origin::File(_) | Origin::Embedded => format!("{origin}: {name}"),
        origin => origin.to_string(),
    };
    SettingsError::of(name, format!("{at} {problem}"))
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Takes the entries as they come: a map of the standard library would lose one of two that have
/// the same name, as JSON may.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Settings, A::Error> {
        let mut reading = Reading::new(Vec::new());
        while let Some((name, raw)) = entries.next_entry::<String, Raw>()? {
            let taken = reading.take(&name, &raw, &Origin::Embedded);
            taken.map_err(A::Error::custom)?;
        }
        Ok(reading.settings)
    }
}
