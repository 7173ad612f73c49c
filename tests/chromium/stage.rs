//! An application behind the layer, the sites around it, and the browsers of people and robots.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderMap;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    emulator::{Emulator, EmulatorServer, Endpoint},
    mailer::{Mail, MailError, Mailer},
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{
    chromium::{Chromium, Setup},
    driver::Driver,
    names::ADA,
    site::{APP, MAIL, Sites, WORKOS},
};

/// The session cookie, by its name.
pub(crate) const SESSION: &str = "__Host-magic-link";
/// The cookie that says for a minute that a session was handed out, by its name.
pub(crate) const ARRIVED: &str = "__Host-magic-link-arrived";
/// The cookie that a sign-in is bound to, by its name.
pub(crate) const BROWSER: &str = "__Host-magic-link-browser";
pub(crate) const KNOWN: &str = "__Host-magic-link-known";

/// Who carries the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// A [`Mailer`]: the link is ours.
    Own,
    /// WorkOS: the link is its own.
    WorkOs,
}

/// Both.
pub(crate) const POSTS: [Post; 2] = [Post::Own, Post::WorkOs];

/// Everything that a journey needs.
pub(crate) struct Stage {
    pub(crate) sites: Sites,
    /// The servers' clock, which stands still.
    clock: ManualClock,
    driver: Driver,
    letters: Letters,
    post: Post,
    /// WorkOS's API, which the layer asks without a browser.
    workos: EmulatorServer,
}

/// A mailer that keeps what it is to send.
#[derive(Clone, Default)]
struct Letters(Arc<Mutex<Vec<Letter>>>);

/// What was mailed, as it was mailed.
#[derive(Clone)]
struct Letter {
    to: String,
    link: Option<String>,
    code: Option<String>,
}

impl Stage {
    /// Makes a stage with the default settings.
    pub(crate) async fn new(post: Post) -> Self {
        Self::with(post, |builder| builder).await
    }

    /// Makes a stage with other settings. A request for mail is answered when the mail is there, so
    /// that whoever waits for the answer finds that mail and no earlier one.
    pub(crate) async fn with(post: Post, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let emulator = Emulator::builder().base_url(WORKOS).clock(clock.clone());
        let emulator = emulator.build();
        let workos = emulator.serve(0).await.unwrap();
        let client = WorkOs::new("sk_test", "client_test")
            .and_then(|client| client.base_url(format!("http://127.0.0.1:{}", workos.port())))
            .unwrap();
        let letters = Letters::default();
        let mut builder =
            MagicLinkLayer::builder(client, KeyRing::new(SigningKey::generate().unwrap()))
                .clock(clock.clone())
                .public_url(APP)
                .public_prefix("/public")
                .insecure_answer_when_sent();
        if post == Post::Own {
            builder = builder.mailer(letters.clone());
        }
        let layer = configure(builder).build().unwrap();
        Self {
            sites: Sites::serve(layer, emulator).await,
            clock,
            driver: Driver::start(),
            letters,
            post,
            workos,
        }
    }

    /// Opens a browser that has never been anywhere.
    pub(crate) async fn browser(&self) -> Chromium {
        Chromium::open(&self.driver, &self.sites, Setup::Usual).await
    }

    /// Opens a browser that keeps no cookie.
    pub(crate) async fn browser_without_cookies(&self) -> Chromium {
        Chromium::open(&self.driver, &self.sites, Setup::CookiesBlocked).await
    }

    /// Opens a browser that goes back by its cache or anew, and keeps no living pages.
    pub(crate) async fn browser_without_living_pages(&self) -> Chromium {
        Chromium::open(&self.driver, &self.sites, Setup::NoBackForwardCache).await
    }

    /// Opens a browser in which more can be done while a page is on its way.
    pub(crate) async fn hasty_browser(&self) -> Chromium {
        Chromium::open(&self.driver, &self.sites, Setup::Hasty).await
    }

    /// Lets time pass for the servers. Browsers have a clock of their own.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Returns the link in the last mail to an address.
    pub(crate) fn link_to(&self, address: &str) -> String {
        let link = self.find_link_to(address);
        link.unwrap_or_else(|| panic!("no link was mailed to {address}"))
    }

    /// Returns the link in the last mail to an address, if there is one.
    pub(crate) fn find_link_to(&self, address: &str) -> Option<String> {
        match self.post {
            Post::Own => self.letter_to(address).and_then(|letter| letter.link),
            Post::WorkOs => self.workos.emulator().last_link_to(address),
        }
    }

    /// Returns the code in the last mail to an address.
    pub(crate) fn code_to(&self, address: &str) -> String {
        let code = match self.post {
            Post::Own => self.letter_to(address).and_then(|letter| letter.code),
            Post::WorkOs => self.workos.emulator().last_code_to(address),
        };
        code.unwrap_or_else(|| panic!("no code was mailed to {address}"))
    }

    fn letter_to(&self, address: &str) -> Option<Letter> {
        let letters = self.letters.0.lock().unwrap();
        letters.iter().rfind(|letter| letter.to == address).cloned()
    }

    /// Returns how many mails we sent.
    pub(crate) fn letters(&self) -> usize {
        self.letters.0.lock().unwrap().len()
    }

    /// Returns how many links were redeemed, or tried to be.
    pub(crate) fn exchanges(&self) -> usize {
        self.workos.emulator().count(Endpoint::Token)
    }

    /// Returns how often links of WorkOS were followed.
    pub(crate) fn follows(&self) -> usize {
        self.workos.emulator().count(Endpoint::Confirm)
    }

    /// Returns how many typed codes were redeemed, or tried to be.
    pub(crate) fn code_exchanges(&self) -> usize {
        self.workos.emulator().count(Endpoint::Authenticate)
    }

    /// Makes Ada a member of an organization at WorkOS.
    pub(crate) fn join(&self, id: &str, name: &str) {
        self.workos.emulator().add_membership(ADA, id, name);
    }

    /// Has Ada leave all organizations.
    pub(crate) fn leave_all(&self) {
        self.workos.emulator().clear_memberships(ADA);
    }

    /// Writes a mail with a link into the webmail, and returns where it is read.
    pub(crate) fn mail(&self, link: &str) -> String {
        let url = format!("{MAIL}/inbox");
        let html = page(&format!("<a href=\"{}\">Sign in to Acme</a>", escape(link)));
        self.sites.publish(&url, HeaderMap::new(), html);
        url
    }

    /// Asks for mail, from the page that signing in shall lead to.
    pub(crate) async fn ask(&self, browser: &Chromium, path: &str) {
        browser.goto(path).await;
        browser.shows("Sign in").await;
        browser.fill("email", ADA).await;
        browser.submit().await;
        browser.shows("Check your email").await;
    }

    /// Asks for a link, from the page that it shall lead to, and returns it.
    pub(crate) async fn ask_for_link(&self, browser: &Chromium, path: &str) -> String {
        self.ask(browser, path).await;
        self.link_to(ADA)
    }

    /// Signs a browser in.
    pub(crate) async fn sign_in(&self, browser: &Chromium, path: &str) {
        let link = self.ask_for_link(browser, path).await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives(path).await;
    }

    /// Signs a browser out.
    pub(crate) async fn sign_out(&self, browser: &Chromium) {
        browser.goto("/auth/logout").await;
        browser.shows("Sign out?").await;
        browser.press("Sign out").await;
        browser.shows("You’re signed out").await;
    }
}

impl Mailer for Letters {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let letter = Letter {
            to: mail.to().as_str().to_owned(),
            link: mail.link().map(|link| link.expose().to_owned()),
            code: mail.code().map(|code| code.expose().to_owned()),
        };
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
