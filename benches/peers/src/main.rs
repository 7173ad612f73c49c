//! The layer beside its peers on the same request: `cargo run --release` in this folder.
//!
//! - A browser's request, with 12 fields and 3 cookies, is answered by the same handler behind each
//!   of them, each set up as its documentation begins. Where one looks only at `Authorization`, the
//!   token is there.
//! - Figures are multiples of F: one HMAC-SHA256 over the signed part of a token of ours, under a
//!   key that was prepared beforehand. What the handler takes alone in the same version of axum is
//!   subtracted, also where the handler is not called.
//! - All take turns in short rounds, so that whatever else the machine does falls on all of them. A
//!   figure is the median of three runs, each the median of its rounds. Making requests is not
//!   measured; dropping them and their responses is.
//! - `--callgrind NAME COUNT` does nothing but answer COUNT requests of the first row whose name
//!   begins so. What one takes is the difference of two runs. Valgrind's processor has no SHA
//!   extensions: there the HMAC is done in software, which is more than all the rest of our layer.
//! - `--trial` takes a few turns, to see that everything works.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

use std::{convert::Infallible, env};

use axum::body::Body;
use axum07::body::Body as Body07;
use http::{Request, Response, StatusCode, header};
use peers::{
    apps::{self, App, browser},
    hand_written::hand_written,
    jwt, login,
    turns::{RUNS, Variant, median, spread},
};
use tower::Service;

/// A line of the table.
struct Row {
    variant: Variant,
    /// Which of the handlers alone is subtracted.
    host: usize,
}

struct Extent {
    rounds: usize,
    sessions: usize,
    people: usize,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let extent = match arguments.as_slice() {
        [] => Extent {
            rounds: 453,
            sessions: 1_000_000,
            people: 10_000,
        },
        ["--trial"] | ["--callgrind", _, _] => Extent {
            rounds: 3,
            sessions: 10,
            people: 5,
        },
        _ => panic!("usage: peers [--trial | --callgrind NAME COUNT]"),
    };
    let ours = apps::magic_link(1, 0);
    let mut yardstick = Variant::hmac(signed_part(&ours));
    let (new, old) = (apps::unprotected(), jwt::unprotected07());
    let mut hosts = [
        Variant::of::<_, Body, _>(&new.name, new.service, new.signed_in, StatusCode::OK),
        Variant::of::<_, Body07, _>(&old.name, old.service, old.signed_in, StatusCode::OK),
    ];
    let mut rows = rows(ours, &extent);

    if let ["--callgrind", name, count] = arguments.as_slice() {
        let all = hosts
            .iter_mut()
            .chain(rows.iter_mut().map(|row| &mut row.variant));
        let mut named = all.filter(|variant| variant.name.starts_with(name));
        let variant = named.next().unwrap();
        for _ in 0..count.parse::<u32>().unwrap().div_ceil(peers::turns::TURN) {
            variant.take_turn();
        }
        return;
    }
    for _ in 0..extent.rounds {
        yardstick.take_turn();
        hosts.iter_mut().for_each(Variant::take_turn);
        rows.iter_mut().for_each(|row| row.variant.take_turn());
    }
    print(&yardstick, &hosts, &rows);
}

fn rows(ours: App, extent: &Extent) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refused = Vec::new();
    let both = [
        pair::<_, Body, _>("", ours, 0),
        pair::<_, Body, _>("", login::axum_login(1, 1), 0),
        pair::<_, Body, _>("", hand_written(None), 0),
        pair::<_, Body, _>("", jwt::axum_jwt_auth(), 0),
        pair::<_, Body07, _>("", jwt::jwt_authorizer(), 1),
        pair::<_, Body, _>("", jwt::tower_oauth2_resource_server(), 0),
    ];
    for (admitted, without) in both {
        rows.push(admitted);
        refused.push(without);
    }
    let (people, sessions) = (extent.people, extent.sessions);
    let ended = u64::try_from(sessions).unwrap();
    let crowds = [
        (apps::magic_link(people, ended), format!("{ended} revoked")),
        (
            login::axum_login(people, sessions),
            format!("{sessions} sessions"),
        ),
    ];
    for (app, store) in crowds {
        let label = format!(", {store}, each of {people} people");
        rows.push(pair::<_, Body, _>(&label, app, 0).0);
    }
    rows.extend(refused);
    rows
}

/// Returns an application as it answers people who are signed in, and a browser without a cookie.
fn pair<S, B, R>(label: &str, app: App<S>, host: usize) -> (Row, Row)
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone + 'static,
    B: Default,
{
    let stranger = vec![browser(None)];
    let refused = format!("{}, no cookie ({})", app.name, app.refusal.as_u16());
    let admitted = format!("{}{label}", app.name);
    let [admitted, refused] = [
        (admitted, app.signed_in, StatusCode::OK),
        (refused, stranger, app.refusal),
    ]
    .map(|(name, requests, want)| Row {
        variant: Variant::of(&name, app.service.clone(), requests, want),
        host,
    });
    (admitted, refused)
}

fn print(yardstick: &Variant, hosts: &[Variant; 2], rows: &[Row]) {
    println!(
        "{:<72} {:>6} {:>8} {:>12} {:>16}",
        "what is added to the request", "F", "spread", "allocations", "times ours"
    );
    let mut ours = Vec::new();
    for row in rows {
        let host = hosts.get(row.host).unwrap();
        let runs = row.variant.runs().into_iter().zip(host.runs());
        let mut runs = runs
            .zip(yardstick.runs())
            .map(|((whole, alone), hmac)| (whole - alone) / hmac);
        let runs = [(); RUNS].map(|()| runs.next().unwrap_or(f64::NAN));
        let figure = median(&runs);
        // Of the same kind: admitted, with many people, or without a cookie.
        let is_ours = row.variant.name.starts_with("tower-magic-link");
        if is_ours {
            ours.push(figure);
        }
        let kind = match &row.variant.name {
            name if name.contains("no cookie") => 2,
            name if name.contains("people") => 1,
            _ => 0,
        };
        let times = ours.get(kind).map_or(f64::NAN, |ours| figure / ours);
        println!(
            "{:<72} {figure:>6.2} {:>6.1} % {:>12} {times:>16.2}",
            row.variant.name,
            spread(runs) * 100.0,
            i128::from(row.variant.allocations) - i128::from(host.allocations),
        );
    }
    println!("F is {:.0} ns.", median(&yardstick.runs()));
    for host in hosts {
        println!("{} alone takes {:.0} ns.", host.name, median(&host.runs()));
    }
}

/// Returns the part that is signed of the first token.
fn signed_part(ours: &App) -> String {
    let request = ours.signed_in.first().unwrap();
    let cookies = request.headers().get(header::COOKIE).unwrap();
    let cookies = cookies.to_str().unwrap().split("; ");
    let mut tokens = cookies.filter(|cookie| cookie.matches('.').count() == 2);
    let (_, token) = tokens.next().unwrap().split_once('=').unwrap();
    token.rsplit_once('.').unwrap().0.to_owned()
}
