//! Email sign-in in front of any Tower service.

mod clock;
mod email;
mod error;
mod provider;

#[cfg(feature = "workos")]
pub use self::provider::{
    AccessToken, NewPasswordlessSession, PasswordlessSession, Profile, ProfileAndToken, WorkOs,
};
pub use self::{
    clock::{Clock, SystemClock, Timestamp},
    email::{Email, InvalidEmail},
    error::ConfigError,
    provider::{
        AuthorizationCode, Delivery, Identity, IdentityProvider, Link, ProviderError,
        ProviderErrorKind, Start, Started,
    },
};
