//! The same walk through every host, with one layer in all of them.

use http::{Method, header};
use http_body_util::Full;
use tower_magic_link::{
    MagicLinkLayer,
    emulator::{Emulator, EmulatorServer},
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{
    browser::HostBrowser,
    host::{Host, Kind},
    names::{ADA, ORIGIN},
    site::{SESSION, cookie_of, keys},
};

/// One layer in every host, and the WorkOS that it asks.
struct Fleet {
    hosts: [Host; 4],
    layer: MagicLinkLayer,
    workos: EmulatorServer,
}

impl Fleet {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let emulator = Emulator::builder().clock(clock.clone()).build();
        let workos = emulator.serve(0).await.unwrap();
        let client = WorkOs::new("sk_test", "client_test")
            .and_then(|client| client.base_url(workos.base_url()))
            .unwrap();
        let layer = MagicLinkLayer::builder(client, keys())
            .insecure_no_throttle()
            .public_url(ORIGIN)
            .clock(clock)
            // The mail is read as soon as the answer is there.
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        Self {
            hosts: Host::all(&layer).await,
            layer,
            workos,
        }
    }

    /// Follows the link in the last mail as far as our callback.
    async fn follow_mail(&self) -> String {
        let link = self.workos.emulator().last_link_to(ADA).expect("a mail");
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let answer = http.get(link).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        location
            .strip_prefix(ORIGIN)
            .expect("our callback")
            .to_owned()
    }
}

fn refusal(kind: Kind, code: &str) -> String {
    match kind {
        Kind::Axum => "303 /auth/login?return_to=/hello".to_owned(),
        Kind::Hyper1 | Kind::Hyper2 => format!("401 {code}"),
        Kind::Tonic => "Unauthenticated: sign-in required".to_owned(),
    }
}

#[tokio::test]
async fn one_layer_signs_in_at_any_host_admits_at_every_host_and_signs_out_of_all() {
    let fleet = Fleet::new().await;
    // The link comes back to another host than the one that it was asked of, as behind a load
    // balancer.
    let callbacks = fleet.hosts.iter().cycle().skip(1);
    for (host, other) in fleet.hosts.iter().zip(callbacks) {
        let kind = host.kind;
        assert_eq!(host.greet(None).await, Err(refusal(kind, "no_session")));

        let mut browser = HostBrowser::default();
        let refused = browser.get(host, "/hello?x=1").await;
        let form = refused.location();
        assert_eq!(form, "/auth/login?return_to=/hello%3Fx%3D1", "{kind:?}");
        let page = browser.get(host, &form).await;
        assert_eq!(page.status(), 200, "{kind:?} {}", page.text());
        let posted = browser.post(host, &form, "email=ada%40example.com").await;
        let check = browser.get(host, &posted.location()).await;
        assert!(check.text().contains(ADA), "{kind:?} {}", check.text());

        let callback = fleet.follow_mail().await;
        let landed = browser.get(other, &callback).await;
        assert_eq!(landed.location(), "/hello?x=1", "{kind:?}");

        let cookie = browser.session_cookie();
        let mut greetings = Vec::new();
        for host in &fleet.hosts {
            greetings.push(host.greet(Some(&cookie)).await.unwrap());
        }
        assert!(greetings[0].starts_with("hello ada@example.com of "));
        assert!(
            greetings.iter().all(|greeting| *greeting == greetings[0]),
            "one session at every host: {greetings:?}"
        );

        let out = browser.post(host, "/auth/logout", "").await;
        assert_eq!(out.location(), "/auth/logout", "{kind:?}");
        assert!(!browser.jar.contains_key(SESSION), "{kind:?}");
        for host in &fleet.hosts {
            let replayed = host.greet(Some(&cookie)).await;
            assert_eq!(replayed, Err(refusal(host.kind, "revoked_session")));
        }
    }
}

#[tokio::test]
async fn cookies_that_http_2_splits_over_several_fields_are_read() {
    let fleet = Fleet::new().await;
    let (cookie, session) = cookie_of(&fleet.layer);
    let (other, _) = cookie_of(&fleet.layer);
    let greeting = crate::greeter::greeting(&session);
    let cases = [
        ("a crumb of its own", vec!["a=1", &cookie, "b=2"], Ok(())),
        ("the same crumb twice", vec![&cookie, &cookie], Ok(())),
        (
            "two sessions",
            vec![&cookie, "a=1", &other],
            Err("conflicting_cookies"),
        ),
        (
            "a crumb cut in two",
            vec![SESSION, &cookie[20..]],
            Err("no_session"),
        ),
    ];
    for host in fleet.hosts {
        for (name, crumbs, want) in &cases {
            if host.kind == Kind::Tonic {
                continue;
            }
            let mut request = host.request(Method::GET, "/hello");
            for crumb in crumbs {
                request = request.header(header::COOKIE, *crumb);
            }
            let answer = host.send(request.body(Full::default()).unwrap()).await;
            match want {
                Ok(()) => assert_eq!(answer.text(), greeting, "{name} {:?}", host.kind),
                Err(code) => assert_eq!(answer.code(), *code, "{name} {:?}", host.kind),
            }
        }
    }
}

#[tokio::test]
async fn a_head_request_gets_the_head_of_the_answer_and_no_body() {
    let fleet = Fleet::new().await;
    for host in fleet.hosts {
        let kind = host.kind;
        let ask = async |method: Method, path: &str| {
            let request = host
                .request(method, path)
                .header("sec-fetch-mode", "navigate");
            host.send(request.body(Full::default()).unwrap()).await
        };
        let whole = ask(Method::GET, "/auth/login").await;
        let head = ask(Method::HEAD, "/auth/login").await;
        assert_eq!(head.status(), 200, "{kind:?}");
        assert_eq!(head.body.len(), 0, "{kind:?}");
        let length = whole.body.len().to_string();
        assert_eq!(head.header("content-length"), length, "{kind:?}");
        assert_eq!(head.header("content-type"), whole.header("content-type"));

        let refused = ask(Method::HEAD, "/hello").await;
        assert_eq!(
            refused.location(),
            "/auth/login?return_to=/hello",
            "{kind:?}"
        );
        for path in ["/auth/check?a=%zz", "/auth/session", "/auth/callback"] {
            let head = ask(Method::HEAD, path).await;
            assert_eq!(head.body.len(), 0, "{kind:?} {path}");
        }
        let request = host.request(Method::HEAD, "/hello");
        let refused = host.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(refused.status(), 401, "{kind:?}");
        assert_eq!(refused.body.len(), 0, "{kind:?}");
        let request = host
            .request(Method::HEAD, "/auth/login")
            .header("sec-purpose", "prefetch");
        let refused = host.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(refused.status(), 503, "{kind:?}");
        assert_eq!(refused.body.len(), 0, "{kind:?}");
    }
}
