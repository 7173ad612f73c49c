//! A sibling reads the example's keys, and with them the token of a person who has signed in there.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, crypto::aws_lc::DEFAULT_PROVIDER, jwk::JwkSet,
};
use serde_json::Value;

use crate::{names::ADA, person::Person, program::Program};

#[tokio::test]
async fn the_jwks_example_hands_out_the_key_of_its_tokens() {
    let mut program = Program::example("jwks", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let home = person.sign_in(&mut program, "/auth/login").await;
    let page = person.get(&home).await.text().await.unwrap();
    assert_eq!(page, "hello ada@example.com\n");

    let set = reqwest::get(format!("{origin}/.well-known/jwks.json")).await;
    let set: JwkSet = set.unwrap().json().await.unwrap();
    let token = person.cookies.values().find(|value| value.contains('.'));
    let token = token.expect("a session");
    DEFAULT_PROVIDER.install_default().ok();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(set.find(&kid).expect("its key")).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[&origin]);
    validation.set_issuer(&[&origin]);
    let read = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap();
    assert_eq!(read.claims["email"], ADA);
}
