//! Event streams and downloads over HTTP end with their session.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use tower_magic_link::{KeyRing, SigningKey};

use super::{ENDS, HOUR, SignedIn, Site, soon, tick};
use crate::{
    names::ADA,
    site::{builder_with, keys},
};

async fn get_it(address: SocketAddr, path: &str, person: &SignedIn) -> reqwest::Response {
    let http = reqwest::Client::new();
    let request = http.get(format!("http://{address}{path}"));
    let request = request.header("cookie", &person.cookie);
    let response = soon(request.send()).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response
}

async fn chunk(response: &mut reqwest::Response) -> Result<Option<String>, ()> {
    let chunk = soon(response.chunk()).await.map_err(drop)?;
    Ok(chunk.map(|chunk| String::from_utf8(chunk.into()).unwrap()))
}

#[tokio::test]
async fn an_event_stream_ends_with_its_session_and_another_persons_goes_on() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let (ada, eve) = site.people();
        let mut adas = get_it(address, "/events", &ada).await;
        let mut eves = get_it(address, "/events", &eve).await;
        assert_eq!(chunk(&mut adas).await, tick(0), "{end:?}");
        assert_eq!(chunk(&mut eves).await, tick(0), "{end:?}");
        site.settles_at(2, 2).await;

        site.end(&ada.session, end);
        assert_eq!(chunk(&mut adas).await, Ok(None), "{end:?}: a clean end");
        // The application's own stream is gone too.
        site.settles_at(1, 1).await;
        site.tick();
        assert_eq!(chunk(&mut eves).await, tick(1), "{end:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_what_the_same_session_has_open() {
    let site = Site::new();
    let address = site.serve().await;
    let (ada, eve) = site.people();
    let mut adas = get_it(address, "/events", &ada).await;
    let mut eves = get_it(address, "/events", &eve).await;
    site.settles_at(2, 2).await;
    let request = reqwest::Client::new().post(format!("http://{address}/auth/logout"));
    let request = request
        .header("cookie", &ada.cookie)
        .header("sec-fetch-site", "same-origin");
    request.send().await.unwrap();
    assert_eq!(chunk(&mut adas).await, tick(0));
    assert_eq!(chunk(&mut adas).await, Ok(None));
    assert_eq!(chunk(&mut eves).await, tick(0));
    site.settles_at(1, 1).await;
}

#[tokio::test]
async fn a_stream_ends_when_the_token_that_it_came_with_does_whatever_is_renewed_meanwhile() {
    let idle = Duration::from_secs(600);
    let site = Site::with(|builder| builder.idle_timeout(idle));
    let address = site.serve().await;
    let ada = site.person(ADA);
    let mut first = get_it(address, "/events", &ada).await;
    assert_eq!(chunk(&mut first).await, tick(0));
    site.clock.advance(idle / 2);
    // This one renews the cookie; it came with the old one all the same.
    let mut second = get_it(address, "/events", &ada).await;
    assert!(second.headers().contains_key("set-cookie"));
    let renewed = second.headers()["set-cookie"].to_str().unwrap();
    let renewed = SignedIn {
        cookie: renewed.split(';').next().unwrap().to_owned(),
        session: ada.session.clone(),
    };
    let mut third = get_it(address, "/events", &renewed).await;
    assert_eq!(chunk(&mut second).await, tick(0));
    assert_eq!(chunk(&mut third).await, tick(0));
    site.settles_at(3, 3).await;
    site.clock.advance(idle / 2);
    assert_eq!(chunk(&mut first).await, Ok(None));
    assert_eq!(chunk(&mut second).await, Ok(None));
    site.settles_at(1, 1).await;
    site.tick();
    assert_eq!(chunk(&mut third).await, tick(1));
}

/// Pinned: a stream went on to the end that the token was minted with.
#[tokio::test]
async fn a_stream_ends_by_the_lifetimes_of_today_where_they_are_shorter() {
    let keys = keys();
    let site = Site::with_keys(&keys, |builder| builder.session_lifetime(12 * HOUR));
    let ada = site.person(ADA);
    let today = Site {
        layer: builder_with(&site.clock, &keys)
            .session_lifetime(HOUR)
            .revocations(site.revocations.clone())
            .end_streams()
            .build()
            .unwrap(),
        ..site
    };
    let address = today.serve().await;
    let mut stream = get_it(address, "/events", &ada).await;
    assert_eq!(chunk(&mut stream).await, tick(0));
    today.settles_at(1, 1).await;
    today.clock.advance(HOUR - Duration::from_secs(1));
    today.tick();
    assert_eq!(chunk(&mut stream).await, tick(1));
    today.clock.advance(Duration::from_secs(1));
    assert_eq!(chunk(&mut stream).await, Ok(None));
    today.settles_at(0, 0).await;
}

/// Pinned: whoever had forged a session with a key that had leaked kept the stream for up to 400
/// days after the key was replaced.
#[tokio::test]
async fn a_stream_ends_at_the_next_look_up_once_its_key_is_dropped() {
    let (old, new) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    for is_kept in [true, false] {
        let ring = KeyRing::new(old.clone());
        let site = Site::with_keys(&ring, |builder| builder);
        let address = site.serve().await;
        let ada = site.person(ADA);
        let mut stream = get_it(address, "/events", &ada).await;
        assert_eq!(chunk(&mut stream).await, tick(0));
        site.settles_at(1, 1).await;
        let keys = KeyRing::new(new.clone());
        let keys = match is_kept {
            true => keys.retire(old.clone()).unwrap(),
            false => keys,
        };
        ring.handle().replace(&keys);
        site.clock.advance(Duration::from_secs(29));
        site.tick();
        assert_eq!(chunk(&mut stream).await, tick(1));
        site.clock.advance(Duration::from_secs(1));
        match is_kept {
            true => {
                site.settles_at(1, 1).await;
                site.tick();
                assert_eq!(chunk(&mut stream).await, tick(2));
            }
            false => assert_eq!(chunk(&mut stream).await, Ok(None)),
        }
    }
}

#[tokio::test]
async fn a_download_that_is_cut_off_is_known_by_its_length() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let ada = site.person(ADA);
        let mut downloads = Vec::new();
        // Whether the client hears that it was cut off.
        for (path, want) in [("/sized", true), ("/unsized", false)] {
            for is_h2 in [false, true] {
                let mut http = Client::builder(TokioExecutor::new());
                let http = http.http2_only(is_h2).build_http();
                let request = Request::get(format!("http://{address}{path}"))
                    .header("cookie", &ada.cookie)
                    .body(Full::<Bytes>::default());
                let response = soon(http.request(request.unwrap())).await.unwrap();
                let mut body = response.into_body();
                assert!(soon(body.frame()).await.unwrap().is_ok(), "{path}");
                downloads.push((path, is_h2, want, body, http));
            }
        }
        site.settles_at(4, 4).await;
        site.end(&ada.session, end);
        for (path, is_h2, want, body, _http) in downloads {
            let rest = soon(body.collect()).await;
            assert_eq!(rest.is_err(), want, "{path}, h2: {is_h2}, {end:?}");
        }
        site.settles_at(0, 0).await;
    }
}

#[tokio::test]
async fn what_has_finished_or_hung_up_is_watched_no_more() {
    let site = Site::new();
    let address = site.serve().await;
    let ada = site.person(ADA);
    for _ in 0..10 {
        let short = get_it(address, "/short", &ada).await;
        assert_eq!(short.text().await.unwrap(), "short");
    }
    site.settles_at(0, 0).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut response = get_it(address, "/events", &ada).await;
        assert_eq!(chunk(&mut response).await, tick(0));
        open.push(response);
    }
    site.settles_at(10, 10).await;
    open.truncate(4);
    site.settles_at(4, 4).await;
    open.clear();
    site.settles_at(0, 0).await;
}
