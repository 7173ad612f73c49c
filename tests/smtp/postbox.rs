//! A real mail server: aiosmtpd, and the certificates that it shows.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tower_magic_link::mailer::SmtpMailer;

use crate::program::Program;

pub(crate) const SENDER: &str = "Acme <sign-in@acme.example>";

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A mail server, ended when it is dropped.
pub(crate) struct Postbox {
    program: Program,
    chain: PathBuf,
    /// Where it listens: `127.0.0.1:2525`.
    pub(crate) address: String,
    /// The certificate authority that its certificate is of.
    pub(crate) root: String,
}

/// A mail that it got.
pub(crate) struct Got(Value);

impl Postbox {
    /// Starts one whose certificate is made out to `name`.
    pub(crate) fn start(tls: &str, name: &str, login: Option<&str>) -> Self {
        let (root, chain_pem) = certificates(name);
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = format!("tower-magic-link-smtp-{}-{count}.pem", std::process::id());
        let chain = env::temp_dir().join(file);
        fs::write(&chain, chain_pem).unwrap();
        let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/server.py");
        let mut command = Command::new(python);
        command
            .args(["-W", "ignore", script, "--tls", tls, "--chain"])
            .arg(&chain);
        if let Some(login) = login {
            command.args(["--login", login]);
        }
        let mut program = Program::start(&mut command);
        let address = program.says("listening on ");
        Self {
            program,
            chain,
            address,
            root,
        }
    }

    /// Returns a URL of it by the name `localhost`.
    pub(crate) fn url(&self, scheme: &str, login: &str) -> String {
        let port = self.address.rsplit_once(':').unwrap().1;
        format!("{scheme}://{login}localhost:{port}")
    }

    /// Returns a mailer that trusts its certificate.
    pub(crate) fn mailer(&self, scheme: &str, login: &str) -> SmtpMailer {
        let mailer = SmtpMailer::new(self.url(scheme, login), SENDER).unwrap();
        mailer.root_certificate(&self.root).unwrap()
    }

    /// Returns the next mail.
    pub(crate) fn mail(&mut self) -> Got {
        Got(serde_json::from_str(&self.program.says("mail ")).unwrap())
    }
}

impl Drop for Postbox {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.chain);
    }
}

impl Got {
    /// Returns what was said of it.
    pub(crate) fn said(&self, what: &str) -> &Value {
        &self.0[what]
    }

    /// Returns the values of the header fields of a name.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.0["fields"].as_array().unwrap().iter();
        fields
            .filter(|field| field[0].as_str().unwrap().eq_ignore_ascii_case(name))
            .map(|field| field[1].as_str().unwrap())
            .collect()
    }

    /// Returns the texts of the parts of a type.
    pub(crate) fn part(&self, kind: &str) -> &str {
        let mut parts = self.0["parts"].as_array().unwrap().iter();
        let part = parts.find(|part| part[0] == kind).expect("a part");
        assert_eq!(part[1], "utf-8", "{kind}");
        part[2].as_str().unwrap()
    }

    /// Returns the link, which stands alone on its line in the text.
    pub(crate) fn link(&self) -> &str {
        let mut lines = self.part("text/plain").lines();
        lines.find(|line| line.contains("://")).expect("a link")
    }
}

/// Makes an authority, and a certificate and key of it, as one PEM file for Python.
pub(crate) fn certificates(name: &str) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    (root.pem(), leaf.pem() + &leaf_key.serialize_pem())
}
