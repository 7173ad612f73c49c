//! Settings of who may sign in.

use std::future::Future;

use super::Builder;
use crate::{flow::authorize::IntoAuthorization, provider::Identity};

/// # Who
///
/// Which of the addresses that were proven may sign in, and by what they are proven. Default: all,
/// by a link.
impl Builder {
    /// Lets members of an organization in, by its WorkOS id (`org_…`), and nobody else. May be
    /// called for several.
    ///
    /// Others read that they have no access: 403. WorkOS names no organization for a Magic Link
    /// connection that it made by itself.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organizations.push(id.into());
        self
    }

    /// Lets addresses of these domains in, and nobody else. A subdomain is another domain; a list
    /// of none is an error.
    ///
    /// For an address of any other domain, the layer shows the same page and sends no mail.
    pub fn email_domains<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.email_domains
            .get_or_insert_default()
            .extend(domains.into_iter().map(Into::into));
        self
    }

    /// Sets the application's own say on who may sign in, asked once per sign-in.
    ///
    /// ```
    /// # use tower_magic_link::{Builder, provider::Identity};
    /// # fn example(builder: Builder) -> Builder {
    /// builder.authorize(|identity: Identity| async move { identity.email().domain() != "example.org" })
    /// # }
    /// ```
    ///
    /// Where the answer has to be looked up, a look-up that fails is an error of its own. The
    /// person then reads that signing in does not work just now, not that they have no access.
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
