//! Counting a look-up's instructions with valgrind.

use std::{
    convert::Infallible,
    env,
    future::{Ready, ready},
    pin::pin,
    process::Command,
    task::{Context, Poll, Waker},
};

use http::{Request, Response, StatusCode};
use tower::{Layer, Service, service_fn};
use tower_magic_link::revocation::MemoryRevocations;

use super::{SESSIONS, fill, layer, look_up_all, sessions, signed_in, structures::store};

/// Looks up under valgrind, which counts what `counted_turn` takes.
pub(super) fn count(name: &str, many: u64) {
    let revocations = MemoryRevocations::default();
    let layer = layer(revocations.clone());
    let (active, ended) = (sessions(&layer), sessions(&layer));
    if name == "whole request" {
        fill(&revocations, &ended, many);
        let requests: Vec<_> = (0..SESSIONS).map(|_| signed_in(&layer).0).collect();
        let mut service = layer.layer(service_fn(answer));
        counted_turn(&mut || {
            requests
                .iter()
                .for_each(|request| at_once(&mut service, request.clone()))
        });
    } else {
        let store = store(name);
        fill(&*store, &ended, many);
        counted_turn(&mut || {
            look_up_all(&*store, &active);
        });
    }
}

#[inline(never)]
fn counted_turn(turn: &mut dyn FnMut()) {
    turn();
}

pub(super) fn instructions(name: &str, many: u64) -> f64 {
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*counted_turn*",
        ])
        .arg(env::current_exe().unwrap())
        .args(["--count", name, &many.to_string()])
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let (_, collected) = collected.unwrap_or_else(|| panic!("valgrind counted nothing: {log}"));
    collected.trim().parse::<f64>().unwrap() / f64::from(u32::try_from(SESSIONS).unwrap())
}

fn answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    ready(Ok(Response::new(String::new())))
}

fn at_once<S, R>(service: &mut S, request: Request<String>)
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(answer)) => assert_eq!(answer.status(), StatusCode::OK),
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("nothing has to wait here"),
    }
}
