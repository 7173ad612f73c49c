//! The authorize hook: the application decides who may sign in.
//!
//! The layer calls it once per sign-in, after the address is proven and passes the configured
//! organizations and domains.

use std::{error::Error, future::Future};

use futures_util::future::BoxFuture;

use crate::provider::Identity;

/// Whether an identity may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a person may sign in or not")]
pub enum Authorization {
    /// The sign-in may go on.
    Allowed,
    /// The sign-in is refused with 403.
    Denied,
}

/// What the hook may return: an [`Authorization`], a `bool` that says whether the identity is
/// allowed, or a `Result` of either.
pub trait IntoAuthorization {
    /// Converts into the answer.
    ///
    /// # Errors
    ///
    /// When the hook could not decide. The sign-in is refused, with a page that says that it does
    /// not work just now.
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>>;
}

impl IntoAuthorization for Authorization {
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

impl IntoAuthorization for bool {
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        Ok(if self {
            Authorization::Allowed
        } else {
            Authorization::Denied
        })
    }
}

impl<A, E> IntoAuthorization for Result<A, E>
where
    A: IntoAuthorization,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)?.into_authorization()
    }
}

/// The hook as the layer stores it.
pub(crate) trait Authorize: Send + Sync {
    fn ask(&self, identity: Identity) -> BoxFuture<'static, Result<Authorization, ()>>;
}

impl<F, Fut> Authorize for F
where
    F: Fn(Identity) -> Fut + Send + Sync,
    Fut: Future + Send + 'static,
    Fut::Output: IntoAuthorization,
{
    fn ask(&self, identity: Identity) -> BoxFuture<'static, Result<Authorization, ()>> {
        let answer = self(identity);
        Box::pin(async move {
            answer.await.into_authorization().map_err(|error| {
                tracing::error!(target: "tower_magic_link", %error, "authorize hook failed");
            })
        })
    }
}
