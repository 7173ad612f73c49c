//! Secrets whose `Debug` shows nothing, so that no log can print one by accident, and texts that
//! may be one.

/// Gives a type a `Debug` that prints `[redacted]`.
macro_rules! redacted {
    ($secret:ty) => {
        impl ::std::fmt::Debug for $secret {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

/// Gives a public newtype of a text its two methods: one wraps the text, one shows it.
macro_rules! secret_text {
    ($secret:ident, $what:literal) => {
        impl $secret {
            #[doc = concat!("Wraps a ", $what, ".")]
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            #[doc = concat!("Returns the ", $what, " itself. It must not reach a log.")]
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        $crate::secret::redacted!($secret);
    };
}

/// Has two secrets of a text compared without telling, by the time, where they differ.
macro_rules! compared_in_constant_time {
    ($secret:ident) => {
        impl PartialEq for $secret {
            fn eq(&self, other: &Self) -> bool {
                $crate::secret::is_same(&self.0, &other.0)
            }
        }

        impl Eq for $secret {}
    };
}

/// Says whether two texts are the same. Of two that have the same length it takes the same time.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let difference = pairs.fold(0, |difference, (one, other)| difference | (one ^ other));
    // Without the barrier the compiler may leave the loop at the first difference.
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

/// The words of a vendor's key, wherever they stand: WorkOS's keys, and a webhook's secret.
const NAMED: [&str; 3] = ["sk_live_", "sk_test_", "whsec_"];

/// Says whether a text looks like a secret that ended up in the wrong place, or has one in it: a
/// key or a webhook's secret of WorkOS, the password of a mail service, a private key, random bytes
/// in base64 or hexadecimal, a login, or a URL with one.
pub(crate) fn may_be_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_named = NAMED.iter().any(|name| lower.contains(name));
    let is_pem = text.contains("-----BEGIN") && text.contains("PRIVATE");
    is_named || is_pem || text.split_whitespace().any(has_secret)
}

/// Says whether a text without blanks has a secret in it.
fn has_secret(word: &str) -> bool {
    let mut urls = word.split("://");
    let is_login = urls.next().is_some_and(is_bare_login) || urls.any(is_login_of_url);
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "+-/_%.=".contains(c);
    let mut tokens = word.split(|c| !is_digit(c));
    let mut pairs = word.split(['?', '#', '&', ';', ',']);
    is_login || pairs.any(is_named_secret) || tokens.any(is_token)
}

/// Says whether what stands behind `://` has a login: before an `@`, or without one behind a colon
/// that no port follows.
fn is_login_of_url(url: &str) -> bool {
    let authority = authority(url);
    // A password may hold what ends an authority: `app:1/2@host`. A path has `/@acme` for a person.
    let is_cut = url.split_once('@').is_some_and(|(before, _)| {
        before.contains(':') && !before.ends_with('/') && !before.starts_with('[')
    });
    url.get(authority.len()..)
        .is_some_and(|rest| rest.starts_with('@'))
        || is_cut
        || lacks_port(authority)
}

/// Returns the part of a URL behind `://` that names the host, and before an `@` the login.
fn authority(url: &str) -> &str {
    let end = url.find(|c: char| c.is_whitespace() || "/?#@\\\"'<>()".contains(c));
    url.get(..end.unwrap_or(url.len())).unwrap_or_default()
}

/// Says whether a colon of an authority has no port behind it: it is a login whose host is missing
/// or follows.
fn lacks_port(authority: &str) -> bool {
    authority.split(',').any(|host| {
        // An address of IPv6 has colons in its brackets.
        let host = host.rsplit_once(']').map_or(host, |(_, port)| port);
        let port = host.split_once(':').map(|(_, port)| port);
        port.is_some_and(|port| !(port.is_empty() || port == "*" || is_port(port)))
    })
}

fn is_port(text: &str) -> bool {
    matches!(text.len(), 1..=5) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Says whether a text that is no URL is a login: `user:password@host`, or the host and the port
/// with the login beside them, joined by colons.
fn is_bare_login(text: &str) -> bool {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    if let Some((before, _)) = text.split_once('@') {
        return before.contains(':');
    }
    let is_address = |c: char| c.is_ascii_hexdigit() || "[]:./".contains(c);
    let (address, _zone) = text.split_once('%').unwrap_or((text, ""));
    if address.chars().all(is_address) {
        return false;
    }
    let (ports, others): (Vec<_>, Vec<_>) = text.split(':').skip(1).partition(|part| is_port(part));
    let has_letter = |text: &&str| text.contains(|c: char| c.is_alphabetic());
    !ports.is_empty() && others.len() >= 2 && others.iter().any(has_letter)
}

/// Says whether a parameter or a variable has the name of a secret, and a value.
fn is_named_secret(pair: &str) -> bool {
    const NAMES: [&str; 9] = [
        "credential",
        "credentials",
        "key",
        "pass",
        "passphrase",
        "password",
        "pwd",
        "secret",
        "token",
    ];
    let Some((name, value)) = pair.split_once('=') else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let value = value.trim_matches(['"', '\'', '=']);
    !value.is_empty() && NAMES.iter().any(|of| name.ends_with(of))
}

const HASHES: [&str; 3] = ["sha256-", "sha384-", "sha512-"];

/// Says whether a text of the letters of base64, `%`, `.` and `=` is a key, a token or random.
fn is_token(token: &str) -> bool {
    let digits = token.trim_end_matches('=');
    let is_padded = digits.len() < token.len();
    // What stands before is the name of a variable or a parameter.
    let digits = digits.rsplit('=').next().unwrap_or_default();
    let is_hexadecimal = digits.len() == 64
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.contains(|c: char| c.is_ascii_alphabetic());
    // `sk_SK` is Slovak.
    let is_key = digits.starts_with("sk_") && digits.len() >= 12;
    // Passwords of mail services: SendGrid's, Resend's and Brevo's.
    let is_of_mail = digits.len() >= 20
        && (digits.starts_with("xsmtpsib-")
            || (["SG.", "re_"].iter().any(|start| digits.starts_with(start)) && is_mixed(digits)));
    // A host name and a file's name have dots, and so has a token, whose parts are random.
    let is_random = || digits.split('.').any(|part| is_random(part, is_padded));
    // The hash of a script or a style sheet, as a policy names it.
    let is_hash = HASHES.iter().any(|hash| digits.starts_with(hash));
    is_hexadecimal || is_key || is_of_mail || (!is_hash && is_random())
}

/// Says whether a text has the form of 32 random bytes or more in base64. Without the padding at
/// its end it may be a path or words. These have more that joins words, and their letters come in
/// runs of small letters.
fn is_random(digits: &str, is_padded: bool) -> bool {
    let joins = digits.bytes().filter(|b| !b.is_ascii_alphanumeric());
    let is_joined = joins.count() * 6 > digits.len();
    let random = || match digits.starts_with('/') {
        true => is_unordered(digits),
        false => is_mixed(digits) || is_unordered(digits),
    };
    digits.len() >= 43 && (is_padded || (!is_joined && random()))
}

fn is_mixed(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// Says whether at least two of five neighbours differ in kind, as capitals, small letters, digits
/// and other characters, and both kinds of letters are there. Of random ones three of five do.
fn is_unordered(text: &str) -> bool {
    let kind = |b: &u8| match b {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let kinds: Vec<_> = text.as_bytes().iter().map(kind).collect();
    let changes = kinds.windows(2).filter(|pair| pair.first() != pair.last());
    kinds.contains(&0) && kinds.contains(&1) && changes.count() * 5 >= text.len() * 2
}

/// Says whether the part of a URL behind `://` has a login before the place where the text ends.
/// The text goes on with an at sign.
pub(crate) fn begins_with_login(url: &str) -> bool {
    let authority = authority(url);
    authority.len() == url.len() || lacks_port(authority)
}

pub(crate) use {compared_in_constant_time, redacted, secret_text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_known_by_its_form() {
        let mixed = "pX3vS0m1q7n2w8r4t6y9u5i3o1a7s2d4f6g8h0jKLzM";
        let (padded, slash) = (format!("{mixed}="), format!("/{}", &mixed[1..]));
        let no_digits = mixed.replace(|c: char| c.is_ascii_digit(), "Q");
        let (named, bearer) = (format!("K={padded}"), format!("Bearer e30.e30.{mixed}"));
        let (sg, hash) = (
            format!("SG.{}.x", &mixed[..22]),
            "0123456789abcDEF".repeat(4),
        );
        let encoded = padded.replace('m', "%2B");
        let secrets = [
            ("an API key", "sk_test_a2V5"),
            ("in quotes", "\"sk_test_a2V5\""),
            ("with its variable", "WORKOS_API_KEY=sk_live_x"),
            ("as a field has it", "Bearer sk_live_x"),
            ("in capitals", "SK_LIVE_X"),
            ("behind an escape", "a\\nsk_test_a2V5"),
            ("an older API key", "'sk_a2V5a2V5a'"),
            ("an older API key of a field", "Bearer sk_a2V5a2V5a"),
            ("a webhook's secret", " whsec_a2V5"),
            ("a private key", "-----BEGIN PRIVATE KEY-----\nMC4="),
            ("a login", "rediss://app:hunter2@10.0.0.1"),
            ("a user", "https://hunter2@app.example.com/x"),
            ("a login of a list", "redis://a,redis://b:hunter2@c"),
            ("a login without a host", "rediss://app:hunter2"),
            ("a login with a slash", "redis://app:12/hunter2@h"),
            ("a login with a blank", "redis://app:hun ter2@h"),
            ("a login and no URL", "user:hunter2@smtp.example.com:587"),
            ("a login behind a host", "smtp.example.com:587:user:hunter2"),
            ("a login behind an address", "10.0.0.1:25:user:12345678"),
            ("a login before a host", "user:hunter2:smtp.example.com:587"),
            (
                "a password of a socket",
                "redis+unix:///r.sock?pass=hunter2",
            ),
            (
                "a token of a query",
                "https://a.example/x?a=b&token=hunter2",
            ),
            (
                "a token of a fragment",
                "https://a.example/#access_token=hunter2",
            ),
            ("a variable", "SMTP_PASSWORD='hunter2'"),
            ("32 bytes", &padded),
            ("without padding", mixed),
            ("behind a slash", &slash),
            ("without digits", &no_digits),
            ("with their variable", &named),
            ("in a query", &encoded),
            ("a signed token", &bearer),
            (
                "48 bytes",
                "q4Y0Wl9gZx2Jc7+TnHs1VbKd83eRmPfUo5AiLtXwQyGhBvNzCk6DjEp/SaMrOu0I",
            ),
            (
                "the body of a private key",
                "MC4CAQAwBQYDK2VwBCIEIBh1Zk0Yx3u8Jt5vWn7rQ2sLd9fGm4aPc6eXoKiTbEzR",
            ),
            ("32 bytes in hexadecimal", &hash),
            (
                "a password of SES",
                "BHt7Zk0Yx3u8Jt5vWn7rQ2sLd9fGm4aPc6eXoKiTbEzR",
            ),
            ("a password of SendGrid", &sg),
            ("a password of Resend", "re_8Kd93mQa_Xs7Tn2Vb5Zc1Lp4Wq6Re"),
            ("a password of Brevo", "xsmtpsib-0123456789abcdef0123"),
        ];
        let harmless = [
            ("a client id", "client_01EXAMPLE"),
            ("a URL", "https://app.example.com/x"),
            (
                "a URL with a port",
                "https://app.example.com:8443/x, http://[::1]:80",
            ),
            ("a URL of any port", "https://*.example.com:*"),
            ("servers", "redis://10.0.0.1:6379,10.0.0.2:6379/0"),
            ("a certificate", "-----BEGIN CERTIFICATE-----"),
            ("an address", "ada@example.com"),
            ("a link to an address", "mailto:help@example.com"),
            ("a sender", "Acme: sign in <ada@example.com>"),
            (
                "a version",
                "https://cdn.jsdelivr.net/npm/@acme/theme@1/style.css",
            ),
            ("a person's page", "https://social.example/@acme"),
            (
                "a person's page at a port",
                "https://social.example:8443/@acme",
            ),
            (
                "a line with a URL and an address",
                "footer = https://acme.example/help or help@acme.example",
            ),
            ("Slovak", "sk_SK"),
            ("a cookie's name", "sk_session"),
            ("a name without a value", "key=, https://a.example/?token="),
            ("an address of IPv6", "2001:db8:0:1::25/64"),
            ("a zone of IPv6", "fe80:0:0:1::1%eth0"),
            ("a time", "2026-11-29T13:07:50+01:00"),
            ("a script", "javascript:alert(1)"),
            ("an identifier", "urn:ietf:params:oauth:token-type:jwt"),
            (
                "64 letters",
                "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd",
            ),
            (
                "a hash",
                "sha256-pX3vS0m1q7n2w8r4t6y9u5i3o1a7s2d4f6g8h0jKLzM=",
            ),
            ("words", "re_authentication_is_required_again"),
            ("a path", "/Srv/a1/of/forty/four/characters/or/so/key.s"),
            (
                "a path without a dot",
                "/etc/secrets/MagicLink2/keys/production/current-key",
            ),
            (
                "a page of words",
                "https://acme.example/hc/en-us/articles/360012345-How-To-Sign-In-Again",
            ),
            ("a sentence", "must be one of the words that are known 2 Us"),
            ("a host", "a-host-with-a-name-of-43-characters.example"),
        ];
        let secrets = secrets.map(|(name, text)| (name, text, true));
        let harmless = harmless.map(|(name, text)| (name, text, false));
        let cases = secrets.into_iter().chain(harmless);
        let faults: Vec<_> = cases
            .filter(|(_, text, want)| may_be_secret(text) != *want)
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn texts_are_the_same_only_byte_for_byte() {
        let cases = [
            ("424242", "424242", true),
            ("424242", "424243", false),
            ("424242", "42424", false),
            ("424242", "4242420", false),
            ("", "", true),
            ("", "4", false),
        ];
        for (one, other, want) in cases {
            assert_eq!(is_same(one, other), want, "{one} {other}");
        }
    }
}
