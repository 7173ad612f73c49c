use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

proptest! {
    #[test]
    fn a_problem_is_the_json_that_serde_writes(
        reason in proptest::option::of(any::<String>()),
        login in proptest::option::of((any::<String>(), any::<String>())),
        chosen in proptest::option::of([any::<String>(), any::<String>(), any::<String>()]),
        number in 0..RejectionKind::ALL.len(),
    ) {
        let kind = RejectionKind::ALL[number];
        let mut want = json!({
            "type": format!("urn:tower-magic-link:{}", kind.code()),
            "title": kind.title(),
            "status": kind.status().as_u16(),
            "code": kind.code(),
        });
        let mut rejection = Rejection::new(kind);
        if let Some(reason) = reason {
            want["detail"] = reason.as_str().into();
            rejection = rejection.with_reason(reason);
        }
        if let Some((origin, path)) = &login {
            want["login_url"] = format!("{origin}{path}").into();
        }
        let choices = chosen.as_ref().map(|[choose_url, id, name]| {
            want["choose_url"] = choose_url.as_str().into();
            want["choice"] = id.as_str().into();
            want["organizations"] = json!([{ "id": id, "name": name }]);
            Choices {
                choose_url: choose_url.clone(),
                choice: id,
                organizations: vec![Choosable { id, name }],
            }
        });
        let login = login.as_ref().map(|(origin, path)| (origin.as_str(), path.as_str()));
        let problem = rejection.problem(login, choices);
        prop_assert_eq!(serde_json::from_str::<Value>(&problem).unwrap(), want);
        prop_assert_eq!(problem.len(), problem.capacity(), "it is written in one room");
    }
}
