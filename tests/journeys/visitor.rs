//! A browser, of a person or a robot: it follows redirects from our site to WorkOS's and back, and
//! keeps our cookies.
//!
//! - What a real browser would drop or block is a failure of the test: cookies that are not
//!   `__Host-`, a redirect after a form that the page's `form-action` does not name.
//! - It says where a request comes from as Fetch Metadata has it, or nothing where it is an old
//!   one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use futures_util::future::join;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use url::Url;

use crate::{
    page::{Button, Form},
    site::Site,
};

pub(crate) use self::{
    ask::{Ask, From},
    habits::{Clicks, Habits},
    seen::Seen,
};

mod ask;
mod habits;
mod seen;

const SESSION: &str = "__Host-magic-link";

/// A browser. A clone is another tab of it.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) habits: Habits,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
    history: Arc<Mutex<Vec<Url>>>,
    sessions: Arc<Mutex<BTreeSet<String>>>,
    site: Site,
}

impl Visitor {
    pub(crate) fn new(site: Site, habits: Habits) -> Self {
        Self {
            habits,
            jar: Arc::default(),
            history: Arc::default(),
            sessions: Arc::default(),
            site,
        }
    }

    /// Returns the same browser in another place, with cookies of its own from now on.
    pub(crate) fn apart(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self {
            jar: Arc::new(Mutex::new(jar)),
            history: Arc::default(),
            sessions: Arc::default(),
            ..self.clone()
        }
    }

    /// Opens a page of ours by its address.
    pub(crate) async fn go_to(&self, path: &str) -> Seen {
        self.go(Ask::get(path, From::Nowhere)).await
    }

    /// Clicks a link in a mail that is read in this browser.
    pub(crate) async fn click(&self, link: &str) -> Seen {
        self.go(Ask::get(link, From::Elsewhere)).await
    }

    /// Types into the one form that has the field, and sends it by the button that is just that.
    pub(crate) async fn type_into(&self, seen: &Seen, field: &str, text: &str) -> Seen {
        let page = seen.page();
        let form = page.form_to_type(field);
        let form = form.unwrap_or_else(|| panic!("no field {field} in {}", seen.html));
        self.press(seen, form, form.plain_button(), &[(field, text)])
            .await
    }

    /// Presses a button of a form.
    pub(crate) async fn press(
        &self,
        seen: &Seen,
        form: &Form,
        button: &Button,
        typed: &[(&str, &str)],
    ) -> Seen {
        assert_eq!(form.method, "post");
        let url = seen.ask.url.join(&form.action).unwrap();
        let ask = Ask::post(url.as_str(), form.sent_by(button, typed), From::Ours);
        self.go(Ask {
            allowed: Some(seen.form_action()),
            ..ask
        })
        .await
    }

    /// Follows a link of a page.
    pub(crate) async fn follow(&self, seen: &Seen, href: &str) -> Seen {
        let url = seen.ask.url.join(href).unwrap();
        self.go(Ask::get(url.as_str(), From::Ours)).await
    }

    /// Loads what is seen once more.
    pub(crate) async fn reload(&self, seen: &Seen) -> Seen {
        self.walk(seen.ask.clone()).await
    }

    /// Says who the application takes this visitor for.
    pub(crate) async fn is_known_as(&self) -> Option<String> {
        let home = self.apart().hop(&Ask::get("/", From::Nowhere)).await;
        if home.status != StatusCode::OK {
            return None;
        }
        home.page().text_of("who").map(str::to_owned)
    }

    /// Returns the addresses of a path that were visited, oldest first.
    pub(crate) fn visited(&self, path: &str) -> Vec<Url> {
        let history = self.history.lock().unwrap();
        let found = history.iter().filter(|url| url.path() == path);
        found.cloned().collect()
    }

    /// Returns the names of the cookies that are kept.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.jar.lock().unwrap().keys().cloned().collect()
    }

    /// Gives this browser another one's cookie, or takes it away.
    pub(crate) fn take_cookie_from(&self, other: &Self, name: &str) {
        let cookie = other.jar.lock().unwrap().get(name).cloned();
        let mut jar = self.jar.lock().unwrap();
        match cookie {
            Some(value) => jar.insert(name.to_owned(), value),
            None => jar.remove(name),
        };
    }

    /// Returns the session tokens that were ever set here.
    pub(crate) fn sessions(&self) -> BTreeSet<String> {
        self.sessions.lock().unwrap().clone()
    }

    /// Asks, as this visitor does: once or twice, and loaded again or not.
    pub(crate) async fn go(&self, ask: Ask) -> Seen {
        let seen = match self.habits.clicks {
            Clicks::Once => self.walk(ask).await,
            Clicks::TwiceAtOnce => self.walk_twice(ask).await,
            Clicks::TwiceInARow => {
                self.walk(ask.clone()).await;
                self.walk(ask).await
            }
        };
        if self.habits.reloads {
            return self.reload(&seen).await;
        }
        seen
    }

    /// Asks once, and follows redirects.
    async fn walk(&self, mut ask: Ask) -> Seen {
        for _ in 0..10 {
            let seen = self.hop(&ask).await;
            match self.onward(&seen) {
                Some(next) => ask = next,
                None => return seen,
            }
        }
        panic!("round and round: {ask:?}");
    }

    /// Asks twice in step: neither knows of the other's answer before it sets out.
    async fn walk_twice(&self, ask: Ask) -> Seen {
        let (mut first, mut second) = (Some(ask.clone()), ask);
        for _ in 0..10 {
            let cookies = self.cookie_header();
            let seen = match &first {
                Some(one) if one.is_ours() => {
                    let one = self.send(one, cookies.clone());
                    let two = self.send(&second, cookies);
                    let (one, two) = join(one, two).await;
                    first = self.onward(&one);
                    two
                }
                Some(one) => {
                    // Which of them is the first there must not depend on chance.
                    let one = self.send(one, None).await;
                    first = self.onward(&one);
                    self.send(&second, None).await
                }
                None => self.send(&second, cookies).await,
            };
            match self.onward(&seen) {
                Some(next) => second = next,
                None => {
                    if let Some(first) = first {
                        self.walk(first).await;
                    }
                    return seen;
                }
            }
        }
        panic!("round and round: {second:?}");
    }

    fn onward(&self, seen: &Seen) -> Option<Ask> {
        let location = seen.location().filter(|_| self.habits.follows_redirects)?;
        Some(seen.ask.redirected(location))
    }

    /// Sends one request.
    pub(crate) async fn hop(&self, ask: &Ask) -> Seen {
        self.send(ask, self.cookie_header()).await
    }

    async fn send(&self, ask: &Ask, cookies: Option<HeaderValue>) -> Seen {
        self.history.lock().unwrap().push(ask.url.clone());
        if ask.is_ours() {
            return self.send_to_us(ask, cookies).await;
        }
        assert_eq!(ask.form, None, "no form posts to WorkOS");
        let request = self
            .site
            .http
            .request(ask.method.clone(), ask.url.as_str())
            .headers(ask.headers.clone());
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        assert!(!headers.contains_key(header::SET_COOKIE));
        Seen {
            ask: ask.clone(),
            status,
            headers,
            html: answer.text().await.unwrap(),
        }
    }

    async fn send_to_us(&self, ask: &Ask, cookies: Option<HeaderValue>) -> Seen {
        let body = Full::from(ask.form.clone().unwrap_or_default());
        let mut request = Request::new(body);
        *request.method_mut() = ask.method.clone();
        let path = &ask.url[url::Position::BeforePath..url::Position::AfterQuery];
        *request.uri_mut() = path.parse().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static("app.example.com"));
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"),
        );
        if self.habits.is_modern {
            let from = match ask.from {
                From::Elsewhere => "cross-site",
                From::Nowhere => "none",
                From::Ours => "same-origin",
            };
            headers.insert("sec-fetch-site", HeaderValue::from_static(from));
            headers.insert("sec-fetch-mode", HeaderValue::from_static("navigate"));
            headers.insert("sec-fetch-dest", HeaderValue::from_static("document"));
        }
        if ask.form.is_some() {
            // Our own pages' `Referrer-Policy: no-referrer` makes it null from there too.
            headers.insert(header::ORIGIN, HeaderValue::from_static("null"));
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(header::CONTENT_TYPE, form);
        }
        if let Some(cookies) = cookies {
            headers.insert(header::COOKIE, cookies);
        }
        for (name, value) in &ask.headers {
            headers.insert(name, value.clone());
        }
        let response = self.site.app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        self.keep(&head.headers);
        let body = body.collect().await.unwrap().to_bytes();
        Seen {
            ask: ask.clone(),
            status: head.status,
            headers: head.headers,
            html: String::from_utf8(body.into()).unwrap(),
        }
    }

    fn cookie_header(&self) -> Option<HeaderValue> {
        let jar = self.jar.lock().unwrap();
        let pairs: Vec<_> = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| HeaderValue::try_from(pairs.join("; ")).unwrap())
    }

    fn keep(&self, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            let cookie = cookie::Cookie::parse(value.to_str().unwrap().to_owned()).unwrap();
            let (name, value) = cookie.name_value();
            assert!(name.starts_with("__Host-"), "{name}");
            let is_host = cookie.secure() == Some(true)
                && cookie.path() == Some("/")
                && cookie.domain().is_none();
            assert!(is_host, "{cookie}");
            let is_gone = cookie.max_age().is_some_and(|age| age.is_zero());
            if name == SESSION && !is_gone {
                let mut sessions = self.sessions.lock().unwrap();
                sessions.insert(value.to_owned());
            }
            if !self.habits.keeps_cookies {
                continue;
            }
            let mut jar = self.jar.lock().unwrap();
            if is_gone {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
