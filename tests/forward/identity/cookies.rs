//! The layer's own cookies do not reach the inner service, and are not overwritten by it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{event::Event, testing::ManualClock};

use super::{forwarding, handed_on, request, waiting};
use crate::site::{builder, cookie_of};

#[tokio::test]
async fn our_cookies_stay_with_the_layer_and_others_pass_byte_for_byte() {
    let layer = forwarding().build().unwrap();
    let (ours, _) = cookie_of(&layer);
    let cases: [(&str, &[&str], &[&str]); 13] = [
        ("alone", &["OURS"], &[]),
        ("between", &["a=1; OURS; b=\"2, 3\""], &["a=1; b=\"2, 3\""]),
        ("first", &["OURS; a=1"], &["a=1"]),
        ("last, tight", &["a=1;b=2;OURS"], &["a=1;b=2"]),
        ("twice", &["OURS; a=1; OURS"], &["a=1"]),
        ("crumbs", &["a=1", "OURS", "b=2"], &["a=1", "b=2"]),
        (
            "the browser's and the return's",
            &["OURS; __Host-magic-link-browser=x; __Host-magic-link-return=y; a=1"],
            &["a=1"],
        ),
        (
            "names that are not ours",
            &[
                "magic-link=1; __host-magic-link=2; __Host-magic-link2=3;  __Host-magic-link=4; =5;; OURS",
            ],
            &["magic-link=1; __host-magic-link=2; __Host-magic-link2=3;  __Host-magic-link=4; =5;"],
        ),
        // The next reader trims the field: these would come to stand first in it.
        (
            "behind ours and two blanks",
            &["OURS;  __Host-magic-link=4"],
            &[],
        ),
        (
            "behind ours and a tab",
            &["OURS;\t__Host-magic-link=4; a=1"],
            &["a=1"],
        ),
        (
            "behind blanks in a field of its own",
            &["a=1; OURS", " \t__Host-magic-link=4"],
            &["a=1"],
        ),
        (
            "behind two that go",
            &["OURS;  __Host-magic-link=4; \t __Host-magic-link-browser=5"],
            &[],
        ),
        (
            "odd bytes elsewhere",
            &["a=1;b = 2 ;; c", "OURS"],
            &["a=1;b = 2 ;; c"],
        ),
    ];
    for (name, fields, want) in cases {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| field.replace("OURS", &ours))
            .collect();
        for path in ["/x", "/about"] {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| ("cookie", field.as_str()))
                .collect();
            let headers = handed_on(&layer, request(path, &fields)).await;
            let got: Vec<_> = headers.get_all("cookie").iter().collect();
            assert_eq!(got, want, "{name}");
        }
    }
}

#[tokio::test]
async fn a_strangers_forged_cookie_does_not_pass_on_a_public_path() {
    let layer = forwarding().build().unwrap();
    let fields = [("cookie", "__Host-magic-link=forged; a=1")];
    let headers = handed_on(&layer, request("/about", &fields)).await;
    assert_eq!(headers["cookie"], "a=1");
}

#[tokio::test]
async fn an_inner_set_cookie_for_one_of_ours_is_dropped_and_told() {
    let cases = [
        (
            "ours",
            "__Host-magic-link=x; Secure; Path=/",
            Some("__Host-magic-link"),
        ),
        (
            "removal",
            "__Host-magic-link=; Max-Age=0",
            Some("__Host-magic-link"),
        ),
        (
            "browser",
            "__Host-magic-link-browser=x",
            Some("__Host-magic-link-browser"),
        ),
        (
            "return",
            "__Host-magic-link-return=x",
            Some("__Host-magic-link-return"),
        ),
        (
            "padded",
            " \t__Host-magic-link\t =x",
            Some("__Host-magic-link"),
        ),
        (
            "nameless",
            "=__Host-magic-link=x",
            Some("__Host-magic-link"),
        ),
        ("theirs", "id=1; Path=/", None),
        ("a longer name", "__Host-magic-link2=x", None),
        ("ours as a value", "id=__Host-magic-link=x", None),
        ("ours as an attribute", "id=1; __Host-magic-link=x", None),
        ("empty", "", None),
    ];
    for (name, set, dropped) in cases {
        for (path, waits) in [
            ("/x", false),
            ("/x", true),
            ("/about", false),
            ("/about", true),
        ] {
            let events = Arc::new(Mutex::new(Vec::new()));
            let heard = events.clone();
            let configured = forwarding().on_event(move |event, _| {
                if let Event::CookieDropped { name } = event {
                    heard.lock().unwrap().push((*name).to_owned());
                }
            });
            let configured = if waits {
                waiting(configured)
            } else {
                configured
            };
            let layer = configured.build().unwrap();
            let service = layer.layer(service_fn(move |_: Request<String>| {
                let response = Response::builder()
                    .header("set-cookie", "kept=1")
                    .header("set-cookie", set);
                let response = response
                    .header("set-cookie", "kept=2")
                    .body(Full::<Bytes>::default());
                std::future::ready(Ok::<_, Infallible>(response.unwrap()))
            }));
            let (cookie, _) = cookie_of(&layer);
            let response = service
                .oneshot(request(path, &[("cookie", &cookie)]))
                .await
                .unwrap();
            let got: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
            let kept: Vec<_> = ["kept=1", set, "kept=2"]
                .into_iter()
                .filter(|set_| dropped.is_none() || *set_ != set)
                .collect();
            assert_eq!(got, kept, "{name}");
            assert_eq!(*events.lock().unwrap(), Vec::from_iter(dropped), "{name}");
        }
    }
}

#[tokio::test]
async fn the_renewed_cookie_is_ours_to_set() {
    let clock = ManualClock::new();
    let hour = std::time::Duration::from_secs(3_600);
    let layer = builder(&clock)
        .forward_identity()
        .idle_timeout(hour)
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    clock.advance(hour / 2);
    let service = layer.layer(service_fn(async |_: Request<String>| {
        let response = Response::builder().header("set-cookie", "__Host-magic-link=theirs");
        Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
    }));
    let response = service
        .oneshot(request("/x", &[("cookie", &cookie)]))
        .await
        .unwrap();
    let got: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(got[0].to_str().unwrap().starts_with("__Host-magic-link=ey"));
}
