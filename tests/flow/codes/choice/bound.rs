//! A choice is of one browser, one attempt and ten minutes, and is made once.

use tower_magic_link::{
    SigningKey,
    clock::Clock,
    revocation::{MemoryRevocations, Revocation, Target},
};

use super::*;

#[tokio::test]
async fn a_choice_is_worth_nothing_in_another_browser() {
    let (begun, asked) = asked(|builder| builder).await;
    let mut stranger = begun.world.browser();
    stranger.get("/auth/login").await;
    for form in [
        asked.form(ACME.0),
        format!("choice={}&answer=no", asked.choice),
    ] {
        let refused = stranger.post(&asked.action, &form).await;
        is_trouble(&refused, 403, RejectionKind::AnotherBrowser);
        assert!(!refused.text().contains(ADA));
    }
    let mut first = begun.first.clone();
    let answer = asked.choose(&mut first, ACME.0).await;
    assert_eq!(
        answer.location(),
        "/reports",
        "the stranger has spent nothing"
    );
    assert!(!stranger.jar.contains_key(SESSION));
}

#[tokio::test]
async fn a_choice_is_of_its_attempt_and_sealed() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let of_eve = begun.first.ask_for_link(EVE, "/").await;
    let of_eve = super::super::action(&of_eve).unwrap();
    let elsewhere = of_eve.replace("/auth/code", "/auth/choose");
    let cut = &asked.choice[..asked.choice.len() - 1];
    let last = if asked.choice.ends_with('A') {
        'B'
    } else {
        'A'
    };
    let attempt = asked.action.split_once("t=").unwrap().1;
    let twice = format!("{}&choice={}", asked.form(ACME.0), asked.choice);
    let forms = [
        ("another attempt", elsewhere.as_str(), asked.form(ACME.0)),
        (
            "cut",
            &asked.action,
            format!("choice={cut}&organization={}", ACME.0),
        ),
        (
            "changed",
            &asked.action,
            format!("choice={cut}{last}&organization={}", ACME.0),
        ),
        (
            "sealed for another end",
            &asked.action,
            format!("choice={attempt}&organization={}", ACME.0),
        ),
        ("none", &asked.action, format!("organization={}", ACME.0)),
        ("twice", &asked.action, twice),
    ];
    for (name, action, form) in forms {
        let refused = begun.first.post(action, &form).await;
        assert_eq!(refused.status(), 400, "{name}");
        is_trouble(&refused, 400, RejectionKind::Malformed);
    }
    for lost in ["/auth/choose", "/auth/choose?t=x"] {
        let lost = begun.first.post(lost, &asked.form(ACME.0)).await;
        assert_eq!(lost.location(), "/auth/login");
    }
    assert_eq!(begun.redeemed(), 1, "WorkOS is not asked");
}

/// Another tab has had the browser's cookie tagged anew.
#[tokio::test]
async fn a_choice_is_made_after_a_change_of_keys() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let now = begun.world.clock.now();
    let until = now + Duration::from_secs(12 * 60 * 60);
    let new = SigningKey::generate().unwrap();
    begun.world.keys.handle().rotate(&new, until, now).unwrap();
    begun.first.get("/auth/login").await;
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports", "{}", answer.text());
}

#[tokio::test]
async fn a_choice_from_another_site_is_refused() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let request = Request::post(&asked.action)
        .header("sec-fetch-site", "cross-site")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(asked.form(ACME.0).into())
        .unwrap();
    let refused = begun.first.send(request).await;
    is_trouble(&refused, 403, RejectionKind::CrossSite);
}

#[tokio::test]
async fn a_choice_is_good_for_ten_minutes_from_the_proof() {
    for (seconds, is_good) in [(599, true), (600, false)] {
        let mut begun = begun(|builder| builder).await;
        // As late as the code still is good.
        begun.world.clock.advance(Duration::from_secs(590));
        let code = begun.post.code();
        let asked = Asked::of(&begun.type_code(&code).await);
        begun.world.clock.advance(Duration::from_secs(seconds));
        let answer = asked.choose(&mut begun.first, ACME.0).await;
        if is_good {
            assert_eq!(answer.location(), "/reports");
        } else {
            is_trouble(&answer, 400, RejectionKind::ChoiceExpired);
            assert!(answer.text().contains("id=\"again\""), "a new mail");
            assert_eq!(begun.redeemed(), 1, "WorkOS is not asked");
        }
    }
}

/// What was proven is kept for a minute, and that is no longer than the choice.
#[tokio::test]
async fn a_choice_whose_rule_has_failed_is_good_for_no_longer() {
    for (seconds, is_good) in [(19, true), (20, false)] {
        let mut count = 0;
        let count = std::sync::Arc::new(std::sync::Mutex::new(move || {
            count += 1;
            count
        }));
        let hook = move |_| {
            let is_first = count.lock().unwrap()() == 1;
            std::future::ready(match is_first {
                true => Err(std::io::Error::other("the directory is out")),
                false => Ok(true),
            })
        };
        let (mut begun, asked) = asked(|builder| builder.authorize(hook)).await;
        begun.world.clock.advance(Duration::from_secs(580));
        let failed = asked.choose(&mut begun.first, ACME.0).await;
        assert_eq!(failed.status(), 503);
        begun.world.clock.advance(Duration::from_secs(seconds));
        let answer = asked.choose(&mut begun.first, ACME.0).await;
        if is_good {
            assert_eq!(answer.location(), "/reports");
            // The browser that has the session is led on by it, however late.
            begun.world.clock.advance(Duration::from_secs(600));
            let again = asked.choose(&mut begun.first, ACME.0).await;
            assert_eq!(again.location(), "/reports");
            assert!(again.set_cookies().is_empty());
        } else {
            is_trouble(&answer, 400, RejectionKind::ChoiceExpired);
            assert!(!begun.first.jar.contains_key(SESSION));
        }
    }
}

#[tokio::test]
async fn a_choice_is_made_once_and_a_double_click_is_one() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let (mut left, mut right) = (begun.first.clone(), begun.first.clone());
    let (one, two) = tokio::join!(
        asked.choose(&mut left, ACME.0),
        asked.choose(&mut right, ACME.0)
    );
    assert_eq!((one.location(), two.location()), ("/reports", "/reports"));
    assert_eq!(left.jar[SESSION], right.jar[SESSION]);
    assert_eq!(begun.redeemed(), 2);

    // Later, or for another organization, it is over: WorkOS is not asked.
    let other = asked.choose(&mut begun.first, GLOBEX.0).await;
    is_trouble(&other, 400, RejectionKind::ChoiceExpired);
    begun.world.clock.advance(Duration::from_secs(60));
    let later = asked.choose(&mut begun.first, ACME.0).await;
    is_trouble(&later, 400, RejectionKind::ChoiceExpired);
    assert_eq!(begun.redeemed(), 2);
    // Nor does a session in one organization stand for the choice of another.
    let other = asked.choose(&mut left, GLOBEX.0).await;
    is_trouble(&other, 400, RejectionKind::ChoiceExpired);
    // The browser that has the session is led on by it.
    let again = asked.choose(&mut left, ACME.0).await;
    assert_eq!(again.location(), "/reports");
    assert!(again.set_cookies().is_empty());
}

#[tokio::test]
async fn a_cancelled_choice_offers_a_new_mail_and_is_spent() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let cancelled = asked.cancel(&mut begun.first).await;
    is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
    let text = cancelled.text();
    assert!(
        text.contains("id=\"again\"") && text.contains(ADA),
        "{text}"
    );
    let late = asked.choose(&mut begun.first, ACME.0).await;
    is_trouble(&late, 400, RejectionKind::ChoiceExpired);
    assert_eq!(begun.redeemed(), 1);
    assert!(!begun.first.jar.contains_key(SESSION));

    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = super::super::action(&check).unwrap();
    let code = begun.post.code();
    let asked = Asked::of(&begun.type_code(&code).await);
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
}

/// The session begins when the code was typed: what ended the person's sessions between the code
/// and the choice ends this one too.
#[tokio::test]
async fn a_revocation_between_the_proof_and_the_choice_ends_the_session() {
    let revocations = MemoryRevocations::default();
    let store = revocations.clone();
    let (mut begun, asked) = asked(|builder| builder.revocations(store)).await;
    begun.world.clock.advance(Duration::from_secs(10));
    let now = begun.world.clock.now();
    let until = now + Duration::from_secs(86_400);
    revocations.record(&Revocation::new(
        Target::Address(ADA.to_owned()),
        now,
        until,
    ));
    begun.world.clock.advance(Duration::from_secs(10));
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
    let landed = begun.first.get("/reports").await;
    assert!(landed.location().starts_with("/auth/login"));
}

#[tokio::test]
async fn a_reloaded_address_of_the_page_leads_to_the_field_and_the_code_to_the_page() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let back = begun.first.get(&asked.action).await;
    let check = asked.action.replace("/auth/choose", "/auth/check");
    assert_eq!(back.location(), check);
    // Reloading the page posts the code again.
    let code = begun.post.code();
    let again = Asked::of(&begun.type_code(&code).await);
    assert_eq!(begun.redeemed(), 1);
    let answer = again.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
}

/// Pins: who was signed in with the organization already was led on by that session, and where a
/// recent sign-in is wanted, round in a circle.
#[tokio::test]
async fn a_session_from_before_does_not_stand_for_a_choice_that_comes_too_late() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let mut first = begun.first.clone();
    assert_eq!(
        asked.choose(&mut first, ACME.0).await.location(),
        "/reports"
    );
    begun.first = first;
    begun.world.clock.advance(Duration::from_secs(120));
    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = super::super::action(&check).unwrap();
    let code = begun.post.code();
    let again = Asked::of(&begun.type_code(&code).await);
    begun.world.clock.advance(Duration::from_secs(600));
    let late = again.choose(&mut begun.first, ACME.0).await;
    is_trouble(&late, 400, RejectionKind::ChoiceExpired);
}
