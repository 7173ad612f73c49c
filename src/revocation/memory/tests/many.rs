//! Many sessions: shapes of ids, threads, and what a plain list would answer.

use super::*;

#[test]
fn ids_that_are_not_random_fill_a_table_as_well() {
    type Pattern = fn(u64) -> u128;
    let patterns: [(&str, Pattern); 4] = [
        ("counted", u128::from),
        ("counted from the top", |number| u128::from(number) << 64),
        ("in step", |number| u128::from(number) << 56),
        ("both halves", |number| {
            u128::from(number) << 64 | u128::from(number)
        }),
    ];
    for (name, pattern) in patterns {
        for _ in 0..100 {
            let hasher = Hasher([random::bytes(), random::bytes()].map(u64::from_ne_bytes));
            let mut shards = [0; ID_SHARDS];
            for number in 0..5_000 {
                let id = words(SessionId::from_bytes(pattern(number).to_be_bytes()));
                shards[hasher.hash(id).shard(ID_SHARDS)] += 1;
            }
            let fullest = shards.iter().max();
            assert!(fullest < Some(&60), "{name}: {fullest:?} where 20 are even");
        }
        let store = MemoryRevocations::default();
        for number in 0..20_000 {
            let id = SessionId::from_bytes(pattern(number).to_be_bytes());
            store.record(&revocation(Target::Session(id), 0, 10));
        }
        assert_eq!(store.len(), 20_000, "{name}");
        let is_ended = |number: u64| {
            let id = SessionId::from_bytes(pattern(number).to_be_bytes());
            store.ended.sessions.contains(words(id))
        };
        assert!((0..20_000).all(is_ended), "{name}");
        assert!(!(20_000..40_000).any(is_ended), "{name}");
    }
}

#[test]
fn threads_that_end_forget_and_look_up_at_once_lose_nothing() {
    const EACH: u64 = 20_000;
    let store = MemoryRevocations::default();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in (0..EACH).map(|number| number * 4 + thread) {
                    // Every other one has expired when it comes.
                    let until = if number % 8 < 4 { 1_000 } else { 50 };
                    store.record(&revocation(numbered(number), 100, until));
                    for lasting in [thread, number - number % 8 + thread] {
                        let id = SessionId::from_bytes(u128::from(lasting).to_be_bytes());
                        assert!(store.ended.sessions.contains(words(id)), "{lasting}");
                    }
                }
            });
        }
    });
    let lasting = |revocation: &&Revocation| revocation.until() == Timestamp::from_secs(1_000);
    let revocations = store.revocations();
    assert_eq!(revocations.iter().filter(lasting).count(), 40_000);
    assert_eq!(revocations.len(), store.len());
}

/// The simplest store that is correct: it keeps every revocation.
#[derive(Default)]
struct Plain(Vec<Revocation>);

impl Plain {
    /// Says whether a session has to be refused, and whether it may be.
    fn standing(&self, session: &Session, now: Timestamp) -> (bool, bool) {
        let ends = |revocation: &&Revocation| {
            let is_one = matches!(revocation.target(), Target::Session(_));
            revocation.target().names(session)
                && (is_one || session.revocable_from() <= revocation.at())
        };
        let mut ends = self.0.iter().filter(ends).peekable();
        let may = ends.peek().is_some();
        // Two revocations for one name are kept as one, with the later of each moment.
        (ends.any(|revocation| revocation.until() > now), may)
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn it_ends_what_a_plain_list_of_revocations_ends(
        steps in proptest::collection::vec((0..3u64, 0..6u8, 0..24u8, 1..40u64), 1..120),
    ) {
        let (store, mut plain) = (MemoryRevocations::default(), Plain::default());
        let small = Ended {
            // One shard, so that few revocations fill it over and over.
            sessions: Ids::new(1, Hasher([1, 2])),
            ..Ended::default()
        };
        let small = MemoryRevocations { ended: Arc::new(small) };
        let mut now = 0;
        for (step, kind, who, lifetime) in steps {
            now += step;
            let name = format!("{who}");
            let target = match kind {
                0 => Target::Subject(name),
                1 if who == 0 => Target::Address("ADA@example.com".to_owned()),
                _ => Target::Session(SessionId::from_bytes([who; 16])),
            };
            let revocation = revocation(target, now, now + lifetime);
            small.record(&revocation);
            store.record(&revocation);
            plain.0.push(revocation);
            for number in 0..24 {
                let began = (now + 1).saturating_sub(u64::from(number) % 3);
                let session = session(&format!("{number}"), number, began);
                let (must, may) = plain.standing(&session, Timestamp::from_secs(now));
                for store in [&store, &small] {
                    let is_ended = store.standing(&session) == Standing::Revoked;
                    proptest::prop_assert!(is_ended || !must, "{session:?} lives again at {now}");
                    proptest::prop_assert!(!is_ended || may, "nobody ended {session:?} at {now}");
                }
            }
        }
        proptest::prop_assert!(small.ended.sessions.len() <= 24);
    }
}
