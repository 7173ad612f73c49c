//! Where a value may stand, and what is said of a wrong one.

use super::*;

/// Reads a file of this text, with these variables and flags.
pub(super) fn read(text: &str, pairs: &[(&str, &str)], flags: &[&str]) -> Result<Settings, String> {
    let path = scratch("settings.toml");
    fs::write(&path, text).unwrap();
    let sources = Sources::new()
        .own("upstream", "", "The service.")
        .own("port", "3000", "Where it listens.")
        .file(&path)
        .environment(variables(pairs))
        .flags(flags.iter().copied());
    let read = sources.read().map_err(|error| {
        let shown = path.display().to_string();
        error.to_string().replace(&shown, "FILE")
    });
    fs::remove_file(path).unwrap();
    read
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let file = "session_lifetime = \"1h\"\nidle_timeout = \"1h\"\nmount = \"/file\"\n\
                trusted_proxies = [\"10.0.0.1\", \"10.0.0.2\"]\nport = 8080\nno_store = true";
    let pairs = [
        ("MAGIC_LINK_SESSION_LIFETIME", "2h"),
        ("MAGIC_LINK_IDLE_TIMEOUT", "2h"),
        ("MAGIC_LINK_MOUNT", ""),
        ("MAGIC_LINK_NO_STORE", "false"),
        ("UPSTREAM", "http://127.0.0.1:1"),
    ];
    let flags = [
        "--session-lifetime=3h",
        "--trusted-proxies",
        "192.0.2.1,192.0.2.2",
        "--trusted-proxies=192.0.2.3",
        "--bearer-tokens",
    ];
    let settings = read(file, &pairs, &flags).unwrap();
    let value = |name: &str| settings.set[name].value.to_string();
    let cases = [
        ("session_lifetime", "\"3h\""),
        ("idle_timeout", "\"2h\""),
        ("mount", "\"/file\""),
        ("no_store", "false"),
        ("bearer_tokens", "true"),
        (
            "trusted_proxies",
            r#"["192.0.2.1", "192.0.2.2", "192.0.2.3"]"#,
        ),
    ];
    for (name, want) in cases {
        assert_eq!(value(name), want, "{name}");
    }
    assert_eq!(settings.text("upstream"), Some("http://127.0.0.1:1"));
    assert_eq!(settings.parsed::<u16>("port", "x").unwrap(), Some(8080));
    let shown = settings.to_string();
    for want in [
        "upstream = \"http://127.0.0.1:1\" # variable UPSTREAM\n",
        "session_lifetime = \"3h\" # flag --session-lifetime\n",
        "# renew_after = 0.25\n",
    ] {
        assert!(shown.contains(want), "{want}: {shown}");
    }
    let usual = read("", &[], &[]).unwrap();
    assert_eq!(usual.parsed::<u16>("port", "x").unwrap(), Some(3000));
    assert_eq!(usual.text("upstream"), None);
}

#[test]
fn what_is_printed_can_be_read_again() {
    let file = "public_path = [\"/a\", \"POST /b\"]\nlimit_mails = \"5/3s\"\nrenew_after = 0.5";
    let settings = read(file, &[], &["--application-name", "A \"b\" \\ c"]).unwrap();
    let again = read(&settings.to_string(), &[], &[]).unwrap();
    let values = |settings: &Settings| {
        let set = settings.set.iter();
        set.map(|(name, set)| format!("{name} {}", set.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&settings), values(&again));
}

/// A file, variables, flags, and how the error begins.
pub(super) type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a str);

#[test]
fn a_wrong_key_or_value_says_where_it_stands_and_what_is_expected() {
    let cases: [Case; 22] = [
        (
            "session_lifetme = \"1h\"",
            &[],
            &[],
            "FILE: there is no setting session_lifetme: do you mean session_lifetime?",
        ),
        ("colour = 1", &[], &[], "FILE: there is no setting colour"),
        (
            "[redis]\nurl = \"x\"",
            &[],
            &[],
            "FILE: there is no setting redis: it is a table, and all settings stand beside each other",
        ),
        (
            "upstreem = \"x\"",
            &[],
            &[],
            "FILE: there is no setting upstreem: do you mean upstream?",
        ),
        (
            "session_lifetime = 12",
            &[],
            &[],
            "FILE: session_lifetime 12 must be a length of time such as 500ms, 30s, 15m, 12h or 7d",
        ),
        (
            "session_lifetime = [\"1h\"]",
            &[],
            &[],
            "FILE: session_lifetime [\"1h\"] must be a length of time such as 500ms, 30s, 15m, 12h or 7d",
        ),
        (
            "no_store = \"yes\"",
            &[],
            &[],
            "FILE: no_store \"yes\" must be true or false",
        ),
        (
            "sign_in = \"password\"",
            &[],
            &[],
            "FILE: sign_in \"password\" must be one of code, link, link-and-code",
        ),
        (
            "limit_mails = \"5\"",
            &[],
            &[],
            "FILE: limit_mails \"5\" must be a burst and the time to refill by one, such as 10/2m",
        ),
        (
            "renew_after = \"nan\"",
            &[],
            &[],
            "FILE: renew_after \"nan\" must be a number such as 0.25",
        ),
        (
            "mount = \"\"",
            &[],
            &[],
            "FILE: mount \"\" must be a text that is not empty",
        ),
        (
            "\n\npassword = = \"hunter2\"",
            &[],
            &[],
            "FILE, line 3, is no TOML",
        ),
        (
            "mount = \"/a\"\nmount = \"/hunter2\"",
            &[],
            &[],
            "FILE, line 2, is no TOML",
        ),
        (
            "webhook_secret = \"hunter2\"",
            &[],
            &[],
            "FILE: webhook_secret is a secret, which files and flags would show: set the variable MAGIC_LINK_WEBHOOK_SECRET, or webhook_secret_file to the path of a file that holds it",
        ),
        (
            "webhook_secret_file = \"/nowhere/x\"",
            &[],
            &[],
            "FILE: webhook_secret_file \"/nowhere/x\" cannot be read",
        ),
        (
            "",
            &[("MAGIC_LINK_SESION_LIFETIME", "1h")],
            &[],
            "variable MAGIC_LINK_SESION_LIFETIME is not known: do you mean MAGIC_LINK_SESSION_LIFETIME?",
        ),
        (
            "",
            &[("MAGIC_LINK_SESSION_LIFETIME", "1")],
            &[],
            "variable MAGIC_LINK_SESSION_LIFETIME \"1\" must be a length of time",
        ),
        (
            "",
            &[],
            &["--sesion-lifetime", "1h"],
            "flag --sesion-lifetime is not known: do you mean --session-lifetime?",
        ),
        (
            "",
            &[],
            &["--session-lifetime"],
            "flag --session-lifetime lacks its value",
        ),
        (
            "",
            &[],
            &["--mount", "--no-store"],
            "flag --mount lacks its value",
        ),
        (
            "",
            &[],
            &["session-lifetime"],
            "\"session-lifetime\" is no flag",
        ),
        (
            "",
            &[],
            &["--key=hunter2"],
            "flag --key: key is a secret, which files and flags would show: set the variable MAGIC_LINK_KEY",
        ),
    ];
    for (text, pairs, flags, want) in cases {
        let error = read(text, pairs, flags).map(|_| ()).unwrap_err();
        assert!(error.starts_with(want), "{text:?} {flags:?}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let gone = Sources::new()
        .file("/nowhere/settings.toml")
        .read()
        .unwrap_err();
    assert!(
        gone.to_string()
            .starts_with("/nowhere/settings.toml cannot be read: "),
        "{gone}"
    );
}

#[test]
fn a_secret_comes_from_a_variable_or_a_file_and_is_never_shown() {
    let path = scratch("secret");
    fs::write(&path, "hunter2\n").unwrap();
    let shown = path.to_str().unwrap().to_owned();
    let places = [
        read(&format!("webhook_secret_file = {shown:?}"), &[], &[]),
        read("", &[("MAGIC_LINK_WEBHOOK_SECRET", "hunter2")], &[]),
        read("", &[("MAGIC_LINK_WEBHOOK_SECRET_FILE", &shown)], &[]),
        read("", &[], &["--webhook-secret-file", &shown]),
    ];
    for settings in places {
        let settings = settings.unwrap();
        assert_eq!(settings.secret("webhook_secret"), Some("hunter2"));
        let told = format!("{settings} {settings:?}");
        assert!(
            !told.contains("hunter2") && told.contains("[redacted]"),
            "{told}"
        );
    }
    let both = [
        ("MAGIC_LINK_WEBHOOK_SECRET", "a"),
        ("MAGIC_LINK_WEBHOOK_SECRET_FILE", &shown),
    ];
    let error = read("", &both, &[]).unwrap_err();
    assert!(
        error.contains("webhook_secret and webhook_secret_file are both set"),
        "{error}"
    );
    fs::write(&path, "\n").unwrap();
    let error = read("", &[], &["--webhook-secret-file", &shown]).unwrap_err();
    assert!(error.contains("is an empty file"), "{error}");
    fs::remove_file(path).unwrap();
}

#[test]
fn an_error_of_build_says_where_the_setting_stands() {
    let pairs = [("MAGIC_LINK_KEY", KEY)];
    let flags = [
        "--provider=mailed-links",
        "--mailer=console",
        "--public-url=http://127.0.0.1:1",
    ];
    let settings = read("session_lifetime = \"10s\"", &pairs, &flags).unwrap();
    let error = settings.layer().unwrap_err().to_string();
    assert!(
        error.ends_with(": session_lifetime \"10s\" must be 1 minute to 400 days"),
        "{error}"
    );
    assert!(error.contains("settings.toml"), "{error}");
    let settings = read("", &pairs, &flags).unwrap();
    assert!(settings.layer().is_ok());
    let error = read("", &[], &flags).unwrap().layer().unwrap_err();
    assert_eq!(error.key(), Some("key"));
    assert!(error.to_string().starts_with("MAGIC_LINK_KEY is not set"));
}

#[test]
fn an_application_has_its_settings_in_a_table_of_its_own_file() {
    #[derive(serde::Deserialize)]
    struct Configuration {
        port: u16,
        sign_in: Settings,
    }
    let read =
        |text: &str| toml::from_str::<Configuration>(text).map_err(|error| error.to_string());
    let text = "port = 80\n[sign_in]\npublic_url = \"https://app.example.com\"\nmount = \"/a\"";
    let configuration = read(text).unwrap();
    assert_eq!(configuration.port, 80);
    assert_eq!(configuration.sign_in.word("mount"), Some("/a"));
    let error = read("port = 80\n[sign_in]\nmont = \"/a\"")
        .map(|_| ())
        .unwrap_err();
    assert!(
        error.contains("there is no setting mont: do you mean mount?"),
        "{error}"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file_of_settings() {
    let settings = read("\u{feff}mount = \"/account\"\n", &[], &[]).unwrap();
    assert_eq!(settings.text("mount"), Some("/account"));
}
