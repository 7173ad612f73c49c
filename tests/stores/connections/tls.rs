//! A server whose certificate no system trusts, and that asks for one.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tower_magic_link::{revocation::RedisRevocations, store::Redis};

use super::works;
use crate::redis::{RedisServer, free_port};

/// An authority, and what it vouches for.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut authority = CertificateParams::new([]).unwrap();
        // Without a name of its own, what it vouches for would seem to vouch for itself.
        let name = &mut authority.distinguished_name;
        name.push(DnType::CommonName, "authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(authority, key).unwrap())
    }

    /// Returns a certificate and its key.
    fn vouch_for(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &self.0).unwrap();
        (leaf.pem(), key.serialize_pem())
    }
}

/// Files of a test.
struct Folder(PathBuf);

impl Folder {
    fn keep(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn an_authority_of_ones_own_is_trusted_alone_and_a_certificate_is_shown() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (port, _held) = free_port();
    let folder = Folder(std::env::temp_dir().join(format!("magic-link-own-ca-{port}")));
    fs::create_dir_all(&folder.0).unwrap();
    let (leaf, key) = ours.vouch_for("localhost");
    let arguments = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &folder.keep("leaf", &leaf),
        "--tls-key-file",
        &folder.keep("key", &key),
        "--tls-ca-cert-file",
        &folder.keep("root", &ours.0.pem()),
        "--tls-auth-clients",
        "yes",
    ];
    let _server = RedisServer::start_with(&arguments).await;
    let at = || Redis::new(&format!("rediss://localhost:{port}")).unwrap();
    let (shown, secret) = ours.vouch_for("app");
    let trusting = at().ca_certificates(theirs.0.pem()).unwrap();
    let trusting = trusting.ca_certificates(ours.0.pem()).unwrap();
    works(
        &trusting
            .clone()
            .client_certificate(&shown, &secret)
            .unwrap(),
    )
    .await;
    let (strange, strange_secret) = theirs.vouch_for("app");
    let mistrusting = at().ca_certificates(theirs.0.pem()).unwrap();
    let refused = [
        ("by the system", at().client_certificate(&shown, &secret)),
        (
            "another CA",
            mistrusting.client_certificate(&shown, &secret),
        ),
        ("shows nothing", Ok(trusting.clone())),
        (
            "shows another",
            trusting.client_certificate(&strange, &strange_secret),
        ),
    ];
    for (name, redis) in refused {
        let told = RedisRevocations::connect(&redis.unwrap()).await;
        assert!(told.is_err(), "{name}");
    }
}

#[test]
fn certificates_that_cannot_work_are_refused_and_a_key_is_never_shown() {
    let ours = Authority::new();
    let (leaf, key) = ours.vouch_for("app");
    let (_, other) = ours.vouch_for("app");
    let at = || Redis::new("rediss://localhost").unwrap();
    let garbled = key.replace("PRIVATE", "SECRET");
    let root = ours.0.pem();
    let plain = || Redis::new("redis://localhost").unwrap();
    let cases = [
        ("no text", at().ca_certificates("")),
        ("a key for a CA", at().ca_certificates(&key)),
        ("no certificate", at().client_certificate("", &key)),
        ("no key", at().client_certificate(&leaf, "")),
        ("another's key", at().client_certificate(&leaf, &other)),
        ("a garbled key", at().client_certificate(&leaf, &garbled)),
        ("no TLS, a CA", plain().ca_certificates(&root)),
        ("no TLS, a client", plain().client_certificate(&leaf, &key)),
        (
            "no TLS at the second",
            at().ca_certificates(&root).unwrap().or_at("redis://other"),
        ),
        (
            "a socket",
            at().ca_certificates(&root).unwrap().or_at("unix:///run/r"),
        ),
    ];
    let line = |text: &str| text.lines().nth(1).unwrap().to_owned();
    let secrets = [line(&key), line(&other)];
    for (name, made) in cases {
        let error = made.expect_err(name);
        let shown = format!("{error} {error:?}");
        let is_shown = secrets.iter().any(|secret| shown.contains(secret));
        assert!(!is_shown, "{name}: {shown}");
    }
    let redis = at().client_certificate(&leaf, &key).unwrap();
    assert!(!format!("{redis:?}").contains(&line(&key)));
}
