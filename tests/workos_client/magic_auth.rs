//! Six-digit codes: what the client sends, what it takes for proven, and what every refusal means.

use std::net::IpAddr;

use tower_magic_link::{
    provider::{FinishCode, Identity, IdentityProvider, ProviderError},
    workos::WorkOs,
};

use crate::{attempt, email, one_time_code};

mod emulator;
mod identity;
mod refusals;
mod requests;
mod selection;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

async fn finish(workos: &WorkOs) -> Result<Identity, ProviderError> {
    let (code, email) = (one_time_code(), email());
    let attempt = attempt().with_client(CLIENT).with_user_agent("Browser/1");
    let finish = FinishCode::new(attempt.show(), &code, &email);
    workos.finish_code(&finish).await
}
