//! Email sign-in in front of any Tower service.

mod audience;
mod authorize;
mod body;
mod builder;
mod clock;
mod email;
#[cfg(feature = "emulator")]
pub mod emulator;
mod endpoint;
mod error;
mod event;
#[cfg(feature = "axum")]
mod extract;
mod flow;
mod future;
mod gate;
mod head;
mod layer;
mod mailer;
mod page;
mod provider;
mod public_url;
mod random;
mod rejection;
mod return_to;
mod revocation;
mod rules;
mod service;
mod session;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod testing;

#[cfg(feature = "axum")]
pub use self::extract::MissingSession;
#[cfg(feature = "workos")]
pub use self::provider::{
    AccessToken, NewPasswordlessSession, PasswordlessSession, Profile, ProfileAndToken, WorkOs,
};
pub use self::{
    authorize::{Authorization, IntoAuthorization},
    body::ResponseBody,
    builder::{Builder, SameSite},
    clock::{Clock, SystemClock, Timestamp},
    email::{Email, InvalidEmail},
    error::ConfigError,
    event::Event,
    future::ResponseFuture,
    layer::MagicLinkLayer,
    mailer::{Mail, MailError, Mailer},
    page::{
        CheckPage, ConfirmPage, Confirmation, DefaultPages, LoginPage, LoginProblem, Page,
        PageSources, Pages, Resend, SignedOutPage, Trouble, TroublePage,
    },
    provider::{
        AuthorizationCode, Delivery, Identity, IdentityProvider, Link, ProviderError,
        ProviderErrorKind, Start, Started,
    },
    rejection::{Rejection, RejectionKind},
    revocation::{
        FnRevocations, IntoRevocations, IntoStanding, Lookup, MemoryRevocations, Revocation,
        Revocations, Standing, StoreError, StoreErrorKind, StoreFuture, Target,
    },
    rules::PublicRule,
    service::MagicLink,
    session::{InvalidSessionId, KeyRing, Session, SessionId, SigningKey},
};
