//! Settings with which the guard does not start.

use std::{ffi::OsStr, fs::File};

use rcgen::{CertificateParams, KeyPair};

use super::{Scratch, guard, logs, output};
use crate::program::Program;

/// Pinned: a secret that could not work counted as not set, and was made up.
#[test]
fn a_secret_that_cannot_work_ends_the_start() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("MAGIC_LINK_KEY", "changeme")], "MAGIC_LINK_KEY"),
        (&[("MAGIC_LINK_KEY_FILE", "/nowhere/keys")], "key file"),
        (&[("MAGIC_LINK_RETIRED_KEYS", "changeme")], "MAGIC_LINK_KEY"),
        (
            &[
                ("WORKOS_API_KEY", "sk hunter2\n"),
                ("WORKOS_CLIENT_ID", "client_1"),
            ],
            "workos_api_key",
        ),
        (
            &[("WORKOS_API_KEY", "sk_hunter2")],
            "workos_client_id is not set",
        ),
        (
            &[("WORKOS_CLIENT_ID", "client_1")],
            "workos_api_key is not set",
        ),
    ];
    for (variables, want) in cases {
        for order in ["--check", "--idle-limit=30s"] {
            let mut command = guard(&["--upstream=http://127.0.0.1:1", "--port=0", order]);
            let (bad, out, err) = output(command.envs(variables.iter().copied()));
            assert!(!bad.status.success(), "{variables:?}: {out}");
            assert!(
                err.to_lowercase().contains(&want.to_lowercase()),
                "{variables:?}: {err}"
            );
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
}

/// Pinned: anyone who reads the log could sign in as anyone, in production.
#[test]
fn the_emulator_is_refused_at_a_public_url_of_another_machine() {
    for order in ["--check", "--idle-limit=30s"] {
        let flags = [
            "--upstream=http://127.0.0.1:1",
            "--port=0",
            "--public-url=https://app.example.com",
            order,
        ];
        let (bad, out, err) = output(&mut guard(&flags));
        assert!(!bad.status.success(), "{out}");
        assert!(
            err.contains("public_url \"https://app.example.com\""),
            "{err}"
        );
    }
}

#[test]
fn a_broken_key_file_is_not_printed() {
    // Its end says another thing than its beginning, which the reader's own error repeats.
    let broken = Scratch::new("broken.pem", "-----BEGIN PRIVATE KEY\nhunter2hunter2\n");
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        &format!("--tls-certificate={}", broken.path()),
        &format!("--tls-key={}", broken.path()),
    ];
    let (bad, _, err) = output(&mut guard(&flags));
    assert!(!bad.status.success());
    assert!(
        err.contains("tls_certificate is no PEM file of certificates"),
        "{err}"
    );
    assert!(!err.contains('['), "bytes of the file: {err}");
}

#[test]
fn an_error_says_which_setting_and_which_value() {
    let cases: [(&[&str], &str); 12] = [
        (&["--end-streams=false"], "end_streams cannot be false"),
        (
            &["--mount=/a", "--mount=/b"],
            "flag --mount is given twice: remove one",
        ),
        (
            &["--config=/a", "--config", "/b"],
            "flag --config is given twice: remove one",
        ),
        (&["--check", "--check"], "flag --check is given twice"),
        (
            &["--check", "--print-config"],
            "flags --check and --print-config are both given: remove one",
        ),
        (
            &["--log-level=loud"],
            "flag --log-level \"loud\" must be one of error, warn, info, debug, off",
        ),
        (
            &["--forward-identity=false"],
            "forward_identity cannot be false",
        ),
        (
            &["--trusted-proxies=10.0.0.0/33"],
            "trusted_proxies [\"10.0.0.0/33\"] cannot be used",
        ),
        (
            &["--upstream=http://a b"],
            "upstream \"http://a b\" is no origin",
        ),
        (
            &["--connection-limit=9223372036854775807"],
            "must be a whole number from 1 to 1000000",
        ),
        (&["--admin-listen="], "admin_listen is empty"),
        (
            &["--config=/nowhere/guard.toml"],
            "/nowhere/guard.toml cannot be read",
        ),
    ];
    for (flags, want) in cases {
        let has_own = flags.iter().any(|flag| flag.starts_with("--upstream="));
        let usual: &[&str] = match has_own {
            true => &[],
            false => &["--upstream=http://127.0.0.1:1"],
        };
        let flags = [usual, &["--port=0"], flags].concat();
        let (bad, _, err) = output(&mut guard(&flags));
        assert!(
            !bad.status.success() && err.contains(want),
            "{flags:?}: {err}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_flag_that_is_no_text_is_an_error() {
    use std::os::unix::ffi::OsStrExt;

    let cases: [(&[&[u8]], &str); 4] = [
        (&[b"--mount=\xff"], "flag --mount is not UTF-8"),
        (
            &[b"--upstream=http://app:hunter2\xff@10.0.0.1"],
            "flag --upstream is not UTF-8",
        ),
        (&[b"--key", b"hunter2\xff"], "argument 2 is not UTF-8"),
        (&[b"--hunter2\xff=a"], "argument 1 is not UTF-8"),
    ];
    for (flags, want) in cases {
        let flags = flags.iter().map(|flag| OsStr::from_bytes(flag));
        let (bad, _, err) = output(guard(&[]).args(flags));
        assert_eq!(bad.status.code(), Some(1), "{want}: {err}");
        assert!(err.contains(want), "{want}: {err}");
        assert!(!err.contains("hunter2"), "{want}: {err}");
    }
}

/// Pinned: an upstream with a password was printed if the password had a byte that no URL has, or
/// if its host was missing.
#[test]
fn an_error_shows_no_value_that_may_be_a_secret() {
    let key = "hunter2hunter2hunter2hunter2hunter2hunter2";
    let cases = [
        ("upstream", "http://app:hunter2@10.0.0.1"),
        ("upstream", "http://app:hunter^2@10.0.0.1"),
        ("upstream", "http://app:hunter 2@10.0.0.1"),
        ("upstream", "http://app:hunter<2@10.0.0.1"),
        ("upstream", "http:/app:hunter^2@10.0.0.1"),
        ("upstream", "app:hunter^2@10.0.0.1"),
        ("upstream", "hunter2^hunter2^hunter2^hunter2^hunter2^"),
        ("upstream", "http://app:hunter2"),
        ("upstream", "http://app:hunter 2"),
        ("listen", "app:hunter2@127.0.0.1:0"),
        ("listen", "app:hunter2"),
        ("listen", key),
        ("admin_listen", "http://app:hunter2@127.0.0.1:0"),
        ("admin_listen", "app:hunter2"),
        ("admin_listen", key),
        ("trusted_proxies", "app:hunter2@10.0.0.1"),
        ("trusted_proxies", "app:hunter2"),
        ("trusted_proxies", key),
    ];
    for (name, value) in cases {
        for order in ["--print-config", "--idle-limit=30s"] {
            let flag = format!("--{}={value}", name.replace('_', "-"));
            let usual: &[&str] = match name {
                "upstream" => &["--port=0"],
                _ => &["--upstream=http://127.0.0.1:1", "--port=0"],
            };
            let (bad, out, err) = output(&mut guard(&[usual, &[&flag, order]].concat()));
            assert!(!bad.status.success(), "{flag}: {out}");
            assert!(err.contains(name), "{flag}: {err}");
            assert!(
                !format!("{out}{err}").contains("hunter"),
                "{flag}: {out}{err}"
            );
        }
    }
}

/// Pinned: the older one was dropped without a word.
#[test]
fn an_older_variable_that_says_something_else_is_an_error() {
    let cases = [
        (
            "PUBLIC_URL",
            "https://a.example.com",
            "https://b.example.com",
        ),
        ("TRUSTED_PROXIES", "10.0.0.1", "10.0.0.2"),
    ];
    for (old, value, other) in cases {
        let new = format!("MAGIC_LINK_{old}");
        let printed = |of_new: &str| {
            let mut command = guard(&["--upstream=http://127.0.0.1:1", "--print-config"]);
            output(command.env(old, value).env(&new, of_new))
        };
        let (bad, out, err) = printed(other);
        assert!(!bad.status.success(), "{old}: {out}");
        let want = format!("variables {old} and {new} are the same setting: remove {old}");
        assert!(err.contains(&want), "{old}: {err}");
        let (good, _, err) = printed(value);
        assert!(good.status.success(), "{old}: {err}");
    }
}

#[test]
fn an_empty_variable_does_not_hide_the_older_one() {
    let mut command = guard(&["--upstream=http://127.0.0.1:1", "--print-config"]);
    command.envs([
        ("MAGIC_LINK_PUBLIC_URL", ""),
        ("PUBLIC_URL", "https://app.example.com"),
    ]);
    let (good, out, err) = output(&mut command);
    assert!(good.status.success(), "{err}");
    assert!(
        out.contains("public_url = \"https://app.example.com\""),
        "{out}"
    );
}

/// Pinned: a zero was believed, so that each connection was closed at once or each request was a
/// 504; and `connection_limit = 0` was taken for one.
#[test]
fn a_number_of_the_guards_own_is_within_its_range() {
    let cases = [
        ("connection_limit", "0", "a whole number from 1 to 1000000"),
        (
            "connection_limit",
            "1000001",
            "a whole number from 1 to 1000000",
        ),
        ("idle_limit", "0s", "1s to 1h"),
        ("idle_limit", "999ms", "1s to 1h"),
        ("idle_limit", "61m", "1s to 1h"),
        ("upstream_timeout", "0", "100ms to 1h"),
        ("upstream_timeout", "0s", "100ms to 1h"),
        ("upstream_timeout", "60000", "100ms to 1h"),
        ("upstream_timeout", "2h", "100ms to 1h"),
        ("shutdown_grace", "2h", "up to 1h"),
    ];
    let upstream = "--upstream=http://127.0.0.1:1";
    for (name, value, want) in cases {
        let want = format!("{name} \"{value}\" must be {want}\n");
        let flag = format!("--{}", name.replace('_', "-"));
        let set = format!("{flag}={value}");
        for order in ["--print-config", "--check", "--log-level=info"] {
            let (bad, out, err) = output(&mut guard(&[upstream, "--port=0", &set, order]));
            assert_eq!(bad.status.code(), Some(1), "{set}: {out}");
            assert_eq!(err, format!("flag {flag}: {want}"));
        }
        let file = Scratch::new("range.toml", &format!("{name} = \"{value}\"\n"));
        let flags = [upstream, "--config", file.path(), "--print-config"];
        let (_, _, err) = output(&mut guard(&flags));
        assert_eq!(err, format!("{}: {want}", file.path()));
        let variable = name.to_uppercase();
        let mut command = guard(&[upstream, "--print-config"]);
        let (_, _, err) = output(command.env(&variable, value));
        assert_eq!(err, format!("variable {variable}: {want}"));
    }
    for set in [
        "--connection-limit=1",
        "--connection-limit=1000000",
        "--idle-limit=1s",
        "--idle-limit=1h",
        "--upstream-timeout=1",
        "--upstream-timeout=100ms",
        "--upstream-timeout=3600",
        "--shutdown-grace=0s",
        "--shutdown-grace=1h",
    ] {
        let (good, _, err) = output(&mut guard(&[upstream, set, "--print-config"]));
        assert!(good.status.success(), "{set}: {err}");
    }
}

/// Pinned: every mailed link led to the address that the guard listens at, such as `0.0.0.0`.
#[test]
fn a_public_url_is_made_up_for_the_emulator_alone() {
    let mailed = [
        "--provider=mailed-links",
        "--mailer=smtp",
        "--smtp-url=smtp://127.0.0.1:1",
        "--smtp-from=a@example.com",
    ];
    let cases: [&[&str]; 4] = [
        &mailed,
        &["--provider=mailed-links", "--mailer=console"],
        &["--workos-client-id=client_1"],
        &["--workos-client-id=client_1", "--listen=0.0.0.0:0"],
    ];
    for case in cases {
        for order in ["--print-config", "--check", "--log-level=info"] {
            let flags = [&["--upstream=http://127.0.0.1:1", "--port=0", order], case].concat();
            let mut command = guard(&flags);
            let (bad, out, err) = output(command.env("WORKOS_API_KEY", "sk_hunter2"));
            assert_eq!(bad.status.code(), Some(1), "{flags:?}: {out}");
            assert!(
                err.starts_with("public_url is not set: "),
                "{flags:?}: {err}"
            );
        }
    }
    // Where the account is not known either, as for the emulator.
    let (good, _, err) = output(&mut guard(&[
        "--upstream=http://127.0.0.1:1",
        "--print-config",
    ]));
    assert!(good.status.success(), "{err}");
}

/// Pinned: a check took the address as it is written, and a start as it is resolved.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_url_is_made_up_of_the_address_as_it_is_written() {
    let log = Scratch::new("localhost-log", "");
    let mut command = guard(&["--upstream=http://127.0.0.1:1", "--listen=localhost:0"]);
    command.stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    program.says("listening on http://");
    logs(&log, "people sign in at http://localhost:").await;
}

/// Pinned: an error of `build` named `mails_per_address`, which is no key, and no place.
#[test]
fn an_error_of_the_layer_names_the_key_and_where_it_stands() {
    let cases = [
        (
            ("MAGIC_LINK_LIMIT_MAILS_PER_ADDRESS", "0/1s"),
            "limit_mails_per_address ",
        ),
        (
            ("MAGIC_LINK_MOUNT", "auth"),
            "mount \"auth\" must be a path",
        ),
        (
            ("PUBLIC_URL", "http://a.example"),
            "public_url \"http://a.example\" must be",
        ),
        (
            ("TRUSTED_PROXIES", "10.0.0.1/8"),
            "trusted_proxies \"10.0.0.1/8\" must be",
        ),
    ];
    for ((variable, value), want) in cases {
        for order in ["--print-config", "--check", "--log-level=info"] {
            let flags = ["--upstream=http://127.0.0.1:1", "--port=0", order];
            let mut command = guard(&flags);
            let (bad, out, err) = output(command.env(variable, value));
            assert_eq!(bad.status.code(), Some(1), "{variable}: {out}");
            let want = format!("variable {variable}: {want}");
            // Behind the log of a start.
            let error = err.lines().last().unwrap();
            assert!(error.starts_with(&want), "{variable}: {err}");
        }
    }
}

/// Pinned: the certificate, or the key, that stands behind an editor's mark was skipped.
#[test]
fn a_byte_order_mark_is_no_part_of_a_certificate() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let chain = Scratch::new("marked-chain.pem", &format!("\u{feff}{certificate}"));
    let secret = Scratch::new(
        "marked-key.pem",
        &format!("\u{feff}{}", key.serialize_pem()),
    );
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--print-config",
        &format!("--tls-certificate={}", chain.path()),
        &format!("--tls-key={}", secret.path()),
    ];
    let (good, _, err) = output(&mut guard(&flags));
    assert!(good.status.success(), "{err}");
}
