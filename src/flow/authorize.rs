//! The authorize hook: the application decides who may sign in, and as whom.
//!
//! - The layer calls it once per sign-in, after the address is proven and passes the configured
//!   organizations and domains.
//! - It may answer more than yes or no: a grant of the application's own subject, organization,
//!   names and claims, or a denial with a reason for the page.
//! - The same answers are given about a session that is renewed.

use std::{error::Error, future::Future};

use futures_util::future::BoxFuture;

use super::denial::Denial;
use crate::{
    email::masked_within,
    provider::Identity,
    session::{Grant, Session},
    shared::{Again, Reauthorize},
};

/// Whether an identity may sign in, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authorization {
    /// The sign-in may go on, as the person whom the provider proved.
    Allowed,
    /// The sign-in is refused with 403.
    Denied,
    /// The sign-in may go on, with a subject, an organization, names or claims of the
    /// application's own.
    Granted(Grant),
    /// The sign-in is refused with 403, and the page says why.
    Refused(Denial),
}

/// What the hook may return: an [`Authorization`], a [`Grant`], a [`Denial`], an `Option` of a
/// grant (`None` denies), a `bool` that says whether the identity is allowed, or a `Result` of any
/// of these.
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

impl IntoAuthorization for Grant {
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        Ok(Authorization::Granted(self))
    }
}

impl IntoAuthorization for Denial {
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        Ok(Authorization::Refused(self))
    }
}

impl IntoAuthorization for Option<Grant> {
    fn into_authorization(self) -> Result<Authorization, Box<dyn Error + Send + Sync>> {
        Ok(self.map_or(Authorization::Denied, Authorization::Granted))
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
                let error = error.to_string();
                let error = &*masked_within(&error);
                tracing::error!(target: "tower_magic_link", error, "authorize hook failed");
            })
        })
    }
}

impl<F, Fut> Reauthorize for F
where
    F: Fn(Session) -> Fut + Send + Sync,
    Fut: Future + Send + 'static,
    Fut::Output: IntoAuthorization,
{
    fn ask(&self, session: Session) -> BoxFuture<'static, Result<Again, ()>> {
        let answer = self(session);
        Box::pin(async move {
            match answer.await.into_authorization() {
                Ok(Authorization::Allowed) => Ok(Again::Keep),
                Ok(Authorization::Granted(grant)) => Ok(Again::Grant(grant)),
                Ok(Authorization::Denied | Authorization::Refused(_)) => Ok(Again::End),
                Err(error) => {
                    let error = error.to_string();
                    let error = &*masked_within(&error);
                    tracing::error!(target: "tower_magic_link", error, "reauthorize hook failed");
                    Err(())
                }
            }
        })
    }
}
