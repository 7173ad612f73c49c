//! A walk: it gathers its secrets while it goes, and what its application gets in hand.

use std::{
    collections::BTreeSet,
    error::Error,
    fmt,
    sync::{Arc, Mutex},
};

use http::header;
use metrics_exporter_prometheus::PrometheusHandle;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use tokio::sync::MutexGuard;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Rejection, SigningKey, event::Event, keys::RetiredKey,
    workos::WorkOs,
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    net::{self, Leak, Line, Source},
    page::Page,
    secrets::{Kind, Secrets},
    support::{Answer, Browser, KEY, World, app_of},
    watched::Watched,
};

pub(crate) const SESSION: &str = "__Host-magic-link";
/// People beside Ada and Eve.
pub(crate) const ZOE: &str = "Zoe.Marker+tag@Example.org";

/// A walk. Clones are the same.
#[derive(Clone)]
pub(crate) struct Walk {
    pub(crate) secrets: Secrets,
    pub(crate) keys: KeyRing,
    lines: Arc<Mutex<BTreeSet<Line>>>,
    refused: Arc<Mutex<BTreeSet<&'static str>>>,
    heard: Arc<Mutex<BTreeSet<&'static str>>>,
    _alone: Arc<MutexGuard<'static, ()>>,
}

impl Walk {
    pub(crate) async fn new() -> Self {
        let alone = Arc::new(net::cast().await);
        let secrets = Secrets::default();
        for person in [ADA, EVE, ZOE] {
            secrets.add(Kind::Address, person);
        }
        secrets.add(Kind::ApiKey, KEY);
        let keys = ring(&secrets);
        let walk = Self {
            secrets,
            keys,
            lines: Arc::default(),
            refused: Arc::default(),
            heard: Arc::default(),
            _alone: alone,
        };
        walk.show(&walk.keys);
        walk.show(&walk.keys.handle());
        walk
    }

    /// Makes a world whose events, provider and layer are watched.
    pub(crate) async fn world(&self, configure: impl FnOnce(Builder) -> Builder) -> World {
        self.world_by(|client| client, configure).await
    }

    /// Makes a world with other settings of the client, too.
    pub(crate) async fn world_by(
        &self,
        tune: impl FnOnce(WorkOs) -> WorkOs,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> World {
        let provider = |client| {
            let client = tune(client);
            self.show(&client);
            Watched::new(client, self)
        };
        let configure = |builder| {
            let builder = configure(self.hear(builder));
            self.show(&builder);
            builder
        };
        let world = World::keyed(self.keys.clone(), provider, configure).await;
        self.show(&world.layer);
        self.show(&world.workos);
        world
    }

    /// Returns a browser that has never been at the layer.
    pub(crate) fn browser(&self, layer: &MagicLinkLayer) -> Browser {
        let walk = self.clone();
        let browser = Browser::new(app_of(layer), ORIGIN);
        browser.watched(move |target, answer| walk.watch(target, answer))
    }

    /// Signs somebody in by WorkOS's link.
    pub(crate) async fn signed_in(&self, world: &World, email: &str) -> Browser {
        let mut browser = self.browser(&world.layer);
        let answer = browser.sign_in(world, email, "/").await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        self.gather(world);
        browser
    }

    /// Listens to the events of a layer.
    pub(crate) fn hear(&self, builder: Builder) -> Builder {
        let walk = self.clone();
        builder.on_event(move |event, context| {
            walk.heard.lock().unwrap().insert(event.name());
            if let Event::Refused { kind } = event {
                walk.refused.lock().unwrap().insert(kind.code());
            }
            let fields: Vec<_> = event.fields().chain(context.fields()).collect();
            let values: Vec<_> = fields.iter().map(|(_, value)| value.to_string()).collect();
            for text in [
                format!("{event:?} {context:?} {fields:?}"),
                format!("{} {}", event.name(), values.join(" ")),
            ] {
                walk.put(&Source::Event, text);
            }
        })
    }

    /// Gathers what an answer holds, and keeps what it shows.
    pub(crate) fn watch(&self, target: &str, answer: &Answer) {
        self.secrets.add_target(target);
        for cookie in answer.set_cookies() {
            let pair = cookie.split(';').next().unwrap();
            match pair.split_once('=').unwrap() {
                (SESSION, token) if token.contains('.') => self.secrets.add_token(token),
                (_, value) if value.len() > 12 => self.secrets.add(Kind::Cookie, value),
                _ => {}
            }
        }
        let mut headers = answer.head.headers.clone();
        if let Some(location) = headers.remove(header::LOCATION) {
            let location = location.to_str().unwrap();
            self.secrets.add_target(location);
            self.put(&Source::Location, location_shown(target, location));
        }
        self.put(&Source::Header, format!("{headers:?}"));
        headers.remove(header::SET_COOKIE);
        for (name, value) in &headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.put(&Source::Header, format!("{name}: {value}"));
        }
        if let Some(rejection) = answer.head.extensions.get::<Rejection>() {
            self.refused.lock().unwrap().insert(rejection.kind().code());
            self.show(rejection);
            self.show(&rejection.kind());
        }
        let text = answer.text();
        match answer.header("content-type") {
            "application/problem+json" => {
                let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
                if let Some(choice) = problem["choice"].as_str() {
                    self.secrets.add(Kind::Choice, choice);
                }
                self.put(&Source::Problem, text);
            }
            "text/html; charset=utf-8" => {
                self.gather_page(&text);
                self.put(&Source::Page, page_shown(target, &text));
            }
            _ => {}
        }
    }

    /// Gathers what WorkOS has mailed, and what it was asked.
    pub(crate) fn gather(&self, world: &World) {
        for mail in world.emulator().outbox() {
            if let Some(link) = mail.link() {
                self.secrets.add_link(link);
            }
            if let Some(code) = mail.code() {
                self.secrets.add(Kind::Code, code);
            }
            self.show(&mail);
        }
        for request in world.emulator().requests() {
            self.secrets.add_target(&request.uri().to_string());
            self.show(&request);
        }
    }

    /// Keeps what a value shows.
    pub(crate) fn show(&self, value: &impl fmt::Debug) {
        self.put(&Source::Shown, format!("{value:?}"));
    }

    /// Keeps what a value says.
    pub(crate) fn say(&self, value: &impl fmt::Display) {
        self.put(&Source::Shown, value.to_string());
    }

    /// Keeps what an error and its sources say.
    pub(crate) fn fail(&self, error: &dyn Error) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.put(&Source::Error, format!("{error} {error:?}"));
            next = error.source();
        }
    }

    /// Keeps what is shown of a success or a failure.
    pub(crate) fn keep<T: fmt::Debug, E: Error>(&self, result: Result<T, E>) -> Result<T, E> {
        match &result {
            Ok(value) => self.show(value),
            Err(error) => self.fail(error),
        }
        result
    }

    /// Keeps what is counted elsewhere.
    pub(crate) fn count(&self, metrics: &PrometheusHandle) {
        self.lines.lock().unwrap().extend(net::counted(metrics));
    }

    /// Keeps each line of a text, since most are the same.
    pub(crate) fn put(&self, source: &Source, text: impl AsRef<str>) {
        let lines = text.as_ref().lines().map(|line| Line {
            source: source.clone(),
            text: line.to_owned(),
        });
        self.lines.lock().unwrap().extend(lines);
    }

    /// Returns the secrets that were put out.
    pub(crate) fn leaks(&self) -> Vec<Leak> {
        let mut lines = net::put_out();
        lines.extend(self.lines.lock().unwrap().iter().cloned());
        net::leaks(&self.secrets.needles(), &lines)
    }

    /// Returns the codes of the refusals that were met.
    pub(crate) fn refused(&self) -> BTreeSet<&'static str> {
        self.refused.lock().unwrap().clone()
    }

    /// Returns the names of the events that were heard.
    pub(crate) fn heard(&self) -> BTreeSet<&'static str> {
        self.heard.lock().unwrap().clone()
    }

    fn gather_page(&self, text: &str) {
        let page = Page::of(text);
        if let Some(letters) = page.text_of("match-code") {
            self.secrets.add(Kind::Letters, letters);
        }
        for link in &page.links {
            self.secrets.add_target(&link.href);
        }
        for form in &page.forms {
            self.secrets.add_target(&form.action);
            for field in &form.fields {
                match field.name.as_str() {
                    "choice" => self.secrets.add(Kind::Choice, &field.value),
                    "t" if field.value.len() > 12 => self.secrets.add(Kind::State, &field.value),
                    _ => {}
                }
            }
        }
    }
}

/// Makes a key ring of a key of each kind, and adds each.
fn ring(secrets: &Secrets) -> KeyRing {
    let mut shared = [0; 32];
    getrandom::fill(&mut shared).unwrap();
    secrets.add(Kind::SigningKey, shared);
    let signing = SigningKey::hs256(shared).unwrap();
    let pem = |algorithm| {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let pem = pair.serialize_pem();
        for line in pem.lines().filter(|line| !line.starts_with('-')) {
            secrets.add(Kind::SigningKey, line.trim_end_matches('='));
        }
        // PKCS #8 has the private key as an octet string of 32 bytes. What stands before it is the
        // same for each key; what stands behind it is random, and may look like another mark.
        let der = pair.serialize_der();
        let at = der.windows(2).position(|pair| pair == [4, 32]).unwrap() + 2;
        secrets.add(Kind::SigningKey, &der[at..at + 32]);
        pem
    };
    let retired = SigningKey::ed25519_pem(pem(&PKCS_ED25519)).unwrap();
    let announced = SigningKey::es256_pem(pem(&PKCS_ECDSA_P256_SHA256)).unwrap();
    let ring = KeyRing::new(signing.with_id("now").unwrap());
    let ring = ring.retire(RetiredKey::new(retired.with_id("old").unwrap()));
    ring.unwrap()
        .announce(announced.with_id("next").unwrap())
        .unwrap()
}

/// Returns a page without what its own request brought: its forms and links go on with that.
fn page_shown(target: &str, page: &str) -> String {
    let query = target.split_once('?').map(|(_, query)| query);
    let pairs = query.unwrap_or_default().split('&');
    let values = pairs.filter_map(|pair| pair.split_once('='));
    let values = values.filter(|(_, value)| value.len() > 12);
    values.fold(page.to_owned(), |page, (_, value)| page.replace(value, ""))
}

/// Returns where a redirect leads to, without what must stand there: what its request brought, the
/// attempt of the check page, and the provider's link that a link of ours has sealed.
fn location_shown(target: &str, location: &str) -> String {
    let is_ours = location.starts_with('/') || location.starts_with(ORIGIN);
    // A provider without a site has the callback for its link.
    let is_sealed = !is_ours || location.starts_with("/auth/callback?");
    if is_sealed && target.starts_with("/auth/open?") {
        return "the provider's link".to_owned();
    }
    let Some((path, query)) = location.split_once('?') else {
        return location.to_owned();
    };
    let is_extra = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = form_urlencoded::parse(pair.as_bytes()).next();
        let is_back = decoded.is_some_and(|(name, value)| name == "return_to" && value == target);
        !is_back && !target.contains(value) && (path, name) != ("/auth/check", "t")
    };
    let extra: Vec<_> = query.split('&').filter(is_extra).collect();
    format!("{path}?{}", extra.join("&"))
}
