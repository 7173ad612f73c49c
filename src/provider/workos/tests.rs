use super::*;

const KEY: &str = "sk_test_hunter2";

fn from_variables(variables: &[(&str, &str)]) -> Result<WorkOs, ConfigError> {
    WorkOs::from_variables(|name| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsString::from(value))
    })
}

#[test]
fn settings_come_from_three_variables() {
    let key = ("WORKOS_API_KEY", KEY);
    let id = ("WORKOS_CLIENT_ID", "client_1");
    let base = |url| ("WORKOS_BASE_URL", url);
    let cases = [
        ("all", vec![key, id, base("http://127.0.0.1:4200")], None),
        ("no base", vec![key, id], None),
        ("an empty base", vec![key, id, base("")], None),
        (
            "neither",
            vec![],
            Some(
                "WORKOS_API_KEY and WORKOS_CLIENT_ID are not set: WorkOS's dashboard shows both under API Keys",
            ),
        ),
        (
            "no key",
            vec![id],
            Some("WORKOS_API_KEY is not set: WorkOS's dashboard shows it under API Keys"),
        ),
        (
            "an empty key",
            vec![("WORKOS_API_KEY", ""), id],
            Some("WORKOS_API_KEY is not set: WorkOS's dashboard shows it under API Keys"),
        ),
        (
            "no client id",
            vec![key],
            Some("WORKOS_CLIENT_ID is not set: WorkOS's dashboard shows it under API Keys"),
        ),
        (
            "a base over plain http",
            vec![key, id, base("http://workos.example")],
            Some(
                r#"WORKOS_BASE_URL "http://workos.example" must be https: it carries the API key"#,
            ),
        ),
        (
            "a line break",
            vec![("WORKOS_API_KEY", "sk_test_hunter2\n"), id],
            Some(
                "WORKOS_API_KEY is empty, or holds a character that is not visible ASCII: copy it from API Keys in WorkOS's dashboard",
            ),
        ),
        (
            "exchanged",
            vec![("WORKOS_API_KEY", "client_1"), ("WORKOS_CLIENT_ID", KEY)],
            Some("WORKOS_API_KEY begins with client_: the API key and the client id are swapped"),
        ),
        (
            "the key twice",
            vec![key, ("WORKOS_CLIENT_ID", KEY)],
            Some("WORKOS_CLIENT_ID begins with sk_: the API key and the client id are swapped"),
        ),
    ];
    for (name, variables, want) in cases {
        let got = from_variables(&variables);
        if let Err(error) = &got {
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{name}");
        }
        assert_eq!(
            got.err().map(|error| error.to_string()).as_deref(),
            want,
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_an_error_that_does_not_show_it() {
    use std::os::unix::ffi::OsStringExt;

    let got = WorkOs::from_variables(|_| Some(OsString::from_vec(vec![0xff, b'h', b'i'])));
    let error = got.unwrap_err();
    assert_eq!(error.to_string(), "WORKOS_API_KEY is not UTF-8");
}
