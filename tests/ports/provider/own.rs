//! The layer's own mail as a provider under test.

use std::collections::{BTreeSet, HashSet};

use tower_magic_link::{
    Email,
    provider::{
        Delivery, Finish, FinishCode, IdentityProvider, MailedLinks, OneTimeCode,
        ProviderErrorKind, Start, StartCode,
    },
    testing::{ManualClock, TestAttempt, suite},
};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

#[tokio::test]
async fn our_own_mail_passes_but_for_mail_of_the_providers_and_organizations() {
    let report = suite::provider::run(async |world| {
        let _ = world.clock();
        MailedLinks::new()
    });
    let report = report.await;
    report.assert();
    let skipped: BTreeSet<_> = report.skipped().collect();
    let expected = [
        "a choice is good once",
        "a choice is refused after an hour",
        "a choice of an organization of somebody else is refused",
        "a code that the provider mails is not handed over",
        "a code that the provider mails reaches its address and proves it",
        "a link that the provider mails is not handed over",
        "a link that the provider mails reaches its address and proves it",
        "a person of several organizations signs in to the one that they chose",
        "an error that denies having redeemed a choice leaves it good",
        "an error that denies having redeemed a link leaves it good",
        "an error that denies having redeemed a typed code leaves it good",
        "of several choices at once one succeeds",
        "what the layer is to mail is not mailed by the provider",
    ];
    assert_eq!(skipped, BTreeSet::from(expected), "{report}");
}

async fn digits(attempt: &TestAttempt, email: &Email) -> String {
    let start = StartCode::new(attempt.show(), email, Delivery::Mailer);
    let started = MailedLinks::new().start_code(&start).await.unwrap();
    started.code().unwrap().expose().to_owned()
}

/// A skew in one of them would be a better guess.
#[tokio::test]
async fn digits_of_our_own_mail_are_uniform_and_differ_by_attempt_and_address() {
    const DRAWN: u32 = 50_000;
    let (clock, ada) = (ManualClock::new(), Email::parse(ADA).unwrap());
    let mut counts = [[0_u32; 10]; 6];
    let mut distinct = HashSet::new();
    for _ in 0..DRAWN {
        let drawn = digits(&TestAttempt::new(&clock), &ada).await;
        assert_eq!(drawn.len(), 6, "{drawn}");
        for (place, digit) in drawn.bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
        distinct.insert(drawn);
    }
    // Nine degrees of freedom: above 50 once in ten million.
    let each = f64::from(DRAWN) / 10.0;
    for (place, counts) in counts.iter().enumerate() {
        let squares = counts
            .iter()
            .map(|count| (f64::from(*count) - each).powi(2));
        let chi_square = squares.sum::<f64>() / each;
        assert!(chi_square < 50.0, "place {place}: {chi_square}");
    }
    // Of a million numbers, 50,000 draws meet 48,771 different ones.
    assert!(
        (48_400..49_100).contains(&distinct.len()),
        "{}",
        distinct.len()
    );

    let attempt = TestAttempt::new(&clock);
    let eve = Email::parse(EVE).unwrap();
    let same = digits(&attempt, &ada).await == digits(&attempt, &ada).await;
    assert!(same, "an attempt has its digits at every replica");
    let attempts: Vec<_> = (0..5).map(|_| TestAttempt::new(&clock)).collect();
    let mut both = HashSet::new();
    for attempt in &attempts {
        both.insert(digits(attempt, &ada).await == digits(attempt, &eve).await);
    }
    assert!(both.contains(&false), "they are of one address");
}

#[tokio::test]
async fn digits_that_a_newer_mail_has_replaced_are_refused_as_expired() {
    let (clock, ada) = (ManualClock::new(), Email::parse(ADA).unwrap());
    let attempt = TestAttempt::new(&clock);
    let code = OneTimeCode::new(digits(&attempt, &ada).await);
    let replaced = attempt.clone().replaced();
    let finish = FinishCode::new(replaced.show(), &code, &ada);
    let error = MailedLinks::new().finish_code(&finish).await.unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::CodeExpired);
    // It has used nothing up.
    let finish = FinishCode::new(attempt.show(), &code, &ada);
    assert!(MailedLinks::new().finish_code(&finish).await.is_ok());
}

#[tokio::test]
async fn a_subject_with_a_key_is_another_one_and_stays_the_same() {
    let (clock, ada) = (ManualClock::new(), Email::parse(ADA).unwrap());
    let mut subjects = Vec::new();
    for key in [
        None,
        Some("a".repeat(32)),
        Some("a".repeat(32)),
        Some("b".repeat(32)),
    ] {
        let provider = match key {
            Some(key) => MailedLinks::new().with_subject_key(key).unwrap(),
            None => MailedLinks::new(),
        };
        let attempt = TestAttempt::new(&clock);
        let lifetime = std::time::Duration::from_secs(60);
        let (uri, delivery) = ("https://app.example.com/auth/callback", Delivery::Mailer);
        let start = Start::new(attempt.show(), &ada, uri, "state", lifetime, delivery);
        let started = provider.start(&start).await.unwrap();
        let finish = Finish::new(attempt.show(), started.code().unwrap(), &ada, lifetime);
        let identity = provider.finish(&finish).await.unwrap();
        assert!(!identity.subject().contains("ada"));
        subjects.push(identity.subject().to_owned());
    }
    let [plain, keyed, again, other] = subjects.as_slice() else {
        panic!("{subjects:?}");
    };
    assert_eq!(keyed, again);
    let distinct: HashSet<_> = [plain, keyed, other].into_iter().collect();
    assert_eq!(distinct.len(), 3, "{subjects:?}");
}
