//! Settings of who may sign in.

use std::future::Future;

use super::Builder;
use crate::{flow::authorize::IntoAuthorization, provider::Identity};

/// # Who
///
/// Which people may sign in, and how they prove their address. Default: anyone, by a link.
impl Builder {
    /// Admits only members of an organization, by its WorkOS id (`org_…`). Call it again to add
    /// another organization.
    ///
    /// Other people get a page that says that they have no access: 403. WorkOS names no
    /// organization for a Magic Link connection that it made by itself.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organizations.push(id.into());
        self
    }

    /// Admits only addresses of these domains. A subdomain is another domain. An empty list is an
    /// error.
    ///
    /// For an address of any other domain, the layer shows the same page and sends no mail.
    pub fn email_domains<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.email_domains
            .get_or_insert_default()
            .extend(domains.into_iter().map(Into::into));
        self
    }

    /// Sets a rule of the application's own for who may sign in. The layer calls it once per
    /// sign-in, and once more each time that the person tries again after it has failed. It may
    /// take up to 10 seconds.
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
}
