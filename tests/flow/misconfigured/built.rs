//! What a setter or `build()` refuses.

use std::time::Duration;

use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey,
    language::Words,
    page::DefaultPages,
    provider::MailedLinks,
    sessions::MemorySessions,
    testing::StubProvider,
    throttle::{Limits, Rate},
    workos::WorkOs,
};

use crate::{
    names::ORIGIN,
    row::{Row, Value},
};

const DAY: Duration = Duration::from_secs(86_400);

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap())
}

/// A mistake in a builder of a stub.
fn row(
    name: &'static str,
    (setting, value, cure): (&'static str, &'static str, &'static str),
    set: impl FnOnce(Builder) -> Builder,
) -> Row {
    let builder = MagicLinkLayer::builder(StubProvider::new(), keys());
    refused(
        name,
        (setting, Value::Shown(value), cure),
        set(builder.public_url(ORIGIN)).build(),
    )
}

fn refused<T>(
    name: &'static str,
    (setting, value, cure): (&'static str, Value, &'static str),
    built: Result<T, ConfigError>,
) -> Row {
    let Err(error) = built else {
        panic!("{name} is taken");
    };
    Row {
        name,
        read: error.to_string(),
        setting,
        value,
        cure,
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = addresses();
    rows.extend(paths());
    rows.extend(terms());
    rows.extend(pages());
    rows.extend(credentials());
    rows
}

#[rustfmt::skip]
fn addresses() -> Vec<Row> {
    let url = "public_url";
    vec![
        row("a public URL without a scheme", (url, "app.example.com", "such as https://"), |b| b.public_url("app.example.com")),
        row("a public URL whose host looks like a scheme", (url, "localhost:3000", "http://localhost:3000"), |b| b.public_url("localhost:3000")),
        row("a public URL with a path", (url, "https://app.example.com/app", "without a path"), |b| b.public_url("https://app.example.com/app")),
        row("a public URL of plain http", (url, "http://app.example.com", "must be https"), |b| b.public_url("http://app.example.com")),
        row("a public URL for every host", (url, "https://*.example.com", "must not hold a wildcard"), |b| b.public_url("https://*.example.com")),
        refused("no public URL", (url, Value::Unset, "such as https://app.example.com"), MagicLinkLayer::builder(StubProvider::new(), keys()).build()),
        refused(
            "a public URL with a login",
            (url, Value::Secret("hunter2"), "must not hold a user name or password"),
            MagicLinkLayer::builder(StubProvider::new(), keys()).public_url("https://ada:hunter2@app.example.com").build(),
        ),
        row("a mount with a slash at its end", ("mount", "/auth/", "such as /auth"), |b| b.mount("/auth/")),
        row("a cookie name with a space", ("cookie_name", "my cookie", "must be 1 to 64 letters"), |b| b.cookie_name("my cookie")),
        row("a cookie name with its prefix", ("cookie_name", "__Host-acme", "the layer adds the prefix itself"), |b| b.cookie_name("__Host-acme").cookie_domain("example.com")),
        row("a cookie domain of other people", ("cookie_domain", "example.org", "must be the host of public_url or a parent of it"), |b| b.cookie_domain("example.org")),
        row("a cookie domain that is a suffix", ("cookie_domain", "com", "such as example.com"), |b| b.cookie_domain("com")),
        row("an address in place of a domain", ("email_domains", "@example.com", "such as example.com"), |b| b.email_domains(["@example.com"])),
        row("no domain", ("email_domains", "\"\"", "names no domain, so nobody could sign in"), |b| b.email_domains([""; 0])),
        row("a network with bits of a host", ("trusted_proxies", "10.0.0.1/8", "such as 10.0.0.0/8"), |b| b.trusted_proxies(["10.0.0.1/8"])),
        row("a proxy by its name", ("trusted_proxies", "proxy.internal", "must be an address or a network"), |b| b.trusted_proxies(["proxy.internal"])),
    ]
}

#[rustfmt::skip]
fn paths() -> Vec<Row> {
    let path = "public_path";
    vec![
        row("a public path with a query", (path, "/docs?page=1", "hold no query"), |b| b.public_path("/docs?page=1")),
        row("a public path with a star in its middle", (path, "/docs/*/index", "a prefix covers all below it, such as public_prefix"), |b| b.public_path("/docs/*/index")),
        row("a public path without its slash", (path, "docs", "must begin with '/'"), |b| b.public_path("docs")),
        row("a public prefix over the mount", ("public_prefix", "\"/\"", "collides with the mount \"/auth\""), |b| b.public_prefix("/")),
    ]
}

#[rustfmt::skip]
fn terms() -> Vec<Row> {
    let second = Duration::from_secs(1);
    let far = |b: Builder| b.idle_timeout(2 * DAY);
    let workos = WorkOs::new("sk_test_1", "client_1").unwrap();
    let workos = MagicLinkLayer::builder(workos, keys()).public_url(ORIGIN);
    vec![
        row("a session of a second", ("session_lifetime", "1s", "must be 1 minute to 400 days"), move |b| b.session_lifetime(second)),
        row("an idle time beyond the session's end", ("idle_timeout", "172800s", "must not be longer than session_lifetime"), far),
        row("a renewal at no time", ("renew_after", "\"2\"", "must be 0.05 to 0.9"), |b| b.renew_after(2.0)),
        row("a remembered session that ends first", ("remember_me", "1s", "at least session_lifetime"), move |b| b.remember_me(second)),
        refused("a link too short for WorkOS", ("link_lifetime", Value::Shown("60s"), "must be 15 minutes to 24 hours"), workos.link_lifetime(60 * second).build()),
        row("an answer after a minute", ("answer_after", "60s", "must be at most 10 seconds"), move |b| b.answer_after(60 * second)),
        row("a mailer without time", ("mailer_timeout", "0ns", "at most 1 minute"), |b| b.mailer_timeout(Duration::ZERO)),
        row("a limit of nothing", ("mails", "0 and one each 1s", "must have a burst of 1 to 1,000,000"), move |b| b.limits(Limits::default().mails(Rate::new(0, second)))),
        row("an interval of a day", ("stream_look_up_interval", "86400s", "1 second to 1 hour"), |b| b.end_streams().stream_look_up_interval(DAY).session_index(MemorySessions::default())),
    ]
}

#[rustfmt::skip]
fn pages() -> Vec<Row> {
    let pages = DefaultPages::new;
    let shown = Value::Shown;
    vec![
        refused("an accent without contrast", ("accent", shown("#e53935"), "the nearest tone that does is #dc3733"), pages().accent("#e53935")),
        refused("a logo over http", ("logo", shown("http://cdn.example.com/logo.svg"), "must be a URL of https"), pages().logo("http://cdn.example.com/logo.svg", "Acme")),
        refused("a style sheet with a query", ("stylesheet", shown("/a.css?v=2"), "must have no query"), pages().stylesheet("/a.css?v=2")),
        refused("a contact that is a name", ("support", shown("the help desk"), "must be an email address or a URL of https"), pages().support("the help desk")),
        row("a language twice", ("languages", "\"de\"", "name each language once"), |b| b.languages([Words::german(), Words::german()])),
        row("no language", ("languages", "\"\"", "the first is the default"), |b| b.languages([])),
        row("a name with a line break", ("application_name", "Acme\\n", "without control characters"), |b| b.application_name("Acme\n")),
    ]
}

#[rustfmt::skip]
fn credentials() -> Vec<Row> {
    let secret = Value::Secret;
    let mailed = MagicLinkLayer::builder(MailedLinks::new(), keys()).public_url(ORIGIN);
    let prints = "`openssl rand -base64 32` prints a new one";
    let workos = "copy it from API Keys in WorkOS's dashboard";
    vec![
        refused("mailed links without a mailer", ("mailer", Value::Unset, "add an SmtpMailer"), mailed.build()),
        refused("a key that is a password", ("signing key", secret("hunter2!"), prints), SigningKey::hs256("hunter2!")),
        refused("no API key", ("api_key", secret("client_01EXAMPLE"), workos), WorkOs::new("", "client_01EXAMPLE")),
        refused("no client id", ("client_id", secret("sk_test_hunter2"), workos), WorkOs::new("sk_test_hunter2", "")),
        refused("a key and a client id that are swapped", ("api_key", secret("01EXAMPLE"), "the API key and the client id are swapped"), WorkOs::new("client_01EXAMPLE", "sk_test_hunter2")),
        refused("WorkOS over http", ("base_url", Value::Shown("http://workos.example"), "must be https"), WorkOs::new("sk_test_1", "client_1").and_then(|w| w.base_url("http://workos.example"))),
    ]
}
