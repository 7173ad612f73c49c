//! Events with JSON that the layer does not read.

use tower_magic_link::provider::Identity;

use crate::{names::ADA, site::Site};

/// A directory or an identity provider fills these fields, so their content is any JSON.
#[tokio::test]
async fn an_event_ends_its_sessions_whatever_its_other_fields_hold() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let fields = [
        ("half of a surrogate pair", r#""first_name":"Ada \ud83d""#),
        ("such a name", r#""\ud83d":"Ada""#),
        ("a number beyond f64", r#""raw_attributes":{"a":1e400}"#),
        ("deep", &format!(r#""raw_attributes":{deep}"#)),
    ];
    for (name, field) in fields {
        for (event, ids) in [
            ("user.deleted", r#""id":"user_ada""#),
            (
                "dsync.user.deleted",
                r#""emails":[{"value":"ada@example.com"}]"#,
            ),
        ] {
            for data in [format!("{{{ids},{field}}}"), format!("{{{field},{ids}}}")] {
                let site = Site::new();
                let ada = Identity::new("user_ada", ADA.parse().unwrap());
                let cookie = site.sign_in(&ada);
                assert!(site.is_admitted(&cookie).await);
                let answer = site.take(&site.webhook().event(event, &data)).await;
                assert_eq!(answer.status, 200, "{name}, {event}: {}", answer.text);
                assert!(!site.is_admitted(&cookie).await, "{name}, {event}");
                assert!(site.heard().contains("effect: Ended"), "{name}, {event}");
            }
        }
    }
}
