//! What the self-test says at start-up.

use std::time::Duration;

use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    emulator::{Emulator, EmulatorServer, Endpoint, Fault},
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{
    names::ORIGIN,
    row::{Row, Value},
};

/// Returns the first line that has failed.
async fn failed(server: &EmulatorServer, key: &str, id: &str, clock: ManualClock) -> String {
    let workos = WorkOs::new(key, id).unwrap().base_url(server.base_url());
    let workos = workos.unwrap().timeout(Duration::from_secs(5)).unwrap();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(workos, keys).public_url(ORIGIN);
    let report = builder.clock(clock).build().unwrap().check().await;
    let line = report.lines().iter().find(|line| line.has_failed());
    line.unwrap_or_else(|| panic!("{report}")).to_string()
}

pub(super) async fn rows() -> Vec<Row> {
    let server = Emulator::new().serve(0).await.unwrap();
    let row = |name, read, (setting, value, cure)| Row {
        name,
        read,
        setting,
        value,
        cure,
    };
    let (good, id) = ("sk_test_hunter2", "client_01EXAMPLE");
    let wrong = failed(&server, "hunter2_of_another", id, ManualClock::new()).await;
    let order = |fault| server.emulator().order(Endpoint::Token, fault);
    order(Fault::oauth_refusal("unauthorized_client"));
    let other = failed(&server, good, id, ManualClock::new()).await;
    order(Fault::Cut);
    let away = failed(&server, good, id, ManualClock::new()).await;
    let yesterday = ManualClock::at(Timestamp::from_secs(86_400));
    let late = failed(&server, good, id, yesterday).await;
    let takes = "WorkOS takes the API key and the client id";
    let copy = "copy both from API Keys in WorkOS's dashboard, from the same environment";
    vec![
        row(
            "an API key that WorkOS does not take",
            wrong,
            (takes, Value::Secret("hunter2"), copy),
        ),
        row(
            "a client id of another environment",
            other,
            (takes, Value::Shown("unauthorized_client"), copy),
        ),
        row(
            "a WorkOS that is not reached",
            away,
            (
                takes,
                Value::Shown("not available"),
                "can be reached from here",
            ),
        ),
        row(
            "a clock that is wrong",
            late,
            (
                "clock",
                Value::Shown("behind WorkOS's"),
                "have both synchronised by NTP",
            ),
        ),
    ]
}
