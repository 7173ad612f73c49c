//! A panic during a sign-in costs one request at most.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, header};
use http_body_util::Full;

use super::{FusedLayer, Who};
use crate::{answer::Answer, names::ORIGIN, site::SESSION};

const ALL: [Who; 11] = [
    Who::Authorize,
    Who::AuthorizeCall,
    Who::Finish,
    Who::Inner,
    Who::Listener,
    Who::LookUp,
    Who::Mailer,
    Who::Pages,
    Who::PendingLookUp,
    Who::Revoke,
    Who::Start,
];

/// A browser that tries again when the server failed.
struct PatientBrowser<'w> {
    fused: &'w FusedLayer,
    jar: BTreeMap<String, String>,
    failures: usize,
}

impl<'w> PatientBrowser<'w> {
    const fn new(fused: &'w FusedLayer) -> Self {
        Self {
            fused,
            jar: BTreeMap::new(),
            failures: 0,
        }
    }

    fn request(&self, method: &str, path: &str) -> Request<Full<Bytes>> {
        let cookies = self.jar.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "));
        let form = if path == "/auth/login" && method == "POST" {
            Full::from("email=ada%40example.com")
        } else {
            Full::default()
        };
        request.body(form).unwrap()
    }

    async fn ask(&mut self, method: &str, path: &str) -> Answer {
        let request = self.request(method, path);
        let mut answer = self.fused.ask(request.clone()).await;
        if answer.status() == 500 {
            self.failures += 1;
            answer = self.fused.ask(request).await;
        }
        for (name, (value, max_age)) in answer.cookies() {
            if max_age == 0 {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }

    async fn ask_for_link(&mut self) -> String {
        assert_eq!(self.ask("GET", "/auth/login").await.status(), 200);
        let check = self.ask("POST", "/auth/login").await.location();
        assert_eq!(self.ask("GET", &check).await.status(), 200);
        let link = self.fused.provider.last_link().unwrap();
        link.expose().strip_prefix(ORIGIN).unwrap().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_request_at_most_and_the_next_try_succeeds() {
    for who in ALL {
        let fused = FusedLayer::new();
        fused.fuse.set(Some(who));
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        // Also where the rule panicked after the code was used up: what it proved is kept.
        let answer = browser.ask("GET", &callback).await;
        assert_eq!(answer.location(), "/", "{who:?}");
        let home = browser.ask("GET", "/private").await;
        assert_eq!(home.text(), "inner", "{who:?}");
        let kept = browser.jar.clone();
        assert_eq!(
            browser.ask("POST", "/auth/logout").await.status(),
            303,
            "{who:?}"
        );
        browser.jar = kept;
        let gone = browser.ask("GET", "/private").await;
        assert!(gone.location().starts_with("/auth/login"), "{who:?}");
        // A listener only hears.
        assert_eq!(
            browser.failures,
            usize::from(who != Who::Listener),
            "{who:?}"
        );
        assert!(!fused.fuse.is_lit(), "{who:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_shares_an_exchange_that_panics_is_told_to_try_again_and_can() {
    // A provider that panics may have redeemed the code before: the page offers a new mail.
    for (who, status) in [
        (Who::Finish, 502),
        (Who::Authorize, 503),
        (Who::AuthorizeCall, 503),
    ] {
        let fused = FusedLayer::new();
        let mut browser = PatientBrowser::new(&fused);
        let callback = browser.ask_for_link().await;
        fused.fuse.set(Some(who));
        let asked = (0..8).map(|_| fused.ask(browser.request("GET", &callback)));
        let all = tokio::time::timeout(Duration::from_secs(60), join_all(asked)).await;
        let mut statuses: Vec<_> = all
            .expect("nobody waits for ever")
            .iter()
            .map(|answer| answer.status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [500, status, status, status, status, status, status, status],
            "{who:?}"
        );
        let location = browser.ask("GET", &callback).await.location();
        assert_eq!(location, "/", "{who:?}");
        assert!(browser.jar.contains_key(SESSION), "{who:?}");
    }
}
