//! Which addresses mail is sent to: one plain one, as it was typed, and no other.

use http::StatusCode;
use serde_json::Value;
use tower_magic_link::{
    RejectionKind,
    emulator::{Emulator, Endpoint},
};

use crate::{
    corpora::{corpus, text_of},
    names::ADA,
    support::World,
};

/// Returns the addresses that WorkOS was asked for.
fn asked_for(workos: &Emulator) -> Vec<String> {
    let requests = workos.requests();
    let created = requests
        .iter()
        .filter(|request| request.endpoint() == Some(Endpoint::Create));
    created
        .map(|request| serde_json::from_slice::<Value>(request.body()).unwrap())
        .map(|body| body["email"].as_str().unwrap().to_owned())
        .collect()
}

/// Asks for a link for each text, and returns which of them were taken. The rest read the form
/// again, and nobody is asked for anything.
async fn taken<'t>(world: &World, texts: &[&'t str]) -> Vec<&'t str> {
    let mut taken = Vec::new();
    for text in texts {
        let before = asked_for(world.emulator()).len();
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let mut browser = world.browser();
        let form = browser.get("/auth/login").await;
        assert_eq!(form.status(), 200);
        let answer = browser
            .post("/auth/login", &format!("email={encoded}"))
            .await;
        let asked = asked_for(world.emulator()).split_off(before);
        if answer.status() == StatusCode::SEE_OTHER {
            let [asked] = asked.as_slice() else {
                panic!("{text:?}: {asked:?}");
            };
            assert!(asked.eq_ignore_ascii_case(text.trim()), "{text:?}: {asked}");
            let (local, domain) = asked.split_once('@').unwrap();
            assert!(!domain.contains('@') && domain.contains('.'), "{asked}");
            let is_plain = |c: char| c.is_ascii_graphic() && !"\"(),:;<>@[\\]".contains(c);
            assert!(local.chars().all(is_plain), "{asked}");
            taken.push(*text);
        } else {
            assert_eq!(
                answer.status(),
                StatusCode::UNPROCESSABLE_ENTITY,
                "{text:?}"
            );
            assert!(answer.text().contains("id=\"problem\""), "{text:?}");
            assert!(asked.is_empty(), "{text:?}");
        }
    }
    taken
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_an_address_is_taken_only_if_it_is_a_plain_one() {
    let world = World::with(|builder| builder.insecure_no_throttle()).await;
    let xml = corpus("isemail-tests.xml");
    let cases: Vec<_> = xml
        .split("<test id=")
        .skip(1)
        .map(|case| (text_of(case, "address"), text_of(case, "category")))
        .collect();
    assert_eq!(cases.len(), 164);
    let texts: Vec<_> = cases.iter().map(|(address, _)| address.as_str()).collect();
    let taken = taken(&world, &texts).await;
    for (address, category) in &cases {
        let is_valid = matches!(
            category.as_str(),
            "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN"
        );
        // A host without a dot is nobody's mail domain; whoever types a blank around an address
        // still means it.
        // Four of RFC 5322's characters spell an address within the address.
        let is_routed = address.contains(['%', '!', '?', '=']);
        let want = is_valid && address != "test@io" && !is_routed;
        let is_taken = taken.contains(&address.as_str());
        if is_taken != want {
            assert!(
                is_taken && address.trim_matches([' ', '\t']) != address,
                "{address:?}, {category}: {is_taken}"
            );
        }
    }
    assert!(taken.len() > 20, "{}", taken.len());
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_naughty_string_is_mailed_to_or_breaks_the_form() {
    let world = World::with(|builder| builder.insecure_no_throttle()).await;
    let strings: Vec<String> = serde_json::from_str(&corpus("naughty-strings.json")).unwrap();
    assert_eq!(strings.len(), 515);
    let with_domain: Vec<_> = strings
        .iter()
        .flat_map(|text| {
            [
                text.clone(),
                format!("{text}@example.com"),
                format!("a@{text}"),
            ]
        })
        .collect();
    let texts: Vec<_> = with_domain.iter().map(String::as_str).collect();
    let taken = taken(&world, &texts).await;
    assert!(
        !taken
            .iter()
            .any(|text| strings.iter().any(|bare| bare == text))
    );
}

#[tokio::test]
async fn addresses_that_some_software_would_fold_into_one_are_told_apart_or_refused() {
    let world = World::new().await;
    let refused = [
        "m\u{131}ke@example.com",
        "\u{212a}ate@example.com",
        "stra\u{df}e@example.com",
        "ada\u{ff20}example.com",
        "ada\u{fe6b}example.com",
        "\u{ff41}da@example.com",
    ];
    assert_eq!(taken(&world, &refused).await, Vec::<&str>::new());
    // A case of its own is the same address: the code that WorkOS yields for the other spelling is
    // taken.
    let mut browser = world.browser();
    browser.ask_for_link("ADA@Example.com", "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email(ADA));
    let callback = world.follow_mail("ADA@example.com").await;
    assert_eq!(browser.get(&callback).await.status(), 303);
}

#[tokio::test]
async fn the_domain_that_counts_is_the_one_that_workos_proved_and_it_must_match_whole() {
    let world = World::with(|builder| builder.email_domains(["example.com"])).await;
    let refused = [
        "ada@evil.example@example.com",
        "ada@example.com@evil.example",
        "\"ada@example.com\"@evil.example",
        "ada@evil.example,@example.com",
    ];
    assert_eq!(taken(&world, &refused).await, Vec::<&str>::new());
    // Plain addresses of other domains: the page is the same, and WorkOS is asked for nothing.
    for other in [
        "ada@notexample.com",
        "ada@sub.example.com",
        "ada@example.com.evil.example",
    ] {
        let page = world.browser().ask_for_link(other, "/").await;
        assert_eq!(page.status(), 200, "{other}");
    }
    assert_eq!(asked_for(world.emulator()), Vec::<String>::new());
    for other in [
        "ada@evil.example",
        "ada@example.com.evil.example",
        "ada@notexample.com",
    ] {
        let mut browser = world.browser();
        browser.ask_for_link(ADA, "/").await;
        world
            .emulator()
            .next_profile(move |profile| profile.with_email(other));
        let callback = world.follow_mail(ADA).await;
        let answer = browser.get(&callback).await;
        assert!(answer.status().is_client_error(), "{other}");
        assert!(
            answer
                .text()
                .contains(RejectionKind::OtherAddress.heading()),
            "{other}"
        );
    }
}

#[tokio::test]
async fn an_address_that_some_mail_system_would_route_elsewhere_is_told_on_the_form() {
    let world = World::new().await;
    let refused = [
        "attacker%evil.example@corp.example",
        "evil.example!attacker@corp.example",
        "=?utf-8?q?ceo?=@corp.example",
        "SRS0=Dm7G=JR=evil.example=attacker@corp.example",
        "IMCEASMTP-attacker+40evil+2Eexample@corp.example",
        "-ada@corp.example",
    ];
    assert_eq!(taken(&world, &refused).await, Vec::<&str>::new());
}

/// A copied address often has a mark that nobody sees. Around it the mark is no reason to stop; in
/// it the form says so, and is right when it is sent once more.
#[tokio::test]
async fn an_invisible_character_is_taken_off_or_named() {
    let world = World::new().await;
    let mut browser = world.browser();
    let around = "email=%EF%BB%BF%E2%80%8Eada%40example.com%E2%80%8B%C2%A0";
    assert_eq!(browser.post("/auth/login", around).await.status(), 303);
    assert_eq!(asked_for(world.emulator()), [ADA]);

    let inside = "email=a%E2%80%8Bda%40example.com";
    let answer = world.browser().post("/auth/login", inside).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("an invisible character"), "{page}");
    assert!(page.contains(r#"value="ada@example.com""#), "{page}");
    assert_eq!(asked_for(world.emulator()).len(), 1);
}

/// A telephone begins a field with a capital.
#[tokio::test]
async fn one_mailbox_has_one_spelling_from_the_form_to_the_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&world, "Ada@Example.com", "/").await;
    assert_eq!(asked_for(world.emulator()), [ADA]);
    let who = browser.get("/auth/session").await;
    assert!(who.text().contains(ADA), "{}", who.text());
}
