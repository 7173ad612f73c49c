//! What the guide gives an operator to copy: a command, a file of settings, a unit of systemd.

use std::process::Command;

use super::{Scratch, guard, output};

const GUIDE: &str = include_str!("../../../src/guide/guard.md");

/// Returns the guide's block of a language.
fn block(language: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_guides_command_is_one_that_the_guard_takes() {
    let mut lines = block("sh").lines();
    assert_eq!(
        lines.next(),
        Some("cargo build --release --example guard"),
        "what these tests have built"
    );
    let run = lines.next().unwrap();
    let flags = run.strip_prefix("target/release/examples/guard ").unwrap();
    let flags: Vec<_> = flags.split(' ').chain(["--print-config"]).collect();
    let (output, out, err) = output(&mut guard(&flags));
    assert!(output.status.success(), "{err}");
    let upstream = "\nupstream = \"http://127.0.0.1:8080\" # flag --upstream\n";
    assert!(out.contains(upstream), "{out}");
}

/// The line makes a file of one key that nobody else can read.
#[cfg(unix)]
#[test]
#[ignore = "needs openssl; run by tests/run"]
fn the_guides_line_makes_a_key_that_the_guard_takes() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let (_, line) = GUIDE.split_once("```sh\n(umask").unwrap();
    let (line, _) = line.split_once("\n```").unwrap();
    let name = format!("tower-magic-link-guard-{}-keys", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-euc", &format!("(umask{line}")]);
    assert!(shell.current_dir(&folder).status().unwrap().success());
    let keys = folder.join("keys");
    tower_magic_link::KeyRing::from_file(&keys).unwrap();
    assert_eq!(
        fs::metadata(&keys).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// systemd reads the unit, and knows every key in it.
#[test]
#[ignore = "needs systemd-analyze; run by tests/run"]
fn the_guides_unit_is_one_that_systemd_takes() {
    let program = guard(&[]);
    let unit = block("ini");
    assert!(unit.contains("ExecStart=/usr/local/bin/guard "), "{unit}");
    // What it would start has to exist.
    let unit = unit.replace(
        "/usr/local/bin/guard",
        program.get_program().to_str().unwrap(),
    );
    let file = Scratch::new("guide.service", &unit);
    let mut systemd = Command::new("systemd-analyze");
    let (output, _, err) = output(systemd.args(["verify", "--man=no", file.path()]));
    assert!(output.status.success(), "{err}");
    assert!(!err.contains("guide.service"), "{err}");
}

/// Pinned: the group was `guard`, as the unit is. systemd names a dynamic user after its unit, and
/// refuses one whose name a group has already.
#[test]
fn the_guides_unit_has_no_group_of_its_own_name_and_the_guide_makes_the_one_it_has() {
    let unit = block("ini");
    let (path, _) = unit.split_once('\n').unwrap();
    let (_, file) = path.rsplit_once('/').unwrap();
    let name = file.strip_suffix(".service").unwrap();
    assert!(unit.contains("\nDynamicUser=yes\n"), "{unit}");
    let value = |key| unit.lines().find_map(|line| line.strip_prefix(key));
    let groups: Vec<_> = value("SupplementaryGroups=").unwrap().split(' ').collect();
    assert!(!groups.contains(&name), "{groups:?}");
    for own in ["User=", "Group="] {
        assert_eq!(value(own), None, "then systemd would take another name");
    }
    for group in groups {
        for told in [
            format!("groupadd --system {group}`"),
            format!("-g {group} "),
        ] {
            assert!(GUIDE.contains(&told), "{told}");
        }
    }
}

/// The guide's file is one that the guard reads, and its table has every key of the guard's own.
#[test]
fn the_guide_shows_a_file_that_can_be_read_and_every_key() {
    let text = block("toml");
    let file = Scratch::new("guide.toml", text);
    let (output, out, err) = output(&mut guard(&["--config", file.path(), "--print-config"]));
    assert!(output.status.success(), "{err}");
    let set = text.lines().filter(|line| line.contains(" = ")).count();
    let from_file = format!(" # {}", file.path());
    assert_eq!(out.matches(&from_file).count(), set, "{out}");
    let (own, _) = out.split_once("\n# Where browsers reach").unwrap();
    let lines = own.lines().filter_map(|line| line.split_once(" ="));
    let names: Vec<_> = lines
        .map(|(name, _)| name.trim_start_matches("# "))
        .collect();
    assert_eq!(names.len(), 11, "{own}");
    for name in names {
        assert!(GUIDE.contains(&format!("`{name}`")), "{name}");
    }
}
