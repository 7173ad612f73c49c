//! What errors and printed settings show, and what they must not.

use super::*;

fn read(pairs: &[(&str, &str)], flags: &[&str]) -> Result<Settings, String> {
    let sources = Sources::new().own("greeting", "", "What it says.");
    let sources = sources.environment(variables(pairs));
    let read = sources.flags(flags.iter().copied()).read();
    read.map_err(|error| error.to_string())
}

/// Pinned: the login was refused when the builder was made, and printed until then.
#[cfg(all(feature = "redis", feature = "smtp", feature = "workos"))]
#[test]
fn a_login_in_a_url_is_refused_when_it_is_read() {
    let cases = [
        (
            "--redis-url=redis://app:hunter2@10.0.0.1",
            "must hold no login: set redis_user",
        ),
        (
            "--redis-url=redis://a,redis://b:hunter2@c",
            "must hold no login: set redis_user",
        ),
        (
            "--redis-url=redis+unix:///r.sock?pass=hunter2",
            "must hold no login: set redis_user",
        ),
        (
            "--smtp-url=smtps://ada:hunter2@mail.example.com",
            "must hold no login: set smtp_user",
        ),
        (
            "--workos-base-url=https://u:hunter2@w.example",
            "must not hold a user name or password",
        ),
        (
            "--public-url=https://u:hunter2@a.example",
            "must not hold a user name or password",
        ),
    ];
    for (flag, want) in cases {
        let error = read(&[], &[flag]).map(|read| read.to_string()).unwrap_err();
        assert!(error.contains(want), "{flag}: {error}");
        assert!(!error.contains("hunter2"), "{flag}: {error}");
    }
}

/// Pinned: a secret that stands where the path of its file belongs was shown.
#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let cases = [
        (
            &[][..],
            "--webhook-secret-file=whsec_hunter2",
            "flag --webhook-secret-file (not shown)",
        ),
        (
            &[],
            "webhook_secret=whsec_hunter2",
            "\"webhook_secret\" is no flag",
        ),
        (
            &[("MAGIC_LINK_KEY_FILE", "x")],
            "webhook_secret=whsec_hunter2",
            "is no flag",
        ),
    ];
    for (pairs, flag, want) in cases {
        let error = read(pairs, &[flag]).map(|_| ()).unwrap_err();
        assert!(error.contains(want), "{flag}: {error}");
        assert!(!error.contains("hunter2"), "{flag}: {error}");
    }
}

#[test]
fn a_secrets_file_is_read_to_a_limit_and_keeps_the_spaces_of_the_secret() {
    let path = scratch("secret-file");
    let shown = path.to_str().unwrap().to_owned();
    let taken = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        let settings = read(&[("MAGIC_LINK_WEBHOOK_SECRET_FILE", &shown)], &[]);
        settings.map(|settings| settings.secret("webhook_secret").unwrap().to_owned())
    };
    assert_eq!(taken(b"\xef\xbb\xbf one two \r\n\n").unwrap(), " one two ");
    assert_eq!(taken(&[b'a'; 65_536]).unwrap().len(), 65_536);
    let error = taken(&[b'a'; 65_537]).unwrap_err();
    assert!(
        error.contains("cannot be read: it is larger than 64 KiB"),
        "{error}"
    );
    assert!(taken(b" \n").unwrap_err().contains("is an empty file"));
    fs::remove_file(&path).unwrap();
}

/// Pinned: the file won over a key of a variable, which was silently not in use.
#[test]
fn a_file_of_keys_beside_a_key_is_refused() {
    for name in ["MAGIC_LINK_KEY", "MAGIC_LINK_RETIRED_KEYS"] {
        let settings = read(&[(name, KEY)], &["--key-file=/nowhere/keys"]).unwrap();
        let error = settings.keys().unwrap_err().to_string();
        let want = "flag --key-file and ";
        assert!(
            error.starts_with(want) && error.contains("are both set"),
            "{error}"
        );
    }
}

#[test]
fn a_long_value_is_cut_and_a_name_stays_on_its_line() {
    let long = format!("--session-lifetime={}", "x".repeat(1_000));
    let greeting = format!("--greeting={}", "y".repeat(1_000));
    let lists = format!("--mount={}", "z\n".repeat(1_000));
    let error = read(&[], &[&long]).map(|_| ()).unwrap_err();
    assert!(
        error.contains(&format!("\"{}…\" must be", "x".repeat(80))),
        "{error}"
    );
    let settings = read(&[], &[&greeting, &lists]).unwrap();
    let error = settings
        .parsed::<u16>("greeting", "a number")
        .unwrap_err()
        .to_string();
    assert!(error.len() < 200, "{error}");
    assert!(settings.length("greeting").unwrap_err().to_string().len() < 200);
    let name = toml::from_str::<Settings>("\"a\\nb\" = 1")
        .map(|_| ())
        .unwrap_err();
    assert!(
        name.to_string().contains("there is no setting \"a\\nb\""),
        "{name}"
    );
}

#[test]
fn a_variable_of_kubernetes_is_known_by_its_form() {
    let ignored = [
        ("MAGIC_LINK_ADMIN_SERVICE_HOST", "10.0.0.1"),
        ("MAGIC_LINK_ADMIN_SERVICE_PORT", "80"),
        ("MAGIC_LINK_ADMIN_SERVICE_PORT_HTTP", "80"),
        ("MAGIC_LINK_ADMIN_PORT", "tcp://10.0.0.1:80"),
        ("MAGIC_LINK_ADMIN_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("MAGIC_LINK_ADMIN_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("MAGIC_LINK_PORT_53_UDP", "udp://10.0.0.1:53"),
        ("MAGIC_LINK_PORT_53_UDP_PROTO", "udp"),
    ];
    assert!(read(&ignored, &[]).unwrap().set.is_empty());
    for (name, value) in [
        ("MAGIC_LINK_PORT", "8080"),
        ("MAGIC_LINK_SUPPORT", "tcp://a"),
    ] {
        let error = read(&[(name, value)], &[]).map(|_| ()).unwrap_err();
        assert!(error.contains("is not known"), "{name}: {error}");
    }
}

#[test]
fn a_key_is_set_by_any_source_and_by_no_default() {
    let settings = read(&[("MAGIC_LINK_KEY", KEY)], &["--mount=/account"]);
    let settings = settings.unwrap();
    assert!(settings.is_set("mount") && settings.is_set("key"));
    assert!(!settings.is_set("session_lifetime") && !settings.is_set("greeting"));
}

/// Pinned: `key` returned the name that the text did not show.
#[test]
fn a_secret_in_the_place_of_a_name_is_shown_by_nothing() {
    let embedded = r#"{ "sk_live_hunter2": 1 }"#;
    let error = serde_json::from_str::<Settings>(embedded).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("there is no setting (not shown)"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let variable = variables(&[("MAGIC_LINK_sk_live_hunter2", "1")]);
    let cases = [
        ("a flag", Sources::new().flags(["--sk_live_hunter2"])),
        (
            "a flag with hyphens",
            Sources::new().flags(["--sk-live-hunter2=1"]),
        ),
        (
            "a flag of a feature",
            Sources::new().flags(["--redis_sk_live_hunter2=1"]),
        ),
        (
            "a flag with a login",
            Sources::new().flags(["--redis://app:hunter2"]),
        ),
        ("a variable", Sources::new().environment(variable)),
    ];
    for (name, sources) in cases {
        let error = sources.read().unwrap_err();
        assert!(error.to_string().contains("(not shown)"), "{name}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{name}: {error}");
        assert_eq!(error.key(), None, "{name}");
    }
    let error = Sources::new().flags(["--colour=1"]).read().unwrap_err();
    assert_eq!(error.key(), Some("colour"));
}

/// Pinned: a value that is not shown was printed as a key whose value no TOML has.
#[test]
fn a_value_that_is_not_shown_is_printed_in_a_comment() {
    let harmless = [
        "--page-stylesheet=https://cdn.jsdelivr.net/npm/@acme/theme@1/style.css",
        "--page-support=https://social.example/@acme",
        "--cookie-name=sk_session",
    ];
    let hidden = [
        "--application-name=sk_test_hunter2",
        "--organization=org_1,sk_test_hunter2",
    ];
    let flags: Vec<_> = harmless.iter().chain(&hidden).copied().collect();
    let printed = read(&[], &flags).unwrap().to_string();
    for want in [
        "page_support = \"https://social.example/@acme\" # flag --page-support\n",
        "# application_name = [redacted] (flag --application-name): it looks like a secret",
        "# organization = [\"org_1\", [redacted]] (flag --organization): it looks like",
    ] {
        assert!(printed.contains(want), "{want}: {printed}");
    }
    assert!(!printed.contains("hunter2"), "{printed}");
    let again: toml::Table = printed.parse().unwrap();
    let names: Vec<_> = again.keys().collect();
    assert_eq!(names, ["cookie_name", "page_stylesheet", "page_support"]);
}

#[test]
fn a_language_as_posix_writes_it_is_shown() {
    let settings = read(&[("MAGIC_LINK_KEY", KEY)], &["--languages=sk_SK"]).unwrap();
    let error = settings.stubbed().map(|_| ()).unwrap_err().to_string();
    let want = "flag --languages \"sk_SK\" is not shipped: use ";
    assert!(error.starts_with(want), "{error}");
}
