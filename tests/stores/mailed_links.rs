//! `MailedLinks` at replicas that share a Redis: one mail, one sign-in, and what holds without it.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, ResponseBody, Session, SignIn, SigningKey,
    mailer::{Mail, MailError, Mailer},
    provider::{Link, MailedLinks},
    revocation::RedisRevocations,
    store::Redis,
    testing::{Browser, Visit},
    throttle::RedisThrottle,
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    redis::{RedisServer, until},
};

type App = BoxCloneSyncService<Request<String>, Response<ResponseBody<String>>, Infallible>;

/// The replicas, by their places in [`Site::replicas`].
const A: usize = 0;
const B: usize = 1;
const LATE: usize = 2;

/// What the replicas of a site share: keys, the mailer, and the Redis.
struct Site {
    keys: KeyRing,
    redis: Redis,
    post: Post,
    replicas: Arc<Mutex<Vec<App>>>,
    events: Arc<Mutex<Vec<String>>>,
}

/// A mailer that keeps the last link and digits.
#[derive(Clone, Default)]
struct Post(Arc<Mutex<Option<(Link, String)>>>);

/// A browser behind a balancer, which sends it to one replica or another.
struct Person {
    browser: Browser,
    turn: Arc<AtomicUsize>,
}

/// What a person has after asking for a mail.
struct Begun {
    link: Link,
    digits: String,
    /// The letters that another browser is asked for.
    letters: String,
    /// Where the digits are typed.
    check: String,
}

impl Mailer for Post {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let (link, code) = (mail.link().unwrap(), mail.code().unwrap());
        let letter = (link.clone(), code.expose().to_owned());
        *self.0.lock().unwrap() = Some(letter);
        Ok(())
    }
}

impl Site {
    /// Makes a site of two replicas.
    async fn at(server: &RedisServer) -> Self {
        let redis = Redis::new(&server.url()).unwrap();
        let site = Self {
            keys: KeyRing::new(SigningKey::generate().unwrap()),
            redis: redis.settle(Duration::from_secs(1)).unwrap(),
            post: Post::default(),
            replicas: Arc::default(),
            events: Arc::default(),
        };
        site.start_replica().await;
        site.start_replica().await;
        site
    }

    /// Starts a replica with connections of its own.
    async fn start_replica(&self) {
        let revocations = RedisRevocations::connect(&self.redis).await.unwrap();
        let heard = self.events.clone();
        let layer = MagicLinkLayer::builder(MailedLinks::new(), self.keys.clone())
            .public_url(ORIGIN)
            .mailer(self.post.clone())
            .sign_in(SignIn::LinkAndCode)
            .throttle(RedisThrottle::new(&self.redis))
            .revocations(revocations)
            .insecure_answer_when_sent()
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")))
            .build()
            .unwrap();
        let app = service_fn(|request: Request<String>| async move {
            let session = request.extensions().get::<Session>().unwrap();
            let told = format!("{} {}", session.id(), session.email());
            Ok::<_, Infallible>(Response::new(told))
        });
        let app = BoxCloneSyncService::new(layer.layer(app));
        self.replicas.lock().unwrap().push(app);
    }

    fn person(&self) -> Person {
        let turn = Arc::new(AtomicUsize::new(A));
        let (replicas, whose) = (self.replicas.clone(), turn.clone());
        let balancer = service_fn(move |request: Request<String>| {
            let replica = replicas.lock().unwrap()[whose.load(Ordering::SeqCst)].clone();
            replica.oneshot(request)
        });
        let browser = Browser::new(balancer, ORIGIN);
        Person { browser, turn }
    }

    /// Has a person ask for a mail at a replica.
    async fn ask(&self, browser: &mut Browser, email: &str) -> Begun {
        browser.get("/reports").await;
        let check = browser.submit_login(email).await;
        let text = check.text();
        let (_, letters) = text.split_once("id=\"match-code\">").expect("letters");
        let (link, digits) = self.post.0.lock().unwrap().take().expect("a mail");
        Begun {
            link,
            digits,
            letters: letters.split_once('<').unwrap().0.to_owned(),
            check: check.path().to_owned(),
        }
    }

    fn heard(&self, kind: &str) -> usize {
        let events = self.events.lock().unwrap();
        let of_kind = events.iter().filter(|event| event.starts_with(kind));
        of_kind.count()
    }
}

impl Person {
    /// Returns the browser, as it goes on at a replica.
    fn at(&mut self, replica: usize) -> &mut Browser {
        self.turn.store(replica, Ordering::SeqCst);
        &mut self.browser
    }
}

/// Opens a link where it was not asked for, and types the letters.
async fn open_elsewhere(browser: &mut Browser, begun: &Begun) -> Visit {
    let asked = browser.open(begun.link.clone()).await;
    assert_eq!(asked.status(), 200, "{}", asked.text());
    browser.submit(&[("code", &begun.letters)]).await
}

async fn type_digits(browser: &mut Browser, check: &str, digits: &str) -> Visit {
    browser.get(check).await;
    browser.submit(&[("code", digits)]).await
}

async fn sign_out(browser: &mut Browser) -> Visit {
    browser.get("/auth/logout").await;
    browser.submit(&[]).await
}

/// Returns the id of the session that the application was asked with.
fn is_in(visit: &Visit, email: &str) -> String {
    let text = visit.text();
    assert_eq!((visit.status().as_u16(), visit.path()), (200, "/reports"));
    let (id, who) = text.split_once(' ').unwrap();
    assert_eq!(who, email);
    id.to_owned()
}

fn is_told(visit: &Visit, trouble: RejectionKind) {
    let text = visit.text();
    assert!(text.contains(trouble.heading()), "{trouble:?}: {text}");
    assert!(!visit.status().is_success(), "{text}");
}

/// The digits were not taken, and the page has their field again.
fn is_asked_again(visit: &Visit) {
    let text = visit.text();
    assert_eq!(visit.status(), 422, "{text}");
    assert!(text.contains("id=\"problem\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_mail_that_one_replica_sent_signs_in_at_the_other_and_is_then_used_at_both() {
    let server = RedisServer::start().await;
    for by_link in [true, false] {
        let site = Site::at(&server).await;
        let mut first = site.person();
        let email = if by_link { ADA } else { EVE };
        let begun = site.ask(first.at(A), email).await;
        let landed = match by_link {
            true => first.at(B).open(begun.link.clone()).await,
            false => type_digits(first.at(B), &begun.check, &begun.digits).await,
        };
        let session = is_in(&landed, email);
        // The session is one at both, and in its browser the link leads on.
        for replica in [A, B] {
            let landed = first.at(replica).open(begun.link.clone()).await;
            assert_eq!(is_in(&landed, email), session);
        }
        let mut other = site.person();
        let told = open_elsewhere(other.at(A), &begun).await;
        is_told(&told, RejectionKind::LinkUsed);
        assert_eq!(other.browser.cookie("__Host-magic-link"), None);
        sign_out(first.at(B)).await;
        // These are the last of the five exchanges that an attempt has.
        for replica in [A, B] {
            let told = first.at(replica).open(begun.link.clone()).await;
            is_told(&told, RejectionKind::LinkUsed);
            is_asked_again(&type_digits(first.at(replica), &begun.check, &begun.digits).await);
        }
        assert_eq!(site.heard("SignedIn {"), 1);
    }
}

/// As the docs of `MailedLinks` say.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn without_redis_a_link_signs_in_once_at_each_replica_and_all_of_them_have_one_session() {
    let mut server = RedisServer::start().await;
    let site = Site::at(&server).await;
    let (mut first, mut other) = (site.person(), site.person());
    let begun = site.ask(first.at(A), ADA).await;
    server.kill();
    let session = is_in(&first.at(B).open(begun.link.clone()).await, ADA);
    let at_a = open_elsewhere(other.at(A), &begun).await;
    assert_eq!(is_in(&at_a, ADA), session, "it is no second session");
    // Each has counted its one.
    for replica in [A, B] {
        let told = open_elsewhere(site.person().at(replica), &begun).await;
        is_told(&told, RejectionKind::LinkUsed);
    }
    assert!(site.heard("ServerLost { store: Throttle }") > 0);

    // Who signs out is out here at once, and everywhere when Redis is back, though it is empty.
    sign_out(first.at(B)).await;
    let asked = first.at(B).get("/reports").await;
    assert!(asked.path().starts_with("/auth/login"), "{}", asked.path());
    server.restart().await;
    until("the other replica knows", async || {
        let asked = other.at(A).get("/reports").await;
        asked.path().starts_with("/auth/login")
    })
    .await;
    // One that starts now has no count of the link, and knows that its session has ended.
    site.start_replica().await;
    for replica in [A, B, LATE] {
        let told = first.at(replica).open(begun.link.clone()).await;
        is_told(&told, RejectionKind::LinkUsed);
        let told = open_elsewhere(site.person().at(replica), &begun).await;
        is_told(&told, RejectionKind::LinkUsed);
    }
}

/// A throttle that fails has digits refused. `RedisThrottle` counts on, in each process.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn without_redis_digits_have_five_guesses_at_each_replica_and_what_was_taken_before_counts() {
    let mut server = RedisServer::start().await;
    let site = Site::at(&server).await;
    let mut person = site.person();
    let begun = site.ask(person.at(A), ADA).await;
    let wrong = match begun.digits.as_str() {
        "000000" => "111111",
        _ => "000000",
    };
    // Two at A while Redis is there, three more without it.
    for number in 0..5 {
        if number == 2 {
            server.kill();
        }
        is_asked_again(&type_digits(person.at(A), &begun.check, wrong).await);
    }
    let told = type_digits(person.at(A), &begun.check, &begun.digits).await;
    is_told(&told, RejectionKind::TooManyTries);
    // The other one was granted none of them.
    for _ in 0..4 {
        is_asked_again(&type_digits(person.at(B), &begun.check, wrong).await);
    }
    let landed = type_digits(person.at(B), &begun.check, &begun.digits).await;
    is_in(&landed, ADA);
}
