//! The list of a person's sessions at a layer whose clock was ahead.

use std::time::Duration;

use tower_magic_link::{
    MagicLinkLayer,
    companion::Issued,
    sessions::{ListedSession, MemorySessions},
};

use super::{AHEAD, BEGIN, Dials, MINUTE, begun, cookie_of, is_admitted, layer, run_ahead};
use crate::{sessions::Written, site::keys};

/// Says of each session whether it is listed, and makes sure that the layer admits it just then.
async fn listed(layer: &MagicLinkLayer, sessions: &[Issued], name: &str) -> Vec<bool> {
    let all = layer.sessions_of("user-1").await.unwrap();
    let all: Vec<_> = all.iter().map(ListedSession::id).collect();
    let mut are_listed = Vec::new();
    for issued in sessions {
        let is_listed = all.contains(&issued.session().id());
        assert_eq!(is_listed, is_admitted(layer, &cookie_of(issued)), "{name}");
        are_listed.push(is_listed);
    }
    are_listed
}

/// A clock that was set back by mistake, and is set right.
#[tokio::test]
async fn what_was_dated_while_the_clock_was_behind_is_listed_as_long_as_it_is_admitted() {
    let (clock, keys) = (Dials::at(BEGIN), keys());
    let here = layer(&clock, &keys, |builder| {
        let builder = builder.idle_timeout(Duration::from_secs(30 * MINUTE));
        builder.session_index(MemorySessions::default())
    });
    let first = begun(&here);
    clock.set(BEGIN - 60 * MINUTE);
    let sessions = [first, begun(&here)];
    clock.set(BEGIN + 1);
    assert!(listed(&here, &sessions, "set right").await[1]);
    clock.pass(30 * MINUTE);
    assert_eq!(listed(&here, &sessions, "later").await, [false; 2]);
}

/// Pinned: the list went by the steady time, and left out what was dated by the right one.
#[tokio::test]
async fn what_such_a_layer_admits_is_listed_and_nothing_else() {
    for ahead in AHEAD {
        for is_text in [false, true] {
            let name = format!("{ahead} ahead, as text: {is_text}");
            let (clock, keys) = (Dials::at(BEGIN), keys());
            let here = layer(&clock, &keys, |builder| {
                let builder = builder.idle_timeout(Duration::from_secs(30 * MINUTE));
                match is_text {
                    true => builder.session_index(Written::default()),
                    false => builder.session_index(MemorySessions::default()),
                }
            });
            let before = begun(&here);
            run_ahead(&here, &clock, ahead);
            let meanwhile = begun(&here);
            clock.set(BEGIN);
            clock.pass(1);
            let sessions = [before, meanwhile, begun(&here)];
            let is_listed = listed(&here, &sessions, &name).await;
            assert!(is_listed[1] && is_listed[2], "{name}");
            clock.pass(30 * MINUTE - 20);
            assert!(listed(&here, &sessions, &name).await[2], "{name}");
            clock.pass(20);
            assert_eq!(listed(&here, &sessions, &name).await, [false; 3], "{name}");
        }
    }
}
