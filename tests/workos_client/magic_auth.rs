//! Six-digit codes: what the client sends, what it takes for proven, and what every refusal means.

use std::net::IpAddr;

use tower_magic_link::{
    provider::{FinishCode, Identity, IdentityProvider, ProviderError},
    workos::WorkOs,
};

use crate::{email, one_time_code};

mod emulator;
mod identity;
mod refusals;
mod requests;
mod selection;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

async fn finish(workos: &WorkOs) -> Result<Identity, ProviderError> {
    let (code, email) = (one_time_code(), email());
    let finish = FinishCode::new(&code, &email, Some(CLIENT), Some("Browser/1"));
    workos.finish_code(&finish).await
}
