//! Settings of who may sign in.

use std::{future::Future, sync::Arc, time::Duration};

use super::Builder;
use crate::{
    flow::authorize::IntoAuthorization, provider::Identity, session::Session, shared::Hook,
};

/// # Who
///
/// Which people may sign in, and how they prove their address. Default: anyone, by a link.
///
/// ## Who may stay
///
/// [`Builder::organization`] and [`Builder::email_domains`] hold for sign-ins and for every request
/// with a session. A layer with narrower lists refuses a session that began under wider ones, at
/// its earlier deployment or at another layer with the same keys. That costs nothing if no list is
/// set, and compares two texts otherwise.
///
/// - The request is answered with 403 and [`RejectionKind::NotAllowed`](crate::RejectionKind): a
///   page that leads to the sign-in form, a problem without `login_url`, gRPC's
///   `PERMISSION_DENIED`. On public and optional paths it goes on without the session.
/// - The cookie stays, because a wider layer of the same host may still admit its session. Signing
///   out works, and signing in with another address replaces it.
/// - If a list of organizations is set, the layer refuses every session without an organization.
///   [`SessionIssuer`](crate::companion::SessionIssuer) makes none that the layer would refuse.
/// - A live connection keeps the lists of the layer that admitted it, and ends with it.
///
/// What is asked at sign-in alone: [`Builder::authorize`]; the provider's own settings, such as the
/// connections that it accepts; [`Builder::sign_in`]; and whether the person may finish in another
/// browser. To apply those to the people who are signed in, revoke their sessions. The keys, the
/// public URL, the lifetimes, the paths and [`Builder::bearer_tokens`] hold for every request.
impl Builder {
    /// Admits only members of an organization, by its WorkOS id (`org_…`). Call it again to add
    /// another organization.
    ///
    /// Without a call, people of any organization may sign in, and of none. So code that calls it
    /// for each entry of a list must refuse an empty list, as [settings](crate::settings) do.
    ///
    /// Other people get a page that says that they have no access: 403. WorkOS names no
    /// organization for a Magic Link connection that it made by itself.
    ///
    /// If a person who signs in by a code belongs to several organizations, the layer takes the one
    /// that is allowed. If several are, or if none is configured, a page asks the person for one.
    ///
    /// The list holds for sessions, too: see [who may stay](#who-may-stay).
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organizations.push(id.into());
        self
    }

    /// Admits only addresses of these domains. A subdomain is another domain. An empty list is an
    /// error.
    ///
    /// For an address of any other domain, the layer shows the same page and sends no mail.
    ///
    /// The list holds for sessions, too: see [who may stay](#who-may-stay).
    pub fn email_domains<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.email_domains
            .get_or_insert_default()
            .extend(domains.into_iter().map(Into::into));
        self
    }

    /// Sets a rule of the application's own for who may sign in. The layer calls it once per
    /// sign-in, and once more each time that the person tries again after it has failed. It may
    /// take up to 10 seconds. It never runs for a request with a session: a person whom a changed
    /// rule denies stays signed in until the session ends, or until [`Builder::reauthorize`] ends
    /// it. What must hold at once needs a [revocation](crate::revocation).
    ///
    /// It may answer more than yes or no. A [`Grant`](crate::Grant) gives the session a subject, an
    /// organization, names or claims of the application's own, so that a handler needs no second
    /// look-up. A [`Denial`](crate::Denial) gives the page a reason.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tower_magic_link::{Builder, ClaimsError, Grant, Session, provider::Identity};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Access {
    ///     role: String,
    /// }
    ///
    /// # async fn account_of(_: &str) -> (u64, String) { (7, "admin".to_owned()) }
    /// # fn example(builder: Builder) -> Builder {
    /// builder.authorize(|identity: Identity| async move {
    ///     let (account, role) = account_of(identity.email().as_str()).await;
    ///     Grant::new().subject(account.to_string()).claims(&Access { role })
    /// })
    /// # }
    ///
    /// fn is_admin(session: &Session) -> Result<bool, ClaimsError> {
    ///     Ok(session.claims::<Access>()?.is_some_and(|access| access.role == "admin"))
    /// }
    /// ```
    ///
    /// With such a rule, [`Builder::build`] reckons with a cookie of claims of
    /// [`Grant::MOST_CLAIMS`](crate::Grant::MOST_CLAIMS), and refuses other settings that would
    /// leave no room for it.
    ///
    /// ```
    /// # use tower_magic_link::{Builder, provider::Identity};
    /// # fn example(builder: Builder) -> Builder {
    /// builder.authorize(|identity: Identity| async move { identity.email().domain() != "example.org" })
    /// # }
    /// ```
    ///
    /// If the rule needs a look-up, return an error when the look-up fails. A page then says that
    /// sign-in does not work at the moment, instead of denying access.
    ///
    /// ```
    /// # use tower_magic_link::{Authorization, Builder, provider::Identity};
    /// # async fn is_member(_: &str) -> Result<bool, std::io::Error> { Ok(true) }
    /// # fn example(builder: Builder) -> Builder {
    /// builder.authorize(|identity: Identity| async move {
    ///     Ok::<_, std::io::Error>(if is_member(identity.email().as_str()).await? {
    ///         Authorization::Allowed
    ///     } else {
    ///         Authorization::Denied
    ///     })
    /// })
    /// # }
    /// ```
    pub fn authorize<F, Fut>(mut self, authorize: F) -> Self
    where
        F: Fn(Identity) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAuthorization,
    {
        self.authorize = Some(Box::new(authorize));
        self
    }

    /// Has the application say again, from time to time, what a session in use is granted. Default:
    /// never.
    ///
    /// The layer calls the hook with the session when a request comes whose token is `every` old or
    /// older, and at each renewal of the cookie ([`Builder::renew_after`]): 1 second or more. That
    /// request waits for up to 2 seconds, and no other does. It then has what the hook answers, and
    /// its response sets the new cookie:
    ///
    /// | answer | what becomes of the session |
    /// | --- | --- |
    /// | [`Granted`](crate::Authorization::Granted) | it has the new organization, names and claims. What the grant does not set stays |
    /// | [`Allowed`](crate::Authorization::Allowed) | it stays as it is |
    /// | [`Denied`](crate::Authorization::Denied), [`Refused`](crate::Authorization::Refused) | it ends, in the revocation store too. The request is refused as one whose session was ended |
    /// | an error, a panic, no answer in time, another subject, or more than a cookie holds | it stays as it is, and an [event](crate::event::Event::ReauthorizeFailed) reports that. The next try is `every` later |
    ///
    /// So a changed role shows up to `every` late, and later while the hook fails. What must hold
    /// at once needs a [revocation](crate::revocation).
    ///
    /// - After the hook, the layer looks the session up once more, as it is granted then. What was
    ///   revoked meanwhile is refused. So is a session whose new organization was revoked since its
    ///   sign-in.
    /// - With [`Builder::insecure_admit_on_outage`], the hook is asked during an outage of the
    ///   revocation store, too. The store then records no end: the hook is asked again about each
    ///   copy of the cookie. A page in a window of its own removes it; other requests do not.
    /// - A bearer token is never renewed. It keeps what it was granted until it expires.
    /// - A session that the application
    ///   [issues from](crate::companion::SessionIssuer::issue_from) another is asked about when the
    ///   other one would have been.
    /// - `/auth/session` shows the token as it is, and asks nobody.
    /// - A live connection, such as a WebSocket, has what was granted when it began.
    /// - Requests that come together may each call the hook.
    ///
    /// ```
    /// use std::time::Duration;
    /// use serde::{Deserialize, Serialize};
    /// use tower_magic_link::{Builder, Grant, Session};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Access {
    ///     role: String,
    /// }
    ///
    /// # async fn role_of(_: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
    /// # fn example(builder: Builder) -> Builder {
    /// builder.reauthorize(Duration::from_secs(5 * 60), |session: Session| async move {
    ///     let role = role_of(session.subject()).await?;
    ///     // Without a role the account is closed, and its session ends.
    ///     let grant = role.map(|role| Grant::new().claims(&Access { role })).transpose()?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(grant)
    /// })
    /// # }
    /// ```
    pub fn reauthorize<F, Fut>(mut self, every: Duration, reauthorize: F) -> Self
    where
        F: Fn(Session) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAuthorization,
    {
        self.reauthorize = Some((every, Hook(Arc::new(reauthorize))));
        self
    }
}
