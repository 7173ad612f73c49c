//! Lists: what separates their entries, and lists that a source leaves without one.

use super::{
    places::{Case, read},
    *,
};
use crate::settings::value::Form;

/// The lists that may be set to none, and why strangers then get no further.
const SAFE: &[(&str, &str)] = &[
    ("public_path", "every path is protected"),
    ("public_prefix", "every path is protected"),
    ("optional_path", "every path is protected"),
    ("optional_prefix", "every path is protected"),
    ("trusted_proxies", "no proxy is believed"),
    #[cfg(feature = "workos")]
    ("workos_connection_types", "MagicLink alone is taken"),
];

/// Pinned: the list of the file was replaced by none. Everybody could sign in, a protected prefix
/// was open, revocations stayed in each process, and a webhook was off, all without a word.
#[test]
fn a_list_that_restricts_is_never_set_to_none() {
    let mut restricting = 0;
    for key in KEYS.iter().filter(|key| key.form().is_list()) {
        let (name, variable) = (key.name, key.variable());
        let flag = format!("--{}", name.replace('_', "-"));
        let (equals, blank) = (format!("{flag}="), format!("{flag}= , "));
        let set = format!("{name} = [\"one\"]");
        let one = format!("{flag}=one");
        let embedded = serde_json::from_value::<Settings>(serde_json::json!({ name: [] }));
        let embedded = embedded.map_err(|error| error.to_string());
        let file = |value: &str| read(&format!("{name} = {value}"), &[], &[]);
        let variable_is = |value: &str| read(&set, &[(&variable, value)], &[]);
        let tries = [
            (file("[]"), format!("FILE: {name} []")),
            (file("\"\""), format!("FILE: {name} \"\"")),
            (file("\" , \""), format!("FILE: {name} \" , \"")),
            (embedded, format!("a table of settings: {name} []")),
            (variable_is(","), format!("variable {variable} \",\"")),
            (variable_is(" "), format!("variable {variable} \" \"")),
            (read(&set, &[], &[&equals]), format!("flag {flag} \"\"")),
            (read(&set, &[], &[&flag, ""]), format!("flag {flag} \"\"")),
            (read(&set, &[], &[&blank]), format!("flag {flag} \" , \"")),
            (read("", &[], &[&one, &equals]), format!("flag {flag} \"\"")),
        ];
        // What is truly empty is not set, and a comma too many is none of an entry.
        assert_eq!(variable_is("").unwrap().list(name), ["one"], "{name}");
        assert_eq!(variable_is("two,").unwrap().list(name), ["two"], "{name}");
        let is_safe = SAFE.iter().any(|(safe, _)| *safe == name);
        restricting += usize::from(!is_safe);
        for (read, place) in tries {
            if is_safe {
                let settings = read.unwrap();
                assert!(settings.list(name).len() < 2, "{name}: {place}");
                continue;
            }
            let want = format!("{place} names none: name one or more, or leave the setting out");
            assert_eq!(read.map(|_| ()).unwrap_err(), want);
        }
    }
    assert!(restricting >= 4, "organization, email_domains, …");
}

/// Pinned: a comma switched the webhook off.
#[test]
fn secrets_that_are_set_to_none_are_refused() {
    let path = scratch("no-secret");
    fs::write(&path, " ,\n,\n").unwrap();
    let shown = path.to_str().unwrap();
    let mut lists = Vec::new();
    for key in KEYS.iter().filter(|key| key.form() == Form::Secrets) {
        let (name, variable) = (key.name, key.variable());
        let of_file = format!("{variable}_FILE");
        let cases: [Case; 3] = [
            ("", &[(&variable, ",")], &[], "names none: name one or more"),
            ("", &[(&variable, " ")], &[], "must be a text that is not"),
            ("", &[(&of_file, shown)], &[], "is a file of commas without"),
        ];
        for (text, pairs, flags, want) in cases {
            let error = read(text, pairs, flags).map(|_| ()).unwrap_err();
            assert!(error.starts_with(&format!("variable {}", pairs[0].0)));
            assert!(error.contains(want), "{name}: {error}");
        }
        assert!(!read("", &[(&variable, "")], &[]).unwrap().is_set(name));
        assert!(read("", &[(&variable, "a,")], &[]).unwrap().is_set(name));
        lists.push(name);
    }
    assert_eq!(lists, ["retired_keys", "webhook_secret"]);
    fs::remove_file(path).unwrap();
}

/// Pins: an entry with a comma was taken as one text. A protected prefix of two paths then matched
/// neither, and both were public.
#[test]
fn an_entry_with_a_comma_is_refused_in_each_list() {
    let mut tried = 0;
    for key in KEYS.iter().filter(|key| key.form().is_list()) {
        let (name, variable) = (key.name, key.variable());
        let cases = [
            ("[\"/a,/b\"]", "[\"/a,/b\"] has a comma in entry 1: "),
            (
                "[\"/a\", \"/b, /c\"]",
                "[\"/a\", \"/b, /c\"] has a comma in entry 2: ",
            ),
            ("[\"/a,\"]", "[\"/a,\"] has a comma in entry 1: "),
        ];
        for (list, want) in cases {
            let error = read(&format!("{name} = {list}"), &[], &[]).map(|_| ());
            let error = error.unwrap_err();
            let want = format!("{name} {want}");
            assert!(error.starts_with(&format!("FILE: {want}")), "{error}");
            let embedded = format!("{{ \"{name}\": {list} }}");
            let error = serde_json::from_str::<Settings>(&embedded).unwrap_err();
            let want = format!("a table of settings: {want}");
            assert!(error.to_string().starts_with(&want), "{error}");
        }
        // Elsewhere commas separate, and a secret is not shown.
        let flag = format!("--{}=one,two", name.replace('_', "-"));
        let two = [
            read(&format!("{name} = \"one, two\""), &[], &[]),
            read("", &[(&variable, "one,two")], &[]),
            read("", &[], &[&flag]),
        ];
        for settings in two {
            assert_eq!(settings.unwrap().list(name), ["one", "two"], "{name}");
        }
        let error = read(&format!("{name} = [\"a,sk_test_hunter2\"]"), &[], &[]).map(|_| ());
        assert!(!error.unwrap_err().contains("hunter2"), "{name}");
        tried += 1;
    }
    assert!(tried >= 9, "{tried}");
}

/// To replace the secret of a webhook, both are set for a while.
#[test]
fn a_file_may_hold_two_secrets_of_the_webhook() {
    let path = scratch("webhook-secrets");
    let want = builder().webhook_secret("one").webhook_secret("two");
    for text in ["one\ntwo\n", "one,two", "one, two\n"] {
        fs::write(&path, text).unwrap();
        let pairs = [("MAGIC_LINK_WEBHOOK_SECRET_FILE", path.to_str().unwrap())];
        let got = read("", &pairs, &[]).unwrap().apply(builder()).unwrap();
        assert_eq!(got.in_full(), want.in_full(), "{text:?}");
    }
    fs::remove_file(path).unwrap();
}
