//! Errors name the key that is at fault, and not another one.

use super::{places::read, *};

/// Pins: the error named a variable that was not set, and neither the key nor the file.
#[test]
fn an_error_of_a_secret_in_a_file_names_its_key_its_place_and_the_file() {
    let path = scratch("retired-keys");
    fs::write(&path, "hunter2!\n").unwrap();
    let shown = path.to_str().unwrap();
    let keys = [("MAGIC_LINK_KEY", KEY)];
    let with = |name: &'static str, value: &str| {
        let pairs = [("MAGIC_LINK_KEY", KEY), (name, value)];
        read("", &pairs, &[]).unwrap()
    };
    let cases = [
        (
            with("MAGIC_LINK_RETIRED_KEYS", "hunter2!"),
            "variable MAGIC_LINK_RETIRED_KEYS is not base64: ".to_owned(),
        ),
        (
            with("MAGIC_LINK_RETIRED_KEYS_FILE", shown),
            format!("variable MAGIC_LINK_RETIRED_KEYS_FILE {shown:?} is not base64: "),
        ),
        (
            read("", &keys, &["--retired-keys-file", shown]).unwrap(),
            format!("flag --retired-keys-file {shown:?} is not base64: "),
        ),
        (
            read(&format!("retired_keys_file = {shown:?}"), &keys, &[]).unwrap(),
            format!("settings.toml: retired_keys_file {shown:?} is not base64: "),
        ),
    ];
    for (settings, want) in cases {
        let error = settings.keys().unwrap_err();
        assert_eq!(error.key(), Some("retired_keys"), "{error}");
        let error = error.to_string();
        assert!(error.contains(&want), "{want}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    fs::remove_file(path).unwrap();
    let settings = read("", &[("MAGIC_LINK_KEY", "hunter2!")], &[]).unwrap();
    let error = settings.keys().unwrap_err();
    assert_eq!(error.key(), Some("key"));
    let want = "variable MAGIC_LINK_KEY is not base64: ";
    assert!(error.to_string().starts_with(want), "{error}");
}

#[cfg(feature = "workos")]
#[test]
fn an_error_of_a_part_names_the_file_of_the_secret() {
    let path = scratch("api-key");
    fs::write(&path, "sk hunter2").unwrap();
    let shown = path.to_str().unwrap();
    let pairs = [
        ("WORKOS_API_KEY_FILE", shown),
        ("WORKOS_CLIENT_ID", "client_1"),
    ];
    let error = read("", &pairs, &[]).unwrap().workos().unwrap_err();
    assert_eq!(error.key(), Some("workos_api_key"));
    let want = format!("variable WORKOS_API_KEY_FILE {shown:?}: workos_api_key ");
    assert!(error.to_string().starts_with(&want), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    fs::remove_file(path).unwrap();
}

/// Pins: half a login was an error of the URL, which holds none.
#[cfg(all(feature = "redis", feature = "smtp"))]
#[test]
fn half_a_login_is_an_error_of_its_own_key() {
    let smtp = [
        "--mailer=smtp",
        "--smtp-url=smtps://mail.example.com",
        "--smtp-from=a@example.com",
    ];
    let redis = ["--redis-url=redis://127.0.0.1:1"];
    type Case<'a> = (
        &'a [&'a str],
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a str,
        &'a str,
    );
    let cases: [Case<'_>; 5] = [
        (
            &smtp,
            "--smtp-user=ada",
            &[],
            "smtp_password",
            "smtp_password is not set, which smtp_user needs: set the variable \
             MAGIC_LINK_SMTP_PASSWORD, or smtp_password_file",
        ),
        (
            &smtp,
            "--smtp-timeout=5s",
            &[("MAGIC_LINK_SMTP_PASSWORD", "hunter2")],
            "smtp_user",
            "smtp_user is not set, which smtp_password needs: set it in the file, or the variable \
             MAGIC_LINK_SMTP_USER",
        ),
        (
            &smtp,
            "--smtp-user=ada",
            &[("MAGIC_LINK_SMTP_PASSWORD", "hunter\u{7}2")],
            "smtp_password",
            "variable MAGIC_LINK_SMTP_PASSWORD has a control character",
        ),
        (
            &redis,
            "--redis-user=ada",
            &[],
            "redis_password",
            "redis_password is not set, which redis_user needs: set the variable \
             MAGIC_LINK_REDIS_PASSWORD, or redis_password_file",
        ),
        (
            &redis,
            "--redis-sentinel-user=ada",
            &[],
            "redis_sentinel_password",
            "redis_sentinel_password is not set, which redis_sentinel_user needs: set the variable \
             MAGIC_LINK_REDIS_SENTINEL_PASSWORD, or redis_sentinel_password_file",
        ),
    ];
    for (usual, flag, pairs, key, want) in cases {
        let settings = read("", pairs, &[usual, &[flag]].concat()).unwrap();
        let error = settings.apply(builder()).unwrap_err();
        assert_eq!(error.to_string(), want);
        assert_eq!(error.key(), Some(key));
    }
    // Redis has passwords without a user, and the default may be written out.
    type Whole<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let whole: [Whole<'_>; 2] = [
        (&redis, &[("MAGIC_LINK_REDIS_PASSWORD", "hunter2")]),
        (&[redis[0], "--redis-sentinel-user=default"], &[]),
    ];
    for (flags, pairs) in whole {
        assert!(read("", pairs, flags).unwrap().redis().is_ok(), "{flags:?}");
    }
}

/// Pins: the name is the logo's alternative text, so the error named the logo.
#[test]
fn a_name_that_is_too_long_is_an_error_of_the_name_beside_a_logo_too() {
    let name = format!("--application-name={}", "x".repeat(81));
    let settings = read("", &[], &[&name, "--page-logo=/logo.svg"]).unwrap();
    let error = settings.apply(builder()).unwrap_err();
    assert_eq!(error.key(), Some("application_name"));
    let want = format!(
        "flag --application-name \"{}…\" must be 1 to 80 characters",
        "x".repeat(80)
    );
    assert!(error.to_string().starts_with(&want), "{error}");
    let settings = read("", &[], &["--application-name=A", "--page-logo=logo.svg"]).unwrap();
    let error = settings.apply(builder()).unwrap_err();
    assert_eq!(error.key(), Some("page_logo"));
}
