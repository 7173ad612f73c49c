//! Email sign-in in front of any Tower service.

mod clock;
mod email;
mod error;
mod provider;
mod random;
mod session;

pub use self::{
    clock::{Clock, SystemClock, Timestamp},
    email::{Email, InvalidEmail},
    error::ConfigError,
    provider::{
        AuthorizationCode, Delivery, Identity, IdentityProvider, Link, ProviderError,
        ProviderErrorKind, Start, Started,
    },
    session::{InvalidSessionId, KeyRing, Session, SessionId, SigningKey},
};
