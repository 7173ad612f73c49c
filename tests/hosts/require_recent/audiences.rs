//! What each audience is told when a recent sign-in is wanted.

use super::*;

#[tokio::test]
async fn every_audience_hears_that_a_recent_sign_in_is_wanted_in_its_own_language() {
    const HTMX: &[(&str, &str)] = &[
        ("hx-request", "true"),
        ("hx-current-url", "https://app.example.com/page?x=1"),
    ];
    let post = || Request::post("/x").body(Full::default()).unwrap();
    type Case = (
        &'static str,
        Request<Full<Bytes>>,
        u16,
        &'static str,
        &'static [(&'static str, &'static str)],
    );
    let cases: [Case; 10] = [
        (
            "document",
            document("/x?y=1"),
            303,
            "",
            &[("location", "/auth/login?return_to=/x%3Fy%3D1")],
        ),
        (
            "program",
            program("/x"),
            401,
            "recent_sign_in_required",
            &[],
        ),
        (
            "posted form",
            with(post(), &[("sec-fetch-mode", "navigate")]),
            401,
            "",
            &[
                ("content-type", "text/html; charset=utf-8"),
                ("location", ""),
                (
                    "www-authenticate",
                    "MagicLink login_url=\"https://app.example.com/auth/login\", \
                     Bearer realm=\"https://app.example.com\"",
                ),
            ],
        ),
        (
            "posted by a script",
            with(post(), &[("sec-fetch-mode", "cors")]),
            401,
            "recent_sign_in_required",
            &[],
        ),
        (
            "htmx",
            with(program("/part"), HTMX),
            401,
            "recent_sign_in_required",
            &[("hx-redirect", "/auth/login?return_to=/page%3Fx%3D1")],
        ),
        (
            "websocket",
            with(program("/x"), &[("upgrade", "websocket")]),
            401,
            "recent_sign_in_required",
            &[("location", "")],
        ),
        (
            "grpc",
            grpc("/a.B/C"),
            200,
            "",
            &[
                ("grpc-status", "16"),
                ("grpc-message", "recent%20sign-in%20required"),
            ],
        ),
        (
            "grpc-web",
            with(post(), &[("content-type", "application/grpc-web+proto")]),
            200,
            "",
            &[("content-type", "application/grpc-web+proto")],
        ),
        (
            "prefetch",
            with(document("/x"), &[("sec-purpose", "prefetch")]),
            503,
            "prefetch",
            &[("location", "")],
        ),
        (
            "preflight",
            with(
                Request::options("/x").body(Full::default()).unwrap(),
                &[
                    ("origin", "https://other.example"),
                    ("access-control-request-method", "PUT"),
                ],
            ),
            200,
            "",
            &[],
        ),
    ];
    for (name, request, status, code, fields) in cases {
        let (layer, cookie, session) = aged(60 * MINUTE);
        let answer = ask(&layer, with_cookie(request, &cookie)).await;
        assert_eq!(answer.status(), status, "{name}: {}", answer.text());
        if !code.is_empty() {
            assert_eq!(answer.code(), code, "{name}");
        }
        for (field, want) in fields {
            assert_eq!(answer.header(field), *want, "{name} {field}");
        }
        assert_eq!(
            answer.header("set-cookie"),
            "",
            "{name}: the session lives on"
        );
        assert!(!answer.text().contains(&greeting(&session)), "{name}");
        if name != "preflight" {
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
            let rejection = answer.head.extensions.get::<Rejection>().unwrap();
            assert_eq!(
                rejection.kind(),
                RejectionKind::RecentSignInRequired,
                "{name}"
            );
        }
        if name == "grpc-web" {
            let frame = answer.text();
            assert!(frame.contains("grpc-status:16\r\ngrpc-message:recent%20sign-in%20required"));
        }
    }
}
