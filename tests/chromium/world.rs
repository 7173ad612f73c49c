//! An application behind the layer, the sites around it, and the browsers of people and robots.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Mail, MailError, Mailer, SigningKey, WorkOs,
    emulator::{Emulator, EmulatorServer, Endpoint},
};

use crate::{
    browser::{Browser, Cookies},
    driver::Driver,
    site::{APP, MAIL, Sites, WORKOS},
};

pub(crate) const ADA: &str = "ada@example.com";
/// The session cookie, by its name.
pub(crate) const SESSION: &str = "__Host-magic-link";
/// The cookie that a sign-in is bound to, by its name.
pub(crate) const BROWSER: &str = "__Host-magic-link-browser";

/// Who carries the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// A [`Mailer`]: the link is ours.
    Own,
    /// WorkOS: the link is its own.
    WorkOs,
}

/// Everything that a journey needs.
pub(crate) struct World {
    pub(crate) sites: Sites,
    driver: Driver,
    letters: Letters,
    post: Post,
    /// WorkOS's API, which the layer asks without a browser.
    workos: EmulatorServer,
}

/// A mailer that keeps what it is to send.
#[derive(Clone, Default)]
struct Letters(Arc<Mutex<Vec<(String, String)>>>);

impl World {
    /// Makes a world with the default settings.
    pub(crate) async fn new(post: Post) -> Self {
        Self::with(post, |builder| builder).await
    }

    /// Makes a world with other settings.
    pub(crate) async fn with(post: Post, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let emulator = Emulator::builder().base_url(WORKOS).build();
        let workos = emulator.serve(0).await.unwrap();
        let client = WorkOs::new("sk_test", "client_test")
            .and_then(|client| client.base_url(format!("http://127.0.0.1:{}", workos.port())))
            .unwrap();
        let letters = Letters::default();
        let mut builder =
            MagicLinkLayer::builder(client, KeyRing::new(SigningKey::generate().unwrap()))
                .public_url(APP)
                .public_prefix("/public");
        if post == Post::Own {
            builder = builder.mailer(letters.clone());
        }
        let layer = configure(builder).build().unwrap();
        Self {
            sites: Sites::serve(layer, emulator).await,
            driver: Driver::start(),
            letters,
            post,
            workos,
        }
    }

    /// Opens a browser that has never been anywhere.
    pub(crate) async fn browser(&self) -> Browser {
        Browser::open(&self.driver, &self.sites, Cookies::Kept).await
    }

    /// Opens a browser that keeps no cookie.
    pub(crate) async fn browser_without_cookies(&self) -> Browser {
        Browser::open(&self.driver, &self.sites, Cookies::Blocked).await
    }

    /// Returns the link in the last mail to an address.
    pub(crate) fn link_to(&self, address: &str) -> String {
        let link = match self.post {
            Post::Own => {
                let letters = self.letters.0.lock().unwrap();
                let mut letters = letters.iter().rev();
                letters
                    .find(|(to, _)| to == address)
                    .map(|(_, link)| link.clone())
            }
            Post::WorkOs => self.workos.emulator().last_link_to(address),
        };
        link.unwrap_or_else(|| panic!("no mail to {address}"))
    }

    /// Returns how many mails we sent.
    pub(crate) fn letters(&self) -> usize {
        self.letters.0.lock().unwrap().len()
    }

    /// Returns how many codes were exchanged, or tried to be.
    pub(crate) fn exchanges(&self) -> usize {
        self.workos.emulator().count(Endpoint::Token)
    }

    /// Writes a mail with a link into the webmail, and returns where it is read.
    pub(crate) fn mail(&self, link: &str) -> String {
        let url = format!("{MAIL}/inbox");
        let html = page(&format!("<a href=\"{}\">Sign in to Acme</a>", escape(link)));
        self.sites.publish(&url, HeaderMap::new(), html);
        url
    }

    /// Asks for a link, from the page that it shall lead to, and returns it.
    pub(crate) async fn ask_for_link(&self, browser: &Browser, path: &str) -> String {
        browser.goto(path).await;
        browser.shows("Sign in").await;
        browser.fill("email", ADA).await;
        browser.press("Email me a link").await;
        browser.shows("Check your email").await;
        self.link_to(ADA)
    }

    /// Signs a browser in.
    pub(crate) async fn sign_in(&self, browser: &Browser, path: &str) {
        let link = self.ask_for_link(browser, path).await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives(path).await;
    }

    /// Signs a browser out.
    pub(crate) async fn sign_out(&self, browser: &Browser) {
        browser.goto("/auth/logout").await;
        browser.shows("Sign out?").await;
        browser.press("Sign out").await;
        browser.shows("You’re signed out").await;
    }
}

impl Mailer for Letters {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let letter = (
            mail.to().as_str().to_owned(),
            mail.link().expect("a link").expose().to_owned(),
        );
        self.0.lock().unwrap().push(letter);
        Ok(())
    }
}

/// Wraps the body of a page.
pub(crate) fn page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Page</title><body>{body}</body></html>"
    )
}

/// Escapes text for an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}
