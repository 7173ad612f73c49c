//! A person at an example, with a client that keeps cookies.

use std::collections::BTreeMap;

use reqwest::{Client, Response, redirect::Policy};

use crate::{names::ADA, program::Program};

/// A client that keeps cookies and follows no redirect.
pub(crate) struct Person {
    http: Client,
    origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Person {
    /// Makes a client of one application.
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            http: Client::builder().redirect(Policy::none()).build().unwrap(),
            origin: origin.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Navigates.
    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let request = self.http.get(self.absolute(url));
        self.send(request).await
    }

    /// Posts a form.
    pub(crate) async fn post(&mut self, url: &str, form: &'static str) -> Response {
        let request = self
            .http
            .post(self.absolute(url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
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

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let answer = request
            .header("accept", "text/html")
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

    fn absolute(&self, url: &str) -> String {
        match url.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.origin),
            None => url.to_owned(),
        }
    }
}

/// Returns where a redirect leads.
pub(crate) fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}
