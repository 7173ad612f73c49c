//! A request without exactly one good token is refused, and the answer names the error.

use tower_magic_link::{RejectionKind, testing::ManualClock};

use super::{ask, bearer, cookie, on, token_of, with_field};
use crate::{
    greeter::{ONCE, greeting},
    site::{builder, document, grpc, program, with_cookie},
};

#[tokio::test]
async fn what_is_not_exactly_one_good_token_is_refused_and_the_cookie_is_not_taken_instead() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, session) = token_of(&layer);
    let (other, _) = token_of(&layer);
    let own = bearer(&token);
    let (conflict, invalid) = (
        Err(RejectionKind::ConflictingCredentials),
        Err(RejectionKind::InvalidSession),
    );
    let none = Err(RejectionKind::NoSession);
    let basic = || "Basic YTpi".to_owned();
    // Beside a good cookie, and without any.
    type Case = (&'static str, Vec<String>, Outcome, Outcome);
    type Outcome = Result<(), RejectionKind>;
    let cases: [Case; 15] = [
        ("plain", vec![own.clone()], Ok(()), Ok(())),
        ("none", vec![], Ok(()), none),
        ("basic", vec![basic()], Ok(()), none),
        (
            "two spaces",
            vec![format!("Bearer  {token}")],
            conflict,
            invalid,
        ),
        ("tab", vec![format!("Bearer\t{token}")], conflict, invalid),
        ("space behind", vec![format!("{own} ")], conflict, invalid),
        (
            "quoted",
            vec![format!("Bearer \"{token}\"")],
            conflict,
            invalid,
        ),
        ("padded", vec![format!("{own}=")], conflict, invalid),
        (
            "list",
            vec![format!("{own}, {}", basic())],
            conflict,
            invalid,
        ),
        ("no token", vec!["Bearer ".into()], conflict, invalid),
        ("scheme alone", vec!["Bearer".into()], conflict, invalid),
        ("forged", vec!["Bearer a.b.c".into()], conflict, invalid),
        ("twice", vec![own.clone(), own.clone()], conflict, conflict),
        (
            "basic and bearer",
            vec![basic(), own.clone()],
            conflict,
            conflict,
        ),
        ("another session", vec![bearer(&other)], conflict, Ok(())),
    ];
    for (name, fields, beside, alone) in cases {
        for (has_cookie, want) in [(true, beside), (false, alone)] {
            let name = format!("{name}, cookie: {has_cookie}");
            let mut request = program("/x");
            for field in &fields {
                request = with_field(request, field);
            }
            if has_cookie {
                request = with_cookie(request, &cookie(&token));
            }
            let answer = ask(&layer, request).await;
            if let Err(kind) = want {
                let got = (answer.status().as_u16(), answer.code());
                assert_eq!(got, (401, kind.to_string()), "{name}");
                assert_eq!(answer.header("set-cookie"), "", "{name}");
            } else {
                assert!(answer.text().starts_with("hello ada@"), "{name}");
            }
        }
    }
    let request = with_field(program("/about"), "Bearer a.b.c");
    let request = with_cookie(request, &cookie(&token));
    assert_eq!(ask(&layer, request).await.text(), "hello nobody");
    let request = with_field(program("/about"), &own);
    let answer = ask(&layer, request).await;
    assert_eq!(answer.text(), greeting(&session));
    assert_eq!(answer.header("vary"), "cookie, authorization");
}

#[tokio::test]
async fn a_refusal_offers_bearer_and_names_an_error_only_to_who_brought_a_token() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, _) = token_of(&layer);
    let offer = r#"Bearer realm="https://app.example.com""#;
    let error = format!(r#"{offer}, error="invalid_token""#);
    let cases = [
        ("nothing", program("/x"), offer),
        ("basic", with_field(program("/x"), "Basic YTpi"), offer),
        (
            "bad cookie",
            with_cookie(program("/x"), &cookie("a.b.c")),
            offer,
        ),
        (
            "bad token",
            with_field(program("/x"), "Bearer a.b.c"),
            &error,
        ),
        ("no token", with_field(program("/x"), "Bearer"), &error),
        (
            "conflict",
            with_cookie(with_field(program("/x"), &bearer(&token)), &cookie("a.b.c")),
            &error,
        ),
        (
            "own endpoint",
            with_field(program("/auth/session"), "Bearer a.b.c"),
            &error,
        ),
    ];
    for (name, request, want) in cases {
        let answer = ask(&layer, request).await;
        let challenges = answer.head.headers.get_all("www-authenticate").iter();
        let challenges: Vec<_> = challenges.map(|it| it.to_str().unwrap()).collect();
        assert_eq!(answer.status(), 401, "{name}");
        assert_eq!(answer.header("vary"), "cookie, authorization", "{name}");
        assert_eq!(challenges.len(), 2, "{name}");
        assert!(challenges[0].starts_with("MagicLink login_url="), "{name}");
        assert_eq!(challenges[1], want, "{name}");
    }
    let refused = ask(&layer, with_field(document("/x"), "Bearer a.b.c")).await;
    assert_eq!(refused.location(), "/auth/login?return_to=/x");
    assert_eq!(refused.header("set-cookie"), "");
    let refused = ask(&layer, with_field(grpc(ONCE), "Bearer a.b.c")).await;
    assert_eq!(refused.header("grpc-status"), "16");
    assert_eq!(refused.header("www-authenticate"), "");
}
