//! What arrives, by Python's own parser, and that its link signs in.

use tower_magic_link::{ConfigError, RejectionKind, mailer::SmtpMailer};

use crate::{
    log,
    names::{ADA, ORIGIN},
    person::{Person, location},
    postbox::{Got, Postbox, SENDER},
    program::Program,
    support::{Browser, World},
};

async fn world(mailer: SmtpMailer) -> World {
    log::listen();
    World::with(|builder| builder.mailer(mailer).application_name("Acme & Söhne")).await
}

/// Opens a mailed link in the browser that asked for it. Returns where that leads.
pub(crate) async fn open(browser: &mut Browser, link: &str) -> String {
    let ours = link.strip_prefix(ORIGIN).expect("our own link");
    let onward = browser.get(ours).await.location().to_owned();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let callback = http.get(onward).send().await.unwrap();
    let callback = callback.headers()["location"].to_str().unwrap();
    let callback = callback.strip_prefix(ORIGIN).unwrap().to_owned();
    browser.get(&callback).await.location().to_owned()
}

fn check(got: &Got, is_encrypted: bool, login: Option<&str>) {
    assert_eq!(got.said("is_encrypted"), is_encrypted);
    assert_eq!(got.said("login").as_str(), login);
    assert_eq!(got.said("sender"), "sign-in@acme.example");
    assert_eq!(got.said("recipients"), &serde_json::json!([ADA]));
    assert_eq!(got.said("kind"), "multipart/alternative");
    assert_eq!(got.said("defects"), &serde_json::json!([]));
    let fields = [
        ("to", ADA),
        ("from", SENDER),
        ("subject", "Sign in to Acme & Söhne"),
        ("date", "Thu, 01 Jan 2026 00:00:00 +0000"),
        ("auto-submitted", "auto-generated"),
        ("mime-version", "1.0"),
    ];
    for (name, want) in fields {
        assert_eq!(got.fields(name), [want], "{name}");
    }
    for name in ["cc", "bcc", "reply-to", "list-unsubscribe"] {
        assert!(got.fields(name).is_empty(), "{name}");
    }
    let [id] = got.fields("message-id")[..] else {
        panic!("one Message-ID");
    };
    assert!(
        id.starts_with('<') && id.ends_with("@acme.example>"),
        "{id}"
    );
    let link = got.link();
    assert!(link.starts_with("https://app.example.com/auth/open?t="));
    let html = got.part("text/html");
    assert_eq!(html.matches(&format!("href=\"{link}\"")).count(), 2);
    assert!(html.contains("Acme &#38; Söhne"), "{html}");
    assert!(!html.contains("<img") && !html.contains("src="), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn a_mail_arrives_whole_and_its_link_signs_in() {
    let cases = [
        ("plaintext", "none", "smtp", None),
        (
            "plaintext, with a login",
            "none",
            "smtp",
            Some("ada:p@ss/é"),
        ),
        ("STARTTLS", "starttls", "smtp+starttls", None),
        (
            "STARTTLS, with a login",
            "starttls",
            "smtp+starttls",
            Some("ada:p@ss/é"),
        ),
        ("TLS", "wrapped", "smtps", None),
        ("TLS, with a login", "wrapped", "smtps", Some("ada:p@ss/é")),
    ];
    for (name, tls, scheme, login) in cases {
        let mut postbox = Postbox::start(tls, "localhost", login);
        let encoded = login.map_or("", |_| "ada:p%40ss%2F%C3%A9@");
        let world = world(postbox.mailer(scheme, encoded)).await;
        let (mut ids, mut threads) = (Vec::new(), Vec::new());
        // The second mail goes over the connection of the first.
        for way in ["/reports", "/"] {
            let mut browser = world.browser();
            browser.ask_for_link(ADA, way).await;
            let got = postbox.mail();
            check(&got, tls != "none", login.map(|_| "ada"));
            assert_eq!(open(&mut browser, got.link()).await, way, "{name}");
            ids.push(got.fields("message-id")[0].to_owned());
            threads.push(got.fields("references")[0].to_owned());
        }
        assert_ne!(ids[0], ids[1], "{name}");
        // Gmail joins mails that share a reference, and hides the newer one.
        assert_ne!(threads[0], threads[1], "{name}");
        assert!(!ids.iter().any(|id| threads.contains(id)), "{name}");
        assert!(world.emulator().outbox().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn a_server_that_is_not_the_right_one_gets_no_mail_and_no_password() {
    const LOGIN: &str = "ada:hunter2@";
    type Make = fn(&Postbox) -> Result<SmtpMailer, ConfigError>;
    let untrusted: Make = |postbox| SmtpMailer::new(postbox.url("smtps", LOGIN), SENDER);
    let cases = [
        (
            "certificate not trusted",
            ("wrapped", "localhost"),
            untrusted,
            "the mail server's TLS or certificate is invalid",
            None,
        ),
        (
            "certificate of another name",
            ("wrapped", "mail.example.com"),
            |postbox: &Postbox| Ok(postbox.mailer("smtps", LOGIN)),
            "the mail server's TLS or certificate is invalid",
            None,
        ),
        (
            "certificate of another name by STARTTLS",
            ("starttls", "mail.example.com"),
            |postbox: &Postbox| Ok(postbox.mailer("smtp+starttls", LOGIN)),
            "the mail server's TLS or certificate is invalid",
            None,
        ),
        (
            "no STARTTLS",
            ("none", "localhost"),
            |postbox: &Postbox| Ok(postbox.mailer("smtp+starttls", LOGIN)),
            "the mail server offers no STARTTLS",
            None,
        ),
        (
            "wrong password",
            ("wrapped", "localhost"),
            |postbox: &Postbox| Ok(postbox.mailer("smtps", LOGIN)),
            "the mail server refused the sign-in",
            Some(535),
        ),
    ];
    for (name, (tls, host), mailer, reason, status) in cases {
        let postbox = Postbox::start(tls, host, Some("ada:another"));
        let world = world(mailer(&postbox).unwrap()).await;
        let answer = world
            .browser()
            .post("/auth/login", "email=ada@example.com")
            .await;
        assert_eq!(answer.status(), 502, "{name}");
        assert!(
            answer.text().contains(RejectionKind::MailNotSent.heading()),
            "{name}"
        );
        let heard = world.heard();
        assert!(heard.contains(reason), "{name}: {heard}");
        assert!(
            heard.contains(&format!("status: {status:?}")),
            "{name}: {heard}"
        );
        for secret in ["hunter2", ADA, "auth/open"] {
            assert!(
                !heard.contains(secret) && !log::logged().contains(secret),
                "{name}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn a_recipient_that_the_server_refuses_is_told_to_the_log_alone_by_its_code() {
    let postbox = Postbox::start("none", "localhost", None);
    let world = world(postbox.mailer("smtp", "")).await;
    let page = world
        .browser()
        .ask_for_link("nobody-at-all@example.com", "/")
        .await;
    assert_eq!(page.status(), 200);
    let page = page.text();
    assert!(
        page.contains("name=\"email\" value=\"nobody-at-all@example.com\""),
        "{page}"
    );
    let heard = world.heard() + &log::logged();
    assert!(
        heard.contains("refused the mail") && heard.contains("550"),
        "{heard}"
    );
    assert!(!heard.contains("nobody-at-all"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn the_custom_mail_example_mails_and_signs_a_person_in() {
    let mut postbox = Postbox::start("none", "localhost", None);
    let url = postbox.url("smtp", "");
    let mut program = Program::example("custom_mail", &[("SMTP_URL", &url)]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.ask_for_link(&login).await;
    let got = postbox.mail();
    assert_eq!(got.fields("subject"), ["Sign in to Acme"]);
    let home = person.follow(got.link()).await;
    let page = person.get(&home).await.text().await.unwrap();
    assert_eq!(page, "hello ada@example.com\n");
}
