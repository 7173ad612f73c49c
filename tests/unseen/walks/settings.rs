//! Settings with a secret in the wrong place: in another key, in a URL, in what is no key, and in
//! the constructors of a key or a client.

use std::ffi::OsString;

use base64::{Engine, engine::general_purpose::STANDARD};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    provider::MailedLinks,
    settings::{Settings, Sources},
    workos::WorkOs,
};

use super::stores::PASSWORD;
use crate::{names::ORIGIN, secrets::Kind, support::KEY, walk::Walk};

const WEBHOOK: &str = "whsec_marker_of_settings";
const EXAMPLE: &str = include_str!("../../../src/settings/example.toml");

/// Returns the names of all keys.
fn keys() -> impl Iterator<Item = &'static str> {
    let lines = EXAMPLE.lines();
    let keys = lines.filter_map(|line| line.trim_start_matches("# ").split_once(" ="));
    keys.map(|(name, _)| name).filter(|name| {
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        name.chars().all(is_plain)
    })
}

fn variable(name: &str) -> String {
    match name.starts_with("workos_") {
        true => name.to_uppercase(),
        false => format!("MAGIC_LINK_{}", name.to_uppercase()),
    }
}

/// Keeps what settings show, and the error if there are none.
fn read(walk: &Walk, sources: Sources) -> Option<Settings> {
    walk.show(&sources);
    let settings = walk.keep(sources.read()).ok()?;
    walk.say(&settings);
    Some(settings)
}

/// Keeps why no layer can be made, and not what a layer shows: a setting that is no secret is
/// printed.
fn make(walk: &Walk, settings: Option<Settings>) {
    let error = settings.and_then(|settings| settings.layer().err());
    error.iter().for_each(|error| walk.fail(error));
}

pub(crate) fn all(walk: &Walk) {
    // Made of anew: each of these is a secret of its own.
    let mut raw = [0; 32];
    getrandom::fill(&mut raw).unwrap();
    walk.secrets.add(Kind::SigningKey, raw);
    let encoded = STANDARD.encode(raw);
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for line in pem.lines().filter(|line| !line.starts_with('-')) {
        walk.secrets
            .add(Kind::SigningKey, line.trim_end_matches('='));
    }
    walk.secrets.add(Kind::WebhookSecret, WEBHOOK);
    walk.secrets.add(Kind::RedisPassword, PASSWORD);
    let url = format!("redis://app:{PASSWORD}@10.0.0.1");
    let secrets = [KEY, WEBHOOK, &encoded, &pem, &url];
    let right = [
        ("MAGIC_LINK_PUBLIC_URL", ORIGIN),
        ("MAGIC_LINK_KEY", &encoded),
        ("WORKOS_API_KEY", KEY),
        ("WORKOS_CLIENT_ID", "client_1"),
        ("MAGIC_LINK_WEBHOOK_SECRET", WEBHOOK),
        ("MAGIC_LINK_REDIS_URL", "redis://127.0.0.1:1"),
        ("MAGIC_LINK_REDIS_USER", "app"),
        ("MAGIC_LINK_REDIS_PASSWORD", PASSWORD),
    ];
    let environment = |more: &[(String, &str)]| {
        let right = right
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value));
        let wrong = more.iter().cloned();
        let all = right.filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let all: Vec<_> = all.chain(wrong).collect();
        let pairs = all
            .into_iter()
            .map(|(name, value)| (name.into(), OsString::from(value)));
        Sources::new().environment(pairs.collect::<Vec<_>>())
    };
    assert!(read(walk, environment(&[])).is_some());
    let names: Vec<_> = keys().collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        for secret in secrets {
            read(walk, environment(&[(variable(name), secret)]));
            let flag = format!("--{}={secret}", name.replace('_', "-"));
            let settings = read(walk, environment(&[]).flags([flag]));
            // A client of WorkOS reads the machine's certificates, so not for each.
            if [KEY, &url].contains(&secret) {
                make(walk, settings);
            }
            let embedded = serde_json::json!({ name: secret });
            let _ = walk.keep(serde_json::from_value::<Settings>(embedded));
        }
    }
    for secret in secrets {
        for flag in [
            secret.to_owned(),
            format!("{secret}=1"),
            format!("--{secret}"),
        ] {
            read(walk, environment(&[]).flags([flag]));
        }
        read(walk, environment(&[(format!("MAGIC_LINK_{secret}"), "1")]));
        in_a_file(walk, secret);
        made(walk, secret);
    }
}

/// In a file, where TOML is broken and where it is not.
fn in_a_file(walk: &Walk, secret: &str) {
    let name = format!("tower-magic-link-unseen-{}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    let quoted = serde_json::Value::from(secret);
    for text in [
        format!("public_url = {secret}"),
        format!("session_lifetime = {quoted}"),
        format!("{quoted} = true"),
        format!("webhook_secret = {quoted}"),
    ] {
        std::fs::write(&path, text).unwrap();
        read(walk, Sources::new().file(&path));
    }
    std::fs::remove_file(&path).unwrap();
}

/// By the constructors.
fn made(walk: &Walk, secret: &str) {
    let _ = walk.keep(secret.parse::<SigningKey>());
    let _ = walk.keep(SigningKey::hs256(&secret.as_bytes()[..16]));
    let _ = walk.keep(SigningKey::hs256(secret));
    let _ = walk.keep(SigningKey::ed25519_pem(secret));
    let _ = walk.keep(SigningKey::es256_pem(secret));
    let _ = walk.keep(KeyRing::from_file(secret));
    let _ = walk.keep(WorkOs::new("client_1", secret));
    let _ = walk.keep(WorkOs::new(format!("{secret}\n"), secret));
    let workos = || WorkOs::new(KEY, "client_1").unwrap();
    let _ = walk.keep(workos().base_url(secret));
    let _ = walk.keep(MailedLinks::new().with_subject_key(&secret.as_bytes()[..12]));
    let builder = || MagicLinkLayer::builder(workos(), walk.keys.clone()).public_url(ORIGIN);
    for builder in [
        builder().public_url(secret),
        builder().mount(secret),
        builder().cookie_name(secret),
        builder().cookie_domain(secret),
        builder().public_path(secret),
        builder().protected_prefix(secret),
        builder().organization(secret),
        builder().email_domains([secret]),
        builder().trusted_proxies([secret]),
        builder().webhook_secret(format!(" {secret}")),
        builder().webhook_secret(secret),
    ] {
        // Without what it shows: a setting that is no secret is printed.
        if let Err(error) = builder.build() {
            walk.fail(&error);
        }
    }
}
