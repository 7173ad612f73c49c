//! A service worker between a page and the layer, after the session has ended: a person sees the
//! sign-in, and a script gets its data or a problem.

use std::{fs, path::Path, time::Duration};

use http::HeaderMap;
use serde_json::{Value, json};
use tower_magic_link::Builder;

use crate::{
    chromium::Chromium,
    names::ADA,
    screens::picture,
    site::{APP, MAIL},
    stage::{Post, SESSION, Stage, page},
    wait::eventually,
};

/// How a worker asks for what it is asked for.
struct Worker {
    name: &'static str,
    /// What it does with an `event`. `isPlain`: a GET, and none of the layer's endpoints.
    handler: &'static str,
    relays: Relays,
}

/// Which forms go through a worker, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relays {
    /// They arrive as they were sent.
    FormsAsTheyAre,
    /// They arrive from the worker, without a word of their page.
    FormsAnew,
    /// None.
    NoForms,
}

const WORKERS: [Worker; 11] = [
    Worker {
        name: "none",
        handler: "",
        relays: Relays::NoForms,
    },
    Worker {
        name: "the-request",
        handler: "event.respondWith(fetch(event.request))",
        relays: Relays::FormsAsTheyAre,
    },
    Worker {
        name: "the-request-with-a-signal",
        handler: "const { signal } = new AbortController();
            event.respondWith(fetch(event.request, { signal }))",
        relays: Relays::FormsAnew,
    },
    // A `fetch` of an address follows redirects, and no browser takes what comes of one for a page.
    // So no worker of this form works for `/auth/`.
    Worker {
        name: "the-address",
        handler: "if (isPlain) event.respondWith(fetch(event.request.url))",
        relays: Relays::NoForms,
    },
    Worker {
        name: "the-address-with-its-headers",
        handler: "const { url, headers } = event.request;
            if (isPlain) event.respondWith(fetch(new Request(url, { headers })))",
        relays: Relays::NoForms,
    },
    Worker {
        name: "a-new-request",
        handler: "const request = new Request(event.request, { credentials: 'include' });
            event.respondWith(fetch(request))",
        relays: Relays::FormsAnew,
    },
    Worker {
        name: "a-new-request-with-a-header-more",
        handler: "const headers = new Headers(event.request.headers);
            headers.set('x-worker', '1');
            event.respondWith(fetch(new Request(event.request, { headers })))",
        relays: Relays::FormsAnew,
    },
    Worker {
        name: "a-new-request-by-cors",
        handler: "event.respondWith(fetch(new Request(event.request, { mode: 'cors' })))",
        relays: Relays::FormsAnew,
    },
    // A form without its `Content-Type` is none, so no worker of this form works for forms.
    Worker {
        name: "a-new-request-with-other-headers",
        handler: "const headers = { 'x-worker': '1' };
            if (isPlain) event.respondWith(fetch(new Request(event.request, { headers })))",
        relays: Relays::NoForms,
    },
    Worker {
        name: "the-cache-first",
        handler: "if (isPlain) event.respondWith((async () => {
                const cache = await caches.open('pages');
                const known = await cache.match(event.request);
                if (known) return known;
                const answer = await fetch(event.request);
                if (answer.ok) await cache.put(event.request, answer.clone());
                return answer;
            })())",
        relays: Relays::NoForms,
    },
    Worker {
        name: "the-preload",
        handler: "if (isPlain) event.respondWith(
                (async () => await event.preloadResponse || fetch(event.request))())",
        relays: Relays::NoForms,
    },
];

/// The longest that a session lasts.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

const ENDED: &str = "You’re not signed in";

impl Worker {
    /// Puts somebody's browser, who is signed in, behind the worker.
    async fn before(&self, stage: &Stage) -> Chromium {
        let browser = stage.browser().await;
        stage.sign_in(&browser, "/reports").await;
        let url = format!("{APP}/public/page");
        let html = page("<h1>A public page</h1>");
        stage.sites.publish(&url, HeaderMap::new(), html);
        browser.goto(&url).await;
        if self.handler.is_empty() {
            return browser;
        }
        let script = format!("{APP}/public/{}.js", self.name);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/javascript".parse().unwrap());
        headers.insert("service-worker-allowed", "/".parse().unwrap());
        stage.sites.publish(&script, headers, self.script());
        let register = format!("navigator.serviceWorker.register('{script}', {{ scope: '/' }})");
        browser.run(&register).await.unwrap();
        eventually(self.name, async || {
            let script = "return navigator.serviceWorker.controller !== null";
            (browser.run(script).await.ok()? == true).then_some(())
        })
        .await;
        browser
    }

    fn script(&self) -> String {
        let preloads = self.name == "the-preload";
        format!(
            "addEventListener('install', () => skipWaiting());
             addEventListener('activate', (event) => event.waitUntil((async () => {{
                 if ({preloads}) await registration.navigationPreload.enable();
                 await clients.claim();
             }})()));
             addEventListener('fetch', (event) => {{
                 const {{ pathname }} = new URL(event.request.url);
                 const isPlain = event.request.method === 'GET' && !pathname.startsWith('/auth/');
                 {}
             }});",
            self.handler
        )
    }
}

async fn stage() -> Stage {
    Stage::with(Post::Own, Builder::insecure_no_throttle).await
}

/// Keeps a picture of what the browser shows: `target/screens-behind-workers/NAME.png`.
async fn keep(browser: &Chromium, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = folder.join("screens-behind-workers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.png")), picture(browser).await).unwrap();
}

/// Signs in at the form that the browser shows.
async fn sign_in_there(stage: &Stage, browser: &Chromium) {
    browser.fill("email", ADA).await;
    browser.submit().await;
    browser.shows("Check your email").await;
    browser.goto(&stage.link_to(ADA)).await;
    browser.shows(&format!("Hello {ADA}")).await;
}

/// Fetches by a script of the page: the status, the type, and what JSON says of the form.
async fn fetched(browser: &Chromium, options: &str) -> Value {
    let script = format!(
        "window.answer = undefined;
         fetch('/data', {options}).then(async (answer) => {{
             const {{ code, login_url }} = await answer.json();
             window.answer = [answer.status, answer.headers.get('content-type'), code, login_url];
         }}).catch((error) => window.answer = String(error));"
    );
    browser.run(&script).await.unwrap();
    eventually("an answer", async || {
        let answer = browser.run("return window.answer").await.ok()?;
        (!answer.is_null()).then_some(answer)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn behind_a_service_worker_of_any_form_a_person_is_led_to_the_form_and_back() {
    for worker in &WORKERS {
        let stage = stage().await;
        let browser = worker.before(&stage).await;
        browser.goto("/reports").await;
        browser.shows(&format!("Hello {ADA}")).await;
        for (end, path, encoded) in [
            ("expired", "/other?x=1", "/other%3Fx%3D1"),
            ("signed-out", "/another", "/another"),
        ] {
            match end {
                "expired" => stage.pass(YEAR),
                _ => stage.sign_out(&browser).await,
            }
            browser.goto(path).await;
            browser.shows("Sign in").await;
            let form = format!("/auth/login?return_to={encoded}");
            browser.arrives(&form).await;
            keep(&browser, &format!("{end}-{}", worker.name)).await;
            sign_in_there(&stage, &browser).await;
            browser.arrives(path).await;
            assert!(browser.cookie(SESSION).await.is_some(), "{}", worker.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn behind_a_service_worker_of_any_form_a_script_gets_a_problem_and_no_page() {
    for worker in &WORKERS {
        let stage = stage().await;
        let browser = worker.before(&stage).await;
        stage.pass(YEAR);
        for options in ["{}", "{ headers: { accept: 'application/json' } }"] {
            let answer = fetched(&browser, options).await;
            let [status, kind, _, login] = answer.as_array().unwrap().as_slice() else {
                panic!("{}: {answer}", worker.name);
            };
            let problem = json!("application/problem+json");
            assert_eq!((status, kind), (&json!(401), &problem), "{}", worker.name);
            // Back to the page, or to no place. A worker's script is none.
            let form = format!("{APP}/auth/login");
            let forms = [json!(form), json!(format!("{form}?return_to=/public/page"))];
            assert!(forms.contains(login), "{}: {login}", worker.name);
        }
        // The page has not been left.
        browser.arrives("/public/page").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_form_that_is_posted_after_the_session_has_ended_gets_a_page_and_leads_back() {
    for worker in &WORKERS {
        let stage = stage().await;
        let browser = worker.before(&stage).await;
        stage.pass(YEAR);
        let (own, other) = (format!("{APP}/public/form"), format!("{MAIL}/pay"));
        let sent = [
            (&own, "application/x-www-form-urlencoded", "click()"),
            (&own, "multipart/form-data", "click()"),
            (&own, "multipart/form-data", "form.requestSubmit()"),
            // A payment provider's way back.
            (&other, "application/x-www-form-urlencoded", "form.submit()"),
        ];
        for (number, (from, kind, how)) in sent.into_iter().enumerate() {
            let name = format!("{} {kind} {how} from {from}", worker.name);
            let html = page(&format!(
                "<h1>New</h1><form method=post action={APP}/orders enctype={kind}>\
                 <input name=what value=tea><button>Send</button></form>"
            ));
            stage.sites.publish(from, HeaderMap::new(), html);
            browser.goto(&format!("{from}?draft=1")).await;
            browser.shows("New").await;
            let script = format!("document.querySelector('button').{how}");
            browser.leave(&script).await;
            browser.shows(ENDED).await;
            browser.arrives("/orders").await;
            let text = browser.text("body").await.unwrap();
            assert!(
                text.contains("nothing that was sent has been saved"),
                "{name}"
            );
            keep(&browser, &format!("posted-{number}-{}", worker.name)).await;
            let is_known = *from == own && worker.relays != Relays::FormsAnew;
            let (back, page) = match is_known {
                true => (
                    "?return_to=/public/form%3Fdraft%3D1",
                    "/public/form?draft=1",
                ),
                false => ("", "/"),
            };
            browser.press("Sign in").await;
            browser.shows("Sign in").await;
            browser.arrives(&format!("/auth/login{back}")).await;
            if number == 0 || *from == other {
                browser.fill("email", ADA).await;
                browser.submit().await;
                browser.shows("Check your email").await;
                browser.goto(&stage.link_to(ADA)).await;
                browser.arrives(page).await;
                stage.pass(YEAR);
            }
        }
    }
}
