//! Reads keys from text: one from a variable, several from a file.

use std::{borrow::Cow, str::FromStr};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

use super::{KeyRing, RetiredKey, SigningKey};
use crate::{
    clock::Timestamp,
    error::ConfigError,
    session::example_keys::{is_published, is_written},
};

const PEM: &str = "-----BEGIN";
const PEM_END: &str = "-----END";

/// A problem, as the end of a sentence that begins with its place.
pub(super) type Problem = Cow<'static, str>;

/// Reads a key as [`KeyRing::from_env`] does.
///
/// It is base64 of 32 random bytes or more, in either alphabet, with or without padding; or an
/// Ed25519 or P-256 private key in PKCS #8 PEM. The [`ConfigError`] shows nothing of the text.
impl FromStr for SigningKey {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        read_key(text).map_err(|problem| ConfigError::secret("signing key", problem))
    }
}

/// Reads one key: base64 of a shared secret, or a key pair in PEM.
pub(super) fn read_key(text: &str) -> Result<SigningKey, Problem> {
    let text = text.trim();
    if text.starts_with(PEM) {
        return SigningKey::of_pem(text).map_err(Problem::from);
    }
    // The text itself may be a tutorial's secret, because some of those happen to be valid base64.
    if is_published(text) {
        let problem = "is a well-known example, so anyone could sign in as any person: \
                       `openssl rand -base64 32` prints a good key";
        return Err(problem.into());
    }
    if text.starts_with(['"', '\'']) {
        return Err("begins with a quotation mark, which is no part of a key: remove it".into());
    }
    // The four decode a text that they all accept to the same bytes, so their order does not
    // matter.
    let secret = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|base64| base64.decode(text).ok())
        .ok_or("is not base64: `openssl rand -base64 32` prints a new one")?;
    let key = SigningKey::hs256(secret).map_err(problem)?;
    if is_written(text) {
        return Err(
            "is words and not random bytes: `openssl rand -base64 32` prints a good key".into(),
        );
    }
    Ok(key)
}

fn problem(error: ConfigError) -> Problem {
    match error {
        ConfigError::Secret { problem, .. } => problem,
        other => other.to_string().into(),
    }
}

/// Reads a file of keys, in the format of [`KeyFile`](super::KeyFile). An error names the line, and
/// shows nothing of it.
pub(super) fn read_ring(text: &str) -> Result<KeyRing, ConfigError> {
    // An editor's byte order mark is no part of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut ring: Option<KeyRing> = None;
    let mut settings = Settings::default();
    let mut lines = (1_usize..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let wrong = |problem: Problem| {
            ConfigError::secret(
                "key file",
                format!("is wrong on line {number}, which {problem}"),
            )
        };
        let unfit = |error| wrong(format!("cannot join the ring: {error}").into());
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // No line of base64 has a colon, and those of a PEM document are read with its first line.
        if let Some((name, value)) = line.split_once(':') {
            settings.set(name, value.trim()).map_err(wrong)?;
            continue;
        }
        let mut key = line.to_owned();
        if line.starts_with(PEM) {
            for (_, line) in lines.by_ref() {
                key.push('\n');
                key.push_str(line.trim());
                if line.trim().starts_with(PEM_END) {
                    break;
                }
            }
        }
        let key = read_key(&key).map_err(wrong)?;
        let settings = std::mem::take(&mut settings);
        let key = match &settings.id {
            Some(id) => key.with_id(id).map_err(unfit)?,
            None => key,
        };
        ring = Some(match ring {
            Some(ring) => ring.retire(settings.retire(key)).map_err(unfit)?,
            // A ring always needs a key that mints.
            // It would mint tokens that it refuses itself.
            None if settings.ends() => {
                return Err(wrong("is the current key, and has an end".into()));
            }
            None => KeyRing::new(key),
        });
    }
    if settings.id.is_some() || settings.ends() {
        return Err(ConfigError::secret(
            "key file",
            "ends with settings that no key follows",
        ));
    }
    ring.ok_or(ConfigError::secret("key file", "has no key"))
}

/// The settings that stand before a key.
#[derive(Default)]
struct Settings {
    id: Option<String>,
    retired: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Settings {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let moment = || {
            let secs = value
                .parse()
                .map_err(|_| "is not a time in seconds since 1970")?;
            Ok::<_, Problem>(Timestamp::from_secs(secs))
        };
        let is_new = match name {
            "id" => self.id.replace(value.to_owned()).is_none(),
            "retired" => self.retired.replace(moment()?).is_none(),
            "until" => self.until.replace(moment()?).is_none(),
            _ => return Err("is neither a key nor id, retired or until".into()),
        };
        is_new.then_some(()).ok_or("sets something twice".into())
    }

    const fn ends(&self) -> bool {
        self.retired.is_some() || self.until.is_some()
    }

    fn retire(&self, key: SigningKey) -> RetiredKey {
        let key = RetiredKey::new(key);
        let key = self.retired.into_iter().fold(key, RetiredKey::since);
        self.until.into_iter().fold(key, RetiredKey::until)
    }
}
