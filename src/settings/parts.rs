//! What is made of several keys: the provider, the mailer, Redis. The pages are in `look`.

#[cfg(any(feature = "redis", feature = "smtp"))]
use std::fs;

#[cfg(any(feature = "redis", feature = "smtp", feature = "workos"))]
use super::key::FILE;
use super::{error::SettingsError, key::Key, origin::Origin, value::Value, whole::Settings};
#[cfg(any(feature = "redis", feature = "smtp"))]
use super::{reading::unreadable, value::shown};
#[cfg(feature = "smtp")]
use crate::mailer::SmtpMailer;
#[cfg(feature = "workos")]
use crate::provider::workos::WorkOs;
use crate::{builder::Builder, error::ConfigError, mailer::ConsoleMailer};
#[cfg(feature = "redis")]
use crate::{
    revocation::RedisRevocations, sessions::RedisSessions, store::Redis, throttle::RedisThrottle,
};

impl Settings {
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match &self.set.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn secret(&self, name: &str) -> Option<&str> {
        match &self.set.get(name)?.value {
            Value::Secret(secret) => Some(&secret.0),
            _ => None,
        }
    }

    #[cfg(any(feature = "redis", feature = "smtp", feature = "workos"))]
    fn length_of(&self, name: &str) -> Option<std::time::Duration> {
        match &self.set.get(name)?.value {
            Value::Length(length) => Some(*length),
            _ => None,
        }
    }

    /// Says of an error of [`Builder::build`] which key is at fault and where it stands: for code
    /// that builds the layer of the [`builder`](Self::builder) itself, and for checks of an
    /// application's own keys.
    ///
    /// ```
    /// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, settings::Sources};
    /// # use tower_magic_link::testing::StubProvider;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = Sources::new().flags(["--limit-codes=0/1s"]).read()?;
    /// let keys = KeyRing::new(SigningKey::generate()?);
    /// let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
    /// let builder = settings.apply(builder.public_url("https://app.example.com"))?;
    /// let error = builder.build().map_err(|error| settings.locate(&error)).unwrap_err();
    /// assert!(error.to_string().starts_with("flag --limit-codes: limit_codes "));
    /// assert_eq!(error.key(), Some("limit_codes"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn locate(&self, error: &ConfigError) -> SettingsError {
        let key = match error.setting() {
            "key file" => "key_file",
            setting => setting,
        };
        let limit = Key::named(&format!("limit_{key}"));
        match Key::named(key).or(limit) {
            Some(limit) if limit.name != key => self.named("limit_", error),
            _ => self.placed(key, error.to_string()),
        }
    }

    /// Names an error of a part by the key, and says where it stands: `timeout` of WorkOS is
    /// `workos_timeout`.
    pub(super) fn named(&self, prefix: &str, error: &ConfigError) -> SettingsError {
        let (setting, text) = (error.setting(), error.to_string());
        match setting.starts_with(prefix) {
            true => self.placed(setting, text),
            false => self.placed(&format!("{prefix}{setting}"), format!("{prefix}{text}")),
        }
    }

    fn placed(&self, key: &str, text: String) -> SettingsError {
        let place = match self.set.get(key) {
            Some(set) if set.file.is_some() => set.place_of(key),
            Some(set) if set.origin != Origin::Embedded => set.origin.to_string(),
            _ => return SettingsError::of(key, text),
        };
        SettingsError::of(key, format!("{place}: {text}"))
    }

    #[cfg(any(feature = "redis", feature = "smtp", feature = "workos"))]
    pub(super) fn missing(name: &'static str, for_: &str) -> SettingsError {
        let how = match Key::named(name) {
            Some(key) if key.is_secret() => {
                format!("the variable {}, or {name}{FILE}", key.variable())
            }
            Some(key) => format!("it in the file, or the variable {}", key.variable()),
            None => "it".to_owned(),
        };
        let text = format!("{name} is not set, which {for_} needs: set {how}");
        SettingsError::of(name, text)
    }

    /// Returns the client of WorkOS that the `workos_…` keys describe.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let error = Sources::new().read()?.workos().unwrap_err();
    /// assert_eq!(error.key(), Some("workos_api_key"));
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the API key or the client id is not set, or a value cannot work.
    #[cfg(feature = "workos")]
    #[cfg_attr(docsrs, doc(cfg(feature = "workos")))]
    pub fn workos(&self) -> Result<WorkOs, SettingsError> {
        let for_ = "provider workos";
        for name in ["workos_api_key", "workos_client_id"] {
            if !self.is_set(name) {
                return Err(Self::missing(name, for_));
            }
        }
        // Both are set, so that nothing stands in for one.
        self.workos_or("", "")
    }

    /// As [`workos`](Self::workos), with this API key or client id where none is set: to check the
    /// other keys where the secrets are not, as the guard's `--print-config` does.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let settings = Sources::new().flags(["--workos-timeout=1h"]).read()?;
    /// let error = settings.workos_or("sk_rehearsal", "client_rehearsal").unwrap_err();
    /// assert_eq!(error.key(), Some("workos_timeout"));
    /// # Ok::<(), tower_magic_link::settings::SettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a value cannot work.
    #[cfg(feature = "workos")]
    #[cfg_attr(docsrs, doc(cfg(feature = "workos")))]
    pub fn workos_or(&self, api_key: &str, client_id: &str) -> Result<WorkOs, SettingsError> {
        let key = self.secret("workos_api_key").unwrap_or(api_key);
        let id = self.word("workos_client_id").unwrap_or(client_id);
        let made = || {
            let mut workos = WorkOs::new(key, id)?;
            if let Some(base) = self.word("workos_base_url") {
                workos = workos.base_url(base)?;
            }
            if let Some(timeout) = self.length_of("workos_connect_timeout") {
                workos = workos.connect_timeout(timeout)?;
            }
            if let Some(timeout) = self.length_of("workos_timeout") {
                workos = workos.timeout(timeout)?;
            }
            if let Some(timeout) = self.length_of("workos_exchange_timeout") {
                workos = workos.exchange_timeout(timeout)?;
            }
            Ok(workos.accept_connection_types(self.list("workos_connection_types")))
        };
        made().map_err(|error: ConfigError| self.named("workos_", &error))
    }

    pub(super) fn with_mailer(&self, builder: Builder) -> Result<Builder, SettingsError> {
        match self.word("mailer") {
            Some("console") => Ok(builder.mailer(ConsoleMailer::new())),
            #[cfg(feature = "smtp")]
            Some("smtp") => Ok(builder.mailer(self.smtp()?)),
            _ => Ok(builder),
        }
    }

    #[cfg(feature = "smtp")]
    pub(super) fn smtp(&self) -> Result<SmtpMailer, SettingsError> {
        let url = self.word("smtp_url");
        let url = url.ok_or_else(|| Self::missing("smtp_url", "mailer smtp"))?;
        let from = self.word("smtp_from");
        let from = from.ok_or_else(|| Self::missing("smtp_from", "mailer smtp"))?;
        self.check_login_of_smtp()?;
        let url = self.with_login(url, "smtp");
        let root = self.pem("smtp_root_certificate")?;
        let made = || {
            let mut mailer = SmtpMailer::new(url, from)?;
            if let Some(timeout) = self.length_of("smtp_timeout") {
                mailer = mailer.timeout(timeout)?;
            }
            if let Some(Value::Count(size)) = self.set.get("smtp_pool_size").map(|set| &set.value) {
                // One that is too large is refused with its range.
                mailer = mailer.pool_size(usize::try_from(*size).unwrap_or(usize::MAX))?;
            }
            if let Some(root) = root {
                mailer = mailer.root_certificate(root)?;
            }
            Ok(mailer)
        };
        made().map_err(|error: ConfigError| self.named("smtp_", &error))
    }

    #[cfg(feature = "redis")]
    pub(super) fn redis(&self) -> Result<Option<Redis>, SettingsError> {
        let mut urls = self.list("redis_url").iter();
        let Some(first) = urls.next() else {
            return Ok(None);
        };
        self.check_login_of_redis()?;
        let first = self.with_login(first, "redis");
        let others: Vec<_> = urls.map(|url| self.with_login(url, "redis")).collect();
        let roots = self.pem("redis_ca_certificates")?;
        let made = || {
            let mut redis = Redis::new(&first)?;
            for url in &others {
                redis = redis.or_at(url)?;
            }
            if let Some(name) = self.word("redis_sentinels_of") {
                redis = redis.sentinels_of(name);
            }
            if let Some(password) = self.secret("redis_sentinel_password") {
                let user = self.word("redis_sentinel_user").unwrap_or("default");
                redis = redis.sentinel_login(user, password);
            }
            if let Some(namespace) = self.word("redis_namespace") {
                redis = redis.namespace(namespace)?;
            }
            if let Some(grace) = self.length_of("redis_grace") {
                redis = redis.grace(grace)?;
            }
            if let Some(settle) = self.length_of("redis_settle") {
                redis = redis.settle(settle)?;
            }
            if let Some(step) = self.length_of("redis_connect_timeout") {
                redis = redis.connect_timeout(step)?;
            }
            match roots {
                Some(roots) => redis.ca_certificates(roots),
                None => Ok(redis),
            }
        };
        made()
            .map(Some)
            .map_err(|error| self.named("redis_", &error))
    }

    /// Returns the store of revocations in Redis, if `redis_url` is set: for a readiness check, by
    /// its [`status`](RedisRevocations::status). All clones of the settings have one.
    ///
    /// # Errors
    ///
    /// When the settings of Redis cannot work.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, if `redis_url` is set.
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub fn revocations(&self) -> Result<Option<RedisRevocations>, SettingsError> {
        let Some(redis) = self.redis()? else {
            return Ok(None);
        };
        let made = self
            .revocations
            .get_or_init(|| RedisRevocations::connect_later(&redis));
        Ok(Some(made.clone()))
    }

    #[cfg(feature = "redis")]
    pub(super) fn with_redis(&self, builder: Builder) -> Result<Builder, SettingsError> {
        let index = self.word("session_index");
        let (Some(redis), Some(revocations)) = (self.redis()?, self.revocations()?) else {
            return match index {
                Some("redis") => Err(Self::missing("redis_url", "session_index redis")),
                _ => Ok(builder),
            };
        };
        let builder = builder
            .revocations(revocations)
            .throttle(RedisThrottle::new(&redis));
        Ok(match index {
            Some("redis") => builder.session_index(RedisSessions::new(&redis)),
            _ => builder,
        })
    }

    /// Reads the PEM file that a key names.
    #[cfg(any(feature = "redis", feature = "smtp"))]
    fn pem(&self, name: &str) -> Result<Option<Vec<u8>>, SettingsError> {
        let Some(path) = self.word(name) else {
            return Ok(None);
        };
        let read = fs::read(path).map(|bytes| {
            // A document behind an editor's mark would be skipped.
            match bytes.strip_prefix("\u{feff}".as_bytes()) {
                Some(rest) => rest.to_vec(),
                None => bytes,
            }
        });
        read.map(Some)
            .map_err(|error| self.refused(name, &format!("{} {}", shown(path), unreadable(&error))))
    }
}
