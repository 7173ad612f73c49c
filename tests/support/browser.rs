//! A browser: it keeps cookies, says where a request comes from, and follows redirects when told.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use url::Url;

use super::{App, World};

/// A browser at one site.
#[derive(Clone)]
pub(crate) struct Browser {
    app: App,
    origin: String,
    /// Where the forms of the page that is shown may lead, by its policy.
    form_action: String,
    /// The domain of the session cookie, where it has one.
    pub(crate) cookie_domain: Option<&'static str>,
    /// The cookies that it keeps.
    pub(crate) jar: BTreeMap<String, String>,
    watch: Option<Arc<Watch>>,
}

/// Looks at an answer, beside the target of its request.
pub(crate) type Watch = dyn Fn(&str, &Answer) + Send + Sync;

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a page without what only keeps its words on one line: what a person reads.
    pub(crate) fn read(&self) -> String {
        let text = self.text();
        let mut parts = text.split("<span class=\"whole\">");
        let mut read = parts.next().unwrap_or_default().to_owned();
        read.extend(parts.map(|part| part.replacen("</span>", "", 1)));
        read.replace("&#160;", " ")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.head
            .headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status(), 303, "{}", self.text());
        self.header("location")
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let cookies = self.head.headers.get_all(header::SET_COOKIE).iter();
        cookies
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the code of the problem that a program was told.
    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Browser {
    pub(crate) fn new(app: App, origin: &str) -> Self {
        Self {
            app,
            origin: origin.to_owned(),
            form_action: String::new(),
            cookie_domain: None,
            jar: BTreeMap::new(),
            watch: None,
        }
    }

    /// Shows each answer to somebody.
    pub(crate) fn watched(mut self, watch: impl Fn(&str, &Answer) + Send + Sync + 'static) -> Self {
        self.watch = Some(Arc::new(watch));
        self
    }

    /// Navigates, without following a redirect.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.navigate(Method::GET, path, None).await
    }

    /// Posts a form from a page of the same site, without following a redirect.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let allowed = self.form_action.clone();
        let answer = self.navigate(Method::POST, path, Some(form)).await;
        // Chromium and WebKit hold the page's `form-action` against redirects too
        // (w3c/webappsec-csp#8).
        if answer.status().is_redirection() {
            let to = Url::parse(&self.origin).unwrap().join(answer.location());
            let to = to.unwrap().origin().ascii_serialization();
            let is_allowed = to == self.origin || allowed.split(' ').any(|origin| origin == to);
            assert!(is_allowed, "{to} is not in {allowed:?}");
        }
        answer
    }

    /// Follows redirects within the site, to the first answer that is none.
    pub(crate) async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            if !answer.status().is_redirection() {
                return answer;
            }
            let location = answer.location().to_owned();
            answer = self.get(&location).await;
        }
        panic!("more than ten redirects");
    }

    /// Asks for a link: form, post, check page.
    pub(crate) async fn ask_for_link(&mut self, email: &str, return_to: &str) -> Answer {
        let form = self
            .get(&format!("/auth/login?return_to={return_to}"))
            .await;
        assert_eq!(form.status(), 200, "{}", form.text());
        let email: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        let answer = self
            .post(
                &format!("/auth/login?return_to={return_to}"),
                &format!("email={email}"),
            )
            .await;
        self.follow(answer).await
    }

    /// Signs in by mail, and returns the page that it was about.
    pub(crate) async fn sign_in(&mut self, world: &World, email: &str, return_to: &str) -> Answer {
        self.ask_for_link(email, return_to).await;
        let callback = world.follow_mail(email).await;
        let answer = self.get(&callback).await;
        self.follow(answer).await
    }

    /// Sends any request with the cookies of this browser, and keeps those that the answer sets.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        let cookies: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            let cookies = HeaderValue::try_from(cookies.join("; ")).unwrap();
            request.headers_mut().append(header::COOKIE, cookies);
        }
        let target = request.uri().to_string();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        self.keep(&head.headers);
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { head, body };
        if let Some(watch) = &self.watch {
            watch(&target, &answer);
        }
        answer
    }

    async fn navigate(&mut self, method: Method, path: &str, form: Option<&str>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "app.example.com")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("sec-fetch-mode", "navigate");
        if form.is_some() {
            request = request
                .header("sec-fetch-site", "same-origin")
                .header("origin", &self.origin)
                .header("content-type", "application/x-www-form-urlencoded");
        }
        let body = Full::from(form.unwrap_or_default().to_owned());
        let answer = self.send(request.body(body).unwrap()).await;
        let policy = answer.header("content-security-policy");
        let directive = policy
            .split("; ")
            .find(|part| part.starts_with("form-action"));
        if let Some(directive) = directive {
            self.form_action = directive.to_owned();
        }
        answer
    }

    /// Keeps cookies as a browser does; one that a browser would drop is a failure of the test.
    pub(crate) fn keep(&mut self, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            // A shared cache must not keep it (CVE-2025-64762): every answer of every walk is
            // looked at here.
            assert_eq!(headers.get_all(header::CACHE_CONTROL).iter().count(), 1);
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            let fields = headers.get_all(header::VARY).iter();
            let mut names = fields.flat_map(|field| field.to_str().unwrap().split(", "));
            assert!(names.any(|name| name == "cookie"), "{headers:?}");
            let cookie = cookie::Cookie::parse(value.to_str().unwrap().to_owned()).unwrap();
            let (name, value) = cookie.name_value();
            let is_secure = Url::parse(&self.origin).unwrap().scheme() == "https";
            let is_wide = self.cookie_domain.is_some() && name == "__Secure-magic-link";
            let domain = self.cookie_domain.filter(|_| is_wide);
            assert_eq!(name.starts_with("__Host-"), is_secure && !is_wide, "{name}");
            assert_eq!(cookie.secure().unwrap_or(false), is_secure, "{name}");
            assert_eq!(
                (cookie.path(), cookie.domain()),
                (Some("/"), domain),
                "{name}"
            );
            assert_eq!(cookie.http_only(), Some(true), "{name}");
            assert_eq!(cookie.same_site(), Some(cookie::SameSite::Lax), "{name}");
            assert!(name.len() + value.len() <= 4_096, "{name} is too large");
            if cookie.max_age().is_some_and(|age| age.is_zero()) {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
