//! A request with many header fields ends no proxy.
//!
//! Pinned: HAProxy 2.6 crashed when its question had 102 fields.

use http::Method;

use super::Stage;
use crate::{exchange::exchange, front::Front};

pub(super) async fn many_fields_are_served_or_refused_and_the_next_request_is_served(
    stage: &Stage,
) {
    let person = stage.person().await;
    let authority = stage.running.authority();
    for count in [60, 89, 90, 96, 97, 99, 100, 150] {
        let many: String = (0..count).map(|n| format!("X-{n}: y\r\n")).collect();
        let cookie = format!("{many}Cookie: {}\r\n", person.cookie);
        for (path, fields, status) in [
            ("/page", &cookie, 200),
            ("/page", &many, 401),
            ("/about", &many, 200),
            ("/auth/login", &many, 200),
        ] {
            let line = format!("GET {path} HTTP/1.1");
            let got = exchange(authority, &line, fields, "").await.status;
            // The services of the tests take a hundred fields, and the proxies add some.
            let mut refused = vec![400, 431];
            if stage.front == Front::Envoy {
                // The permit's fields are too many then.
                refused.push(500);
            }
            let is_refused = count > 60 && refused.contains(&got);
            assert!(got == status || is_refused, "{count} to {path}: {got}");
            let served = usize::from(got == 200 && path != "/auth/login");
            assert_eq!(stage.reached.take().len(), served, "{count} to {path}");
        }
        let next = person.request(Method::GET, "/page").send().await.unwrap();
        assert_eq!(next.status(), 200, "after {count}");
        stage.forget();
    }
}
