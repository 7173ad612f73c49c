//! The systemd unit and the Dockerfile of the guide name what the guard takes.

use super::{Scratch, guard, output};

/// Returns the block of a language.
fn block(language: &str) -> &'static str {
    let guide = include_str!("../../../src/guide/guard.md");
    let (_, rest) = guide.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn each_variable_of_the_unit_and_the_dockerfile_is_taken() {
    let secret = Scratch::new("unit-secret", "sk_1");
    let unit = block("ini").lines();
    let unit = unit.filter_map(|line| line.strip_prefix("Environment="));
    let image = block("dockerfile").lines();
    let image = image.filter_map(|line| line.strip_prefix("ENV "));
    let pairs: Vec<_> = unit.chain(image.flat_map(|line| line.split(' '))).collect();
    assert_eq!(pairs.len(), 3, "{pairs:?}");
    let mut command = guard(&[
        "--upstream=http://127.0.0.1:1",
        "--public-url=https://app.example.com",
        "--print-config",
    ]);
    for pair in &pairs {
        let (name, value) = pair.split_once('=').unwrap();
        // What systemd puts there is the folder of the unit's credentials.
        let value = match value.starts_with("%d/") {
            true => secret.path(),
            false => value,
        };
        command.env(name, value);
    }
    let (good, out, err) = output(&mut command);
    assert!(good.status.success(), "{err}");
    for pair in pairs {
        let (name, _) = pair.split_once('=').unwrap();
        assert!(out.contains(&format!("variable {name}")), "{name}: {out}");
    }
}

#[test]
fn the_unit_starts_the_guard_by_flags_that_it_has_and_waits_for_its_grace() {
    let value = |name: &str| {
        let mut lines = block("ini").lines();
        lines.find_map(|line| line.strip_prefix(name)).unwrap()
    };
    let file = Scratch::new("unit.toml", block("toml"));
    let start = value("ExecStart=").split(' ').skip(1);
    let start = start.map(|flag| match flag.ends_with(".toml") {
        true => file.path(),
        false => flag,
    });
    let flags: Vec<_> = start.chain(["--print-config"]).collect();
    let (good, out, err) = output(&mut guard(&flags));
    assert!(good.status.success(), "{err}");
    let (_, grace) = out.split_once("shutdown_grace = \"").unwrap();
    let grace: u64 = grace.split_once("s\"").unwrap().0.parse().unwrap();
    let limit: u64 = value("TimeoutStopSec=").parse().unwrap();
    assert!(grace < limit, "{grace} {limit}");
    // These need each other: systemd waits for the messages, and SIGHUP ends nothing.
    assert_eq!(value("Type="), "notify");
    assert_eq!(value("ExecReload="), "/bin/kill -HUP $MAINPID");
}
