use std::{collections::BTreeSet, ffi::OsString, fs, path::PathBuf, time::Duration};

use super::{
    key::{Key, Use},
    table::KEYS,
    *,
};
use crate::{
    Builder, MagicLinkLayer, PathRule,
    flow::SignIn,
    page::CrossDevice,
    request::client::ForwardedField,
    sessions::MemorySessions,
    testing::StubProvider,
    throttle::{Limits, Rate},
};

mod applied;
mod lists;
#[cfg(all(feature = "redis", feature = "smtp", feature = "workos"))]
mod made;
mod named;
mod naming;
mod places;
mod shown;

const KEY: &str = "HDge+0f2qDskwpnolJZd3t2csYlILEfOKiyg0Q2Qvdk=";
const HOUR: Duration = Duration::from_secs(3_600);

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn key() -> Vec<(OsString, OsString)> {
    variables(&[("MAGIC_LINK_KEY", KEY)])
}

fn builder() -> Builder {
    let settings = Sources::new().environment(key()).read().unwrap();
    settings.stubbed().unwrap()
}

impl Settings {
    fn stubbed(&self) -> Result<Builder, SettingsError> {
        self.apply(MagicLinkLayer::builder(StubProvider::new(), self.keys()?))
    }
}

fn limited(set: impl FnOnce(Limits) -> Limits) -> impl FnOnce(Builder) -> Builder {
    move |builder| builder.limits(set(Limits::default()))
}

/// Each key of the layer's own with a value that is not its default, and the call that it stands
/// for. The keys of parts are in `made`.
type Row = (
    &'static str,
    &'static str,
    Box<dyn FnOnce(Builder) -> Builder>,
);

fn row(
    name: &'static str,
    value: &'static str,
    set: impl FnOnce(Builder) -> Builder + 'static,
) -> Row {
    (name, value, Box::new(set))
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let rate = Rate::new(7, Duration::from_secs(11));
    vec![
        row("public_url", "https://app.example.com", |b| b.public_url("https://app.example.com")),
        row("mount", "/account", |b| b.mount("/account")),
        row("cookie_name", "acme", |b| b.cookie_name("acme")),
        row("cookie_domain", "example.com", |b| b.cookie_domain("example.com")),
        row("public_path", "/healthz, POST /hooks, * /api", |b| b.public_path("/healthz").public_path((http::Method::POST, "/hooks")).public_path(PathRule::any_method("/api"))),
        row("public_prefix", "/docs", |b| b.public_prefix("/docs")),
        row("optional_path", "/", |b| b.optional_path("/")),
        row("optional_prefix", "/blog", |b| b.optional_prefix("/blog")),
        row("protected_prefix", "/docs/inner", |b| b.protected_prefix("/docs/inner")),
        row("organization", "org_1, org_2", |b| b.organization("org_1").organization("org_2")),
        row("email_domains", "example.com, example.org", |b| b.email_domains(["example.com", "example.org"])),
        row("sign_in", "code", |b| b.sign_in(SignIn::Code)),
        row("cross_device", "refuse", |b| b.cross_device(CrossDevice::Refuse)),
        row("verify_each_request", "true", Builder::verify_each_request),
        row("session_lifetime", "7h", |b| b.session_lifetime(7 * HOUR)),
        row("idle_timeout", "2h", |b| b.idle_timeout(2 * HOUR)),
        row("renew_after", "0.5", |b| b.renew_after(0.5)),
        row("remember_me", "30d", |b| b.remember_me(30 * 24 * HOUR)),
        row("link_lifetime", "1h", |b| b.link_lifetime(HOUR)),
        row("bearer_tokens", "true", Builder::bearer_tokens),
        row("application_name", "Acme", |b| b.application_name("Acme")),
        row("mailer_timeout", "20s", |b| b.mailer_timeout(Duration::from_secs(20))),
        row("answer_after", "2s", |b| b.answer_after(Duration::from_secs(2))),
        row("insecure_answer_when_sent", "true", Builder::insecure_answer_when_sent),
        row("session_index", "memory", |b| b.session_index(MemorySessions::default())),
        row("revocation_timeout", "500ms", |b| b.revocation_timeout(Duration::from_millis(500))),
        row("insecure_admit_on_outage", "true", Builder::insecure_admit_on_outage),
        row("limit_mails", "7/11s", limited(move |l| l.mails(rate))),
        row("limit_mails_per_address", "7/11s", limited(move |l| l.mails_per_address(rate))),
        row("limit_mails_per_address_and_network", "7/11s", limited(move |l| l.mails_per_address_and_network(rate))),
        row("limit_mails_per_network", "7/11s", limited(move |l| l.mails_per_network(rate))),
        row("limit_codes", "7/11s", limited(move |l| l.codes(rate))),
        row("limit_codes_per_address", "7/11s", limited(move |l| l.codes_per_address(rate))),
        row("limit_codes_per_address_and_network", "7/11s", limited(move |l| l.codes_per_address_and_network(rate))),
        row("limit_codes_per_network", "7/11s", limited(move |l| l.codes_per_network(rate))),
        row("limit_exchanges", "7/11s", limited(move |l| l.exchanges(rate))),
        row("limit_exchanges_per_attempt", "7/11s", limited(move |l| l.exchanges_per_attempt(rate))),
        row("limit_exchanges_per_network", "7/11s", limited(move |l| l.exchanges_per_network(rate))),
        row("limit_known_browsers", "7/11s", limited(move |l| l.known_browsers(rate))),
        row("limit_quiet_networks", "7/11s", limited(move |l| l.quiet_networks(rate))),
        row("insecure_no_throttle", "true", Builder::insecure_no_throttle),
        row("webhook_secret", "one, two", |b| b.webhook_secret("one").webhook_secret("two")),
        row("webhook_tolerance", "5m", |b| b.webhook_tolerance(Duration::from_secs(300))),
        row("trusted_proxies", "10.0.0.0/8, 192.0.2.1", |b| b.trusted_proxies(["10.0.0.0/8", "192.0.2.1"])),
        row("forwarded_field", "forwarded", |b| b.forwarded_field(ForwardedField::Forwarded)),
        row("forward_identity", "true", Builder::forward_identity),
        row("allow_preflight", "true", Builder::allow_preflight),
        row("end_streams", "true", Builder::end_streams),
        row("stream_look_up_interval", "5s", |b| b.stream_look_up_interval(Duration::from_secs(5))),
        row("no_store", "true", Builder::no_store),
        row("insecure_no_cache_control", "true", Builder::insecure_no_cache_control),
        row("clear_cache_on_sign_out", "true", Builder::clear_cache_on_sign_out),
        row("clear_storage_on_sign_out", "true", Builder::clear_storage_on_sign_out),
    ]
}

/// Returns the settings of one key, by its variable.
fn with(name: &str, value: &str) -> Settings {
    let mut all = key();
    all.extend(variables(&[(&Key::named(name).unwrap().variable(), value)]));
    Sources::new().environment(all).read().unwrap()
}

#[test]
fn each_key_reaches_the_option_that_it_names_and_no_other() {
    let usual = builder().in_full();
    let mut reached = BTreeSet::new();
    for (name, value, set) in rows() {
        let got = with(name, value).stubbed().unwrap();
        let got = got.in_full();
        assert_eq!(got, set(builder()).in_full(), "{name}");
        assert_ne!(got, usual, "{name} changes something");
        reached.insert(name);
    }
    let keys = KEYS.iter().filter(|key| !matches!(key.use_, Use::Part(_)));
    let keys: BTreeSet<_> = keys.map(|key| key.name).collect();
    assert_eq!(reached, keys, "every key is tried");
}

#[test]
fn a_default_that_is_written_changes_nothing() {
    let usual = builder().in_full();
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        // Two of them lead somewhere else than to a stub.
        if key.name == "provider" {
            continue;
        }
        let got = with(key.name, key.default).stubbed().unwrap();
        assert_eq!(got.in_full(), usual, "{}", key.name);
    }
}

/// The options that take code, or are made of several keys.
const OTHER: [(&str, &str); 10] = [
    ("authorize", "takes code"),
    ("reauthorize", "takes code"),
    ("on_event", "takes code"),
    ("language", "takes code"),
    ("clock", "takes code"),
    (
        "pages",
        "page_support, page_accent, page_logo, page_stylesheet; takes code",
    ),
    ("mailer", "mailer, smtp_…; takes code"),
    ("revocations", "redis_url; takes code"),
    ("throttle", "redis_url; takes code"),
    ("limits", "limit_…"),
];

/// An option that is added to `Builder` without a key is found here.
#[test]
fn every_option_of_the_builder_has_a_key_or_a_reason_for_none() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/builder");
    let mut options = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        // A signature may have several lines.
        let public = text.split("\n    pub fn ").skip(1);
        let setters = public.filter(|rest| rest.split("-> ").next().unwrap().contains("mut self"));
        options.extend(setters.map(|name| name.split(['(', '<']).next().unwrap().to_owned()));
    }
    assert!(options.len() > 45, "{options:?}");
    for option in &options {
        let is_other = OTHER.iter().any(|(name, _)| name == option);
        let is_key = KEYS.iter().any(|key| key.name == option);
        assert!(is_other || is_key, "{option} has no key");
    }
    for (name, why) in OTHER {
        assert!(options.contains(name), "{name}: {why}");
    }
    // So has every limit.
    let limits = include_str!("../throttle/limits.rs");
    let limits = limits
        .lines()
        .filter(|line| line.contains("(mut self, rate: Rate)"));
    for line in limits {
        let (_, name) = line.split_once("fn ").unwrap();
        let name = format!("limit_{}", name.split('(').next().unwrap());
        assert!(Key::named(&name).is_some(), "{name}");
    }
}

#[test]
fn names_are_unique_and_each_is_explained() {
    let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(names.len(), KEYS.len());
    for key in KEYS {
        assert!(
            key.about.ends_with('.') && key.about.len() < 120,
            "{}",
            key.name
        );
        assert!(key.default.is_empty() || !key.is_secret(), "{}", key.name);
    }
}

/// The docs show it: `cargo test … settings` prints the text that it should be.
#[cfg(all(feature = "redis", feature = "smtp", feature = "workos"))]
#[test]
fn the_example_has_every_key_with_its_default_and_can_be_read() {
    let example = include_str!("example.toml");
    let want = Settings::default().to_string();
    assert_eq!(example, want, "it should be:\n{want}");
    let path = scratch("example.toml");
    fs::write(&path, example).unwrap();
    let read = Sources::new().file(&path).read().unwrap();
    assert!(read.set.is_empty());
    // With the comments of the defaults taken out, all of them are read.
    let lines = example.lines().map(|line| match line.strip_prefix("# ") {
        Some(line)
            if line
                .split_once(" = ")
                .is_some_and(|(name, _)| Key::named(name).is_some()) =>
        {
            line
        }
        _ => "",
    });
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let read = Sources::new().file(&path).read().unwrap();
    let defaults = KEYS.iter().filter(|key| !key.default.is_empty()).count();
    assert_eq!(read.set.len(), defaults);
    fs::remove_file(path).unwrap();
}

/// Returns a path that no other test has.
fn scratch(name: &str) -> PathBuf {
    let number = u64::from_be_bytes(crate::random::bytes());
    std::env::temp_dir().join(format!("tower-magic-link-{number:016x}-{name}"))
}
