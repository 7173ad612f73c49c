//! Redis over TLS: its certificate is checked by what the system trusts.

use std::{fs, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{
    redis::{RedisServer, free_port, until},
    site::{Replica, Site, client},
};

/// What a replica says that has never reached Redis.
const NOT_READY: &str = "503: loading, 0 of 0";

async fn ready(replica: &Replica) -> String {
    let answer = client()
        .get(format!("{}/readyz", replica.origin))
        .send()
        .await;
    let answer = answer.unwrap();
    match answer.status().as_u16() {
        200 => answer.text().await.unwrap(),
        status => format!("{status}: {}", answer.text().await.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_certificate_that_the_system_trusts_is_taken_and_no_other() {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let folder = std::env::temp_dir().join(format!("tower-magic-link-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, pem: String| {
        let path = folder.join(name);
        fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (root, leaf, key) = (
        file("root", authority.pem()),
        file("leaf", leaf.pem()),
        file("key", key.serialize_pem()),
    );
    let (port, _held) = free_port();
    let at = port.to_string();
    let arguments = [
        "--tls-port",
        &at,
        "--tls-cert-file",
        &leaf,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &root,
        "--tls-auth-clients",
        "no",
    ];
    let _server = RedisServer::start_with(&arguments).await;
    let site = Site::new(&format!("rediss://localhost:{port}")).await;
    let trusting = site.replica_with(("SSL_CERT_FILE", &root));
    until("it follows", async || ready(&trusting).await == "following").await;
    let strict = site.replica();
    // It has tried by now: it says where it listens after that. And it goes on trying.
    for _ in 0..20 {
        assert_eq!(ready(&strict).await, NOT_READY);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let misled = Site::new(&format!("rediss://127.0.0.1:{port}")).await;
    let misled = misled.replica_with(("SSL_CERT_FILE", &root));
    assert_eq!(
        ready(&misled).await,
        NOT_READY,
        "the certificate names another"
    );
    let _ = fs::remove_dir_all(folder);
}
