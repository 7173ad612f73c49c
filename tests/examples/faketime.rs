//! A real program whose wall clock is set, and whose monotonic clock is not (libfaketime).

use std::{
    env,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::{
    person::{Person, location},
    program::Program,
    wall::Wall,
};

/// The wait for another mail, which no setting changes.
const WAIT: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600;

/// Starts an example with this clock.
fn start(wall: &Wall, example: &str) -> Program {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push(format!("examples/{example}"));
    let mut command = Command::new(path);
    command
        .env_remove("WORKOS_API_KEY")
        .env_remove("MAGIC_LINK_KEY")
        .env("PORT", "0")
        .envs(wall.variables());
    Program::start(&mut command)
}

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the time of a real program")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns the status at the front page, and when the session began and ends.
async fn seen(person: &mut Person) -> (u16, Option<(u64, u64)>) {
    let status = person.get("/").await.status().as_u16();
    let session = person.get("/auth/session").await.text().await.unwrap();
    let session: Value = serde_json::from_str(&session).unwrap();
    let moment = |name| session.get(name).and_then(Value::as_u64);
    let times = moment("auth_time").zip(moment("expires_at"));
    (status, times)
}

/// Presses "send a new link" on a check page. Returns the page that follows, and its address.
async fn press(person: &mut Person, check: &str) -> (String, String) {
    let (_, rest) = check.split_once("name=\"t\" value=\"").expect("a form");
    let attempt = rest.split('"').next().unwrap();
    let form = format!("email=ada%40example.com&t={attempt}");
    let next = location(&person.post("/auth/login", &form).await);
    let page = person.get(&next).await.text().await.unwrap();
    (page, next)
}

/// Pins: after a clock that was an hour ahead was set right, nobody got another mail for an hour,
/// and each new session began in the future until the process ended.
#[tokio::test]
#[ignore = "needs faketime; run by tests/run"]
async fn a_clock_that_is_set_forth_and_back_keeps_nobody_waiting_and_dates_nothing_ahead() {
    const TOLD: &str = "sign-in link for ada@example.com: ";
    let wall = Wall::new();
    let mut program = start(&wall, "quickstart");
    let origin = program.says("listening on ");
    let [mut before, mut ahead, mut after] = [(); 3].map(|()| Person::at(&origin));

    before.sign_in(&mut program, "/auth/login").await;
    let (status, times) = seen(&mut before).await;
    assert_eq!(status, 200);
    let (began, ends) = times.unwrap();
    assert!(began.abs_diff(now()) <= 5, "{began}");
    assert_eq!(ends, began + 12 * 3_600);

    wall.set(HOUR);
    assert_eq!(seen(&mut before).await, (200, times), "an hour forth");
    ahead.sign_in(&mut program, "/auth/login").await;
    let (status, times_ahead) = seen(&mut ahead).await;
    assert_eq!(status, 200);
    let (began_ahead, _) = times_ahead.unwrap();
    assert!(began_ahead.abs_diff(now() + 3_600) <= 5, "{began_ahead}");

    wall.set(0);
    assert_eq!(seen(&mut before).await, (200, times), "back");
    assert_eq!(seen(&mut ahead).await, (200, times_ahead), "back");

    // A mail is asked for, and another after its wait by a clock that nobody sets.
    let asked = Instant::now();
    let check = location(&after.post("/auth/login", "email=ada%40example.com").await);
    let first = program.says(TOLD);
    let page = after.get(&check).await.text().await.unwrap();
    assert_eq!(
        press(&mut after, &page).await.1,
        check,
        "too early: no mail"
    );
    sleep_until(asked + WAIT + Duration::from_secs(1)).await;
    let (_, next) = press(&mut after, &page).await;
    assert_ne!(next, check);
    let second = program.says(TOLD);
    assert_ne!(second, first, "a new link is mailed");
    assert_eq!(after.follow(&second).await, "/");
    let (status, times_after) = seen(&mut after).await;
    assert_eq!(status, 200);
    let (began, ends) = times_after.unwrap();
    assert!(now() >= began && now() - began <= 5, "{began}");
    assert_eq!(ends, began + 12 * 3_600);

    // What has expired stays expired, and the next person signs in. Of the time that has passed by
    // the clock, the hour by which it was ahead once counts for nothing.
    wall.set(14 * HOUR);
    let mut people = [before, ahead, after];
    for person in &people {
        assert_eq!(seen(&mut person.clone()).await, (303, None), "expired");
    }
    wall.set(0);
    for person in &mut people {
        assert_eq!(seen(person).await, (303, None), "nothing comes back");
    }
    let mut last = Person::at(&origin);
    last.sign_in(&mut program, "/auth/login").await;
    let (status, times) = seen(&mut last).await;
    assert_eq!(status, 200);
    assert!(now() >= times.unwrap().0, "{times:?}");
}
