//! The application's origin, and the people who sign in there.

pub(crate) const ORIGIN: &str = "https://app.example.com";
pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const EVE: &str = "eve@example.com";
