//! The client of WorkOS by itself: what it is handed, and what it answers.

use tower_magic_link::{
    Email,
    emulator::{Emulator, Endpoint, Fault},
    provider::{AuthorizationCode, OneTimeCode, PendingToken},
    workos::{
        AccessToken, MagicAuthCredentials, NewMagicAuth, NewPasswordlessSession,
        OrganizationSelection, RefreshToken,
    },
};

use crate::{
    names::{ADA, ORIGIN},
    secrets::Kind,
    support::{callback_behind, client},
    walk::Walk,
};

pub(crate) async fn all(walk: &Walk) {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    let workos = client(&server);
    walk.show(&workos);
    let ada = Email::parse(ADA).unwrap();
    let state = "a-state-of-the-application";
    walk.secrets.add(Kind::State, state);
    let new = NewPasswordlessSession::new(ada.clone())
        .redirect_uri(format!("{ORIGIN}/auth/callback"))
        .state(state);
    walk.show(&new);
    let session = walk.keep(workos.create_session(&new).await).unwrap();
    let link = session.link().unwrap().expose().to_owned();
    walk.secrets.add_link(&link);
    walk.keep(workos.send_session(session.id()).await).unwrap();
    let callback = callback_behind(&link).await;
    walk.secrets.add_target(&callback);
    let (_, code) = callback.split_once("code=").unwrap();
    let code = AuthorizationCode::new(code.split('&').next().unwrap());
    walk.show(&code);
    let answer = walk.keep(workos.profile_and_token(&code).await).unwrap();
    let token = answer.access_token().clone();
    walk.secrets.add(Kind::ProviderToken, token.expose());
    walk.show(&token);
    walk.keep(workos.profile(&token).await).unwrap();
    // Used up, and with what is no token.
    walk.keep(workos.profile_and_token(&code).await)
        .unwrap_err();
    let odd = AccessToken::new(format!("{}\n", token.expose()));
    walk.keep(workos.profile(&odd).await).unwrap_err();

    let new = NewMagicAuth::new(ada.clone());
    walk.show(&new);
    let made = walk.keep(workos.create_magic_auth(&new).await).unwrap();
    let digits = made.code().unwrap().clone();
    walk.secrets.add(Kind::Code, digits.expose());
    walk.show(&digits);
    let credentials = MagicAuthCredentials::new(ada, digits);
    walk.show(&credentials);
    let done = workos.authenticate_with_magic_auth(&credentials).await;
    let done = walk.keep(done).unwrap();
    let token = done.access_token().expose();
    walk.secrets.add(Kind::ProviderToken, token);
    if let Some(refresh) = done.refresh_token().map(RefreshToken::expose) {
        walk.secrets.add(Kind::ProviderToken, refresh);
    }
    let again = workos.authenticate_with_magic_auth(&credentials).await;
    walk.keep(again).unwrap_err();

    let pending = "pending_marker_of_the_application";
    walk.secrets.add(Kind::ProviderToken, pending);
    let selection = OrganizationSelection::new(PendingToken::new(pending), "org_1");
    walk.show(&selection);
    let selected = workos.authenticate_with_organization_selection(&selection);
    walk.keep(selected.await).unwrap_err();
    walk.show(&OneTimeCode::new("424242"));
    walk.show(&emulator);
    for request in emulator.requests() {
        walk.show(&request);
    }
    emulator.order(Endpoint::Token, Fault::Cut);
    walk.keep(workos.profile_and_token(&code).await)
        .unwrap_err();
}
