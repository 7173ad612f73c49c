//! A browser at servers: any of them may answer.

use std::collections::BTreeMap;

use http::{Method, header};
use http_body_util::Full;

use crate::{answer::Answer, host::Host, site::SESSION};

/// A browser that does not know which host answers.
#[derive(Default)]
pub(crate) struct HostBrowser {
    pub(crate) jar: BTreeMap<String, String>,
}

impl HostBrowser {
    /// Navigates.
    pub(crate) async fn get(&mut self, host: &Host, path: &str) -> Answer {
        let fields = [("sec-fetch-mode", "navigate")];
        self.ask(host, Method::GET, path, &fields, "").await
    }

    /// Posts a form from a page of the same site.
    pub(crate) async fn post(&mut self, host: &Host, path: &str, form: &'static str) -> Answer {
        self.post_from(host, "same-origin", path, form).await
    }

    /// Posts a form from a page of some site, as `Sec-Fetch-Site` has it.
    pub(crate) async fn post_from(
        &mut self,
        host: &Host,
        site: &str,
        path: &str,
        form: &'static str,
    ) -> Answer {
        let fields = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", site),
        ];
        self.ask(host, Method::POST, path, &fields, form).await
    }

    /// Sends any request with the cookies of this browser, and keeps those that the answer sets.
    pub(crate) async fn ask(
        &mut self,
        host: &Host,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        form: &'static str,
    ) -> Answer {
        let mut request = host.request(method, path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let cookies = self.jar.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = host.send(request.body(Full::from(form)).unwrap()).await;
        for (name, (value, max_age)) in answer.cookies() {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert!(answer.header("vary").contains("cookie"), "{path}");
            if max_age == 0 {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }

    pub(crate) fn session_cookie(&self) -> String {
        format!("{SESSION}={}", self.jar[SESSION])
    }
}
