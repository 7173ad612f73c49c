//! `Trust`: whose certificates a connection over TLS accepts, and which one it shows.

use std::{io, sync::Arc};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, Error, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use crate::error::ConfigError;

/// Whose certificates a connection accepts, and which one it shows.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// Instead of the system's trust store.
    roots: Option<Arc<RootCertStore>>,
    client: Option<Arc<Client>>,
}

/// What a client shows: its certificate, those that vouch for it, and its key.
struct Client {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Trust {
    /// Trusts the certificates of a PEM text, and those trusted so before, and no others.
    pub(super) fn add_roots(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        let wrong = |problem| ConfigError::secret("ca_certificates", problem);
        let mut roots = self.roots.take().map(Arc::unwrap_or_clone);
        let roots = roots.get_or_insert_with(RootCertStore::empty);
        for certificate in certificates(pem).ok_or_else(|| wrong("hold no certificate in PEM"))? {
            let added = roots.add(certificate);
            added.map_err(|_| wrong("hold a certificate that is not a CA's"))?;
        }
        self.roots = Some(Arc::new(std::mem::replace(roots, RootCertStore::empty())));
        Ok(())
    }

    pub(super) fn show(&mut self, chain: &[u8], key: &[u8]) -> Result<(), ConfigError> {
        // The error of a key that was not read shows nothing of it.
        let wrong = |problem| ConfigError::secret("client_certificate", problem);
        let chain = certificates(chain).ok_or_else(|| wrong("holds no certificate in PEM"))?;
        let key = PrivateKeyDer::from_pem_slice(key);
        let key = key.map_err(|_| wrong("has a key that is not a private key in PEM"))?;
        self.client = Some(Arc::new(Client { chain, key }));
        let tried = self.config();
        tried.map_err(|_| wrong("has a key that is not the certificate's"))?;
        Ok(())
    }

    /// Says whether it differs from the system's.
    pub(super) const fn is_own(&self) -> bool {
        self.roots.is_some() || self.client.is_some()
    }

    fn config(&self) -> Result<ClientConfig, Error> {
        // Named here: the process-wide default belongs to the application, which may have installed
        // another or none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = match &self.roots {
            Some(roots) => config.with_root_certificates(roots.clone()),
            None => config.with_platform_verifier()?,
        };
        match &self.client {
            Some(client) => {
                config.with_client_auth_cert(client.chain.clone(), client.key.clone_key())
            }
            None => Ok(config.with_no_client_auth()),
        }
    }

    /// Begins TLS on a connection to a host.
    pub(super) async fn wrap<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config().map_err(io::Error::other)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|read| !read.is_empty())
}
