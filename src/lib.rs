//! Email sign-in in front of any Tower service.

mod clock;
mod email;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod provider;

pub use self::{
    clock::{Clock, SystemClock, Timestamp},
    email::{Email, InvalidEmail},
    error::ConfigError,
    provider::{
        AuthorizationCode, Delivery, Identity, IdentityProvider, Link, ProviderError,
        ProviderErrorKind, Start, Started,
    },
};
