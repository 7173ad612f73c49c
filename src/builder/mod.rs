//! `Builder`: every setting, and one `build()` that checks all rules across them.

use std::{sync::Arc, time::Duration};

use crate::{
    answer::redirect_fields,
    clock::{Clock, Steady, SystemClock},
    error::ConfigError,
    event::{Listener, prepare_counts},
    flow::{CODE_LIFETIME, Exchanges, Flow, authorize::Authorize},
    gate::{Allowed, Credentials, Gate},
    layer::MagicLinkLayer,
    page::{DefaultPages, Pages, Policy},
    provider::{ErasedProvider, IdentityProvider},
    revocation::{BoundedRevocations, MemoryRevocations, OnOutage, Revocations},
    session::{
        KeyRing,
        cookie::Cookies,
        token::{Tokens, Verifying},
    },
    sessions::{Index, Sessions},
    shared::{Hook, PageSet, Shared, Streams, Wiring, fresh_id},
    site::{public_url::PublicUrl, rules::Rules},
    throttle::MemoryThrottle,
    trace::Meters,
};

mod greeting;
#[cfg(all(test, feature = "settings"))]
mod shown;
mod validate;

use self::greeting::{Counting, Greeting, Names, name_of};

// The order of these groups is the order in which the documentation shows the settings: where, who,
// how long, pages and mail, stores, hosts.
mod place;

mod cookie_domain;
mod paths;

mod who;

mod sign_in;

mod lifetimes;

mod mail;

mod language;

mod stores;

mod throttle;
mod webhook;

mod proxies;

mod bearer;
mod caching;
mod host;
mod preflight;
mod streams;
mod verifying;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The settings of a layer. Made by [`MagicLinkLayer::builder`]; nothing is checked before
/// [`Builder::build`].
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, companion::Outcome};
/// # use tower_magic_link::testing::StubProvider;
/// # let provider = StubProvider::new();
///
/// const MINUTE: Duration = Duration::from_secs(60);
///
/// let layer = MagicLinkLayer::builder(provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     // The endpoints are `/account/login` and so on, the cookie is `__Host-acme`.
///     .mount("/account")
///     .cookie_name("acme")
///     // Both must hold: the domain of the address, and the provider's organization.
///     .email_domains(["example.com", "example.org"])
///     .organization("org_01EXAMPLE")
///     // Eight hours, or half an hour without a request. A cookie is renewed after ten minutes.
///     .session_lifetime(8 * 60 * MINUTE)
///     .idle_timeout(30 * MINUTE)
///     .renew_after(0.33)
///     .link_lifetime(20 * MINUTE)
///     // How long a request waits for the mailer, and for the store.
///     .mailer_timeout(Duration::from_secs(10))
///     .revocation_timeout(Duration::from_millis(500))
///     .build()?;
///
/// let (login, _) = http::Request::get("/account/login").body(()).unwrap().into_parts();
/// assert_eq!(layer.explain(&login).outcome(), Outcome::Step);
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[must_use]
pub struct Builder {
    provider: Box<dyn ErasedProvider>,
    keys: KeyRing,
    language: language::Settings,
    public_url: Option<String>,
    mount: String,
    cookie_name: Option<String>,
    cookie_domain: Option<String>,
    lifetimes: lifetimes::Settings,
    link_lifetime: Duration,
    rules: Rules,
    allows_preflight: bool,
    caching: caching::Settings,
    credentials: Credentials,
    organizations: Vec<String>,
    email_domains: Option<Vec<String>>,
    authorize: Option<Box<dyn Authorize>>,
    reauthorize: Option<(Duration, Hook)>,
    revocations: Box<dyn Revocations>,
    revocation_timeout: Duration,
    session_index: Option<Box<dyn Sessions>>,
    on_outage: OnOutage,
    pages: Option<Box<dyn Pages>>,
    mail: mail::Settings,
    proxies: proxies::Settings,
    listener: Listener,
    clock: Box<dyn Clock>,
    sign_in: sign_in::Settings,
    streams: Streams,
    throttle: throttle::Settings,
    verifying: Verifying,
    webhook: webhook::Settings,
    names: Names,
}

impl MagicLinkLayer {
    /// Begins to configure a layer with the two settings that have no default: the provider that
    /// proves addresses, and the keys that sign sessions.
    pub fn builder(provider: impl IdentityProvider, keys: KeyRing) -> Builder {
        Builder::new(provider, keys)
    }
}

impl Builder {
    pub(crate) fn new<P: IdentityProvider>(provider: P, keys: KeyRing) -> Self {
        Self {
            names: Names {
                provider: name_of::<P>(),
                mailer: None,
                revocations: name_of::<MemoryRevocations>(),
                throttle: name_of::<MemoryThrottle>(),
            },
            provider: Box::new(provider),
            keys,
            language: language::Settings::default(),
            public_url: None,
            mount: "/auth".to_owned(),
            cookie_name: None,
            cookie_domain: None,
            lifetimes: lifetimes::Settings::default(),
            link_lifetime: 15 * MINUTE,
            rules: Rules::default(),
            allows_preflight: false,
            caching: caching::Settings::new(),
            credentials: Credentials::Cookie,
            organizations: Vec::new(),
            email_domains: None,
            authorize: None,
            reauthorize: None,
            revocations: Box::new(MemoryRevocations::default()),
            revocation_timeout: Duration::from_secs(2),
            session_index: None,
            on_outage: OnOutage::Refuse,
            pages: None,
            mail: mail::Settings::new(),
            proxies: proxies::Settings::default(),
            listener: Listener::default(),
            clock: Box::new(SystemClock),
            sign_in: sign_in::Settings::default(),
            streams: Streams::new(),
            throttle: throttle::Settings::default(),
            verifying: Verifying::default(),
            webhook: webhook::Settings::default(),
        }
    }

    fn greeting(&self) -> Greeting {
        let counting = match self.throttle.is_on() {
            true => Counting::On,
            false => Counting::Off,
        };
        Greeting::new(self.names, &self.keys, self.on_outage, counting)
    }

    /// Checks every setting and every rule across settings, and makes the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the offending value.
    pub fn build(self) -> Result<MagicLinkLayer, ConfigError> {
        let greeting = self.greeting();
        let public_url = self.public_url.as_deref();
        // First, because the cookies, the tokens and the checks of other settings depend on it.
        let public_url = PublicUrl::parse(public_url.ok_or(ConfigError::Missing {
            setting: "public_url",
        })?)?;
        if self.provider.abilities().is_for_development() {
            validate::of_this_machine(&public_url)?;
        }
        validate::mount(&self.mount)?;
        self.rules.validate(&self.mount)?;
        let cookie_name = place::cookie_name(self.cookie_name.as_deref(), &public_url)?;
        let cookie_domain = self.validate_cookie_domain(&public_url)?;
        let lifetimes = self.lifetimes()?;
        self.validate_streams()?;
        self.validate_sign_in()?;
        validate::organizations(&self.organizations)?;
        let allowed = Allowed {
            email_domains: validate::domains(self.email_domains.as_deref())?,
            organizations: self.organizations,
        };
        let application_name = self.mail.application_name()?;
        let pages = self.pages.unwrap_or_else(|| {
            let pages = DefaultPages::new();
            Box::new(match &application_name {
                Some(name) => pages.application_name(name),
                None => pages,
            })
        });
        let policy = Policy::new(&pages.sources().at(public_url.origin()))?;
        let gate = Gate {
            allowed,
            allows_preflight: self.allows_preflight,
            caching: self.caching.caching,
            cookies: Cookies::new(&cookie_name, public_url.scheme(), cookie_domain),
            has_identity_headers: self.proxies.has_identity_headers,
            lifetimes,
            mount: self.mount,
            rules: self.rules,
            tokens: Tokens::new(self.keys, public_url.origin()).verifying(self.verifying),
            credentials: self.credentials,
            takes_webhooks: self.webhook.is_on(),
            public_url,
        };
        let may_grant = self.authorize.is_some() || self.reauthorize.is_some();
        let code_lifetime = self.provider.abilities().code_lifetime();
        let granted = may_grant.then(validate::largest_grant).flatten();
        validate::cookie_size(&gate, granted.as_ref())?;
        self.revocations.tell_to(&self.listener);
        let revocations = BoundedRevocations::new(
            self.revocations,
            self.revocation_timeout,
            self.on_outage,
            self.listener.clone(),
        );
        self.throttle.tell_to(&self.listener);
        let forwarded = self.throttle.forwarded();
        let index = self.session_index;
        let index = index.map(|sessions| Index::new(sessions, self.listener.clone()));
        greeting.say(&gate);
        prepare_counts();
        let shared = Shared {
            clock: Steady::new(self.clock),
            proxies: self.proxies.validate()?,
            reauthorize: self.reauthorize.map(|(_, hook)| hook),
            forwarded,
            redirect_fields: redirect_fields(self.credentials),
            gate,
            index,
            languages: self.language.languages()?,
            listener: self.listener,
            meters: Meters::new(),
            nobody: fresh_id(),
            longest_attempt: code_lifetime.max(self.link_lifetime + CODE_LIFETIME),
            revocations,
            pages: PageSet { pages, policy },
            streams: self.streams,
            wiring: Wiring::default(),
        };
        Ok(MagicLinkLayer::new(Flow {
            shared: Arc::new(shared),
            provider: self.provider,
            clear_site_data: self.caching.clear_site_data(),
            cross_device: self.sign_in.cross_device,
            sign_in: self.sign_in.sign_in,
            application_name,
            mailing: self.mail.mailing()?,
            mailer: self.mail.mailer()?,
            authorize: self.authorize,
            link_lifetime: self.link_lifetime,
            code_lifetime,
            exchanges: Exchanges::default(),
            throttling: self.throttle.validate()?,
            webhook: self.webhook.validate()?,
        }))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text before an `@` may be a password. `build` refuses it, but `Debug` may run sooner.
        let public_url = self.public_url.as_deref().filter(|url| !url.contains('@'));
        f.debug_struct("Builder")
            .field("keys", &self.keys)
            .field("public_url", &public_url)
            .field("mount", &self.mount)
            .field("cookie_name", &self.cookie_name)
            .field("lifetimes", &self.lifetimes)
            .field("link_lifetime", &self.link_lifetime)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
