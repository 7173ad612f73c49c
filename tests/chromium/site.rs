//! The sites that a browser meets, on one TLS port of the loopback: the application, WorkOS, and
//! another site.
//!
//! They have no registrable domain in common, so each is cross-site to the others. The browser
//! finds them all at the one port, and trusts the one certificate that is made here.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{Html, IntoResponse},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivatePkcs8KeyDer, version,
    },
};
use tower::{ServiceExt, service_fn};
use tower_magic_link::{MagicLinkLayer, Session, emulator::Emulator};

use crate::names::ORIGIN;

/// The application.
pub(crate) const APP: &str = ORIGIN;
/// WorkOS, as browsers see it: where its links lead.
pub(crate) const WORKOS: &str = "https://workos.example.net";
/// A site that has nothing to do with either: somebody's webmail.
pub(crate) const MAIL: &str = "https://mail.example.org";

/// The sites, until they are dropped.
pub(crate) struct Sites {
    pub(crate) port: u16,
    /// What `--ignore-certificate-errors-spki-list` takes: the certificate with this key, and no
    /// other.
    pub(crate) fingerprint: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A request that arrived, and what it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its address without the query.
    pub(crate) url: String,
    pub(crate) method: Method,
    pub(crate) purpose: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) sets_cookie: bool,
    pub(crate) version: Version,
}

struct Shared {
    app: Router,
    emulator: Emulator,
    published: Published,
    seen: Mutex<Vec<Seen>>,
    /// The addresses that begin so are answered later.
    held: watch::Sender<Option<String>>,
}

/// Pages that a test wrote, by their addresses.
#[derive(Clone, Default)]
struct Published(Arc<Mutex<HashMap<String, (HeaderMap, String)>>>);

impl Sites {
    pub(crate) async fn serve(layer: MagicLinkLayer, emulator: Emulator) -> Self {
        let (acceptor, fingerprint) = tls();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let published = Published::default();
        let shared = Arc::new(Shared {
            app: application(layer, published.clone()),
            emulator,
            published,
            seen: Mutex::default(),
            held: watch::Sender::default(),
        });
        let task = tokio::spawn(accept(listener, acceptor, shared.clone()));
        Self {
            port,
            fingerprint,
            shared,
            task,
        }
    }

    /// Puts a page at an address: anywhere at [`MAIL`], below `/public/` at [`APP`].
    pub(crate) fn publish(&self, url: &str, headers: HeaderMap, html: impl Into<String>) {
        let mut published = self.shared.published.0.lock().unwrap();
        published.insert(url.to_owned(), (headers, html.into()));
    }

    /// Holds back the answers from addresses that begin like this one. What they do, they do at
    /// once.
    pub(crate) fn hold(&self, start: &str) {
        self.shared.held.send_replace(Some(start.to_owned()));
    }

    /// Lets all answers go.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(None);
    }

    /// Returns what arrived, oldest first.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns the headers that the layer gives its own pages.
    pub(crate) async fn page_headers(&self) -> HeaderMap {
        let request = Request::get("/auth/login").header("sec-fetch-mode", "navigate");
        let request = request.body(Body::empty()).unwrap();
        let response = self.shared.app.clone().oneshot(request).await;
        let mut headers = response.unwrap().headers().clone();
        for name in [header::SET_COOKIE, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        headers
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        // In HTTP/1.1 the host is a header, in HTTP/2 a part of the address.
        let named = head.headers.get(header::HOST);
        let named = named.and_then(|host| host.to_str().ok());
        let host = head.uri.host().or(named).unwrap_or_default();
        let origin = format!("https://{host}");
        let url = format!("{origin}{}", head.uri.path());
        let field = |name| {
            let value = head.headers.get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (purpose, from) = (field("sec-purpose"), field("sec-fetch-site"));
        let (method, version) = (head.method.clone(), head.version);
        let request = Request::from_parts(head, Body::new(body));
        let is_ours = [APP, WORKOS, MAIL].contains(&origin.as_str());
        let response = match origin.as_str() {
            APP => self.app.clone().oneshot(request).await.unwrap(),
            WORKOS => {
                let answer = self.emulator.clone().oneshot(request).await.unwrap();
                answer.map(Body::new)
            }
            _ => self.published.page(&url).into_response(),
        };
        // Chromium also asks the hosts of its maker, which are none of a test's business.
        if !is_ours {
            return response;
        }
        self.seen.lock().unwrap().push(Seen {
            url: url.clone(),
            method,
            purpose,
            from,
            status: response.status(),
            sets_cookie: response.headers().contains_key(header::SET_COOKIE),
            version,
        });
        let is_free =
            |held: &Option<String>| held.as_ref().is_none_or(|start| !url.starts_with(start));
        let _ = self.held.subscribe().wait_for(is_free).await;
        response
    }
}

impl Published {
    fn page(&self, url: &str) -> Result<(HeaderMap, Html<String>), StatusCode> {
        let pages = self.0.lock().unwrap();
        let (headers, html) = pages.get(url).ok_or(StatusCode::NOT_FOUND)?;
        Ok((headers.clone(), Html(html.clone())))
    }
}

/// Shows anybody what was published, and greets whoever is signed in elsewhere.
fn application(layer: MagicLinkLayer, published: Published) -> Router {
    let answer = async |State(published): State<Published>, session: Option<Session>, uri: Uri| {
        let page = published.page(&format!("{APP}{}", uri.path()));
        match session.filter(|_| page.is_err()) {
            Some(session) => {
                let text = format!(
                    "<!doctype html><html lang=en><title>Acme</title><h1>Hello {}</h1><p>{}</p>",
                    session.email(),
                    uri.path()
                );
                Ok((HeaderMap::new(), Html(text)))
            }
            None => page,
        }
    };
    Router::new()
        .fallback(answer)
        .with_state(published)
        .layer(layer)
}

/// Makes a certificate for every host name below the three, and what a browser is told to trust.
fn tls() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let names = [APP, WORKOS, MAIL].map(|origin| origin["https://".len()..].to_owned());
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let fingerprint = BASE64_STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
    (Arc::new(config).into(), fingerprint)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // Dropped with the task, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(converse(stream, acceptor.clone(), shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // A browser opens connections that it never uses, and asks the hosts of its maker, which are
    // not here.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(shared.answer(request).await) }
    });
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await;
}
