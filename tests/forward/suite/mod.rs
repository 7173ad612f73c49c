//! One list of cases for every proxy, by the very configuration that its documentation shows.
//!
//! A proxy that does less than the others is named in the case, as the guide names it:
//!
#![doc = include_str!("table.md")]

mod crowd;
mod failures;
mod forgeries;
mod grpc;
mod logs;
mod permits;
mod pool;
mod redirects;
mod refusals;
mod renewals;
mod streams;
mod table;
mod wrong_party;

use std::{panic::AssertUnwindSafe, sync::atomic::Ordering};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::Response;

use crate::{
    front::{Front, LIFETIME, Running},
    heads::Heads,
    person::ProxiedPerson,
    upstream,
};

/// A proxy that runs between a sign-in service and a guarded one.
struct Stage {
    front: Front,
    running: Running,
    /// What the guarded service got.
    reached: Heads,
}

type Case = (&'static str, for<'s> fn(&'s Stage) -> BoxFuture<'s, ()>);

/// Names each case by its function.
macro_rules! cases {
    ($($place:ident :: $case:ident),+ $(,)?) => {
        [$((stringify!($case), |stage| Box::pin($place::$case(stage)))),+]
    };
}

const CASES: [Case; 36] = cases![
    refusals::a_stranger_is_led_to_the_form,
    refusals::a_program_gets_the_whole_problem_by_every_method,
    refusals::a_head_request_is_refused_without_a_body,
    refusals::htmx_is_led_to_the_form,
    refusals::grpc_gets_its_own_status,
    refusals::a_dead_cookie_is_removed,
    refusals::a_store_that_is_out_is_a_503_and_nobody_passes,
    refusals::a_refusal_speaks_the_browsers_language,
    refusals::a_target_that_readers_differ_on_reaches_nobody_or_both_alike,
    permits::signing_in_and_out_works_through_it,
    permits::a_bearer_token_passes,
    permits::a_public_path_passes_without_identity,
    permits::a_target_arrives_as_it_was_asked_about,
    permits::bodies_arrive_whole_and_the_question_has_none,
    permits::the_services_own_errors_arrive_as_they_are,
    permits::no_answer_colours_the_next_one_on_its_connection,
    permits::the_question_is_not_a_clients_to_ask,
    permits::a_caddy_pools_no_connection_of_the_question,
    logs::an_access_log_has_each_path_and_no_query,
    renewals::a_renewal_reaches_the_browser_and_no_cache,
    renewals::a_renewal_hides_nothing_that_the_service_sets,
    renewals::a_response_without_renewal_is_cached_as_the_service_says,
    renewals::a_response_to_a_session_is_the_browsers_alone_unless_the_service_says_otherwise,
    renewals::a_response_depends_on_the_cookie_and_says_so,
    renewals::a_clients_set_cookie_does_nothing,
    forgeries::connection_removes_nothing_of_ours,
    forgeries::a_forwarded_field_of_a_clients_own_reaches_nobody,
    forgeries::everybody_behind_gets_the_clients_host_and_address,
    forgeries::two_hosts_are_refused,
    forgeries::an_absolute_target_decides_the_host,
    forgeries::no_odd_way_to_an_endpoint_passes_a_stranger,
    forgeries::identity_in_trailers_does_not_arrive,
    failures::many_fields_are_served_or_refused_and_the_next_request_is_served,
    streams::a_websocket_opens_for_a_session_alone,
    streams::a_renewal_comes_with_the_websocket,
    streams::an_event_stream_is_passed_on_piece_by_piece,
];

impl Stage {
    async fn of(front: Front) -> Self {
        let reached = Heads::default();
        let service = upstream::serve_noting(&reached).await;
        let running = front.before(&service).await;
        Self {
            front,
            running,
            reached,
        }
    }

    fn stranger(&self) -> ProxiedPerson {
        ProxiedPerson::at(&self.running.origin)
    }

    /// Somebody who is signed in, before anything is noted.
    async fn person(&self) -> ProxiedPerson {
        // By then the limits of mail begin anew.
        self.running.clock.advance(LIFETIME);
        let person = self.running.person().await;
        self.forget();
        person
    }

    /// Somebody whose session is due for a renewal.
    async fn person_to_renew(&self) -> ProxiedPerson {
        let person = self.person().await;
        self.running.clock.advance(LIFETIME / 2);
        person
    }

    fn forget(&self) {
        self.running.asked.take();
        self.reached.take();
    }

    fn set_store_out(&self) {
        self.running.store.is_out.store(true, Ordering::Relaxed);
    }

    fn set_store_back(&self) {
        self.running.store.is_out.store(false, Ordering::Relaxed);
    }
}

/// Returns all values of a field, in one list.
fn list(answer: &Response, name: &str) -> String {
    let values = answer.headers().get_all(name).iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
    values.join(", ")
}

async fn holds(front: Front) {
    let stage = Stage::of(front).await;
    let mut broken = Vec::new();
    for (name, case) in CASES {
        stage.forget();
        let outcome = AssertUnwindSafe(case(&stage)).catch_unwind().await;
        stage.set_store_back();
        if outcome.is_err() {
            broken.push(name);
        }
    }
    assert_eq!(broken, [""; 0], "{front:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn nginx_does_all_that_its_configuration_promises() {
    holds(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6; run by tests/run"]
async fn debians_caddy_does_all_that_its_configuration_promises() {
    holds(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy; run by tests/run"]
async fn the_newest_caddy_does_all_that_its_configuration_promises() {
    holds(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik; run by tests/run"]
async fn traefik_does_all_that_its_configuration_promises() {
    holds(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy; run by tests/run"]
async fn haproxy_does_all_that_its_configuration_promises() {
    holds(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy; run by tests/run"]
async fn envoy_does_all_that_its_configuration_promises() {
    holds(Front::Envoy).await;
}
