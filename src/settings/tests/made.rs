use super::*;
use crate::language::Words;

/// Returns settings of these flags, with the secrets of all parts.
fn flagged(flags: &[&str]) -> Settings {
    tried(flags).unwrap()
}

fn tried(flags: &[&str]) -> Result<Settings, SettingsError> {
    let secrets = variables(&[
        ("MAGIC_LINK_KEY", KEY),
        ("WORKOS_API_KEY", "sk_hunter2"),
        ("WORKOS_CLIENT_ID", "client_01"),
        ("MAGIC_LINK_SMTP_PASSWORD", "hunter2 @/"),
        ("MAGIC_LINK_REDIS_PASSWORD", "hunter2 @/"),
    ]);
    let sources = Sources::new().environment(secrets);
    sources.flags(flags.iter().copied()).read()
}

#[test]
fn each_key_of_workos_reaches_its_client() {
    let cases = [
        (
            "--workos-base-url=http://127.0.0.1:4",
            "base: \"http://127.0.0.1:4\"",
        ),
        ("--workos-connect-timeout=2s", "connect_timeout: 2s"),
        ("--workos-timeout=3s", "timeout: 3s"),
        ("--workos-exchange-timeout=4s", "exchange_timeout: 4s"),
        ("--workos-connection-types=GoogleOAuth", "GoogleOAuth"),
        ("--workos-client-id=client_02", "client_id: \"client_02\""),
    ];
    let usual = format!("{:?}", flagged(&[]).workos().unwrap());
    for (flag, want) in cases {
        let got = format!("{:?}", flagged(&[flag]).workos().unwrap());
        assert!(got.contains(want) && !usual.contains(want), "{flag}: {got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
    let error = flagged(&["--workos-timeout=1h"]).workos().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("flag --workos-timeout: workos_timeout \"3600s\" is not between"),
        "{error}"
    );
    // The rest is checked where the account is not known.
    let shown = |flag: &str| {
        let settings = Sources::new().flags([flag]).read().unwrap();
        let made = settings.workos_or("sk_rehearsal", "client_rehearsal");
        made.map(|made| format!("{made:?}"))
            .map_err(|error| error.to_string())
    };
    for (flag, want) in cases {
        let got = shown(flag).unwrap();
        assert!(got.contains(want), "{flag}: {got}");
    }
    for flag in [
        "--workos-timeout=1h",
        "--workos-connect-timeout=0s",
        "--workos-exchange-timeout=0s",
        "--workos-base-url=http://example.com",
        "--workos-client-id=client 01",
    ] {
        let (name, _) = flag.split_once('=').unwrap();
        let want = format!("flag {name}: {}", name[2..].replace('-', "_"));
        let error = shown(flag).unwrap_err();
        assert!(error.starts_with(&want), "{error}");
    }
    let none = Sources::new().environment(key()).read().unwrap();
    let error = none.builder().unwrap_err().to_string();
    assert_eq!(
        error,
        "workos_api_key is not set, which provider workos needs: set the variable WORKOS_API_KEY, or workos_api_key_file"
    );
}

#[test]
fn each_key_of_smtp_reaches_its_mailer() {
    let base = [
        "--smtp-url=smtps://mail.example.com",
        "--smtp-from=a@example.com",
    ];
    let made = |flags: &[&str]| {
        let name = |flag: &str| flag.split('=').next().unwrap().to_owned();
        let base = base
            .into_iter()
            .filter(|usual| flags.iter().all(|flag| name(flag) != name(usual)));
        // A password without a user name is refused.
        let base: Vec<_> = base.chain(["--smtp-user=ada"]).collect();
        let flags = [&base[..], flags].concat();
        tried(&flags)?.smtp().map(|mailer| format!("{mailer:?}"))
    };
    let usual = made(&[]).unwrap();
    let cases = [
        (
            "--smtp-url=smtp+starttls://other.example.com:99",
            "other.example.com",
        ),
        ("--smtp-from=b@example.com", "b@example.com"),
        ("--smtp-timeout=3s", "timeout: 3s"),
        ("--smtp-pool-size=3", "free: 3"),
    ];
    for (flag, want) in cases {
        let got = made(&[flag]).unwrap();
        assert!(got.contains(want) && !usual.contains(want), "{flag}: {got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
    let error = made(&["--smtp-url=smtps://ada:hunter2@mail.example.com"]).unwrap_err();
    let want = "flag --smtp-url must hold no login: set smtp_user, and the password by the variable \
                MAGIC_LINK_SMTP_PASSWORD or by smtp_password_file";
    assert_eq!(error.to_string(), want);
    let error = made(&["--smtp-root-certificate=/nowhere"]).unwrap_err();
    let want = "flag --smtp-root-certificate \"/nowhere\" cannot be read";
    assert!(error.to_string().starts_with(want), "{error}");
    let builder = flagged(&["--mailer=smtp"]).builder().unwrap_err();
    assert_eq!(builder.key(), Some("smtp_url"));
    let console = flagged(&["--mailer=console"]).builder().unwrap().in_full();
    assert!(
        console.iter().any(|line| line.contains("ConsoleMailer")),
        "{console:?}"
    );
}

#[test]
fn each_key_of_redis_reaches_it() {
    let made = |flags: &[&str]| {
        let flags = [
            &["--redis-url=rediss://a.example:1,rediss://b.example:2"],
            flags,
        ]
        .concat();
        flagged(&flags)
            .redis()
            .map(|redis| format!("{:?}", redis.unwrap()))
    };
    let usual = made(&[]).unwrap();
    assert!(
        usual.contains("a.example") && usual.contains("b.example"),
        "{usual}"
    );
    let cases = [
        ("--redis-sentinels-of=main", "sentinels_of: Some(\"main\")"),
        ("--redis-namespace=billing", "namespace: \"billing\""),
        ("--redis-grace=9s", "grace: 9s"),
        ("--redis-settle=8s", "settle: 8s"),
        ("--redis-connect-timeout=7s", "connect_timeout: 7s"),
    ];
    for (flag, want) in cases {
        let got = made(&[flag]).unwrap();
        assert!(got.contains(want) && !usual.contains(want), "{flag}: {got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
    // Behind an editor's mark, the document would be skipped.
    let root = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["redis.example.com".to_owned()]).unwrap();
    let root = params.self_signed(&root).unwrap().pem();
    let path = scratch("marked-root.pem");
    fs::write(&path, format!("\u{feff}{root}")).unwrap();
    made(&[&format!("--redis-ca-certificates={}", path.display())]).unwrap();
    fs::remove_file(path).unwrap();
    let error = made(&["--redis-settle=1ms"]).unwrap_err().to_string();
    assert!(
        error.starts_with("flag --redis-settle: redis_settle \"1ms\" must be 1 second"),
        "{error}"
    );
    let error = flagged(&["--session-index=redis"]).builder().unwrap_err();
    assert_eq!(error.key(), Some("redis_url"));
}

#[tokio::test]
async fn with_redis_the_stores_are_there_and_shared() {
    let flags = ["--redis-url=redis://127.0.0.1:1", "--session-index=redis"];
    let settings = flagged(&flags);
    let shown = settings.builder().unwrap().in_full().concat();
    for want in ["RedisRevocations", "RedisThrottle", "RedisSessions"] {
        assert!(shown.contains(want), "{want}: {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(settings.revocations().unwrap().is_some());
    assert!(settings.revocations.get().is_some(), "made once");
}

#[test]
fn the_keys_of_a_page_reach_it() {
    let shown = |flags: &[&str]| {
        let builder = flagged(flags).stubbed().unwrap();
        builder.in_full().concat()
    };
    let flags = [
        "--page-support=help@example.com",
        "--page-accent=#0a7d4b",
        "--page-logo=/logo.svg",
        "--page-stylesheet=/sign-in.css",
        "--application-name=Acme",
    ];
    let page = shown(&flags);
    for want in [
        "mailto:help@example.com",
        "Acme",
        r#"<img class=\"logo\" src=\"/logo.svg\" alt=\"Acme\">"#,
        r#"<link rel=\"stylesheet\" href=\"/sign-in.css\">"#,
    ] {
        assert!(page.contains(want), "{want}: {page}");
    }
    let error = flagged(&["--page-accent=blue-ish"]).stubbed().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("flag --page-accent: page_accent"),
        "{error}"
    );
    let error = flagged(&["--page-logo=/logo.svg"]).stubbed().unwrap_err();
    let want = "flag --page-logo needs application_name, which is its alternative text";
    assert_eq!(error.to_string(), want);
    let error = flagged(&["--page-stylesheet=sign-in.css"]).stubbed();
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("flag --page-stylesheet: page_stylesheet \"sign-in.css\" must be"),
        "{error}"
    );
}

#[test]
fn the_languages_are_tables_that_come_with_the_crate() {
    let languages = |tags: &str| flagged(&[&format!("--languages={tags}")]).stubbed();
    let shown = languages("DE, fr,en").unwrap().in_full().concat();
    let want = r#"[Words("de"), Words("fr"), Words("en")]"#;
    assert!(shown.contains(want), "{shown}");
    let all: Vec<_> = Words::all().iter().map(|w| w.tag().to_owned()).collect();
    let usual = languages(&all.join(",")).unwrap().in_full().concat();
    assert!(usual.contains(&format!("{:?}", Words::all())), "{usual}");
    // The key's own text names them, too.
    let about = Key::named("languages").unwrap().about;
    assert!(about.contains(&all.join(", ")), "{about}");
    let cases = [
        (
            "de,nl",
            "flag --languages \"nl\" is not shipped: use en, ar, de, es, fr, ja",
        ),
        (
            "de,de-AT",
            "flag --languages \"de-AT\" is not shipped: use en, ar, de, es, fr, ja",
        ),
        ("de,de", "flag --languages: languages \"de\" has two tables"),
    ];
    for (tags, want) in cases {
        let tags = format!("--languages={tags}");
        let settings = flagged(&["--public-url=http://127.0.0.1:1", &tags]);
        let built = settings.stubbed().and_then(|builder| {
            let built = builder.build();
            built.map_err(|error| settings.locate(&error))
        });
        let error = built.unwrap_err();
        assert!(error.to_string().starts_with(want), "{error}");
        assert_eq!(error.key(), Some("languages"));
    }
}

#[tokio::test]
async fn the_keys_are_those_of_the_file_or_of_the_variables() {
    let ids = |settings: &Settings| {
        let layer = settings.stubbed().unwrap();
        layer.in_full().concat()
    };
    let path = scratch("keys");
    fs::write(&path, format!("id: in-the-file\n{KEY}\n")).unwrap();
    let flag = format!("--key-file={}", path.display());
    let of_file = || Sources::new().flags([&flag]).read().unwrap();
    assert!(ids(&of_file()).contains("in-the-file"));
    let mut all = key();
    let other = "mUfVIyhRC1MO7eTb0pzPSTNBs2hXfcQ7pJ0m5ZwxKkA=";
    all.extend(variables(&[("MAGIC_LINK_RETIRED_KEYS", other)]));
    let two = Sources::new().environment(all).read().unwrap();
    assert_eq!(ids(&two).matches("SigningKey").count(), 2);
    fs::remove_file(path).unwrap();
    let gone = of_file().stubbed().unwrap_err();
    assert!(!gone.to_string().contains(KEY), "{gone}");
    // The layer of all that is made of settings is a layer.
    let _: Result<MagicLinkLayer, _> = two.layer();
}
