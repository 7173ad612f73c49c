//! A sign-in in German and in Arabic, over real HTTP: the pages, the mail, another browser.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use reqwest::{Client, Response, redirect::Policy};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SigningKey,
    language::Words,
    mailer::{Mail, MailError, Mailer},
    provider::MailedLinks,
    testing::ManualClock,
};

use crate::names::ADA;

/// A mail as it was sent.
#[derive(Clone, Debug)]
struct Sent {
    language: Option<String>,
    words: String,
    link: String,
    subject: String,
    text: String,
    html: String,
}

#[derive(Clone, Default)]
struct Reader(Arc<Mutex<Vec<Sent>>>);

impl Mailer for Reader {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        self.0.lock().unwrap().push(Sent {
            language: mail.language().map(str::to_owned),
            words: mail.words().tag().to_owned(),
            link: mail.link().unwrap().expose().to_owned(),
            subject: mail.subject(),
            text: mail.text(),
            html: mail.html(),
        });
        Ok(())
    }
}

impl Reader {
    fn last(&self) -> Sent {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

/// An application on a socket.
struct Site {
    origin: String,
    reader: Reader,
}

impl Site {
    async fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let reader = Reader::default();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(MailedLinks::new(), keys)
            .public_url(&origin)
            .application_name("Acme")
            .mailer(reader.clone())
            .insecure_answer_when_sent();
        let layer = configure(builder).build().unwrap();
        let home = get(async |session: Session| format!("hello {}", session.email()));
        let app = Router::new().route("/", home).layer(layer);
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { origin, reader }
    }

    fn browser(&self, languages: &'static str) -> Browser {
        Browser {
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            origin: self.origin.clone(),
            languages,
            jar: BTreeMap::new(),
        }
    }
}

/// A browser that keeps cookies, and says which languages its person reads.
struct Browser {
    client: Client,
    origin: String,
    languages: &'static str,
    jar: BTreeMap<String, String>,
}

impl Browser {
    async fn get(&mut self, address: &str) -> Response {
        let address = self.absolute(address);
        self.send(self.client.get(address)).await
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.client.post(self.absolute(address)).form(fields);
        self.send(request).await
    }

    fn absolute(&self, address: &str) -> String {
        match address.strip_prefix('/') {
            Some(_) => format!("{}{address}", self.origin),
            None => address.to_owned(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<_> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = request
            .header("accept", "text/html")
            .header("accept-language", self.languages)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookies.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // A removal has no value.
            if !value.is_empty() {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// Opens a link, and returns the page where its redirects end.
    async fn arrive(&mut self, link: &str) -> String {
        let mut address = link.to_owned();
        for _ in 0..5 {
            let response = self.get(&address).await;
            match response.headers().get("location") {
                Some(next) => address = next.to_str().unwrap().to_owned(),
                None => return response.text().await.unwrap(),
            }
        }
        panic!("{address} leads in circles");
    }

    /// Asks for a mail, and returns the page that waits for it.
    async fn ask(&mut self) -> String {
        let sent = self.post("/auth/login", &[("email", ADA)]).await;
        assert_eq!(sent.status(), 303);
        let check = sent.headers()["location"].to_str().unwrap().to_owned();
        let page = self.get(&check).await;
        assert_eq!(page.headers()["content-language"], self.languages);
        page.text().await.unwrap()
    }
}

fn all(builder: Builder) -> Builder {
    builder.languages(Words::all())
}

#[tokio::test]
async fn a_sign_in_is_in_german_from_the_form_to_the_mail() {
    let site = Site::with(all).await;
    let mut browser = site.browser("de");
    let form = browser.get("/auth/login").await;
    assert_eq!(form.headers()["content-language"], "de");
    assert_eq!(form.headers()["cache-control"], "no-store");
    let form = form.text().await.unwrap();
    for said in [
        "<html lang=\"de\">",
        "<title>Anmelden · Acme</title>",
        ">Link per <span class=\"whole\">E-Mail</span> anfordern<",
    ] {
        assert!(form.contains(said), "{said} in {form}");
    }
    let wrong = browser.post("/auth/login", &[("email", "ada")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(
        wrong
            .text()
            .await
            .unwrap()
            .contains("nicht nach einer <span class=\"whole\">E-Mail</span>-Adresse")
    );

    let check = browser.ask().await;
    let email = format!(
        "Link an <strong><bdi>{ADA}</bdi></strong> gesendet. \
         Er ist nur einmal und nur 15&#160;Minuten lang gültig."
    );
    assert!(check.contains(&email), "{check}");
    assert!(
        check.contains("&#34;one&#34;:&#34;{count}\u{a0}Minute&#34;"),
        "{check}"
    );

    let mail = site.reader.last();
    assert_eq!(
        (mail.words.as_str(), mail.language.as_deref()),
        ("de", Some("de"))
    );
    assert_eq!(mail.subject, "Anmelden bei Acme");
    assert!(
        mail.text
            .starts_with("Sie haben eine Anmeldung bei Acme als ada@example.com angefordert.")
    );
    assert!(mail.text.contains(&format!("\n\n{}\n\n", mail.link)));
    assert!(mail.html.contains("<html lang=\"de\">") && mail.html.contains(">Anmelden</a>"));

    // Another browser has pages in its own language.
    let mut other = site.browser("fr");
    let page = other.get(&mail.link).await.text().await.unwrap();
    assert!(
        page.contains("<html lang=\"fr\">")
            && page.contains("<span class=\"whole\">Est-ce</span> bien vous"),
        "{page}"
    );

    let hello = browser.arrive(&mail.link).await;
    assert_eq!(hello, format!("hello {ADA}"));
    let out = browser.get("/auth/logout").await.text().await.unwrap();
    assert!(out.contains(">Überall abmelden<"), "{out}");
}

#[tokio::test]
async fn a_sign_in_is_in_arabic_from_right_to_left() {
    let site = Site::with(all).await;
    let mut browser = site.browser("ar");
    let form = browser.get("/auth/login").await.text().await.unwrap();
    assert!(form.contains("<html lang=\"ar\" dir=\"rtl\">") && form.contains("تسجيل الدخول"));
    let check = browser.ask().await;
    let email = format!("أرسلنا رابطًا إلى <strong><bdi>{ADA}</bdi></strong>.");
    assert!(
        check.contains(&email) && check.contains("خلال 15&#160;دقيقة"),
        "{check}"
    );
    let mail = site.reader.last();
    assert_eq!(mail.subject, "تسجيل الدخول إلى \u{2068}Acme\u{2069}");
    assert!(
        mail.text.contains(&format!("\u{2068}{ADA}\u{2069}")),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains(&format!("\n\n{}\n\n", mail.link)),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("<div dir=\"rtl\"") && mail.html.contains(" dir=\"ltr\">http"));
    let hello = browser.arrive(&mail.link).await;
    assert_eq!(hello, format!("hello {ADA}"));
    let used = site
        .browser("ar")
        .get("/auth/open?t=x")
        .await
        .text()
        .await
        .unwrap();
    assert!(
        used.contains("dir=\"rtl\"") && used.contains("تعذَّرت علينا قراءة هذا الرابط أو النموذج"),
        "{used}"
    );
}

#[tokio::test]
async fn a_new_mail_is_in_the_language_of_the_browser_that_asks_for_it() {
    let clock = ManualClock::new();
    let site = Site::with(|builder| all(builder).clock(clock.clone())).await;
    let mut browser = site.browser("es");
    let check = browser.ask().await;
    assert!(check.contains("<span>30&#160;segundos</span>"), "{check}");
    let (_, rest) = check.split_once("name=\"t\" value=\"").unwrap();
    let attempt = rest.split('"').next().unwrap().to_owned();
    assert_eq!(site.reader.last().words, "es");
    // The person has changed the language of the browser since.
    browser.languages = "ja";
    clock.advance(Duration::from_secs(31));
    let fields = [("email", ADA), ("t", attempt.as_str())];
    let again = browser.post("/auth/login", &fields).await;
    assert_eq!(again.status(), 303);
    let check = again.headers()["location"].to_str().unwrap().to_owned();
    let page = browser.get(&check).await.text().await.unwrap();
    assert!(page.contains("<html lang=\"ja\">"), "{page}");
    assert_eq!(site.reader.last().words, "ja");
}

#[tokio::test]
async fn the_hook_of_the_application_comes_before_the_browser_for_page_and_mail() {
    let hook =
        |builder: Builder| all(builder).language(|head| head.cookie("language").map(str::to_owned));
    let site = Site::with(hook).await;
    let mut browser = site.browser("de");
    browser
        .jar
        .insert("language".to_owned(), "ja-JP".to_owned());
    let form = browser.get("/auth/login").await;
    assert_eq!(form.headers()["content-language"], "ja");
    browser.post("/auth/login", &[("email", ADA)]).await;
    let mail = site.reader.last();
    assert_eq!(
        (mail.words.as_str(), mail.language.as_deref()),
        ("ja", Some("ja-JP"))
    );
    for line in mail.text.lines().filter(|line| *line != mail.link) {
        // A letter of Japanese is as wide as two of English.
        let width: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        assert!(width <= 72, "{line}");
    }
}

#[tokio::test]
async fn an_application_that_sets_no_language_stays_in_english_and_programs_always_do() {
    let site = Site::with(|builder| builder).await;
    let form = site.browser("de").get("/auth/login").await;
    assert!(form.headers().get("content-language").is_none());
    assert!(form.text().await.unwrap().contains("<html lang=\"en\">"));
    let mut browser = site.browser("de");
    browser.post("/auth/login", &[("email", ADA)]).await;
    let mail = site.reader.last();
    assert_eq!(
        (mail.words.as_str(), mail.language.as_deref()),
        ("en", Some("de"))
    );
    assert_eq!(mail.subject, "Sign in to Acme");

    let site = Site::with(all).await;
    let program = Client::new().get(format!("{}/", site.origin));
    let program = program
        .header("accept-language", "de")
        .send()
        .await
        .unwrap();
    assert!(program.headers().get("content-language").is_none());
    let problem: serde_json::Value = program.json().await.unwrap();
    assert_eq!(problem["title"], "Sign-in required");
}
