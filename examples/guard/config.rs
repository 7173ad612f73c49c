//! The program's configuration: flags, then variables, then a file.
//!
//! - The layer's keys are those of `tower_magic_link::settings`. The guard's own stand beside them.
//! - `PUBLIC_URL` and `TRUSTED_PROXIES` are read, too, where the layer's own variables are not set.
//!   If both are set, they say the same.
//! - Each number has a range (`bounds`).
//! - An error quotes a value by [`shown`] alone: a password may stand in the wrong place.

use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    str::FromStr,
    time::Duration,
};

use http::{Uri, uri::Authority};
use tower_magic_link::{
    ForwardedField,
    settings::{Settings, Sources},
};
use tracing_subscriber::filter::LevelFilter;

use super::{Limits, Trusted, bounds, certificate::Certificate, host::Public};

/// What the program is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Check,
    PrintConfig,
    Serve,
}

/// The program's whole configuration.
pub(super) struct Config {
    pub(super) order: Order,
    pub(super) settings: Settings,
    pub(super) upstream: Uri,
    pub(super) listen: String,
    pub(super) admin: Option<String>,
    pub(super) patience: Duration,
    pub(super) limits: Limits,
    pub(super) grace: Duration,
    pub(super) certificate: Option<Certificate>,
    pub(super) log: LevelFilter,
    pub(super) trusted: Trusted,
    /// `None` without a public URL.
    pub(super) public: Option<Public>,
}

/// A level of the log, by one of its documented words.
struct Level(LevelFilter);

impl FromStr for Level {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        // The filter's own parser also takes numbers, capitals, an empty text and `trace`.
        match word {
            "error" | "warn" | "info" | "debug" | "off" => word.parse().map(Self).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

const HELP: &str = "\
guard [--config FILE] [--check | --print-config] [--KEY VALUE]...

  --config FILE    reads settings from a file in TOML
  --check          tests what the settings lead to, and ends
  --print-config   prints every setting with where it comes from, without secrets, and ends

Every line that --print-config prints is a key of the file and a flag. A secret is neither: it is
set by its variable, or by a file that its key with _file names.";

impl Config {
    /// Reads the program's flags and variables. `None` if it was asked for help alone.
    pub(super) fn read() -> Result<Option<Self>, Box<dyn Error>> {
        let (mut order, mut file, mut rest) = (None, None, Vec::new());
        let flags = env::args_os().enumerate().skip(1);
        let flags = flags.map(|(place, flag)| {
            let text = flag.into_string();
            text.map_err(|flag| format!("{} is not UTF-8", place_of(&flag, place)))
        });
        let mut flags = flags.collect::<Result<Vec<_>, _>>()?.into_iter();
        while let Some(flag) = flags.next() {
            match flag.as_str() {
                "--check" => once(&mut order, Order::Check, "--check")?,
                "--print-config" => once(&mut order, Order::PrintConfig, "--print-config")?,
                "--config" => {
                    let path = flags.next().ok_or("flag --config lacks its value")?;
                    once(&mut file, path, "--config")?;
                }
                "--help" => {
                    println!("{HELP}");
                    return Ok(None);
                }
                _ => match flag.strip_prefix("--config=") {
                    Some(path) => once(&mut file, path.to_owned(), "--config")?,
                    None => rest.push(flag),
                },
            }
        }
        let order = order.map_or(Order::Serve, |(order, _)| order);
        let mut sources = sources().environment(variables()?).flags(rest);
        if let Some((file, _)) = file {
            sources = sources.file(file);
        }
        let settings = sources.read()?;
        Self::of(order, settings).map(Some)
    }

    fn of(order: Order, settings: Settings) -> Result<Self, Box<dyn Error>> {
        let upstream = origin(settings.text("upstream"))?;
        let port: u16 = settings
            .parsed("port", "a number up to 65535")?
            .unwrap_or(3000);
        let (listen, admin) = (
            address(&settings, "listen")?,
            address(&settings, "admin_listen")?,
        );
        let listen = listen.map(str::to_owned);
        let usual = Limits::default();
        let connections = bounds::CONNECTIONS.of(&settings)?;
        let limits = Limits {
            connections: connections.unwrap_or(usual.connections),
            idle: bounds::IDLE.of(&settings)?.unwrap_or(usual.idle),
        };
        for name in ["forward_identity", "end_streams"] {
            if settings.switch(name) == Some(false) {
                return Err(format!("{name} cannot be false: the guard has it on always").into());
            }
        }
        let log = settings.parsed::<Level>("log_level", "one of error, warn, info, debug, off")?;
        let proxies = settings.list("trusted_proxies");
        let trusted = Trusted::parse(proxies.iter().map(String::as_str)).map_err(|error| {
            let proxies: Vec<_> = proxies.iter().map(|proxy| shown(proxy)).collect();
            let proxies = proxies.join(", ");
            format!("trusted_proxies [{proxies}] cannot be used: {error}")
        })?;
        let public = settings.text("public_url");
        let public = public.and_then(|url| Public::of(url, settings.text("cookie_domain")));
        Ok(Self {
            order,
            upstream,
            listen: listen.unwrap_or_else(|| format!("127.0.0.1:{port}")),
            admin: admin.map(str::to_owned),
            patience: bounds::PATIENCE.of(&settings)?.unwrap_or_default(),
            limits,
            grace: bounds::GRACE.of(&settings)?.unwrap_or_default(),
            certificate: Certificate::read(&settings)?,
            log: log.map_or(LevelFilter::INFO, |Level(level)| level),
            trusted: trusted.by(match settings.text("forwarded_field") {
                Some("forwarded") => ForwardedField::Forwarded,
                _ => ForwardedField::XForwardedFor,
            }),
            public,
            settings,
        })
    }
}

/// Variables that were the guard's before there were settings, and their keys.
const OLDER: [(&str, &str); 2] = [
    ("PUBLIC_URL", "public_url"),
    ("TRUSTED_PROXIES", "trusted_proxies"),
];

/// The guard's own keys, and the older variables of the layer's.
fn sources() -> Sources {
    let older = OLDER.into_iter();
    older
        .fold(Sources::new(), |sources, (variable, key)| {
            sources.variable(variable, key)
        })
        .own(
            "upstream",
            "",
            "The service's origin, such as http://127.0.0.1:8080; h2c: for HTTP/2. Required.",
        )
        .own(
            "listen",
            "",
            "The address to listen at, such as 0.0.0.0:443. Default: 127.0.0.1 and the port.",
        )
        .own("port", "3000", "The port at 127.0.0.1; 0 picks a free one.")
        .own(
            "admin_listen",
            "",
            "The address of /healthz and /readyz, such as 127.0.0.1:9090. Default: none.",
        )
        .own(
            "upstream_timeout",
            "60s",
            "How long the service may take to begin its answer: 100ms to 1h.",
        )
        .own(
            "connection_limit",
            "",
            "How many connections there may be: 1 to 1000000. Default: what the descriptors allow.",
        )
        .own(
            "idle_limit",
            "30s",
            "How long a connection may have no request under way, or drip a head: 1s to 1h.",
        )
        .own(
            "shutdown_grace",
            "25s",
            "How long requests under way may take when the program is to end: up to 1h.",
        )
        .own(
            "tls_certificate",
            "",
            "A PEM file of the certificate chain. Default: the guard speaks http.",
        )
        .own(
            "tls_key",
            "",
            "A PEM file of the certificate's private key.",
        )
        .own(
            "log_level",
            "info",
            "What is logged to the standard error: error, warn, info, debug or off.",
        )
}

/// Takes what may be given once, as any setting.
fn once<T>(
    place: &mut Option<(T, &'static str)>,
    value: T,
    flag: &'static str,
) -> Result<(), String> {
    match place.replace((value, flag)) {
        None => Ok(()),
        Some((_, before)) if before == flag => {
            Err(format!("flag {flag} is given twice: remove one"))
        }
        Some((_, before)) => Err(format!(
            "flags {before} and {flag} are both given: remove one"
        )),
    }
}

/// Names a flag that is no text, without its value.
fn place_of(flag: &OsStr, place: usize) -> String {
    let flag = flag.to_string_lossy();
    let name = flag.split_once('=').map(|(name, _)| name);
    let is_plain = |name: &&str| {
        let letters = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        name.starts_with("--") && letters(name)
    };
    match name.filter(is_plain) {
        Some(name) => format!("flag {name}"),
        None => format!("argument {place}"),
    }
}

/// Quotes a value for an error, unless it may be a secret: behind a login there is an `@`, or no
/// host at all, and a key has neither a dot nor a colon, of which an address has one.
pub(super) fn shown(text: &str) -> String {
    const SHORTEST_KEY: usize = 32;
    let may_be_key = text.len() >= SHORTEST_KEY && !text.contains(['.', ':']);
    match may_be_key || text.contains('@') || has_password_for_port(text) {
        true => "(not shown)".to_owned(),
        false => format!("{text:?}"),
    }
}

/// Says whether a password may stand where a port belongs, as in `http://app:hunter2`.
fn has_password_for_port(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    // An address of IPv6 has colons of its own.
    let is_address = |c: char| c.is_ascii_hexdigit() || "[]:./".contains(c);
    let port = authority.trim_end_matches('/').split_once(':');
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    !authority.chars().all(is_address) && port.is_some_and(|(_, port)| !is_port(port))
}

/// Returns the environment. Of an older name and the layer's own, which must say the same, it has
/// one.
fn variables() -> Result<Vec<(OsString, OsString)>, String> {
    let mut variables: Vec<_> = env::vars_os().collect();
    for (name, _) in OLDER {
        let new = format!("MAGIC_LINK_{name}");
        // An empty one counts as not set.
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        match (set(&new), set(name)) {
            (Some(value), Some(old)) if value != old => {
                return Err(format!(
                    "variables {name} and {new} are the same setting: remove {name}"
                ));
            }
            (Some(_), Some(_)) => variables.retain(|(variable, _)| variable != name),
            _ => {}
        }
    }
    Ok(variables)
}

/// A flag can be empty, as no variable is.
fn address<'s>(settings: &'s Settings, name: &str) -> Result<Option<&'s str>, String> {
    let expected = "it takes an address such as 127.0.0.1:9090";
    let port = |address: &str| address.rsplit_once(':')?.1.parse::<u16>().ok();
    match settings.text(name) {
        Some("") => Err(format!("{name} is empty: {expected}")),
        // What may be a login must not be printed as a setting either.
        Some(login) if login.contains('@') => Err(format!("{name} has an @: {expected}")),
        // `--check` binds nothing, and would pass.
        Some(address) if port(address).is_none() => {
            let problem = format!("must end with a port from 0 to 65535: {expected}");
            Err(format!("{name} {} {problem}", shown(address)))
        }
        address => Ok(address),
    }
}

fn origin(text: Option<&str>) -> Result<Uri, Box<dyn Error>> {
    let text = text.ok_or("upstream is not set")?;
    let expected = "upstream must be an origin, such as http://127.0.0.1:8080";
    if text.contains('@') {
        return Err(format!("{expected}, without a login").into());
    }
    let upstream: Uri = text
        .parse()
        .map_err(|error| format!("upstream {} is no origin: {error}", shown(text)))?;
    let is_origin = upstream.path() == "/" && upstream.query().is_none();
    let is_known = matches!(upstream.scheme_str(), Some("http" | "h2c"));
    let authority = upstream.authority().filter(|of| !of.host().is_empty());
    let Some(authority) = authority.filter(|_| is_known && is_origin) else {
        return Err(expected.into());
    };
    if has_valid_port(authority) {
        return Ok(upstream);
    }
    let expected = "must have a port from 1 to 65535, or none";
    Err(format!("upstream {} {expected}", shown(text)).into())
}

/// Says whether an authority has a valid port, or none. For an invalid one, [`Authority::port`]
/// returns `None`, and a connection would go to port 80.
fn has_valid_port(authority: &Authority) -> bool {
    let port = authority.as_str().strip_prefix(authority.host());
    match port.and_then(|port| port.strip_prefix(':')) {
        // An empty one, the default by RFC 3986, is most likely a variable that was not set.
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port == Some(""),
    }
}
