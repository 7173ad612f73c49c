//! A hundred clients at once: each request gets its own answer.
//!
//! Pinned: with pooled connections, Caddy 2.6 sent some of its questions to the guarded service. It
//! is a race: a connection that is still being dialled for a question takes the address of the next
//! server. Of 20,000 requests in bursts two or three lose it, so this test is red four times of
//! five. `a_caddy_pools_no_connection_of_the_question` is red each time.

use futures_util::future::join_all;

use super::Stage;
use crate::{exchange::exchange, front::Front};

const CLIENTS: usize = 100;

async fn gives_each_its_own_answer(front: Front, crowds: usize) {
    let stage = Stage::of(front).await;
    let person = stage.person().await;
    let cookie = format!("Cookie: {}\r\n", person.cookie);
    for crowd in 0..crowds {
        let answers = (0..CLIENTS).map(|number| {
            let (fields, status) = match number % 2 {
                0 => (cookie.clone(), 200),
                _ => (String::new(), 401),
            };
            let authority = stage.running.authority().to_owned();
            tokio::spawn(async move {
                let answer = exchange(&authority, "GET /page HTTP/1.1", &fields, "").await;
                (answer.status, status)
            })
        });
        let answers = join_all(answers).await.into_iter().map(Result::unwrap);
        let wrong: Vec<_> = answers.filter(|(got, want)| got != want).collect();
        let strays = stage.reached.take();
        let strays = strays.iter().filter(|head| head.target != "/page").count();
        assert_eq!((wrong, strays), (vec![], 0), "{front:?}, in crowd {crowd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn a_crowd_behind_debians_caddy_gets_its_own_answers() {
    gives_each_its_own_answer(Front::Caddy, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn a_crowd_behind_nginx_gets_its_own_answers() {
    gives_each_its_own_answer(Front::Nginx, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn a_crowd_behind_the_newest_caddy_gets_its_own_answers() {
    gives_each_its_own_answer(Front::NewCaddy, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn a_crowd_behind_traefik_gets_its_own_answers() {
    gives_each_its_own_answer(Front::Traefik, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn a_crowd_behind_haproxy_gets_its_own_answers() {
    gives_each_its_own_answer(Front::Haproxy, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn a_crowd_behind_envoy_gets_its_own_answers() {
    gives_each_its_own_answer(Front::Envoy, 20).await;
}
