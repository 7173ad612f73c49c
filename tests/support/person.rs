//! A person at an application that runs as a program, with a client that keeps cookies.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};

use crate::{names::ADA, program::Program};

/// A browser over real HTTP: it keeps cookies and follows no redirect.
#[derive(Clone)]
pub(crate) struct Person {
    http: Client,
    origin: String,
    /// Where the origin is served.
    address: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Person {
    /// Makes a client of one application.
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            http: Client::builder()
                .redirect(Policy::none())
                .timeout(Duration::from_secs(10))
                .build()
                .unwrap(),
            origin: origin.to_owned(),
            address: origin.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Has a server of the origin answer from now on, as a balancer does.
    pub(crate) fn via(&mut self, address: &str) -> &mut Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Navigates.
    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let request = self.request(Method::GET, url);
        self.send(request).await
    }

    /// Posts a form from a page of the origin.
    pub(crate) async fn post(&mut self, url: &str, form: &str) -> Response {
        let request = self
            .request(Method::POST, url)
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        self.send(request).await
    }

    /// Signs in from the form, by the link that the program prints. Returns where that leads.
    pub(crate) async fn sign_in(&mut self, program: &mut Program, form: &str) -> String {
        self.ask_for_link(form).await;
        let link = program.says("sign-in link for ada@example.com: ");
        self.follow(&link).await
    }

    /// Asks for a link.
    pub(crate) async fn ask_for_link(&mut self, form: &str) {
        let page = self.get(form).await.text().await.unwrap();
        assert!(page.contains("name=\"email\""), "{page}");
        let check = location(&self.post(form, "email=ada%40example.com").await);
        let page = self.get(&check).await.text().await.unwrap();
        assert!(page.contains(ADA), "{page}");
    }

    /// Opens a mailed link, the application's own or WorkOS's. Returns where that leads.
    pub(crate) async fn follow(&mut self, link: &str) -> String {
        let mut link = link.to_owned();
        if link.starts_with(&self.origin) {
            link = location(&self.get(&link).await);
        }
        let opened = self.get(&link).await;
        assert_eq!(opened.status(), 302);
        let callback = opened.headers()["location"].to_str().unwrap().to_owned();
        assert!(callback.starts_with(&self.origin), "{callback}");
        location(&self.get(&callback).await)
    }

    /// Returns the cookies, as a request carries them.
    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies.iter();
        let pairs: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let answer = request
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("cookie", self.cookie())
            .send()
            .await
            .unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins a request to the origin, by a path or a whole URL, or to another one.
    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let path = url.strip_prefix(&self.origin).unwrap_or(url);
        if !path.starts_with('/') {
            return self.http.request(method, url);
        }
        let (_, host) = self.origin.split_once("://").unwrap();
        self.http
            .request(method, format!("{}{path}", self.address))
            .header("host", host)
    }
}

/// Returns where a redirect leads.
pub(crate) fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}
