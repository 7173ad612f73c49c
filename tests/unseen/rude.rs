//! A server that takes every command and answers none: it repeats what it was told, the password
//! too. In the clear, or behind TLS by an authority of its own.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// Where it listens, and whom its certificate is by.
pub(crate) struct Rude {
    pub(crate) port: u16,
    pub(crate) authority: Option<String>,
}

impl Rude {
    /// Starts a server that begins each answer so, as Redis does with the code of an error.
    pub(crate) async fn start(code: &'static str) -> Self {
        Self::behind(code, None).await
    }

    pub(crate) async fn start_with_tls(code: &'static str) -> Self {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(authority, key).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let mut server = Self::behind(code, Some(TlsAcceptor::from(Arc::new(config)))).await;
        server.authority = Some(authority.pem());
        server
    }

    async fn behind(code: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => repeat(code, tls.accept(stream).await.ok()?).await,
                        None => repeat(code, stream).await,
                    }
                });
            }
        });
        Self {
            port,
            authority: None,
        }
    }
}

/// Answers each command by an error that repeats it. That the other side has gone is no failure.
async fn repeat(code: &str, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
    let mut buffer = vec![0; 16_384];
    loop {
        let read = stream.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        // An array of the protocol: `*2`, then the length of each word, and the word.
        for command in text.split('*').filter(|command| !command.is_empty()) {
            let words = command.split("\r\n").skip(1);
            let words: Vec<_> = words.filter(|word| !word.starts_with('$')).collect();
            let told = words.join(" ");
            let answer = format!("-{code} unknown command, with args beginning with: {told}\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}
