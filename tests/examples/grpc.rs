//! The tonic example, by tonic's own client.

use http::uri::PathAndQuery;
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use crate::{
    person::{Person, location},
    program::Program,
};

const ONCE: &str = "/hello.Greeter/Once";
const THRICE: &str = "/hello.Greeter/Thrice";

#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// Greets by a method of the service, as whoever the cookie says.
async fn greet(
    client: &mut Grpc<Channel>,
    path: &'static str,
    cookie: &str,
) -> Result<Vec<String>, Status> {
    let mut request = Request::new(Text {
        text: "hi".to_owned(),
    });
    if !cookie.is_empty() {
        request
            .metadata_mut()
            .insert("cookie", cookie.parse().unwrap());
    }
    client.ready().await.unwrap();
    let (codec, method) = (
        ProstCodec::<Text, Text>::default(),
        PathAndQuery::from_static(path),
    );
    if path != THRICE {
        let answer = client.unary(request, method, codec).await?;
        return Ok(vec![answer.into_inner().text]);
    }
    let mut stream = client
        .server_streaming(request, method, codec)
        .await?
        .into_inner();
    let mut greetings = Vec::new();
    while let Some(greeting) = stream.message().await? {
        greetings.push(greeting.text);
    }
    Ok(greetings)
}

#[tokio::test]
async fn the_tonic_example_signs_a_person_in_and_greets_their_client() {
    let mut program = Program::example("tonic", &[]);
    let origin = program.says("listening on ");
    let channel = Channel::from_shared(origin.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = Grpc::new(channel);

    for path in [
        ONCE,
        THRICE,
        "/hello.Greeter/Never",
        "/grpc.health.v1.Health/Check",
    ] {
        let refused = greet(&mut client, path, "").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{path}");
        assert_eq!(refused.message(), "sign-in required", "{path}");
    }

    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    let home = person.sign_in(&mut program, &login).await;
    let page = person.get(&home).await.text().await.unwrap();
    assert_eq!(page, "hello ada@example.com\n");

    let cookie = person.cookie();
    for (path, times) in [(ONCE, 1), (THRICE, 3)] {
        let greetings = greet(&mut client, path, &cookie).await.unwrap();
        assert_eq!(greetings, vec!["hi ada@example.com"; times], "{path}");
    }
    let unknown = greet(&mut client, "/hello.Greeter/Never", &cookie).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);

    location(&person.post("/auth/logout", "").await);
    let refused = greet(&mut client, ONCE, &cookie).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "signed out");
}
