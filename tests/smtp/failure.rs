//! Mail servers and mailers that fail: a page that says so, nothing in a log, and the next try
//! needs no typing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    Email, KeyRing, MagicLinkLayer, RejectionKind, SigningKey,
    clock::Timestamp,
    mailer::{Mail, MailError, Mailer, SmtpMailer},
    provider::Link,
    testing::{ManualClock, StubProvider},
};

use crate::{
    log,
    names::{ADA, EVE, ORIGIN},
    postbox::SENDER,
    scripted::{Mood, Scripted},
    support::{Browser, World, app_of},
};

const TRY_AGAIN: &str = "<input type=\"hidden\" name=\"email\" value=\"ada@example.com\">";

pub(crate) fn mailer(server: &Scripted, login: &str) -> SmtpMailer {
    SmtpMailer::new(format!("smtp://{login}{}", server.address), SENDER).unwrap()
}

#[tokio::test]
async fn a_mail_server_that_fails_is_told_by_a_reason_and_the_next_try_works() {
    log::listen();
    let odd = "the mail server hung up, or sent no valid reply";
    let cases = [
        (Mood::Busy, "no connection to the mail server", Some(421)),
        (Mood::Cuts, odd, None),
        (Mood::Nonsense, odd, None),
    ];
    for (mood, reason, status) in cases {
        let server = Scripted::start(mood).await;
        let world = World::with(|builder| builder.mailer(mailer(&server, ""))).await;
        let mut browser = world.browser();
        let answer = browser
            .post("/auth/login?return_to=/reports", "email=ada@example.com")
            .await;
        assert_eq!(answer.status(), 502, "{mood:?}");
        let page = answer.text();
        assert!(
            page.contains(RejectionKind::MailNotSent.heading()) && page.contains(TRY_AGAIN),
            "{mood:?}"
        );
        assert!(page.contains("return_to=/reports"), "{mood:?}: {page}");
        let heard = world.heard();
        let told = format!("reason: \"{reason}\"");
        assert!(heard.contains(&told), "{mood:?}: {heard}");
        assert!(
            heard.contains(&format!("status: {status:?}")),
            "{mood:?}: {heard}"
        );
        let seen = heard + &log::logged();
        for secret in [ADA, "auth/open", "no such user"] {
            assert!(!seen.contains(secret), "{mood:?}: {seen}");
        }
        server.set(Mood::Good);
        let check = browser
            .post("/auth/login?return_to=/reports", "email=ada@example.com")
            .await;
        assert!(check.location().starts_with("/auth/check?t="), "{mood:?}");
    }
}

/// Whether a mailbox exists, or is full, is nobody else's business.
#[tokio::test]
async fn a_refused_recipient_or_mail_looks_like_one_that_was_sent_and_the_log_knows_better() {
    log::listen();
    let good = Scripted::start(Mood::Good).await;
    let world = World::with(|builder| builder.mailer(mailer(&good, ""))).await;
    let sent = world.browser().ask_for_link(ADA, "/reports").await;
    for (mood, status) in [(Mood::RefusesMail, 552), (Mood::RefusesRecipient, 550)] {
        let server = Scripted::start(mood).await;
        let world = World::with(|builder| builder.mailer(mailer(&server, ""))).await;
        let mut browser = world.browser();
        let page = browser.ask_for_link(ADA, "/reports").await;
        assert_eq!(page.status(), sent.status(), "{mood:?}");
        assert_eq!(page.text().len(), sent.text().len(), "{mood:?}");
        assert!(page.text().contains("check the spelling"), "{mood:?}");
        let heard = world.heard();
        let told = "MailFailed { email: a***@example.com, is_of_recipient: true, reason: ";
        let reason = "reason: \"the mail server refused the mail\"";
        assert!(
            heard.contains(told) && heard.contains(reason),
            "{mood:?}: {heard}"
        );
        assert!(
            heard.contains(&format!("status: Some({status})")),
            "{mood:?}: {heard}"
        );
        assert!(!heard.contains("LinkSent"), "{mood:?}: {heard}");
        let seen = heard + &log::logged();
        for secret in [ADA, "auth/open", "no such user"] {
            assert!(!seen.contains(secret), "{mood:?}: {seen}");
        }
    }
}

#[tokio::test]
async fn a_password_that_the_server_repeats_reaches_no_log() {
    log::listen();
    let server = Scripted::start(Mood::Good).await;
    let mailer = mailer(&server, "ada:hunter2@");
    assert!(!format!("{mailer:?}").contains("hunter2"));
    let world = World::with(|builder| builder.mailer(mailer)).await;
    let answer = world
        .browser()
        .post("/auth/login", "email=ada@example.com")
        .await;
    assert_eq!(answer.status(), 502);
    let heard = world.heard();
    assert!(
        heard.contains("refused the sign-in") && heard.contains("Some(535)"),
        "{heard}"
    );
    assert!(!heard.contains("hunter2") && !log::logged().contains("hunter2"));
    assert_eq!(server.count("MAIL"), 0);
}

#[tokio::test]
async fn a_connection_serves_one_mail_after_another() {
    let server = Scripted::start(Mood::Good).await;
    let mailer = mailer(&server, "");
    for to in [ADA, EVE, ADA] {
        send(&mailer, to).await.unwrap();
    }
    assert_eq!(server.heard.lock().unwrap().len(), 1, "connections");
    assert_eq!((server.count("EHLO"), server.count("DATA")), (1, 3));
}

/// Pins why lettre's own pool is not used: it would hand the connection on, and the answers to the
/// first mail would be taken for those to the second.
#[tokio::test]
async fn a_connection_whose_mail_was_given_up_serves_no_other() {
    let server = Scripted::start(Mood::Good).await;
    let mailer = mailer(&server, "");
    send(&mailer, ADA).await.unwrap();
    server.set(Mood::Stops);
    tokio::select! {
        sent = send(&mailer, ADA) => panic!("{sent:?}"),
        () = server.stopped.notified() => {}
    }
    server.set(Mood::Good);
    server.go.notify_one();
    send(&mailer, EVE).await.unwrap();
    let heard = server.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[1].contains(&format!("RCPT TO:<{EVE}>")), "{heard:?}");
    assert!(!heard[0].iter().any(|line| line.contains(EVE)), "{heard:?}");
}

#[tokio::test]
async fn no_more_connections_are_made_than_the_pool_has() {
    let server = Scripted::start(Mood::Stops).await;
    let mailer = mailer(&server, "").pool_size(2).unwrap();
    let sends = (0..8).map(|_| send(&mailer, ADA));
    let all = futures_util::future::join_all(sends);
    let letting_go = async {
        for _ in 0..8 {
            server.stopped.notified().await;
            assert!(server.heard.lock().unwrap().len() <= 2);
            server.set(Mood::Good);
            server.go.notify_waiters();
            server.go.notify_one();
        }
    };
    let sent = tokio::select! {
        sent = all => sent,
        () = letting_go => panic!("it stops twice at most"),
    };
    assert!(sent.iter().all(Result::is_ok));
    assert!(server.heard.lock().unwrap().len() <= 2);
}

/// Pins: while one connection served all mail, the others stayed open for as long as it did.
#[tokio::test]
async fn a_connection_that_no_mail_has_used_for_a_minute_is_closed_at_the_next_mail() {
    let server = Scripted::start(Mood::Stops).await;
    let mailer = mailer(&server, "");
    let both = futures_util::future::join(send(&mailer, ADA), send(&mailer, EVE));
    let letting_go = async {
        while server.open.load(Ordering::SeqCst) < 2 || server.count("RCPT") < 2 {
            tokio::task::yield_now().await;
        }
        server.set(Mood::Good);
        server.go.notify_waiters();
    };
    let ((one, other), ()) = futures_util::future::join(both, letting_go).await;
    assert!(one.is_ok() && other.is_ok());
    for _ in 0..3 {
        assert_eq!(server.open.load(Ordering::SeqCst), 2);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(25)).await;
        tokio::time::resume();
        send(&mailer, ADA).await.unwrap();
    }
    let closed = async {
        while server.open.load(Ordering::SeqCst) > 1 {
            tokio::task::yield_now().await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(10), closed).await;
    closed.expect("one connection alone");
    assert_eq!(server.heard.lock().unwrap().len(), 2, "connections");
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_hangs_is_given_up_in_time() {
    let server = Scripted::start(Mood::Hangs).await;
    let mailer = mailer(&server, "").timeout(Duration::from_secs(7)).unwrap();
    let begun = tokio::time::Instant::now();
    let error = send(&mailer, ADA).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 7);
    assert_eq!(error.reason(), "the mail server took too long");
}

/// Pins: a kept connection that had died in silence took all the time that a mail has.
#[tokio::test]
async fn a_mail_goes_out_though_the_kept_connections_have_died_in_silence() {
    let server = Scripted::start(Mood::HangsAt("NOOP")).await;
    let mailer = mailer(&server, "");
    let begun = tokio::time::Instant::now();
    send(&mailer, ADA).await.unwrap();
    send(&mailer, ADA).await.unwrap();
    assert_eq!(server.taken.lock().unwrap().len(), 2);
    assert_eq!(begun.elapsed().as_secs(), 2);
}

pub(crate) async fn send(mailer: &SmtpMailer, to: &str) -> Result<(), MailError> {
    let (to, link) = (
        Email::parse(to).unwrap(),
        Link::new("https://app.example.com/x"),
    );
    let mail = Mail::new(&to, Timestamp::from_secs(0)).with_link(&link, Duration::from_secs(900));
    mailer.send(&mail).await
}

/// Hangs the first time, and says too much the second.
#[derive(Clone, Default)]
struct Bad(Arc<AtomicUsize>);

impl Mailer for Bad {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => std::future::pending().await,
            1 => {
                let link = mail.link().map_or("", Link::expose);
                Err(MailError::new(format!("{} {link}", mail.to().as_str())))
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailer_that_hangs_is_given_up_and_one_that_tells_is_not_repeated() {
    log::listen();
    let layer = |seconds: Option<u64>| {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .clock(ManualClock::new())
            .insecure_answer_when_sent()
            .mailer(Bad::default());
        match seconds {
            Some(seconds) => builder.mailer_timeout(Duration::from_secs(seconds)),
            None => builder,
        }
    };
    for (name, seconds, want) in [("default", None, 15), ("set", Some(3), 3)] {
        let mut browser = Browser::new(app_of(&layer(seconds).build().unwrap()), ORIGIN);
        let begun = tokio::time::Instant::now();
        let hung = browser.post("/auth/login", "email=ada@example.com").await;
        assert_eq!(begun.elapsed().as_secs(), want, "{name}");
        let telling = browser.post("/auth/login", "email=ada@example.com").await;
        for answer in [hung, telling] {
            assert_eq!(answer.status(), 502, "{name}");
            let page = answer.text();
            assert!(
                page.contains(RejectionKind::MailNotSent.heading()) && page.contains(TRY_AGAIN)
            );
        }
        let logged = log::logged();
        assert!(
            logged.contains("the mailer took too long") && logged.contains("the mailer failed")
        );
        assert!(
            !logged.contains(ADA) && !logged.contains("auth/open"),
            "{logged}"
        );
        let answer = browser.post("/auth/login", "email=ada@example.com").await;
        assert_eq!(answer.status(), 303, "{name}");
    }
}
