//! How many mails one address may get, however it is written.

use tower_magic_link::{Rejection, RejectionKind, emulator::Endpoint};

use super::{SECOND, begin, status};
use crate::{
    names::{ADA, EVE},
    support::World,
};

/// Threat 55.
#[tokio::test]
async fn of_many_that_begin_together_exactly_as_many_get_a_mail_as_the_limit_says() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let mut browser = world.browser();
        tasks.spawn(async move { begin(&mut browser, ADA, None, &[]).await.status() });
    }
    let statuses = tasks.join_all().await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(303), count(429)), (3, 37));
    assert_eq!(world.emulator().count(Endpoint::Send), 3);
    assert_eq!(world.emulator().count(Endpoint::Create), 3);
    assert_eq!(status(&world, EVE, None).await, 303, "another address");
}

#[tokio::test]
async fn asking_for_the_link_again_counts_as_well() {
    let world = World::new().await;
    let mut browser = world.browser();
    let check = browser.ask_for_link(ADA, "/").await;
    assert!(check.text().contains("/auth/login"), "the resend form");
    for want in [303, 303, 429] {
        let again = browser.post("/auth/login", "email=ada%40example.com").await;
        assert_eq!(again.status().as_u16(), want);
    }
}

#[tokio::test]
async fn over_the_limit_every_address_is_answered_by_the_same_bytes() {
    let world = World::with(|builder| builder.email_domains(["example.com"])).await;
    let mut answers = Vec::new();
    for email in [ADA, "eve@example.org", "bob@example.com"] {
        let mut browser = world.browser();
        browser.get("/auth/login").await;
        for _ in 0..3 {
            assert_eq!(begin(&mut browser, email, None, &[]).await.status(), 303);
        }
        let answer = begin(&mut browser, email, None, &[]).await;
        assert_eq!(answer.status(), 429, "{email}");
        assert_eq!(answer.header("retry-after"), "180");
        let text = answer.read();
        assert!(
            text.contains(RejectionKind::RateLimited.heading()),
            "{text}"
        );
        // Once, and counted down.
        let told = "You can ask for a new one in <span>3 minutes</span>.";
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("Please try again in"), "{text}");
        let rejection = answer.head.extensions.get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::RateLimited);
        // The cookie that each browser sent is set again; it differs by browser alone.
        let mut fields = answer.head.headers.clone();
        fields.remove("set-cookie");
        // The page has the address that was typed, for the next try.
        answers.push((fields, text.replace(email, "…")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    let heard = world.heard();
    assert!(
        heard.contains("Throttled { scope: Address, email: Some(a***@example.com), hint: None }"),
        "{heard}"
    );
    assert!(!heard.contains(ADA));
}

#[tokio::test]
async fn addresses_that_differ_in_case_or_spaces_share_a_limit() {
    let world = World::new().await;
    for (email, want) in [
        (ADA, 303),
        ("Ada@Example.com", 303),
        (" ADA@EXAMPLE.COM ", 303),
        ("aDa@example.com", 429),
        ("ada@example.org", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
}

/// A mailbox has as many tags as one likes to think of, and its owner one patience.
#[tokio::test]
async fn addresses_that_differ_in_their_tag_share_a_limit_and_stay_addresses() {
    let world = World::new().await;
    for (email, want) in [
        ("ada+1@example.com", 303),
        ("Ada+2+3@example.com", 303),
        (ADA, 303),
        ("ada+4@example.com", 429),
        ("ada+4@example.org", 303),
        ("bob+ada@example.com", 303),
        ("+ada@example.com", 303),
        ("+bob@example.com", 303),
        ("+bob+1@example.com", 303),
        ("+@example.com", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
    assert!(world.emulator().last_link_to("ada+1@example.com").is_some());
}

/// Gmail delivers a name with dots anywhere, at either of its domains, to one mailbox.
#[tokio::test]
async fn gmail_addresses_that_differ_in_dots_share_a_limit_and_stay_addresses() {
    let world = World::new().await;
    for (email, want) in [
        ("ada@gmail.com", 303),
        ("a.da@gmail.com", 303),
        ("A.D.A+x@googlemail.com", 303),
        ("ad.a@gmail.com", 429),
        ("a.da@example.com", 303),
    ] {
        assert_eq!(status(&world, email, None).await, want, "{email}");
    }
    assert!(world.emulator().last_link_to("a.da@gmail.com").is_some());
}

#[tokio::test]
async fn the_wait_that_is_told_is_exact() {
    let world = World::new().await;
    for _ in 0..3 {
        assert_eq!(status(&world, ADA, None).await, 303);
    }
    world.clock.advance(25 * SECOND);
    let answer = begin(&mut world.browser(), ADA, None, &[]).await;
    assert_eq!(answer.header("retry-after"), "155");
    assert!(answer.read().contains("2 minutes and 35 seconds"));
    world.clock.advance(154 * SECOND);
    let answer = begin(&mut world.browser(), ADA, None, &[]).await;
    assert_eq!(answer.header("retry-after"), "1");
    assert!(answer.read().contains("in <span>1 second</span>."));
    world.clock.advance(SECOND);
    assert_eq!(status(&world, ADA, None).await, 303);
    assert_eq!(status(&world, ADA, None).await, 429);
}
