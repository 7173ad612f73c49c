//! Keys in a file that changes. tokio's time is the test's: nothing waits.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tower_magic_link::{KeyRing, keys::KeyFile, testing::ManualClock};

use crate::{
    log::{listen, logged},
    names::ADA,
    site::{ask, layer, sign_in},
};

const EVERY: Duration = Duration::from_secs(10);

/// A folder that is removed with all in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("tower-magic-link-keys-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("keys")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn secret() -> String {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).unwrap();
    STANDARD.encode(secret)
}

/// Puts a file into place as a whole.
fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// Lets the file be looked at so many times.
async fn looks(count: u32) {
    tokio::time::sleep(EVERY * count).await;
}

fn ids(keys: &KeyRing) -> String {
    let text = format!("{keys:?}");
    let ids = text.split("id: \"").skip(1);
    let ids: Vec<_> = ids.filter_map(|rest| rest.split('"').next()).collect();
    ids.join(" ")
}

/// Opens the file and follows it, with its first look half an interval away from the test's own
/// steps.
async fn follow(path: &Path) -> (KeyRing, tokio::task::JoinHandle<()>) {
    let file = KeyFile::open(path).unwrap();
    let keys = file.keys();
    let watch = tokio::spawn(file.watch(EVERY));
    tokio::time::sleep(EVERY / 2).await;
    (keys, watch)
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_changes_the_keys_and_nobody_is_signed_out() {
    let folder = Folder::new("changes");
    let (one, two) = (secret(), secret());
    put(&folder.file(), &format!("id: 1\n{one}\n"));
    let (keys, _watch) = follow(&folder.file()).await;
    let layer = layer(&keys, &ManualClock::new());
    let before = sign_in(&layer, ADA);

    put(&folder.file(), &format!("id: 2\n{two}\nid: 1\n{one}\n"));
    looks(1).await;
    assert_eq!(ids(&keys), "1", "seen once, it may be half written");
    looks(1).await;
    assert_eq!(ids(&keys), "2 1");
    let after = sign_in(&layer, ADA);
    assert_eq!(ask(&layer, &before).await.0, 200);
    assert_eq!(ask(&layer, &after).await.0, 200);

    put(&folder.file(), &format!("id: 2\n{two}\n"));
    looks(2).await;
    assert_eq!(ids(&keys), "2");
    assert_eq!(ask(&layer, &before).await.0, 401);
    assert_eq!(ask(&layer, &after).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_goes_wrong_leaves_the_keys_and_is_told_once() {
    listen();
    let folder = Folder::new("wrong");
    let path = folder.file();
    let named = format!("{}", path.display());
    let good = format!("id: good\n{}\n", secret());
    put(&path, &good);
    let (keys, _watch) = follow(&path).await;
    type Break = fn(&Path);
    let cases: [(&str, Break, &str); 6] = [
        (
            "gone",
            |path| fs::remove_file(path).unwrap(),
            "cannot be read: entity not found",
        ),
        ("empty", |path| put(path, ""), "key file has no key"),
        (
            "a marker",
            |path| put(path, "marker-of-a-secret"),
            "key file is wrong on line 1, which is not base64",
        ),
        (
            "not UTF-8",
            |path| fs::write(path, [0xff; 44]).unwrap(),
            "cannot be read: invalid data",
        ),
        (
            "endless",
            |path| put(path, &"# x\n".repeat(20_000)),
            "has more than 65536 bytes",
        ),
        (
            "a folder",
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "cannot be read: is a directory",
        ),
    ];
    for (told, (name, break_it, want)) in (1..).zip(cases) {
        break_it(&path);
        looks(6).await;
        assert_eq!(ids(&keys), "good", "{name}");
        let lines = logged(&named);
        assert_eq!(lines.len(), told, "{name}: {lines:?}");
        let line = lines.last().unwrap();
        assert!(
            line.starts_with("ERROR") && line.contains(want),
            "{name}: {line}"
        );
        assert!(!line.contains("marker"), "{line}");
    }
    // It comes back as it was, and then it changes.
    fs::remove_dir(&path).unwrap();
    put(&path, &good);
    looks(3).await;
    put(&path, &format!("id: better\n{}\n", secret()));
    looks(3).await;
    assert_eq!(ids(&keys), "better");
}

/// Pinned: what had been put back as it was counted as taken, and the keys of the file in between
/// stayed.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_opened_again_is_applied_at_once_and_followed_from_there() {
    let folder = Folder::new("again");
    let path = folder.file();
    let (one, two) = (format!("id: 1\n{}\n", secret()), secret());
    put(&path, &one);
    let (keys, _watch) = follow(&path).await;
    put(&path, &format!("id: 2\n{two}\n"));
    keys.handle().replace(&KeyFile::open(&path).unwrap().keys());
    assert_eq!(ids(&keys), "2");
    put(&path, &one);
    looks(2).await;
    assert_eq!(ids(&keys), "1");
}

/// A leaked key must not come back from the file that is followed.
#[tokio::test(start_paused = true)]
async fn keys_of_another_file_or_of_none_stand_until_the_file_changes() {
    let folder = Folder::new("others");
    let path = folder.file();
    put(&path, &format!("id: leaked\n{}\n", secret()));
    let (keys, _watch) = follow(&path).await;
    let other = folder.0.join("other");
    put(&other, &format!("id: other\n{}\n", secret()));
    keys.handle().replace(&KeyRing::from_file(&other).unwrap());
    looks(3).await;
    assert_eq!(ids(&keys), "other");
    let none: tower_magic_link::SigningKey = secret().parse().unwrap();
    let none = KeyRing::new(none.with_id("none").unwrap());
    keys.handle().replace(&none);
    looks(3).await;
    assert_eq!(ids(&keys), "none");
    put(&path, &format!("id: new\n{}\n", secret()));
    looks(2).await;
    assert_eq!(ids(&keys), "new");
}

/// Pinned: a ring with one more key was no longer the file's, so that the file counted as changed.
#[tokio::test(start_paused = true)]
async fn keys_that_are_added_to_those_of_the_file_stand_until_the_file_changes() {
    let folder = Folder::new("added");
    let path = folder.file();
    put(&path, &format!("id: 1\n{}\n", secret()));
    let (keys, _watch) = follow(&path).await;
    put(&path, &format!("id: 2\n{}\n", secret()));
    let next: tower_magic_link::SigningKey = secret().parse().unwrap();
    let next = next.with_id("next").unwrap();
    let again = KeyFile::open(&path).unwrap().keys();
    keys.handle().replace(&again.announce(next).unwrap());
    looks(3).await;
    assert_eq!(ids(&keys), "2 next");
    put(&path, &format!("id: 3\n{}\n", secret()));
    looks(2).await;
    assert_eq!(ids(&keys), "3");
}

#[tokio::test(start_paused = true)]
async fn a_missing_file_is_logged_once_although_the_program_changes_the_keys() {
    listen();
    let folder = Folder::new("missing");
    let path = folder.file();
    let named = format!("{}", path.display());
    put(&path, &secret());
    let (keys, _watch) = follow(&path).await;
    fs::remove_file(&path).unwrap();
    looks(2).await;
    let none: tower_magic_link::SigningKey = secret().parse().unwrap();
    keys.handle().replace(&KeyRing::new(none));
    looks(2).await;
    let lines = logged(&named);
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// Written in place, and looked at in between: what is there is a good file, but not the whole.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_half_written_is_not_taken() {
    let folder = Folder::new("half");
    let path = folder.file();
    let (one, two) = (secret(), secret());
    put(&path, &format!("id: 1\n{one}\n"));
    let (keys, _watch) = follow(&path).await;
    fs::write(&path, format!("id: 2\n{two}\n")).unwrap();
    looks(1).await;
    fs::write(&path, format!("id: 2\n{two}\nid: 1\n{one}\n")).unwrap();
    looks(1).await;
    assert_eq!(ids(&keys), "1");
    looks(1).await;
    assert_eq!(ids(&keys), "2 1");
}

/// Kubernetes mounts a secret as links: `keys` to `..data/keys`, `..data` to a folder with the time
/// in its name, which is swapped.
#[tokio::test(start_paused = true)]
#[cfg(unix)]
async fn a_secret_of_kubernetes_is_followed_through_its_links() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("kubernetes");
    let mount = |time: &str, text: &str| {
        let content = folder.0.join(time);
        fs::create_dir(&content).unwrap();
        fs::write(content.join("keys"), text).unwrap();
        let new = folder.0.join("..data_tmp");
        symlink(time, &new).unwrap();
        fs::rename(new, folder.0.join("..data")).unwrap();
    };
    mount("..2026_11_23_1", &format!("id: 1\n{}\n", secret()));
    symlink("..data/keys", folder.file()).unwrap();
    let (keys, _watch) = follow(&folder.file()).await;
    mount("..2026_11_23_2", &format!("id: 2\n{}\n", secret()));
    fs::remove_dir_all(folder.0.join("..2026_11_23_1")).unwrap();
    looks(2).await;
    assert_eq!(ids(&keys), "2");
}

#[tokio::test(start_paused = true)]
async fn a_file_is_followed_for_as_long_as_somebody_has_its_ring() {
    let folder = Folder::new("dropped");
    put(&folder.file(), &secret());
    let (keys, watch) = follow(&folder.file()).await;
    let layer = layer(&keys, &ManualClock::new());
    drop(keys);
    looks(2).await;
    assert!(!watch.is_finished(), "the layer has it");
    drop(layer);
    looks(2).await;
    assert!(watch.is_finished());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_names_it() {
    let folder = Folder::new("errors");
    let path = folder.file();
    let error = KeyRing::from_file(&path).unwrap_err();
    let want = format!(
        "key file {:?} cannot be read: entity not found",
        path.display().to_string()
    );
    assert_eq!(error.to_string(), want);
    put(&path, "# nothing yet\n");
    assert_eq!(
        KeyRing::from_file(&path).unwrap_err().to_string(),
        "key file has no key"
    );
    put(&path, &secret());
    assert!(KeyRing::from_file(&path).is_ok());
    let text = format!("{:?}", KeyFile::open(&path).unwrap());
    assert!(text.contains("[redacted]"), "{text}");
}

/// The documentation's file is one that is read, with its ids and the moments of the old key.
#[test]
fn the_file_that_the_documentation_shows_can_be_read() {
    let docs = include_str!("../../src/session/ring/file.rs").replace("/// ", "");
    let docs = docs.replace("///", "");
    let (_, shown) = docs.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    assert_eq!(shown.matches("<base64 or PEM>").count(), 2, "{shown}");
    let shown = shown.replacen("<base64 or PEM>", &secret(), 1);
    let shown = shown.replacen("<base64 or PEM>", &secret(), 1);
    let folder = Folder::new("shown");
    let path = folder.file();
    put(&path, &shown);
    let keys = KeyRing::from_file(&path).unwrap();
    assert_eq!(ids(&keys), "2026-11 2026-05");
}
