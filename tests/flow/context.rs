//! What a listener learns of the request, the sign-in and the person beside an event.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http::Request;
use tower_magic_link::{
    Builder, PeerAddr,
    emulator::{Endpoint, Fault},
    revocation::Target,
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Browser, World},
};

type Told = BTreeMap<&'static str, String>;

/// What was told of each event, by its name.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<(&'static str, Told)>>>);

impl Ears {
    fn on(&self, builder: Builder) -> Builder {
        let ears = self.clone();
        builder.on_event(move |event, context| {
            let fields = context.fields();
            let told = fields.map(|(name, value)| (name, value.to_string()));
            ears.0.lock().unwrap().push((event.name(), told.collect()));
        })
    }

    /// Returns the context of the only event of a name since the last question.
    fn only(&self, name: &str) -> Told {
        let mut all = self.0.lock().unwrap();
        let mut of: Vec<_> = all.iter().filter(|(other, _)| *other == name).collect();
        assert_eq!(of.len(), 1, "{name}: {all:?}");
        let told = of.remove(0).1.clone();
        all.clear();
        told
    }
}

const PEER: &str = "10.0.0.1:4711";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn world(ears: &Ears) -> World {
    let configure = |builder: Builder| ears.on(builder.trusted_proxies(["10.0.0.1"]));
    World::with(configure).await
}

/// Sends a request as a proxy does that states whose it is.
async fn send(
    browser: &mut Browser,
    mut request: Request<http_body_util::Full<bytes::Bytes>>,
) -> Answer {
    let peer: SocketAddr = PEER.parse().unwrap();
    request.extensions_mut().insert(PeerAddr::from(peer));
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("user-agent", "Browser/1.0 (of a test)"),
        ("x-request-id", "req-1"),
        ("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01")),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    browser.send(request).await
}

fn get(path: &str) -> Request<http_body_util::Full<bytes::Bytes>> {
    Request::get(path)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .body("".into())
        .unwrap()
}

fn post(path: &str, form: &str) -> Request<http_body_util::Full<bytes::Bytes>> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", ORIGIN)
        .body(form.to_owned().into())
        .unwrap()
}

/// Takes what every request of these tests states off, and checks it.
fn without_the_request(mut told: Told, method: &str, path: &str) -> Told {
    for (name, want) in [
        ("client.address", "203.0.113.9"),
        ("http.request.header.x-request-id", "req-1"),
        ("http.request.method", method),
        ("trace_id", TRACE),
        ("url.path", path),
        ("user_agent.original", "Browser/1.0 (of a test)"),
    ] {
        assert_eq!(told.remove(name).as_deref(), Some(want), "{name}");
    }
    told
}

#[tokio::test]
async fn a_sign_in_joins_to_its_mail_and_both_name_who_asked() {
    let ears = Ears::default();
    let world = world(&ears).await;
    let mut browser = world.browser();
    let form = "email=ada%40example.com";
    send(&mut browser, post("/auth/login?return_to=/reports", form)).await;
    let sent = without_the_request(ears.only("link_sent"), "POST", "/auth/login");
    let attempt = sent["attempt.id"].clone();
    assert_eq!(attempt.len(), 22);
    assert_eq!(sent["user.email"], "a***@example.com");
    assert_eq!(sent.len(), 2, "{sent:?}");

    // What fails on the way belongs to the same sign-in.
    let callback = world.follow_mail(ADA).await;
    let fault = Fault::Status(http::StatusCode::BAD_GATEWAY);
    world.emulator().order(Endpoint::Token, fault);
    send(&mut browser, get(&callback)).await;
    for name in ["provider_failed", "refused"] {
        // `only` forgets the others.
        let kept = ears.0.lock().unwrap().clone();
        let told = without_the_request(ears.only(name), "GET", "/auth/callback");
        assert_eq!(told["attempt.id"], attempt, "{name}");
        assert_eq!(told["user.email"], "a***@example.com", "{name}");
        *ears.0.lock().unwrap() = kept;
    }
    ears.0.lock().unwrap().clear();

    send(&mut browser, get(&callback)).await;
    let begun = without_the_request(ears.only("signed_in"), "GET", "/auth/callback");
    assert_eq!(begun["attempt.id"], attempt);
    assert_eq!(begun["user.email"], "a***@example.com");
    assert_eq!(begun.len(), 4, "{begun:?}");

    // The next mail is another sign-in.
    send(&mut browser, post("/auth/login", form)).await;
    let sent = ears.only("link_sent");
    assert_ne!(sent["attempt.id"], attempt);

    // The attempt's id is none of what opens something.
    let cookies: Vec<_> = browser.jar.values().collect();
    let opens = format!("{callback} {cookies:?} {}", begun["session.id"]);
    assert!(!opens.contains(&attempt), "{opens}");

    send(&mut browser, post("/auth/logout", "")).await;
    let ended = without_the_request(ears.only("signed_out"), "POST", "/auth/logout");
    for name in ["session.id", "user.id", "user.email"] {
        assert_eq!(ended[name], begun[name], "{name}");
    }
    assert_eq!(ended.len(), 3, "{ended:?}");
}

#[tokio::test]
async fn a_refused_request_names_the_session_that_it_brought() {
    let ears = Ears::default();
    let world = world(&ears).await;
    let mut browser = world.signed_in(ADA).await;
    let begun = ears.only("signed_in");
    world
        .layer
        .end_sessions(Target::Subject(begun["user.id"].clone()))
        .await
        .unwrap();
    assert_eq!(ears.only("sessions_ended"), Told::new(), "no request asked");
    send(&mut browser.clone(), get("/reports?secret=1")).await;
    let told = without_the_request(ears.only("refused"), "GET", "/reports");
    for name in ["session.id", "user.id", "user.email"] {
        assert_eq!(told[name], begun[name], "{name}");
    }
    assert_eq!(told.len(), 3, "{told:?}");

    browser.jar.clear();
    send(&mut browser, get("/reports")).await;
    let told = without_the_request(ears.only("refused"), "GET", "/reports");
    assert_eq!(told, Told::new(), "nobody");
}

#[tokio::test]
async fn what_a_client_writes_is_bounded_before_a_listener_sees_it() {
    let ears = Ears::default();
    let world = world(&ears).await;
    let long = "x".repeat(300);
    let (path, id) = (format!("/{long}"), "i".repeat(129));
    let trace = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let cases = [
        (
            "path",
            path.as_str(),
            &[][..],
            "url.path",
            Some(&path[..256]),
        ),
        ("path beyond ASCII", "/a/é", &[], "url.path", Some("/a/")),
        (
            "agent",
            "/",
            &[("user-agent", long.as_str())],
            "user_agent.original",
            Some(&long[..256]),
        ),
        (
            "agent with a tab",
            "/",
            &[("user-agent", "a\tb")],
            "user_agent.original",
            None,
        ),
        (
            "agent beyond ASCII",
            "/",
            &[("user-agent", "é")],
            "user_agent.original",
            None,
        ),
        (
            "long id",
            "/",
            &[("x-request-id", &id)],
            "http.request.header.x-request-id",
            None,
        ),
        (
            "empty id",
            "/",
            &[("x-request-id", "")],
            "http.request.header.x-request-id",
            None,
        ),
        (
            "id with a space",
            "/",
            &[("x-request-id", "a b")],
            "http.request.header.x-request-id",
            None,
        ),
        (
            "two ids",
            "/",
            &[("x-request-id", "a"), ("x-request-id", "b")],
            "http.request.header.x-request-id",
            None,
        ),
        (
            "trace",
            "/",
            &[("traceparent", &trace)],
            "trace_id",
            Some(TRACE),
        ),
        (
            "trace in capitals",
            "/",
            &[(
                "traceparent",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            )],
            "trace_id",
            None,
        ),
        (
            "trace of zeros",
            "/",
            &[(
                "traceparent",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            )],
            "trace_id",
            None,
        ),
        (
            "trace and more",
            "/",
            &[(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            )],
            "trace_id",
            None,
        ),
        (
            "trace of later",
            "/",
            &[(
                "traceparent",
                "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            )],
            "trace_id",
            Some(TRACE),
        ),
        ("no trace", "/", &[("traceparent", "x")], "trace_id", None),
    ];
    for (name, path, fields, of, want) in cases {
        let mut request = Request::get(path).body("".into()).unwrap();
        for (field, value) in fields {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request.headers_mut().append(*field, value);
        }
        world.browser().send(request).await;
        let told = ears.only("refused");
        assert_eq!(told.get(of).map(String::as_str), want, "{name}");
    }
    let request = Request::builder().method("X-INVENTED").body("".into());
    world.browser().send(request.unwrap()).await;
    assert!(!ears.only("refused").contains_key("http.request.method"));
}

#[tokio::test]
async fn a_session_that_ends_says_who_ended_it() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    browser.sign_in(&world, EVE, "/").await;
    let heard = world.heard();
    let ended = heard.rsplit("SignedOut").next().unwrap();
    assert!(ended.contains("by: SignIn"), "{ended}");
    browser.post("/auth/logout", "").await;
    let heard = world.heard();
    let ended = heard.rsplit("SignedOut").next().unwrap();
    assert!(ended.contains("by: Owner"), "{ended}");
}
