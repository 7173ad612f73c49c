//! The table of all keys, in the order in which the example shows them.

use super::{
    key::{Choice, FILE, Key, Use},
    value::Form,
};
use crate::{
    builder::Builder, flow::SignIn, page::CrossDevice, request::client::ForwardedField,
    sessions::MemorySessions, site::rules::PathRule, throttle::Limits,
};

const SIGN_INS: &[Choice] = &[
    ("code", |b| b.sign_in(SignIn::Code)),
    ("link", |b| b.sign_in(SignIn::Link)),
    ("link-and-code", |b| b.sign_in(SignIn::LinkAndCode)),
];
const CROSS_DEVICES: &[Choice] = &[
    ("confirm", |b| b.cross_device(CrossDevice::Confirm)),
    ("match-code", |b| b.cross_device(CrossDevice::MatchCode)),
    ("refuse", |b| b.cross_device(CrossDevice::Refuse)),
];
const FIELDS: &[Choice] = &[
    ("forwarded", |b| {
        b.forwarded_field(ForwardedField::Forwarded)
    }),
    ("x-forwarded-for", |b| {
        b.forwarded_field(ForwardedField::XForwardedFor)
    }),
];
/// `redis` is made where Redis is.
const INDEXES: &[Choice] = &[
    ("none", |b| b),
    ("memory", |b| b.session_index(MemorySessions::default())),
    #[cfg(feature = "redis")]
    ("redis", |b| b),
];

#[cfg(feature = "workos")]
const PROVIDERS: &[&str] = &["workos", "mailed-links"];
#[cfg(not(feature = "workos"))]
const PROVIDERS: &[&str] = &["mailed-links"];
#[cfg(feature = "smtp")]
const MAILERS: &[&str] = &["none", "smtp", "console"];
#[cfg(not(feature = "smtp"))]
const MAILERS: &[&str] = &["none", "console"];

const fn part(name: &'static str, default: &'static str, about: &'static str, form: Form) -> Key {
    Key::new(name, default, about, Use::Part(form))
}

/// Reads a rule: a path for GET and HEAD, `POST /path` for one method, `* /path` for all.
fn rule(text: &str) -> PathRule {
    match text.split_once(' ') {
        Some(("*", path)) => PathRule::any_method(path.trim()),
        Some((method, path)) => match method.parse::<http::Method>() {
            Ok(method) => (method, path.trim()).into(),
            // `build()` refuses the text as a path.
            Err(_) => text.into(),
        },
        None => text.into(),
    }
}

/// Every key.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key::new("public_url", "", "Where browsers reach the application, such as https://app.example.com. Required.", Use::Text(|b, t| b.public_url(t))),
    Key::new("mount", "/auth", "The path below which the layer's endpoints are.", Use::Text(|b, t| b.mount(t))),
    Key::new("cookie_name", "", "The session cookie's name: 1 to 64 letters, digits, '-', '_', '.'. Default: magic-link; by plain http also the port.", Use::Text(|b, t| b.cookie_name(t))),
    Key::new("cookie_domain", "", "The domain whose hosts all get the session cookie. Default: this host alone.", Use::Text(|b, t| b.cookie_domain(t))),
    Key::new("public_path", "", "Paths that need no session: \"/healthz\" for GET and HEAD, \"POST /hooks\", \"* /api\" for all methods.", Use::TextsOrNone(|b, t| t.iter().fold(b, |b, t| b.public_path(rule(t))))),
    Key::new("public_prefix", "", "The same for a path and all below it.", Use::TextsOrNone(|b, t| t.iter().fold(b, |b, t| b.public_prefix(rule(t))))),
    Key::new("optional_path", "", "Paths where a session is optional, written as above.", Use::TextsOrNone(|b, t| t.iter().fold(b, |b, t| b.optional_path(rule(t))))),
    Key::new("optional_prefix", "", "The same for a path and all below it.", Use::TextsOrNone(|b, t| t.iter().fold(b, |b, t| b.optional_prefix(rule(t))))),
    Key::new("protected_prefix", "", "Paths that need a session although a shorter public or optional prefix covers them.", Use::Texts(|b, t| t.into_iter().fold(b, Builder::protected_prefix))),

    Key::new("organization", "", "Ids of the provider's organizations that may sign in. Default: any.", Use::Texts(|b, t| t.into_iter().fold(b, Builder::organization))),
    Key::new("email_domains", "", "Domains of the addresses that may sign in. Default: any.", Use::Texts(Builder::email_domains)),

    part("provider", "workos", "Who proves addresses: workos, or mailed-links for the layer's own mail.", Form::WordOf(PROVIDERS)),
    #[cfg(feature = "workos")]
    part("workos_api_key", "", "WorkOS's API key (sk_...).", Form::Secret),
    #[cfg(feature = "workos")]
    part("workos_client_id", "", "WorkOS's client id (client_...).", Form::Text),
    #[cfg(feature = "workos")]
    part("workos_base_url", "https://api.workos.com", "Where WorkOS's API is.", Form::Text),
    #[cfg(feature = "workos")]
    part("workos_connection_types", "", "Connection types to accept besides MagicLink, such as GoogleOAuth.", Form::TextsOrNone),
    #[cfg(feature = "workos")]
    part("workos_connect_timeout", "5s", "How long connecting to WorkOS may take: 1ms to 5m.", Form::Length),
    #[cfg(feature = "workos")]
    part("workos_timeout", "10s", "How long a call to WorkOS may take: 1ms to 5m.", Form::Length),
    #[cfg(feature = "workos")]
    part("workos_exchange_timeout", "30s", "How long redeeming a code may take: 1ms to 5m.", Form::Length),
    Key::new("sign_in", "link", "What people sign in with: link, code or link-and-code.", Use::Choice(SIGN_INS)),
    Key::new("cross_device", "match-code", "A link in another browser: match-code, confirm or refuse.", Use::Choice(CROSS_DEVICES)),

    part("key", "", "The key that signs sessions: 32 random bytes in base64, or a private key in PEM.", Form::Secret),
    part("retired_keys", "", "Keys that still verify, with commas.", Form::Secrets),
    part("key_file", "", "A file of keys instead of the two above. It is followed: a change needs no restart.", Form::Text),
    Key::new("verify_each_request", "false", "Verifies the signature of each request's token anew.", Use::Switch(Builder::verify_each_request)),
    Key::new("session_lifetime", "12h", "How long a session lives: 1m to 400d.", Use::Length(Builder::session_lifetime)),
    Key::new("idle_timeout", "", "How long a session lives without a request: 1m to session_lifetime. Default: as long.", Use::Length(Builder::idle_timeout)),
    Key::new("renew_after", "0.25", "The share of the idle time after which a cookie is renewed: 0.05 to 0.9.", Use::Share(Builder::renew_after)),
    Key::new("remember_me", "", "How long a remembered session lives: session_lifetime to 400d. Default: the form does not offer it.", Use::Length(Builder::remember_me)),
    Key::new("link_lifetime", "15m", "How long a mailed link is good: the provider's range, 15m to 24h at WorkOS.", Use::Length(Builder::link_lifetime)),
    Key::new("bearer_tokens", "false", "Also takes the session token as a bearer token.", Use::Switch(Builder::bearer_tokens)),

    Key::new("application_name", "", "The name on the pages and in the mails: 1 to 80 characters.", Use::Text(|b, t| b.application_name(t))),
    part("languages", "", "The languages of pages and mails, the default first: en, ar, de, es, fr, ja. Default: en.", Form::Texts),
    part("page_support", "", "Whom people ask if signing in does not work: an address, or a URL of https.", Form::Text),
    part("page_accent", "", "The pages' colour, such as #0a7d4b.", Form::Text),
    part("page_logo", "", "The pages' logo: a URL of https, or a path. application_name is its alternative text.", Form::Text),
    part("page_stylesheet", "", "A style sheet of your own for the pages: a URL of https, or a path.", Form::Text),
    part("mailer", "none", "Who mails: none (the provider does), smtp, or console for development.", Form::WordOf(MAILERS)),
    #[cfg(feature = "smtp")]
    part("smtp_url", "", "The mail server, without its login: smtps://mail.example.com, smtp+starttls://..., smtp://127.0.0.1:25.", Form::Text),
    #[cfg(feature = "smtp")]
    part("smtp_user", "", "The user name at the mail server.", Form::Text),
    #[cfg(feature = "smtp")]
    part("smtp_password", "", "The password at the mail server.", Form::Secret),
    #[cfg(feature = "smtp")]
    part("smtp_from", "", "The sender: sign-in@acme.example, or Acme <sign-in@acme.example>.", Form::Text),
    #[cfg(feature = "smtp")]
    part("smtp_timeout", "10s", "How long a mail may take in all: 1s to 60s.", Form::Length),
    #[cfg(feature = "smtp")]
    part("smtp_pool_size", "10", "How many connections to the mail server there are at once: 1 to 100.", Form::Count),
    #[cfg(feature = "smtp")]
    part("smtp_root_certificate", "", "A PEM file of certificates to trust for the mail server besides the machine's.", Form::Text),
    Key::new("mailer_timeout", "15s", "How long the layer waits for the mailer: up to 1m.", Use::Length(Builder::mailer_timeout)),
    Key::new("answer_after", "1s", "How long after a request for mail it is answered: up to 10s.", Use::Length(Builder::answer_after)),
    Key::new("insecure_answer_when_sent", "false", "Answers when the mail is sent. Its time tells which addresses get one.", Use::Switch(Builder::insecure_answer_when_sent)),

    #[cfg(feature = "redis")]
    part("redis_url", "", "The Redis that replicas share, without its login; several nodes or Sentinels as a list. Default: memory.", Form::Texts),
    #[cfg(feature = "redis")]
    part("redis_user", "", "The user name at Redis.", Form::Text),
    #[cfg(feature = "redis")]
    part("redis_password", "", "The password at Redis.", Form::Secret),
    #[cfg(feature = "redis")]
    part("redis_sentinels_of", "", "The name by which the URLs, as Sentinels, know the primary.", Form::Text),
    #[cfg(feature = "redis")]
    part("redis_sentinel_user", "default", "The user name at the Sentinels.", Form::Text),
    #[cfg(feature = "redis")]
    part("redis_sentinel_password", "", "The password at the Sentinels.", Form::Secret),
    #[cfg(feature = "redis")]
    part("redis_namespace", "tower-magic-link", "What all keys in Redis begin with: 1 to 64 letters, digits, '-', '_', '.', ':'.", Form::Text),
    #[cfg(feature = "redis")]
    part("redis_grace", "30s", "How long a replica answers from its copy while Redis is away: up to 1h.", Form::Length),
    #[cfg(feature = "redis")]
    part("redis_settle", "3s", "How long a new data set is waited for: 1s to 1m, or 0s for a single process.", Form::Length),
    #[cfg(feature = "redis")]
    part("redis_connect_timeout", "1s", "How long each step of connecting may take: 100ms to 1m.", Form::Length),
    #[cfg(feature = "redis")]
    part("redis_ca_certificates", "", "A PEM file of the CAs of Redis. Default: the machine's.", Form::Text),
    Key::new("session_index", "none", "Keeps a list of a person's devices: none, memory or redis.", Use::Choice(INDEXES)),
    Key::new("revocation_timeout", "2s", "How long a request waits for the revocation store: up to 1m.", Use::Length(Builder::revocation_timeout)),
    Key::new("insecure_admit_on_outage", "false", "Admits sessions that may have been ended while the store is away.", Use::Switch(Builder::insecure_admit_on_outage)),

    Key::new("limit_mails", "200/50ms", "Mails to all clients: a burst, and the time to refill by one.", Use::Limit(Limits::mails)),
    Key::new("limit_mails_per_address", "10/2m", "Mails to one address.", Use::Limit(Limits::mails_per_address)),
    Key::new("limit_mails_per_address_and_network", "3/3m", "Mails to one address, asked for by one network.", Use::Limit(Limits::mails_per_address_and_network)),
    Key::new("limit_mails_per_network", "60/5s", "Mails asked for by one network.", Use::Limit(Limits::mails_per_network)),
    Key::new("limit_codes", "300/100ms", "Codes typed by all clients.", Use::Limit(Limits::codes)),
    Key::new("limit_codes_per_address", "50/30m", "Codes compared for one address.", Use::Limit(Limits::codes_per_address)),
    Key::new("limit_codes_per_address_and_network", "20/1h", "Codes typed for one address by one network.", Use::Limit(Limits::codes_per_address_and_network)),
    Key::new("limit_codes_per_network", "60/5s", "Codes typed by one network.", Use::Limit(Limits::codes_per_network)),
    Key::new("limit_exchanges", "600/100ms", "Links that come back in other browsers, from all clients.", Use::Limit(Limits::exchanges)),
    Key::new("limit_exchanges_per_attempt", "5/5m", "Links of one sign-in that come back.", Use::Limit(Limits::exchanges_per_attempt)),
    Key::new("limit_exchanges_per_network", "60/1s", "Links that come back from one network.", Use::Limit(Limits::exchanges_per_network)),
    Key::new("limit_known_browsers", "3/10m", "Mails, codes and links of a browser that has signed in before.", Use::Limit(Limits::known_browsers)),
    Key::new("limit_quiet_networks", "1/1h", "What one quiet network takes of its share.", Use::Limit(Limits::quiet_networks)),
    Key::new("insecure_no_throttle", "false", "Switches these limits off.", Use::Switch(Builder::insecure_no_throttle)),

    Key::new("webhook_secret", "", "The secret of WorkOS's webhook, or several with commas. The webhook ends sessions of what is deleted there.", Use::Secrets(|b, t| b.webhook_secret(t))),
    Key::new("webhook_tolerance", "3m", "How far an event's time may be from ours: 1m to 10m.", Use::Length(Builder::webhook_tolerance)),

    Key::new("trusted_proxies", "", "Addresses and networks of the proxies in front.", Use::TextsOrNone(Builder::trusted_proxies)),
    Key::new("forwarded_field", "x-forwarded-for", "Where they name the client: x-forwarded-for or forwarded.", Use::Choice(FIELDS)),
    Key::new("forward_identity", "false", "Names the person to the service behind in X-Auth-Email and related headers.", Use::Switch(Builder::forward_identity)),
    Key::new("allow_preflight", "false", "Lets CORS preflights pass without a session.", Use::Switch(Builder::allow_preflight)),

    Key::new("end_streams", "false", "Ends live connections with their session.", Use::Switch(Builder::end_streams)),
    Key::new("stream_look_up_interval", "30s", "How often the store is asked about each live connection: 1s to 1h.", Use::Length(Builder::stream_look_up_interval)),
    Key::new("no_store", "false", "Forbids caches to store what needs a session.", Use::Switch(Builder::no_store)),
    Key::new("insecure_no_cache_control", "false", "Leaves Cache-Control to the application.", Use::Switch(Builder::insecure_no_cache_control)),
    Key::new("clear_cache_on_sign_out", "false", "Has the browser clear its cache at sign-out.", Use::Switch(Builder::clear_cache_on_sign_out)),
    Key::new("clear_storage_on_sign_out", "false", "Has the browser clear the site's storage at sign-out.", Use::Switch(Builder::clear_storage_on_sign_out)),
];

impl Key {
    /// Returns the key of a name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Returns the key of which a name is the file: `smtp_password_file`.
    pub(super) fn of_file(name: &str) -> Option<&'static Self> {
        Self::named(name.strip_suffix(FILE)?).filter(|key| key.is_secret())
    }
}
