//! The steps of the follower, and what a program does to the ring between them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::session::{keys::SigningKey, test_keys};

/// Returns the text of a file with one key.
fn text(id: &str) -> String {
    format!("id: {id}\n{}\n", STANDARD.encode(test_keys::SECRET))
}

/// Opens the file as it is with that key.
fn opened(id: &str) -> KeyFile {
    KeyFile::of("keys".into(), &text(id)).unwrap()
}

fn follow(id: &str) -> (KeyRing, Watch) {
    let file = opened(id);
    (file.keys(), Watch::new(&file))
}

/// Reads the file while nothing else happens.
fn look(watch: &mut Watch, id: &str) {
    assert!(watch.begin());
    assert!(watch.look_at(Ok(text(id))));
}

fn current(ring: &KeyRing) -> String {
    ring.load().current().id().to_owned()
}

/// Pinned: a slow read of the old file put its keys back, a leaked one among them.
#[test]
fn a_read_from_before_the_keys_were_replaced_does_not_bring_the_old_ones_back() {
    let (keys, mut watch) = follow("leaked");
    assert!(watch.begin());
    keys.handle().replace(&opened("new").keys());
    assert!(watch.look_at(Ok(text("leaked"))));
    assert_eq!(current(&keys), "new");
    // A file that is then put back takes two reads, like any other change.
    look(&mut watch, "leaked");
    assert_eq!(current(&keys), "new");
    look(&mut watch, "new");
    look(&mut watch, "new");
    assert_eq!(current(&keys), "new");
}

/// The file has the same content as at the start, and yet it was opened again.
#[test]
fn a_change_that_was_withdrawn_before_its_second_read_is_not_applied() {
    let (keys, mut watch) = follow("good");
    look(&mut watch, "withdrawn");
    assert!(watch.begin());
    keys.handle().replace(&opened("good").keys());
    assert!(watch.look_at(Ok(text("withdrawn"))));
    assert_eq!(current(&keys), "good");
    look(&mut watch, "good");
    assert_eq!(current(&keys), "good");
}

/// Pinned: what was seen before the file was opened again counted as the first of two reads.
#[test]
fn two_reads_find_a_change_after_the_file_was_opened_again() {
    let (keys, mut watch) = follow("1");
    look(&mut watch, "1");
    keys.handle().replace(&opened("2").keys());
    look(&mut watch, "1");
    assert_eq!(current(&keys), "2", "seen once, it may be half written");
    look(&mut watch, "1");
    assert_eq!(current(&keys), "1");
}

#[test]
fn two_reads_find_a_change_if_the_keys_were_replaced_before_the_file_was_followed() {
    let file = opened("1");
    let keys = file.keys();
    keys.handle().replace(&opened("2").keys());
    let mut watch = Watch::new(&file);
    look(&mut watch, "1");
    assert_eq!(current(&keys), "2");
    look(&mut watch, "1");
    assert_eq!(current(&keys), "1");
}

/// Pinned: the follower overwrote keys that were set after it had compared.
#[test]
fn keys_that_are_set_just_before_a_change_is_applied_are_not_overwritten() {
    let (keys, mut watch) = follow("1");
    look(&mut watch, "2");
    assert!(watch.begin());
    keys.handle().replace(&opened("3").keys());
    watch.apply(&keys.keys, &opened("2").keys(), hash(text("2")));
    assert_eq!(current(&keys), "3");
    look(&mut watch, "3");
    look(&mut watch, "3");
    assert_eq!(current(&keys), "3");
    look(&mut watch, "4");
    look(&mut watch, "4");
    assert_eq!(current(&keys), "4");
}

/// When the file changed is unknown, because no modification time is trusted.
#[test]
fn a_change_from_before_keys_of_no_file_were_set_is_found_by_two_reads_after_it() {
    let (keys, mut watch) = follow("1");
    look(&mut watch, "2");
    assert!(watch.begin());
    let none = SigningKey::generate().unwrap().with_id("none").unwrap();
    keys.handle().replace(&KeyRing::new(none));
    assert!(watch.look_at(Ok(text("2"))));
    look(&mut watch, "2");
    assert_eq!(current(&keys), "none");
    look(&mut watch, "2");
    assert_eq!(current(&keys), "2");
}
