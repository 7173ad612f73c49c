//! Six-digit codes: making, reading, mailing and redeeming them, and every way in which that is
//! refused.

use serde_json::{Value, json};

use crate::{Desk, KEY, Read, names::ADA};

mod codes;
mod organizations;
mod redemption;
mod users;

impl Desk {
    async fn make(&self, body: Value) -> Read {
        Read::of(self.post("/user_management/magic_auth").json(&body)).await
    }

    /// Makes a code and returns it.
    async fn digits(&self) -> String {
        let read = self.make(json!({ "email": ADA })).await;
        assert_eq!(read.status, 201, "{}", read.text);
        read.json()["code"].as_str().unwrap().to_owned()
    }

    async fn redeem_with(&self, body: &Value) -> Read {
        let url = self.url("/user_management/authenticate");
        Read::of(self.http.post(url).json(body)).await
    }

    async fn redeem(&self, code: &str) -> Read {
        self.redeem_with(&redemption_of(code)).await
    }

    /// Redeems a code and returns the machine code of the refusal.
    async fn refused(&self, code: &str) -> String {
        let read = self.redeem(code).await;
        assert_eq!(read.status, 400, "{}", read.text);
        read.json()["code"].as_str().unwrap().to_owned()
    }
}

fn redemption_of(code: &str) -> Value {
    json!({
        "client_id": "client_123",
        "client_secret": KEY,
        "grant_type": "urn:workos:oauth:grant-type:magic-auth:code",
        "code": code,
        "email": ADA,
    })
}
