//! `Builder`: every setting, and one `build()` that checks all rules across them.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::{Clock, Steady, SystemClock},
    error::ConfigError,
    event::{Event, Listener},
    flow::{Exchanges, Flow, authorize::Authorize},
    gate::Gate,
    layer::MagicLinkLayer,
    mailer::Mailer,
    page::{DefaultPages, Pages, Policy},
    provider::{ErasedProvider, IdentityProvider},
    revocation::{BoundedRevocations, IntoRevocations, MemoryRevocations, Revocations},
    session::{KeyRing, cookie::Cookies, token::Tokens},
    shared::{PageSet, Shared, Streams},
    site::{public_url::PublicUrl, rules::Rules},
};

mod authorize;
mod bearer;
mod check;
mod cookie_domain;
mod forward;
mod lifetimes;
mod mail;
mod outage;
mod paths;
mod preflight;
mod sign_in;
mod streams;
mod throttle;
mod webhook;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// `expires_in` of WorkOS's create-session call: 900 to 86,400 seconds.
const LINK_LIFETIMES: std::ops::RangeInclusive<Duration> = Duration::from_secs(900)..=DAY;

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
///     // Both must agree: the address, and what the provider says of the person.
///     .email_domains(["example.com", "example.org"])
///     .organization("org_01EXAMPLE")
///     // Eight hours, or half an hour without a request. A cookie is renewed after ten minutes.
///     .session_lifetime(8 * 60 * MINUTE)
///     .idle_timeout(30 * MINUTE)
///     .renew_after(0.33)
///     .link_lifetime(20 * MINUTE)
///     // How long a request waits for others.
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
    public_url: Option<String>,
    mount: String,
    cookie_name: String,
    cookie_domain: Option<String>,
    lifetimes: lifetimes::Settings,
    link_lifetime: Duration,
    rules: Rules,
    allows_preflight: bool,
    bearer_tokens: bool,
    organizations: Vec<String>,
    email_domains: Option<Vec<String>>,
    authorize: Option<Box<dyn Authorize>>,
    revocations: Box<dyn Revocations>,
    revocation_timeout: Duration,
    admits_on_outage: bool,
    pages: Box<dyn Pages>,
    mail: mail::Settings,
    listener: Listener,
    clock: Box<dyn Clock>,
    forward: forward::Settings,
    sign_in: sign_in::Settings,
    streams: Streams,
    throttle: throttle::Settings,
    webhook: webhook::Settings,
}

impl MagicLinkLayer {
    /// Begins to configure a layer from what has no default: who proves addresses, and the keys
    /// that sign sessions.
    pub fn builder(provider: impl IdentityProvider, keys: KeyRing) -> Builder {
        Builder::new(provider, keys)
    }
}

impl Builder {
    pub(crate) fn new(provider: impl IdentityProvider, keys: KeyRing) -> Self {
        Self {
            provider: Box::new(provider),
            keys,
            public_url: None,
            mount: "/auth".to_owned(),
            cookie_name: "magic-link".to_owned(),
            cookie_domain: None,
            lifetimes: lifetimes::Settings::default(),
            link_lifetime: 15 * MINUTE,
            rules: Rules::default(),
            allows_preflight: false,
            bearer_tokens: false,
            organizations: Vec::new(),
            email_domains: None,
            authorize: None,
            revocations: Box::new(MemoryRevocations::default()),
            revocation_timeout: Duration::from_secs(2),
            admits_on_outage: false,
            pages: Box::new(DefaultPages::new()),
            mail: mail::Settings::new(),
            listener: Listener::default(),
            clock: Box::new(SystemClock),
            forward: forward::Settings::default(),
            sign_in: sign_in::Settings::default(),
            streams: Streams::new(),
            throttle: throttle::Settings::default(),
            webhook: webhook::Settings::default(),
        }
    }

    /// Sets the origin at which browsers reach the application: `https://app.example.com`.
    /// Required.
    ///
    /// Links and the redirect URI are made from it, never from `Host` or `X-Forwarded-*`. It has no
    /// path and no wildcard, and is https, except on loopback: there the cookies lose `Secure` and
    /// the `__Host-` prefix, since Safari drops them otherwise.
    ///
    /// The redirect URI to register with WorkOS is this, the mount and `/callback`.
    pub fn public_url(mut self, public_url: impl Into<String>) -> Self {
        self.public_url = Some(public_url.into());
        self
    }

    /// Sets where the layer's own endpoints are, as browsers see it. Default: `/auth`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// Names the session cookie, without a prefix: at most 64 letters, digits, `-`, `_` and `.`.
    /// Default: `magic-link`, which becomes `__Host-magic-link`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Sets where sessions that were ended early are remembered: a [`Revocations`], or a closure
    /// that looks a session up. Default: a [`MemoryRevocations`], which knows of this process
    /// alone.
    ///
    /// The layer can look sessions up through a closure but cannot record an end there. It
    /// remembers sessions that end by signing out or by a [webhook](Builder::webhook_secret) in
    /// this process alone. Webhooks need a [`Revocations`] store.
    ///
    /// ```
    /// # use tower_magic_link::{Builder, Session, revocation::Standing};
    /// # async fn was_ended(id: tower_magic_link::SessionId) -> Result<bool, std::io::Error> { Ok(false) }
    /// # fn example(builder: Builder) -> Builder {
    /// builder.revocations(|session: Session| async move {
    ///     Ok::<_, std::io::Error>(if was_ended(session.id()).await? { Standing::Revoked } else { Standing::Active })
    /// })
    /// # }
    /// ```
    pub fn revocations<Kind>(mut self, revocations: impl IntoRevocations<Kind>) -> Self {
        self.revocations = Box::new(revocations.into_revocations());
        self
    }

    /// Sets how long a request waits for the revocation store before it is answered 503: up to 1
    /// minute. Default: 2 seconds.
    ///
    /// A store that has to wait needs the layer to run on a tokio runtime with its timer enabled.
    pub fn revocation_timeout(mut self, timeout: Duration) -> Self {
        self.revocation_timeout = timeout;
        self
    }

    /// Sets the pages that people see. Default: [`DefaultPages`].
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// use tower_magic_link::page::{DefaultPages, Page, Pages, Trouble};
    ///
    /// struct OurPages(DefaultPages);
    ///
    /// impl Pages for OurPages {
    ///     fn render(&self, page: &Page<'_>) -> String {
    ///         match page {
    ///             Page::Trouble(page) if page.trouble() == Trouble::NotAllowed => {
    ///                 "<!doctype html><html lang=\"en\"><title>Acme</title>\
    ///                  <p>Ask your team's owner to invite you.</p></html>"
    ///                     .to_owned()
    ///             }
    ///             page => self.0.render(page),
    ///         }
    ///     }
    ///
    ///     // Without it the browser refuses the styles of the default pages.
    ///     fn sources(&self) -> tower_magic_link::page::PageSources {
    ///         self.0.sources()
    ///     }
    /// }
    ///
    /// builder.pages(OurPages(DefaultPages::new()))
    /// # }
    /// ```
    pub fn pages(mut self, pages: impl Pages) -> Self {
        self.pages = Box::new(pages);
        self
    }

    /// Mails what people sign in with ourselves: a link that no scanner can use up, and a code
    /// where [`Builder::sign_in`] says so. Default: the provider mails its own. [What each
    /// promises](crate::guide::mail_scanners).
    pub fn mailer(mut self, mailer: impl Mailer) -> Self {
        self.mail.mailer = Some(Box::new(mailer));
        self
    }

    /// Sets a listener that the layer calls with each [`Event`], for an audit log. It is called in
    /// the middle of requests and should be quick. If it panics, the log says so and the request
    /// goes on.
    pub fn on_event(mut self, listen: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listen);
        self
    }

    /// Sets the clock. Default: [`SystemClock`]. Where it goes back, the layer does not.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Checks every setting, and the rules across them, and makes the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the offending value.
    pub fn build(self) -> Result<MagicLinkLayer, ConfigError> {
        let public_url = self.public_url.as_deref();
        let public_url = PublicUrl::parse(public_url.ok_or(ConfigError::Missing {
            setting: "public_url",
        })?)?;
        check::mount(&self.mount)?;
        self.rules.check(&self.mount)?;
        check::cookie_name(&self.cookie_name)?;
        let cookie_domain = self.check_cookie_domain(&public_url)?;
        let lifetimes = self.lifetimes()?;
        self.check_streams()?;
        self.check_sign_in(self.mail.mailer.is_some())?;
        check::organizations(&self.organizations)?;
        let email_domains = check::domains(self.email_domains.as_deref())?;
        let policy = Policy::new(&self.pages.sources())?;
        let gate = Gate {
            allows_preflight: self.allows_preflight,
            cookies: Cookies::new(&self.cookie_name, public_url.is_secure(), cookie_domain),
            forwards_identity: self.forward.identity,
            lifetimes,
            mount: self.mount,
            rules: self.rules,
            tokens: Tokens::new(self.keys, public_url.origin()),
            takes_bearer: self.bearer_tokens,
            takes_webhooks: self.webhook.is_on(),
            public_url,
        };
        check::cookie_size(&gate, &self.organizations)?;
        self.revocations.tell_to(&self.listener);
        let revocations = BoundedRevocations::new(
            self.revocations,
            self.revocation_timeout,
            self.admits_on_outage,
            self.listener.clone(),
        );
        self.throttle.tell_to(&self.listener);
        let shared = Shared {
            clock: Steady::new(self.clock),
            proxies: self.forward.proxies()?,
            gate,
            listener: self.listener,
            revocations,
            pages: PageSet {
                pages: self.pages,
                policy,
            },
            streams: self.streams,
        };
        Ok(MagicLinkLayer::new(Flow {
            shared: Arc::new(shared),
            provider: self.provider,
            cross_device: self.sign_in.cross_device,
            sign_in: self.sign_in.sign_in,
            application_name: self.mail.application_name()?,
            mailer: self.mail.mailer()?,
            authorize: self.authorize,
            organizations: self.organizations,
            email_domains,
            link_lifetime: self.link_lifetime,
            exchanges: Exchanges::default(),
            throttling: self.throttle.check()?,
            webhook: self.webhook.check()?,
        }))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What stands before an `@` may be a password; it is refused, but not before build().
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
