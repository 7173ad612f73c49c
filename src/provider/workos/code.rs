//! Magic Auth codes in the JSON of WorkOS's API.
//!
//! - An answer must have its `id`. Every other field is optional, and unknown fields are ignored.
//! - The code is a credential: no `Debug` prints it.

use std::{fmt, net::IpAddr, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{email::Email, provider::OneTimeCode};

/// How long WorkOS's codes are valid.
const LIFETIME: Duration = Duration::from_secs(600);
const LONGEST_LIFETIME: u64 = 3_600;
/// Browsers' `User-Agent`s are shorter. A longer one is left out.
const LONGEST_USER_AGENT: usize = 512;

/// The request for a Magic Auth code.
///
/// ```
/// use std::net::IpAddr;
/// use tower_magic_link::{Email, workos::NewMagicAuth};
///
/// let new = NewMagicAuth::new(Email::parse("ada@example.com")?)
///     .ip_address(IpAddr::from([192, 0, 2, 1]))
///     .user_agent("Mozilla/5.0");
/// # let _ = new;
/// # Ok::<(), tower_magic_link::InvalidEmail>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewMagicAuth {
    email: Email,
    person: Person,
}

/// The credentials that redeem a Magic Auth code: the code, and the address that it was made for.
#[derive(Clone)]
#[must_use]
pub struct MagicAuthCredentials {
    email: Email,
    code: OneTimeCode,
    person: Person,
}

/// The client that asks, for WorkOS's abuse rules (Radar).
#[derive(Clone, Default)]
pub(super) struct Person {
    pub(super) ip_address: Option<IpAddr>,
    user_agent: Option<String>,
}

impl NewMagicAuth {
    /// Asks for a code for an address. WorkOS creates a user for it if there is none.
    pub fn new(email: Email) -> Self {
        Self {
            email,
            person: Person::default(),
        }
    }

    pub(super) const fn email(&self) -> &Email {
        &self.email
    }

    pub(super) fn to_json(&self) -> String {
        let mut body = Map::new();
        body.insert("email".to_owned(), self.email.as_str().into());
        self.person.describe(&mut body);
        Value::Object(body).to_string()
    }
}

impl MagicAuthCredentials {
    /// Creates the credentials of a code that was made for an address.
    pub fn new(email: Email, code: OneTimeCode) -> Self {
        Self {
            email,
            code,
            person: Person::default(),
        }
    }

    pub(super) const fn code(&self) -> &OneTimeCode {
        &self.code
    }

    /// Adds the credentials to a request body that already authenticates this client.
    pub(super) fn to_json(&self, mut body: Map<String, Value>) -> String {
        body.insert("code".to_owned(), self.code.expose().into());
        body.insert("email".to_owned(), self.email.as_str().into());
        self.person.describe(&mut body);
        Value::Object(body).to_string()
    }
}

/// Gives a request its setters of the client, and a `Debug` that shows one field, which is no code.
macro_rules! names_the_client {
    ($request:ident, $shown:ident) => {
        impl $request {
            /// Sets the client's IP address. WorkOS requires it if Radar is enabled.
            pub fn ip_address(mut self, ip_address: impl Into<Option<IpAddr>>) -> Self {
                self.person.ip_address = ip_address.into();
                self
            }

            /// Sets the browser's `User-Agent`. One that is longer than 512 bytes, or is not
            /// visible ASCII, is left out.
            pub fn user_agent<'a>(mut self, user_agent: impl Into<Option<&'a str>>) -> Self {
                self.person.set_user_agent(user_agent.into());
                self
            }
        }

        impl fmt::Debug for $request {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($request))
                    .field(stringify!($shown), &self.$shown)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use names_the_client;

names_the_client!(NewMagicAuth, email);
names_the_client!(MagicAuthCredentials, email);

impl Person {
    /// Sets the `User-Agent` if it is valid. A client controls it, and must not be able to make
    /// WorkOS refuse the request.
    pub(super) fn set_user_agent(&mut self, user_agent: Option<&str>) {
        self.user_agent = user_agent
            .filter(|text| matches!(text.len(), 1..=LONGEST_USER_AGENT))
            .filter(|text| text.bytes().all(|b| matches!(b, b' '..=b'~')))
            .map(str::to_owned);
    }

    pub(super) fn describe(&self, body: &mut Map<String, Value>) {
        if let Some(ip) = self.ip_address {
            // An IPv4 client of a dual-stack socket appears as `::ffff:192.0.2.1`.
            let ip = ip.to_canonical().to_string();
            body.insert("ip_address".to_owned(), ip.into());
        }
        if let Some(user_agent) = &self.user_agent {
            body.insert("user_agent".to_owned(), user_agent.as_str().into());
        }
    }
}

/// A Magic Auth code that WorkOS has made. `Debug` shows only its id and expiry.
#[derive(Clone)]
pub struct MagicAuth(MagicAuthAnswer);

#[derive(Clone, Deserialize)]
pub(super) struct MagicAuthAnswer {
    id: String,
    user_id: Option<String>,
    email: Option<String>,
    expires_at: Option<String>,
    created_at: Option<String>,
    #[serde(default, deserialize_with = "code")]
    code: Option<OneTimeCode>,
}

fn code<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<OneTimeCode>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(OneTimeCode::new))
}

impl MagicAuth {
    /// Returns its id, `magic_auth_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the id of the code's user, `user_…`. WorkOS creates the user with the code if there
    /// was none.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// Returns the address as WorkOS writes it.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Returns when the code was made, as WorkOS writes it: ISO 8601 in UTC,
    /// `2026-05-02T23:50:29.479Z`.
    #[must_use]
    pub fn created_at(&self) -> Option<&str> {
        self.0.created_at.as_deref()
    }

    /// Returns when the code expires, as WorkOS writes it: ISO 8601 in UTC.
    #[must_use]
    pub fn expires_at(&self) -> Option<&str> {
        self.0.expires_at.as_deref()
    }

    /// Returns how long the code is valid, counted from the answer. That is the difference of its
    /// two times if it is an hour or less, and WorkOS's ten minutes otherwise.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        // The difference of WorkOS's own two times: its clock and ours need not agree.
        let made = self.created_at().and_then(seconds);
        let ends = self.expires_at().and_then(seconds);
        let lifetime = made
            .zip(ends)
            .and_then(|(made, ends)| ends.checked_sub(made));
        lifetime
            // Any other difference is a mistake at WorkOS, and a mail must not promise days.
            .filter(|secs| matches!(secs, 1..=LONGEST_LIFETIME))
            .map_or(LIFETIME, Duration::from_secs)
    }

    /// Returns the code, for an application that mails it itself.
    #[must_use]
    pub const fn code(&self) -> Option<&OneTimeCode> {
        self.0.code.as_ref()
    }
}

impl From<MagicAuthAnswer> for MagicAuth {
    fn from(answer: MagicAuthAnswer) -> Self {
        Self(answer)
    }
}

impl fmt::Debug for MagicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MagicAuth")
            .field("id", &self.0.id)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}

/// Parses a moment of WorkOS's, `2026-05-02T23:50:29.479Z`, into whole seconds since the year 0.
/// Only differences are meaningful.
fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_moment = matches!(year, 1..=9_999)
        && matches!(month, 1..=12)
        && matches!(day, 1..=31)
        && hour < 24
        && minute < 60
        // A leap second is written as 60.
        && second < 61;
    if !is_moment {
        return None;
    }
    // Years begin in March, so that the leap day is the last of a year (Howard Hinnant's
    // `days_from_civil`).
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let is_number = matches!(part.len(), 1..=4) && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests;
