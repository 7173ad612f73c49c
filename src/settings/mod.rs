//! A layer's settings from a TOML file, the environment and flags, for people who configure a
//! program without writing Rust.
//!
//! - [`Sources`] reads them. A flag wins over a variable, a variable over the file, the file over
//!   the default.
//! - A key that does not exist is an error that names the nearest one. A wrong value is an error
//!   with the file, the key, the value and what is expected. So is a list without an entry, unless
//!   it is on the safe side with none ([`Sources`]).
//! - Three switches exclude another setting, and the error names both: `insecure_no_cache_control`
//!   excludes `no_store`, `insecure_answer_when_sent` excludes `answer_after`, and
//!   `insecure_no_throttle` excludes each `limit_…`.
//! - A secret stands in a variable, or in a file of its own whose path is the key with `_file`. It
//!   is never shown. The file has at most 64 KiB; the ends of its last lines and a byte order mark
//!   are no part of the secret, and spaces are. `retired_keys` and `webhook_secret` may hold
//!   several secrets, with commas. `webhook_secret` may also have one on each line.
//! - [`Settings::builder`] makes a [`Builder`](crate::Builder). What takes code, such as
//!   [`Builder::authorize`](crate::Builder::authorize), is added to that.
//!
//! The `guard` example is a whole program with them: [`guide::guard`](crate::guide::guard).
//!
//! ```
//! use tower_magic_link::settings::Sources;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = ("MAGIC_LINK_KEY".into(), "HDge+0f2qDskwpnolJZd3t2csYlILEfOKiyg0Q2Qvdk=".into());
//! # let variables = [keys];
//!
//! // In an application: `std::env::vars_os()` and `std::env::args().skip(1)`.
//! let flags = ["--public-url", "http://127.0.0.1:3000", "--provider=mailed-links", "--mailer=console"];
//! let settings = Sources::new().environment(variables).flags(flags).read()?;
//! let layer = settings.layer()?;
//! # let _ = layer;
//! # Ok(()) }
//! ```
//!
//! # Every key
//!
//! As a file, with its defaults. A length of time is a whole number with `ms`, `s`, `m`, `h` or
//! `d`.
//!
//! ```toml
#![doc = include_str!("example.toml")]
//! ```

mod apply;
mod error;
mod key;
#[cfg(any(feature = "redis", feature = "smtp"))]
mod login;
mod look;
mod near;
mod origin;
mod parts;
mod reading;
mod sources;
mod table;
mod value;
mod whole;

pub use self::{error::SettingsError, sources::Sources, whole::Settings};

#[cfg(test)]
mod tests;
