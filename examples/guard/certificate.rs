//! The guard's own certificate, which can be read again while connections are served.
//!
//! - A new connection has the certificate that was read last. Open connections keep theirs.
//! - Files that cannot be used change nothing.

use std::{
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader},
    sync::Arc,
};

use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
};
use tower_magic_link::settings::Settings;

/// The files of a certificate, and what was made of them.
pub(super) struct Certificate {
    chain: String,
    key: String,
    made: watch::Sender<TlsAcceptor>,
}

impl Certificate {
    /// Reads the files that the settings name. `None` if they name none.
    pub(super) fn read(settings: &Settings) -> Result<Option<Self>, Box<dyn Error>> {
        let (chain, key) = match (settings.text("tls_certificate"), settings.text("tls_key")) {
            (Some(chain), Some(key)) => (chain, key),
            (None, None) => return Ok(None),
            _ => return Err("tls_certificate and tls_key are set together, or not at all".into()),
        };
        Ok(Some(Self {
            made: watch::Sender::new(made_of(chain, key)?),
            chain: chain.to_owned(),
            key: key.to_owned(),
        }))
    }

    /// Reads the files again. Connections from now on have what they hold.
    pub(super) fn read_again(&self) -> Result<(), Box<dyn Error>> {
        self.made.send_replace(made_of(&self.chain, &self.key)?);
        Ok(())
    }

    /// Returns what always has the certificate that was read last.
    pub(super) fn current(&self) -> watch::Receiver<TlsAcceptor> {
        self.made.subscribe()
    }
}

fn made_of(chain: &str, key: &str) -> Result<TlsAcceptor, Box<dyn Error>> {
    let open = |path: &str| opened(path).map_err(pem::Error::Io);
    let chain = open(chain).and_then(|file| CertificateDer::pem_reader_iter(file).collect());
    let chain: Vec<_> =
        chain.map_err(|error| unusable("tls_certificate", "certificates", &error))?;
    let key = open(key).and_then(PrivateKeyDer::from_pem_reader);
    let key = key.map_err(|error| unusable("tls_key", "a private key", &error))?;
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("tls_certificate cannot be used with tls_key: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Opens a file behind the byte order mark of an editor: the document after one would be skipped.
fn opened(path: &str) -> io::Result<BufReader<File>> {
    let mut file = BufReader::new(File::open(path)?);
    let mark = "\u{feff}".as_bytes();
    if file.fill_buf()?.starts_with(mark) {
        file.consume(mark.len());
    }
    Ok(file)
}

/// Says what is wrong with a file. The reader's own error has a line of it, and a key is a secret.
fn unusable(name: &str, what: &str, error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("{name} cannot be read: {}", error.kind()),
        _ => format!("{name} is no PEM file of {what}"),
    }
}
