//! What requests cost that few layers have, or few requests are.

use super::*;

/// From axum, with an answer that has headers, as a host has them.
#[test]
fn what_few_layers_do_has_its_own_bound() {
    type Change = fn(Builder) -> Builder;
    let cases: [(&str, Change, u64); 4] = [
        ("identity headers", Builder::forward_identity, 9),
        ("streams that end", Builder::end_streams, 7),
        ("bearer tokens", Builder::bearer_tokens, 2),
        ("nothing", |builder| builder, 2),
    ];
    for (name, change, pinned) in cases {
        let layer = change(builder(0)).build().unwrap();
        let mut request = from_axum("/");
        layer.sign_in(&mut request, ADA);
        let (status, added) = added(&layer, text_answer, &request);
        println!("admitted, {name}: {added}");
        assert_eq!((status, added), (StatusCode::OK, pinned), "{name}");
    }
}

#[test]
fn a_renewal_costs_a_token_and_its_cookie() {
    let clock = ManualClock::new();
    let half_an_hour = Duration::from_secs(1_800);
    let builder = builder(0).idle_timeout(half_an_hour).clock(clock.clone());
    let layer = builder.build().unwrap();
    let mut request = from_axum("/");
    layer.sign_in(&mut request, ADA);
    clock.advance(half_an_hour / 2);
    let (status, added) = added(&layer, text_answer, &request);
    println!("admitted, renewal due: {added}");
    assert_eq!((status, added), (StatusCode::OK, 8));
}

/// Nothing is made for a hot token that is not made for one of a shared secret.
#[test]
fn a_hot_token_of_a_key_pair_costs_no_more_than_one_of_a_shared_secret() {
    let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
    let layer = layer.clock(ManualClock::new()).build().unwrap();
    let mut request = from_axum("/");
    layer.sign_in(&mut request, ADA);
    for _ in 0..2 {
        assert_eq!(counted_once(&layer, &request), StatusCode::OK);
    }
    let (status, added) = added(&layer, text_answer, &request);
    assert_eq!((status, added), (StatusCode::OK, 2));
}

fn counted_once(layer: &MagicLinkLayer, request: &Request<String>) -> StatusCode {
    let mut service = layer.layer(service(text_answer));
    at_once(service.call(request.clone())).unwrap().status()
}
