//! Identity headers come from the layer alone, however others are spelled.

use http::HeaderValue;
use tower_magic_link::testing::ManualClock;

use super::{forwarding, handed_on, request, waiting};
use crate::{
    names::ADA,
    site::{as_gateway, builder, cookie_of, spellings, told},
};

#[tokio::test]
async fn spoofed_identity_headers_never_arrive_in_any_spelling() {
    let layers = [
        ("settled", forwarding().build().unwrap()),
        ("pending", waiting(forwarding()).build().unwrap()),
    ];
    for (store, layer) in layers {
        let (cookie, session) = cookie_of(&layer);
        let strange = (String::new(), Vec::new());
        let ours = (cookie, told(&session));
        let cases = [
            ("admitted", "/x", &ours),
            ("public, signed in", "/about", &ours),
            ("public, stranger", "/about", &strange),
        ];
        for (name, path, (cookie, want)) in cases {
            for spelling in spellings() {
                let fields = [
                    ("cookie", cookie.as_str()),
                    (&spelling, "eve"),
                    (&spelling, "mallory"),
                ];
                let headers = handed_on(&layer, request(path, &fields)).await;
                assert_eq!(&as_gateway(&headers), want, "{store}, {name}, {spelling}");
            }
        }
    }
}

#[tokio::test]
async fn other_names_are_the_applications_own() {
    let layer = forwarding().build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    for name in [
        "xauthsubject",
        "x-auth",
        "x-auth-user",
        "x-auth-subjects",
        "x-auth-subject-",
        "x--auth-subject",
        "ax-auth-subject",
        "x-authsubject",
    ] {
        let fields = [("cookie", cookie.as_str()), (name, "theirs")];
        let headers = handed_on(&layer, request("/x", &fields)).await;
        assert_eq!(headers[name], "theirs", "{name}");
    }
}

#[tokio::test]
async fn a_client_cannot_have_the_next_proxy_remove_our_headers() {
    let cases: [(&str, &str, Option<&str>); 12] = [
        ("alone", "x-auth-subject", None),
        (
            "between",
            "close, X-Auth-Subject, keep-alive",
            Some("close, keep-alive"),
        ),
        ("last", "close,x-auth-email", Some("close")),
        ("first", "x-auth-session ,close", Some("close")),
        (
            "all",
            "x-auth-subject,x-auth-email,x-auth-organization,x-auth-session",
            None,
        ),
        ("underscores", "close, x_auth_subject", Some("close")),
        ("quoted", "close, \"x-auth-subject\"", Some("close")),
        ("behind a parameter", "close;x-auth-subject", None),
        ("behind a space", "close x-auth-subject", None),
        (
            "a space that is no space to us",
            "\u{a0}x-auth-subject, close",
            Some("close"),
        ),
        ("another name", "x-auth-user,  te", Some("x-auth-user,  te")),
        (
            "nothing of ours",
            "keep-alive , Close",
            Some("keep-alive , Close"),
        ),
    ];
    let layer = forwarding().build().unwrap();
    let (cookie, session) = cookie_of(&layer);
    for field in ["connection", "trailer"] {
        for (name, list, want) in cases {
            let mut request = request("/x", &[("cookie", &cookie)]);
            let latin: Vec<u8> = list
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect();
            let latin = HeaderValue::from_bytes(&latin).unwrap();
            request.headers_mut().append(field, latin);
            let headers = handed_on(&layer, request).await;
            assert_eq!(
                headers.get(field).map(HeaderValue::as_bytes),
                want.map(str::as_bytes),
                "{field}, {name}"
            );
            assert_eq!(as_gateway(&headers), told(&session), "{field}, {name}");
        }
    }
}

#[tokio::test]
async fn no_address_stands_in_the_debug_output_of_the_headers() {
    let layer = forwarding().build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    let headers = handed_on(&layer, request("/x", &[("cookie", &cookie)])).await;
    assert_eq!(headers["x-auth-email"], ADA);
    assert!(!format!("{headers:?}").contains(ADA));
}

#[tokio::test]
async fn without_the_setting_a_request_passes_as_it_is() {
    let layer = builder(&ManualClock::new()).build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    let fields = [
        ("cookie", cookie.as_str()),
        ("x-auth-email", "theirs"),
        ("connection", "x-auth-email"),
    ];
    let sent = request("/x", &fields);
    let want = sent.headers().clone();
    assert_eq!(handed_on(&layer, sent).await, want);
}
