//! How settings become a `Builder`.

use std::time::Duration;

use tokio::runtime::Handle;

use super::{
    error::SettingsError,
    key::{Key, Use},
    table::KEYS,
    value::Value,
    whole::Settings,
};
use crate::{
    builder::Builder,
    error::ConfigError,
    layer::MagicLinkLayer,
    provider::MailedLinks,
    session::{KeyFile, KeyRing},
    throttle::Limits,
};

/// How often the file of keys is read.
const WATCH: Duration = Duration::from_secs(10);

/// A switch, and which keys it takes back.
type TakingBack = (&'static str, fn(&Key) -> bool);

/// The switches that take other keys back, each with which ones. Where both are set, the order of
/// the table would decide.
const TAKING_BACK: [TakingBack; 3] = [
    ("insecure_answer_when_sent", |k| k.name == "answer_after"),
    ("insecure_no_cache_control", |k| k.name == "no_store"),
    ("insecure_no_throttle", |k| matches!(k.use_, Use::Limit(_))),
];

impl Settings {
    /// Makes a builder of the settings. What takes code is added to it.
    ///
    /// With `redis_url` it connects in the background, and with `key_file` it follows the file.
    /// Both need a tokio runtime with its IO and its timer enabled.
    ///
    /// # Errors
    ///
    /// When a setting lacks or excludes another one, or cannot work. [`Builder::build`] checks the
    /// others, and [`locate`](Self::locate) says where one stands that it refuses.
    pub fn builder(&self) -> Result<Builder, SettingsError> {
        match self.word("provider") {
            Some("mailed-links") => {
                self.apply(MagicLinkLayer::builder(MailedLinks::new(), self.keys()?))
            }
            #[cfg(feature = "workos")]
            _ => self.apply(MagicLinkLayer::builder(self.workos()?, self.keys()?)),
            #[cfg(not(feature = "workos"))]
            _ => Err(SettingsError::of(
                "provider",
                "provider must be mailed-links: the feature workos is off",
            )),
        }
    }

    /// Applies the settings to a builder that has a provider or keys of its own. The keys of the
    /// provider, and those of the ring, are not read.
    ///
    /// What is not set stays as the builder has it. A `limit_…` changes that limit alone. If the
    /// builder's limits are off ([`Builder::insecure_no_throttle`]), it switches them on, and the
    /// others have their defaults. A list adds to the builder's, but for `languages`, which
    /// replaces them. A `page_…` replaces the builder's [pages](Builder::pages).
    ///
    /// ```
    /// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, settings::Sources};
    /// # use tower_magic_link::testing::StubProvider;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = Sources::new().flags(["--public-url=https://app.example.com"]).read()?;
    /// let keys = KeyRing::new(SigningKey::generate()?);
    /// let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
    /// let layer = settings.apply(builder)?.build()?;
    /// # let _ = layer;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When a setting lacks or excludes another one, or cannot work.
    pub fn apply(&self, mut builder: Builder) -> Result<Builder, SettingsError> {
        self.check_pairs()?;
        if let Some(pages) = self.pages()? {
            builder = builder.pages(pages);
        }
        builder = self.with_languages(builder)?;
        builder = self.with_mailer(builder)?;
        #[cfg(feature = "redis")]
        {
            builder = self.with_redis(builder)?;
        }
        if let Some(limits) = self.limits(&builder) {
            builder = builder.limits(limits);
        }
        Ok(KEYS.iter().fold(builder, |builder, key| {
            let Some(set) = self.set.get(key.name) else {
                return builder;
            };
            use_value(key, &set.value, builder)
        }))
    }

    /// Makes the layer.
    ///
    /// # Errors
    ///
    /// As [`builder`](Self::builder) and [`Builder::build`].
    pub fn layer(&self) -> Result<MagicLinkLayer, SettingsError> {
        let built = self.builder()?.build();
        built.map_err(|error| self.locate(&error))
    }

    /// Refuses a switch beside a setting that it takes back.
    fn check_pairs(&self) -> Result<(), SettingsError> {
        for (switch, takes_back) in TAKING_BACK {
            if self.switch(switch) != Some(true) {
                continue;
            }
            // A switch that is off asks for nothing.
            let is_on = |key: &Key| self.is_set(key.name) && self.switch(key.name) != Some(false);
            let mut others = KEYS.iter().filter(|key| takes_back(key));
            if let Some(other) = others.find(|key| is_on(key)) {
                let problem = format!("and {} are both set: remove one of them", other.name);
                return Err(self.refused(switch, &problem));
            }
        }
        Ok(())
    }

    /// Returns the builder's limits with those that are set. `None` if none is set.
    fn limits(&self, builder: &Builder) -> Option<Limits> {
        let mut limits = None;
        for key in KEYS {
            let value = self.set.get(key.name).map(|set| &set.value);
            if let (Use::Limit(set), Some(Value::Rate(rate))) = (&key.use_, value) {
                let before = limits.or_else(|| builder.limits_so_far());
                limits = Some(set(before.unwrap_or_default(), *rate));
            }
        }
        limits
    }

    /// Returns the keys that sign and verify sessions: those of `key_file`, or `key` and
    /// `retired_keys`.
    ///
    /// Within a tokio runtime it follows the file, every ten seconds, for as long as the ring is in
    /// use.
    ///
    /// # Errors
    ///
    /// When no key is set, one cannot work, or `key_file` is set beside `key` or `retired_keys`.
    pub fn keys(&self) -> Result<KeyRing, SettingsError> {
        if let Some(path) = self.word("key_file") {
            // Which one signs? A key that is left over in the environment must not decide it.
            if let Some(other) = ["key", "retired_keys"]
                .iter()
                .find(|name| self.is_set(name))
            {
                let problem = format!("and {other} are both set: remove one of them");
                return Err(self.refused("key_file", &problem));
            }
            let file = KeyFile::open(path).map_err(|error| self.locate(&error))?;
            let keys = file.keys();
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(file.watch(WATCH));
            }
            return Ok(keys);
        }
        let secret = |variable: &str| match variable {
            "MAGIC_LINK_KEY" => self.secret("key").map(Into::into),
            "MAGIC_LINK_RETIRED_KEYS" => self.secret("retired_keys").map(Into::into),
            _ => None,
        };
        KeyRing::from_variables(secret).map_err(|error| self.unfit(&error))
    }

    /// Names an error of the ring by the key. The ring knows the variables alone.
    fn unfit(&self, error: &ConfigError) -> SettingsError {
        let name = match error.setting() {
            "MAGIC_LINK_RETIRED_KEYS" => "retired_keys",
            _ => "key",
        };
        match error {
            ConfigError::Secret { problem, .. } => self.refused(name, problem),
            error => SettingsError::of(name, error.to_string()),
        }
    }
}

fn use_value(key: &Key, value: &Value, builder: Builder) -> Builder {
    match (&key.use_, value) {
        (Use::Choice(choices), Value::Text(word)) => {
            let mut choices = choices.iter();
            match choices.find(|(name, _)| name == word) {
                Some((_, set)) => set(builder),
                None => builder,
            }
        }
        (Use::Length(set), Value::Length(length)) => set(builder, *length),
        (Use::Secrets(set), Value::Secret(secrets)) => secrets.each().fold(builder, set),
        (Use::Share(set), Value::Share(share)) => set(builder, *share),
        (Use::Switch(set), Value::Switch(true)) => set(builder),
        (Use::Text(set), Value::Text(text)) => set(builder, text),
        (Use::Texts(set) | Use::TextsOrNone(set), Value::Texts(texts)) => {
            set(builder, texts.clone())
        }
        // The form of a key decides the kind of its value; a switch that is off changes nothing.
        _ => builder,
    }
}
