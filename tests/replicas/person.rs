//! A person in front of a balancer: each request goes to the replica that the test says.

use std::collections::BTreeMap;

use reqwest::{Client, Method, Response};

use crate::{
    names::ORIGIN,
    site::{Replica, client},
};

/// A browser: it knows one origin, whoever answers for it.
pub(crate) struct Person {
    http: Client,
    jar: BTreeMap<String, String>,
}

impl Person {
    pub(crate) fn new() -> Self {
        Self {
            http: client(),
            jar: BTreeMap::new(),
        }
    }

    pub(crate) async fn get(&mut self, at: &Replica, path: &str) -> Response {
        self.send(at, Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, at: &Replica, path: &str, form: &str) -> Response {
        self.send(at, Method::POST, path, Some(form.to_owned()))
            .await
    }

    async fn send(
        &mut self,
        at: &Replica,
        method: Method,
        path: &str,
        form: Option<String>,
    ) -> Response {
        let path = path.strip_prefix(ORIGIN).unwrap_or(path);
        let cookies: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = self
            .http
            .request(method, format!("{}{path}", at.origin))
            .header("host", "app.example.com")
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("cookie", cookies.join("; "));
        if let Some(form) = form {
            request = request
                .header("origin", ORIGIN)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form);
        }
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// Returns where a redirect leads.
pub(crate) fn location(answer: &Response) -> String {
    assert!(answer.status().is_redirection(), "{answer:?}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}
