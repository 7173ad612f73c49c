//! Which names are settings, and that each is set once.

use super::{
    places::{Case, read},
    *,
};

/// Pinned: the last one had won in silence.
#[test]
fn a_setting_that_one_source_sets_twice_is_an_error_that_names_it() {
    let cases: [Case; 9] = [
        (
            "",
            &[],
            &["--mount=/hunter2", "--mount", "/b"],
            "flag --mount is given twice: remove one",
        ),
        (
            "",
            &[],
            &["--mount=/a", "--mount=/a"],
            "flag --mount is given twice: remove one",
        ),
        (
            "",
            &[],
            &["--cookie-name=a", "--cookie_name=b"],
            "flag --cookie-name and flag --cookie_name are the same setting: remove one",
        ),
        (
            "",
            &[],
            &["--no-store", "--no-store=false"],
            "flag --no-store is given twice: remove one",
        ),
        (
            "",
            &[],
            &["--port=1", "--port=2"],
            "flag --port is given twice: remove one",
        ),
        (
            "",
            &[("MAGIC_LINK_MOUNT", "/hunter2"), ("MAGIC_LINK_MOUNT", "/b")],
            &[],
            "variable MAGIC_LINK_MOUNT is given twice: remove one",
        ),
        (
            "",
            &[("MAGIC_LINK_KEY", "hunter2"), ("MAGIC_LINK_KEY", "b")],
            &[],
            "variable MAGIC_LINK_KEY is given twice: remove one",
        ),
        (
            "",
            &[("UPSTREAM", "http://hunter2"), ("UPSTREAM", "http://b")],
            &[],
            "variable UPSTREAM is given twice: remove one",
        ),
        (
            "mount = \"/hunter2\"\nmount = \"/b\"",
            &[],
            &[],
            "FILE, line 2, is no TOML: duplicate key",
        ),
    ];
    for (text, pairs, flags, want) in cases {
        let error = read(text, pairs, flags).map(|_| ()).unwrap_err();
        assert!(
            error.starts_with(want),
            "{text:?} {pairs:?} {flags:?}: {error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    let embedded = r#"{ "mount": "/hunter2", "no_store": true, "mount": "/b" }"#;
    let error = serde_json::from_str::<Settings>(embedded).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("a table of settings: mount is set twice: remove one"),
        "{error}"
    );
    // An empty variable counts as not set, and several flags make one list.
    let pairs = [("MAGIC_LINK_MOUNT", ""), ("MAGIC_LINK_MOUNT", "/b")];
    let flags = ["--languages=de", "--languages", "fr,en"];
    let settings = read("languages = [\"ja\"]", &pairs, &flags).unwrap();
    assert_eq!(settings.word("mount"), Some("/b"));
    assert_eq!(settings.list("languages"), ["de", "fr", "en"]);
}

/// Pinned: it had been ignored, as if the setting were in force.
#[test]
fn a_variable_in_small_letters_is_an_error_that_names_the_right_one() {
    let cases = [
        ("magic_link_mount", "MAGIC_LINK_MOUNT"),
        ("Magic_Link_Key", "MAGIC_LINK_KEY"),
        (
            "magic_link_smtp_password_file",
            "MAGIC_LINK_SMTP_PASSWORD_FILE",
        ),
        #[cfg(feature = "workos")]
        ("workos_api_key", "WORKOS_API_KEY"),
    ];
    for (name, want) in cases {
        let error = read("", &[(name, "hunter2")], &[]).map(|_| ()).unwrap_err();
        let want = format!("variable {name} is not known: do you mean {want}?");
        assert_eq!(error, want);
        assert!(
            read("", &[(name, "")], &[]).is_ok(),
            "an empty one is not set"
        );
    }
    // Those of an application have no prefix, so that they may belong to another program.
    let pairs = [("port", "1"), ("upstream", "x"), ("workos_other", "x")];
    assert!(read("", &pairs, &[]).unwrap().set.is_empty());
}

#[test]
fn what_kubernetes_writes_for_a_service_is_no_setting() {
    let pairs = [
        ("MAGIC_LINK_SERVICE_HOST", "10.0.0.1"),
        ("MAGIC_LINK_PORT", "tcp://10.0.0.1:80"),
        ("MAGIC_LINK_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("WORKOS_SOMETHING", "x"),
    ];
    assert!(read("", &pairs, &[]).unwrap().set.is_empty());
}

#[test]
fn a_further_variable_of_a_key_is_named_as_it_is_set() {
    let read = |pairs: &[(&str, &str)]| {
        let sources = Sources::new().variable("PUBLIC_URL", "public_url");
        let sources = sources.variable("PROXIES", "trusted_proxies");
        let read = sources.environment(variables(pairs)).read();
        read.map_err(|error| error.to_string())
    };
    let set = read(&[("PUBLIC_URL", "https://a.example"), ("PROXIES", "10.0.0.1")]).unwrap();
    assert_eq!(set.text("public_url"), Some("https://a.example"));
    assert_eq!(set.list("trusted_proxies"), ["10.0.0.1"]);
    let printed = set.to_string();
    assert!(
        printed.contains("\"https://a.example\" # variable PUBLIC_URL\n"),
        "{printed}"
    );
    let cases: [(&[(&str, &str)], &str); 2] = [
        (
            &[
                ("PUBLIC_URL", "https://a.example"),
                ("MAGIC_LINK_PUBLIC_URL", "https://b.example"),
            ],
            "variable PUBLIC_URL and variable MAGIC_LINK_PUBLIC_URL are the same setting: remove one",
        ),
        (
            &[("PUBLIC_URL", "https://u:hunter2@a.example")],
            "variable PUBLIC_URL must not hold a user name or password",
        ),
    ];
    for (pairs, want) in cases {
        assert_eq!(read(pairs).map(|_| ()).unwrap_err(), want);
    }
    let pairs = [
        ("PUBLIC_URL", ""),
        ("MAGIC_LINK_PUBLIC_URL", "https://b.example"),
    ];
    assert_eq!(
        read(&pairs).unwrap().text("public_url"),
        Some("https://b.example")
    );
    let sources = Sources::new().variable("PUBLIC_URL", "publik_url");
    let error = sources
        .environment(variables(&[("PUBLIC_URL", "x")]))
        .read();
    let want = "variable PUBLIC_URL: there is no setting publik_url: do you mean public_url?";
    assert_eq!(error.unwrap_err().to_string(), want);
}
