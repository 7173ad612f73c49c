//! No event is forgotten where the counters begin.

use super::*;

/// A mailer words the reasons of the first, and the other has one for each refusal.
const OPEN: [&str; 2] = ["mail_failed", "refused"];

#[test]
fn the_counter_of_each_event_begins_before_the_first_one() {
    let mut begun = Vec::new();
    prepared(|name, reason| begun.push((name, reason)));
    crate::event::tests::with_every(|events| {
        for event in events {
            let is_open = OPEN.contains(&event.name());
            let has_begun = begun.contains(&(event.name(), event.reason()));
            assert!(has_begun || is_open, "{event:?}");
        }
        for (name, _) in &begun {
            assert!(events.iter().any(|event| event.name() == *name), "{name}");
        }
    });
    let mut once = begun.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), begun.len());
}

/// The variants are in the order of the alphabet, so a new one moves the number of the last, or is
/// the last itself.
#[test]
#[expect(clippy::as_conversions, reason = "the number of a variant is meant")]
fn every_reason_is_prepared() {
    let last = ProviderErrorKind::WrongConnection as usize;
    assert_eq!(last + 1, ProviderErrorKind::ALL.len());
    assert_eq!(
        StoreErrorKind::Unavailable as usize + 1,
        StoreErrorKind::ALL.len()
    );
    assert_eq!(LimitScope::Network as usize + 1, LimitScope::ALL.len());
    assert_eq!(
        WebhookEffect::NotRecorded as usize + 1,
        WebhookEffect::ALL.len()
    );
    assert_eq!(EndedBy::SignIn as usize + 1, EndedBy::ALL.len());
    assert_eq!(StoreName::Throttle as usize + 1, StoreName::ALL.len());
}
