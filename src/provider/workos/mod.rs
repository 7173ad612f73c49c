//! `WorkOs`: a client of WorkOS's Magic Link and Magic Auth APIs, and the layer's provider.
//!
//! - `requests` has the four requests of a link (make a session, have it mailed, exchange a code,
//!   read a profile), `magic_auth` those of a six-digit code, `selection` that of an organization.
//! - `call` sends a request, with its bounds and retries. `answer` and `refusal` classify refusals.
//!   `wire`, `profile`, `code` and `user` are the JSON shapes.
//! - As a provider it accepts only profiles of `MagicLink` connections by default. WorkOS exchanges
//!   the codes of every connection in the environment, and a customer's own identity provider could
//!   claim any address.
//! - It does not log. Its errors carry what to log: kind, status, request id and machine code.

use std::{ffi::OsString, fmt, sync::Arc};

use url::Url;

use self::{
    answer::{Answer, Cause},
    base::BaseUrl,
    call::Caller,
    complaint::is_word,
    credentials::ApiKey,
    emulated::Emulates,
    operation::Operation,
    timeouts::Timeouts,
};
use super::{
    Abilities, Delivery, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, Link,
    ProviderError, ProviderErrorKind, Start, StartCode, Started, StartedCode,
};
use crate::{check::Line, clock::Timestamp, email::Email, error::ConfigError};

mod answer;
mod base;
mod call;
mod check;
mod choice;
mod code;
mod complaint;
mod credentials;
pub(crate) mod emulated;
mod magic_auth;
mod operation;
mod profile;
mod refusal;
mod requests;
mod selection;
mod settings;
mod timeouts;
mod user;
mod wire;

pub use self::{
    code::{MagicAuth, MagicAuthCredentials, NewMagicAuth},
    profile::{AccessToken, Profile, ProfileAndToken},
    selection::OrganizationSelection,
    user::{Authentication, RefreshToken, User},
    wire::{NewPasswordlessSession, PasswordlessSession},
};

const BASE_URL: &str = "https://api.workos.com";

const MAGIC_LINK: &str = "MagicLink";

/// A client of WorkOS. Clones share their connections; `Debug` does not show the key.
///
/// The layer uses it as its [`IdentityProvider`]. An application can also use it without a layer:
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{
///     Email, provider::{AuthorizationCode, ProviderError},
///     workos::{NewPasswordlessSession, WorkOs},
/// };
///
/// let workos = WorkOs::new("sk_test_a2V5", "client_01EXAMPLE")?
///     .base_url("http://127.0.0.1:4200")?
///     .timeout(Duration::from_secs(8))?;
///
/// async fn mail_link(workos: &WorkOs, email: Email) -> Result<(), ProviderError> {
///     let session = workos.create_session(&NewPasswordlessSession::new(email)).await?;
///     workos.send_session(session.id()).await
/// }
///
/// async fn callback(workos: &WorkOs, code: &str) -> Result<String, ProviderError> {
///     let answer = workos.profile_and_token(&AuthorizationCode::new(code)).await?;
///     // Without the layer you must check the connection type, the organization and the address.
///     Ok(answer.profile().email().to_owned())
/// }
/// # let _ = (mail_link, callback, workos);
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
///
/// It must be called within a tokio runtime that has its IO and time drivers enabled.
///
/// # Time
///
/// Redeeming a code ends after [`exchange_timeout`](Self::exchange_timeout) at the latest, any
/// other call after [`timeout`](Self::timeout). Within that time the client retries up to two times
/// what WorkOS certainly did not process (no connection, or 429). A connection that is not made
/// within [`connect_timeout`](Self::connect_timeout) is not tried again. The client also retries
/// making a session and reading a profile after 5xx. After 429 it asks again for a mail only if
/// WorkOS sends `Retry-After`. It never waits longer than 2 seconds. It never repeats an exchange
/// that WorkOS may have processed, because a code works once. Making and redeeming a six-digit code
/// are retried like a mail: the one may send a mail, the other counts as a try.
///
/// # Codes
///
/// Magic Auth must be enabled in WorkOS's dashboard. The dashboard also decides whether WorkOS
/// mails each code itself. Enable that for [`Delivery::Provider`](crate::provider::Delivery).
/// Disable it if the application has its own mailer, or each person gets two mails.
#[derive(Clone)]
#[must_use]
pub struct WorkOs {
    api_key: ApiKey,
    client_id: String,
    caller: Caller,
    connection_types: Vec<String>,
    /// The server of an emulator that this client uses, which stops when it is dropped.
    emulator: Option<Arc<dyn Emulates>>,
}

impl WorkOs {
    /// How the two variables are called that a client needs.
    pub(crate) const BOTH: &str = "WORKOS_API_KEY and WORKOS_CLIENT_ID";

    /// Creates a client from the environment's API key (`sk_…`) and the client id (`client_…`).
    ///
    /// # Errors
    ///
    /// When one of them is empty or not visible ASCII, when the two are swapped, or when the
    /// machine has no root certificates to verify WorkOS with.
    pub fn new(
        api_key: impl Into<String>,
        client_id: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        let base = BaseUrl::parse("base_url", BASE_URL)?;
        Self::with_settings(
            ("api_key", api_key.into()),
            ("client_id", client_id.into()),
            base,
        )
    }

    /// Creates a client from the variables `WORKOS_API_KEY`, `WORKOS_CLIENT_ID` and, if it is set,
    /// `WORKOS_BASE_URL`. An empty variable counts as not set.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) and [`base_url`](Self::base_url); [`ConfigError::Missing`] when one of
    /// the first two is not set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// Sets the base URL of WorkOS's API. Default: `https://api.workos.com`.
    ///
    /// It must be an https URL, or an http URL of this machine: `localhost`, `127.0.0.0/8`,
    /// `[::1]`. The client uses the environment's proxies (`HTTPS_PROXY`), except for this machine.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for any other URL, and for one with a user name, query or fragment.
    pub fn base_url(mut self, base_url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let base = BaseUrl::parse("base_url", base_url.as_ref())?;
        self.caller = self.caller.with_base(base)?;
        Ok(self)
    }

    /// Also accepts profiles of these connection types, spelled as WorkOS does: `GoogleOAuth`,
    /// `OktaSAML`. Default: only `MagicLink`, which is always accepted.
    ///
    /// The identity provider behind such a connection can then claim any address.
    pub fn accept_connection_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.connection_types
            .extend(types.into_iter().map(Into::into));
        self
    }

    /// Says that this client's WorkOS is an emulator, and keeps its server running.
    #[cfg(feature = "emulator")]
    pub(crate) fn emulated_by(mut self, server: impl Emulates + 'static) -> Self {
        self.emulator = Some(Arc::new(server));
        self
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variable = |setting: &'static str| match read(setting).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match text.into_string() {
                Ok(text) => Ok(Some((setting, text))),
                Err(_) => Err(ConfigError::secret(setting, "is not UTF-8")),
            },
        };
        let missing = |setting| ConfigError::Missing { setting };
        let (api_key, client_id) =
            match (variable("WORKOS_API_KEY")?, variable("WORKOS_CLIENT_ID")?) {
                (Some(api_key), Some(client_id)) => (api_key, client_id),
                (None, None) => return Err(missing(Self::BOTH)),
                (None, Some(_)) => return Err(missing("WORKOS_API_KEY")),
                (Some(_), None) => return Err(missing("WORKOS_CLIENT_ID")),
            };
        let base = match variable("WORKOS_BASE_URL")? {
            Some((setting, text)) => BaseUrl::parse(setting, &text)?,
            None => BaseUrl::parse("base_url", BASE_URL)?,
        };
        Self::with_settings(api_key, client_id, base)
    }

    fn with_settings(
        api_key: (&'static str, String),
        client_id: (&'static str, String),
        base: BaseUrl,
    ) -> Result<Self, ConfigError> {
        let (api_key, client_id) = credentials::checked(api_key, client_id)?;
        Ok(Self {
            api_key,
            client_id,
            // Made once: a client of its own for each call would shake hands over TLS each time.
            caller: Caller::new(base, Timeouts::default())?,
            connection_types: vec![MAGIC_LINK.to_owned()],
            emulator: None,
        })
    }
}

impl IdentityProvider for WorkOs {
    fn abilities(&self) -> Abilities {
        let abilities = Abilities::new().with_link_lifetimes(wire::LIFETIMES);
        match self.emulator {
            Some(_) => abilities.for_development(),
            None => abilities,
        }
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        let new = NewPasswordlessSession::new(start.email.clone())
            .redirect_uri(start.redirect_uri)
            .state(start.state)
            .expires_in(start.link_lifetime)
            .map_err(|error| {
                ProviderError::new(ProviderErrorKind::Misconfigured).with_source(error)
            })?;
        // One for both calls, as the person at the form waits for both.
        let deadline = self.caller.timeouts.deadline(Operation::Create);
        let (session, answer) = self.create(&new, deadline).await?;
        match start.delivery {
            Delivery::Provider => {
                self.send(session.id(), deadline).await?;
                Ok(Started::mailed())
            }
            Delivery::Mailer => {
                let link = session.into_link().as_ref().and_then(web_link);
                link.map(Started::with_link)
                    .ok_or_else(|| lacks(&answer, "a link"))
            }
        }
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let (token, answer) = self.exchange(finish.code).await?;
        let profile = token.into_profile();
        let kind = profile.connection_type();
        // Single sign-on shares the callback: a sign-in that began at an identity provider.
        if !self.connection_types.iter().any(|taken| taken == kind) {
            let error = answer.error(ProviderErrorKind::WrongConnection);
            return Err(if is_word(kind, |b| b.is_ascii_alphanumeric()) {
                error.with_source(Cause::ConnectionType(kind.to_owned()))
            } else {
                error
            });
        }
        // If every id were empty, everybody would share one account.
        if profile.id().is_empty() {
            return Err(lacks(&answer, "a profile id"));
        }
        let email = Email::parse(profile.email()).map_err(|_| lacks(&answer, "an address"))?;
        Ok(Identity::new(profile.id(), email)
            .with_organization(profile.organization_id().map(str::to_owned))
            .with_connection(profile.connection_id().map(str::to_owned))
            .with_names(
                profile.first_name().map(str::to_owned),
                profile.last_name().map(str::to_owned),
            ))
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.begin_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.prove_by_code(finish).await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.prove_by_choice(finish).await
    }

    async fn check(&self, now: Timestamp) -> Vec<Line> {
        self.self_test(now).await
    }
}

impl fmt::Debug for WorkOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkOs")
            .field("client_id", &self.client_id)
            .field("caller", &self.caller)
            .field("connection_types", &self.connection_types)
            .finish_non_exhaustive()
    }
}

/// Returns a link in its parsed form, if its scheme is http or https.
fn web_link(link: &Link) -> Option<Link> {
    let url = Url::parse(link.expose()).ok()?;
    // The parsed form is what is mailed: a mail client may read the raw text in another way.
    matches!(url.scheme(), "http" | "https").then(|| Link::new(url))
}

fn lacks(answer: &Answer, what: &'static str) -> ProviderError {
    answer
        .error(ProviderErrorKind::InvalidAnswer)
        .with_source(Cause::Lacks(what))
}

#[cfg(test)]
mod tests;
