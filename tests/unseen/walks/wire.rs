//! The layer behind a real server, over HTTP/1.1 and HTTP/2: what hyper and h2 log of its requests.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use reqwest::{Client, redirect::Policy};
use tokio::net::TcpListener;
use tower::{Layer, service_fn};
use tower_magic_link::{Builder, MagicLinkLayer};

use crate::{
    names::{ADA, EVE},
    walk::{SESSION, Walk},
};

/// Puts the layer on a port, and returns its origin.
async fn serve(layer: &MagicLinkLayer) -> String {
    let service = layer.layer(service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
    }));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    origin
}

pub(crate) async fn all(walk: &Walk) {
    let world = walk.world(Builder::bearer_tokens).await;
    let browser = walk.signed_in(&world, ADA).await;
    let token = &browser.jar[SESSION];
    let mut asking = walk.browser(&world.layer);
    asking.ask_for_link(EVE, "/").await;
    walk.gather(&world);
    let callback = world.follow_mail(EVE).await;
    walk.secrets.add_target(&callback);
    let cookies: Vec<_> = asking
        .jar
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let origin = serve(&world.layer).await;
    let client = || Client::builder().redirect(Policy::none()).no_proxy();
    for client in [client(), client().http2_prior_knowledge()] {
        let client = client.build().unwrap();
        let get = |path: &str| client.get(format!("{origin}{path}"));
        let post = client.post(format!("{origin}/auth/login"));
        for request in [
            get("/reports"),
            get("/reports").header(header::COOKIE, format!("{SESSION}={token}")),
            get("/reports").bearer_auth(token),
            get("/svc/Method")
                .header("content-type", "application/grpc")
                .bearer_auth(token),
            get(&callback).header(header::COOKIE, cookies.join("; ")),
            post.header("sec-fetch-site", "same-origin")
                .form(&[("email", ADA)]),
        ] {
            let answer = request.send().await.unwrap();
            for cookie in answer.headers().get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                match pair.split_once('=').unwrap() {
                    (SESSION, token) if token.contains('.') => walk.secrets.add_token(token),
                    _ => {}
                }
            }
            if let Some(location) = answer.headers().get(header::LOCATION) {
                walk.secrets.add_target(location.to_str().unwrap());
            }
        }
    }
}
