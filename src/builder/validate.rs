//! The builder's checks of a setting's text, and of the size of the session cookie, which depends
//! on several settings.

use std::collections::HashMap;

use crate::{
    clock::{Reading, Skew, Timestamp},
    email::{self, Email},
    error::ConfigError,
    gate::Gate,
    provider::{Identity, SignInMethod},
    session::{
        Grant, SessionId, Term,
        cookie::{self, CookieName},
    },
    site::{public_url::PublicUrl, rules::is_plain},
};

const LONGEST_COOKIE_NAME: usize = 64;
/// The length of provider ids in the largest cookie. WorkOS's have 31 characters.
const RECKONED_ID: usize = 64;

/// Refuses a public URL that others reach, for a provider that proves nothing.
pub(super) fn of_this_machine(public_url: &PublicUrl) -> Result<(), ConfigError> {
    if public_url.is_loopback() {
        return Ok(());
    }
    let problem = "is not of this machine, and the provider is for development alone: set WORKOS_API_KEY and \
                   WORKOS_CLIENT_ID, or use a loopback address such as http://127.0.0.1:3000";
    Err(ConfigError::invalid(
        "public_url",
        public_url.origin(),
        problem,
    ))
}

pub(super) fn mount(mount: &str) -> Result<(), ConfigError> {
    if is_plain(mount) && mount.len() > 1 && !mount.ends_with('/') && mount.len() <= 128 {
        return Ok(());
    }
    let problem = "must be a path such as /auth: no query (WorkOS takes no redirect URI with one), no slash at its end, \
                   no '%', '\\', ';', '//', dot segment or segment such as '(S(x))', \
                   at most 128 bytes";
    Err(ConfigError::invalid("mount", mount, problem))
}

pub(super) fn cookie_name(name: &str) -> Result<(), ConfigError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.is_empty() || name.len() > LONGEST_COOKIE_NAME || !name.bytes().all(is_plain) {
        let problem = "must be 1 to 64 letters, digits, '-', '_' and '.'";
        return Err(ConfigError::invalid("cookie_name", name, problem));
    }
    // Browsers match the prefixes without case.
    if name.starts_with("__") {
        let problem = "must not begin with '__': the layer adds the prefix itself";
        return Err(ConfigError::invalid("cookie_name", name, problem));
    }
    Ok(())
}

pub(super) fn organizations(organizations: &[String]) -> Result<(), ConfigError> {
    let bad = organizations
        .iter()
        .find(|id| id.is_empty() || !id.bytes().all(|b| b.is_ascii_graphic()));
    bad.map_or(Ok(()), |id| {
        let problem = "is not an organization id such as org_01H…";
        Err(ConfigError::invalid("organization", id, problem))
    })
}

pub(super) fn domains(given: Option<&[String]>) -> Result<Vec<String>, ConfigError> {
    // An empty list, such as the split of an empty variable, must not admit everyone.
    if given.is_some_and(<[String]>::is_empty) {
        let problem = "names no domain, so nobody could sign in";
        return Err(ConfigError::invalid("email_domains", "", problem));
    }
    given
        .unwrap_or_default()
        .iter()
        .map(|domain| {
            email::domain_name(domain).ok_or_else(|| {
                let problem = "is not a domain such as example.com";
                ConfigError::invalid("email_domains", domain, problem)
            })
        })
        .collect()
}

/// Returns the largest grant of an application that has a rule of its own.
pub(super) fn largest_grant() -> Option<Grant> {
    // Of names as long as the provider's, and as many claims as a grant takes.
    let id = "x".repeat(RECKONED_ID);
    let claims = HashMap::from([("a", "x".repeat(Grant::MOST_CLAIMS - r#"{"a":""}"#.len()))]);
    let grant = Grant::new().subject(id.clone()).organization(id);
    grant.claims(&claims).ok()
}

/// Mints the largest session that the ids, the organizations, the longest address and a grant make,
/// and measures its cookie.
pub(super) fn cookie_size(gate: &Gate, grant: Option<&Grant>) -> Result<(), ConfigError> {
    // Without characters that JSON escapes, as provider ids are.
    let id = "x".repeat(RECKONED_ID);
    let label = "x".repeat(60);
    let email = format!("{}@{label}.{label}.{label}.xxxxxx", "x".repeat(64));
    let too_large = |size: usize| {
        let problem = format!(
            "makes session cookies of up to {size} bytes; browsers drop those over {}",
            cookie::LONGEST
        );
        ConfigError::invalid("cookie", gate.cookies.name(CookieName::Session), problem)
    };
    let email = Email::parse(&email).map_err(|_| too_large(0))?;
    let organizations = &gate.allowed.organizations;
    let organization = organizations.iter().chain([&id]).max_by_key(|id| id.len());
    let identity = Identity::new(id.clone(), email)
        .with_organization(organization.cloned())
        .with_connection(Some(id.clone()))
        .with_names(Some(id.clone()), Some(id.clone()))
        // Of the two methods, a code alone has a claim, and a session at the provider.
        .with_method(SignInMethod::MagicAuth)
        .with_provider_session(Some(id));
    let id = SessionId::from_bytes([0; 16]);
    // Ten digits, as any time until the year 2286.
    let now = Timestamp::from_secs(u64::from(u32::MAX));
    // The claim of a remembered session is written only where the form offers it.
    let term = match gate.lifetimes.remembered {
        Some(_) => Term::Remembered,
        None => Term::Usual,
    };
    // As after a clock that was set back by 115 days: more than that is no clock.
    let skew = Skew::new(std::time::Duration::from_secs(9_999_999), u32::MAX);
    let session = gate.begin_session(&identity, id, term, Reading::level(now));
    let session = session.with_skew(skew).with_auth_skew(skew);
    let session = session.with_after(now);
    let session = grant.map_or_else(|| session.clone(), |grant| session.granted(grant));
    let token = gate
        .tokens
        .mint(&session)
        .ok_or_else(|| ConfigError::secret("signing key", "does not sign"))?;
    if gate.cookies.fits(CookieName::Session, &token) {
        return Ok(());
    }
    Err(too_large(
        gate.cookies.name(CookieName::Session).len() + token.len(),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Builder, KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};

    /// The claims of a code's session and of a remembered one were not counted: such an application
    /// was built, and then nobody could sign in by a code.
    #[test]
    fn where_build_takes_the_ids_the_largest_session_fits_to_the_byte() {
        let remembered = |builder: Builder| builder.remember_me(Duration::from_secs(60 * 86_400));
        check("usual", |builder| builder, Term::Usual);
        check("remembered", remembered, Term::Remembered);
    }

    fn check(name: &str, set: impl Fn(Builder) -> Builder, term: Term) {
        let build = |length: usize| {
            let keys = KeyRing::new(SigningKey::generate().unwrap());
            let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
                .public_url("https://app.example.com")
                .organization("x".repeat(length));
            set(builder).build()
        };
        let lengths: Vec<_> = (RECKONED_ID..cookie::LONGEST).collect();
        let taken = lengths.partition_point(|length| build(*length).is_ok());
        let longest = lengths[taken - 1];
        assert!(build(longest + 1).is_err(), "{name}");

        let layer = build(longest).unwrap();
        let id = || Some("x".repeat(RECKONED_ID));
        let label = "x".repeat(60);
        let email = format!("{}@{label}.{label}.{label}.xxxxxx", "x".repeat(64));
        let identity = Identity::new("x".repeat(RECKONED_ID), Email::parse(&email).unwrap())
            .with_organization(Some("x".repeat(longest)))
            .with_connection(id())
            .with_names(id(), id())
            .with_method(SignInMethod::MagicAuth)
            .with_provider_session(id());
        let now = Timestamp::from_secs(4_000_000_000);
        let issued = layer.shared().issue(&identity, None, term, now).unwrap();
        // And at a machine whose clock was set back by months.
        let session = issued.session().clone();
        let skew = Skew::new(Duration::from_secs(9_999_999), u32::MAX);
        let session = session.with_skew(skew).with_auth_skew(skew);
        let session = session.with_after(now);
        let gate = &layer.shared().gate;
        let token = gate.tokens.mint(&session).unwrap();
        let size = gate.cookies.name(CookieName::Session).len() + token.len();
        // base64 writes three bytes as four characters, so one more byte is one or two more.
        assert!(
            (cookie::LONGEST - 1..=cookie::LONGEST).contains(&size),
            "{name}: {size}"
        );
    }
}
