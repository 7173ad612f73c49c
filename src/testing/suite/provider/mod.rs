//! What every [`IdentityProvider`](crate::provider::IdentityProvider) does.
//!
//! [`run`] takes a provider, or a [`Trial`] of one. A provider needs a trial if its links lead to a
//! site of its own, or if it sends mails itself. The trial follows links and reads the mails.
//!
//! | obligation of the port | cases |
//! | --- | --- |
//! | a link leads to the redirect URI, with a code and the unchanged state | `a link leads to the redirect URI with a code and the state` |
//! | the code proves the address that the link was made for | `a link proves the address that it was made for`, `links of two people prove each their own address`, `a code from a link proves no other address in another attempt` |
//! | a subject is a stable id | `a person has the same subject each time and nobody else has it` |
//! | a link and its code are good once | `a code from a link is good once`, `a link signs in once`, `of several redemptions of one link at once one succeeds` |
//! | a code that is unknown is `Refused`, and so is one that was used | `a code that was never made is refused`, `a code from a link is good once` |
//! | a link is good for `Start::link_lifetime` | `a link is good until its lifetime ends`, `a link is refused after its lifetime` |
//! | `Delivery::Mailer`: the provider hands the link or code over, and mails nothing | `what the layer is to mail is not mailed by the provider`, `a code that the layer is to mail has six digits and a lifetime of minutes` |
//! | `Delivery::Provider`: the provider mails it | `a link that the provider mails is not handed over`, `a link that the provider mails reaches its address and proves it`, `a code that the provider mails is not handed over`, `a code that the provider mails reaches its address and proves it` |
//! | a provider without codes says `Unsupported`, in both methods | `a provider without codes makes none and redeems none` |
//! | a typed code is good once | `a typed code is good once`, `of several redemptions of one typed code at once one succeeds` |
//! | for minutes only | `a typed code is good until its lifetime ends`, `a typed code is refused after its lifetime` |
//! | for at least as long as `Abilities::code_lifetime`, which the pages say | `a typed code lives for as long as the pages say` |
//! | after a few tries at most: twenty here | `after twenty wrong tries the right code is refused` |
//! | for its address alone | `a typed code proves the address that it was made for`, `a typed code is refused for another address` |
//! | a wrong code has one of four kinds | `a wrong code is refused as one` |
//! | an error denies that the provider has acted only if the code or choice is as good as before | `an error that denies having redeemed a link leaves it good`, `an error that denies having redeemed a typed code leaves it good`, `an error that denies having redeemed a choice leaves it good` |
//! | a provider that never asks for a choice redeems none | `a choice that was never offered is refused` |
//! | a choice signs in to the organization that was chosen | `a person of several organizations signs in to the one that they chose` |
//! | a pending token is good once | `a choice is good once`, `of several choices at once one succeeds` |
//! | for minutes only | `a choice is refused after an hour` |
//! | for the organizations of its choice | `a choice of an organization of somebody else is refused` |
//! | an error holds no code and no address | `what an error prints holds no code and no address` |
//!
//! The suite skips the cases of expiry unless the factory takes [`World::clock`], those of codes if
//! the provider has none, those of mails if the trial has no [`outbox`](Trial::outbox), those of a
//! choice if it can make nobody [`join`](Trial::join) an organization, and those of lost answers if
//! it can lose none ([`lose_next_answer`](Trial::lose_next_answer)).
//!
//! ```
//! use std::{collections::HashMap, sync::Mutex};
//! use tower_magic_link::{
//!     SessionId,
//!     provider::{Delivery, Finish, Identity, IdentityProvider, Link, ProviderError, ProviderErrorKind, Start, Started},
//!     testing::suite,
//! };
//! # use std::sync::atomic::{AtomicU8, Ordering};
//! # static COUNT: AtomicU8 = AtomicU8::new(0);
//! # fn unguessable() -> String { SessionId::from_bytes([COUNT.fetch_add(1, Ordering::Relaxed); 16]).to_string() }
//!
//! /// Whom each code proves that was not redeemed yet.
//! #[derive(Default)]
//! struct Codes(Mutex<HashMap<String, Identity>>);
//!
//! impl IdentityProvider for Codes {
//!     async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
//!         let code = unguessable();
//!         let link = format!("{}?code={code}&state={}", start.redirect_uri, start.state);
//!         let subject = start.email.as_str().to_ascii_lowercase();
//!         let identity = Identity::new(subject, start.email.clone());
//!         self.0.lock().unwrap().insert(code, identity);
//!         match start.delivery {
//!             Delivery::Mailer => Ok(Started::with_link(Link::new(link))),
//!             _ => mail(link).await.map(|()| Started::mailed()),
//!         }
//!     }
//!
//!     async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
//!         let identity = self.0.lock().unwrap().remove(finish.code.expose());
//!         identity.ok_or(ProviderErrorKind::Refused.into())
//!     }
//! }
//! # async fn mail(_: String) -> Result<(), ProviderError> { Ok(()) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! suite::provider::run(async |_world| Codes::default()).await.assert();
//! # }
//! ```

use super::{Report, Suite, World};

mod choices;
mod codes;
mod desk;
mod links;
mod trial;

pub use self::trial::{Mailed, Trial};

/// Runs the suite. `make` makes a provider, or a [`Trial`] of one, that has begun no sign-in, for
/// each case.
pub async fn run<T: Trial>(make: impl AsyncFn(World) -> T) -> Report {
    let mut suite = Suite::of("provider", make);
    links(&mut suite).await;
    codes(&mut suite).await;
    choices(&mut suite).await;
    suite.report
}

async fn links<T: Trial>(suite: &mut Suite<impl AsyncFn(World) -> T>) {
    let name = "a link leads to the redirect URI with a code and the state";
    suite.case(name, links::leads_back).await;
    let name = "a link proves the address that it was made for";
    suite.case(name, links::its_address).await;
    let name = "links of two people prove each their own address";
    suite.case(name, links::two_people).await;
    let name = "a code from a link proves no other address in another attempt";
    suite.case(name, links::another_attempt).await;
    let name = "a person has the same subject each time and nobody else has it";
    suite.case(name, links::same_subject).await;
    let name = "a code from a link is good once";
    suite.case(name, links::code_once).await;
    let name = "a link signs in once";
    suite.case(name, links::link_once).await;
    let name = "of several redemptions of one link at once one succeeds";
    suite.case(name, links::once_at_once).await;
    let name = "a code that was never made is refused";
    suite.case(name, links::never_made).await;
    let name = "an error that denies having redeemed a link leaves it good";
    suite.case(name, links::lost_answer).await;
    let name = "a link is good until its lifetime ends";
    suite.case(name, links::in_time).await;
    let name = "a link is refused after its lifetime";
    suite.case(name, links::too_late).await;
    let name = "a link that the provider mails is not handed over";
    suite.case(name, links::not_handed_over).await;
    let name = "a link that the provider mails reaches its address and proves it";
    suite.case(name, links::mailed).await;
}

async fn codes<T: Trial>(suite: &mut Suite<impl AsyncFn(World) -> T>) {
    let name = "a provider without codes makes none and redeems none";
    suite.case(name, codes::both_or_neither).await;
    let name = "a code that the layer is to mail has six digits and a lifetime of minutes";
    suite.case(name, codes::six_digits).await;
    let name = "a typed code lives for as long as the pages say";
    suite.case(name, codes::as_said).await;
    let name = "a typed code proves the address that it was made for";
    suite.case(name, codes::its_address).await;
    let name = "a typed code is refused for another address";
    suite.case(name, codes::another_address).await;
    let name = "a typed code is good once";
    suite.case(name, codes::once).await;
    let name = "of several redemptions of one typed code at once one succeeds";
    suite.case(name, codes::once_at_once).await;
    let name = "a wrong code is refused as one";
    suite.case(name, codes::wrong).await;
    let name = "after twenty wrong tries the right code is refused";
    suite.case(name, codes::twenty_tries).await;
    let name = "an error that denies having redeemed a typed code leaves it good";
    suite.case(name, codes::lost_answer).await;
    let name = "a typed code is good until its lifetime ends";
    suite.case(name, codes::in_time).await;
    let name = "a typed code is refused after its lifetime";
    suite.case(name, codes::too_late).await;
    let name = "a code that the provider mails is not handed over";
    suite.case(name, codes::not_handed_over).await;
    let name = "a code that the provider mails reaches its address and proves it";
    suite.case(name, codes::mailed).await;
    let name = "what the layer is to mail is not mailed by the provider";
    suite.case(name, codes::nothing_mailed).await;
    let name = "what an error prints holds no code and no address";
    suite.case(name, codes::prints_nothing).await;
}

async fn choices<T: Trial>(suite: &mut Suite<impl AsyncFn(World) -> T>) {
    let name = "a choice that was never offered is refused";
    suite.case(name, choices::never_offered).await;
    let name = "a person of several organizations signs in to the one that they chose";
    suite.case(name, choices::the_chosen_one).await;
    let name = "a choice is good once";
    suite.case(name, choices::once).await;
    let name = "of several choices at once one succeeds";
    suite.case(name, choices::once_at_once).await;
    let name = "an error that denies having redeemed a choice leaves it good";
    suite.case(name, choices::lost_answer).await;
    let name = "a choice is refused after an hour";
    suite.case(name, choices::too_late).await;
    let name = "a choice of an organization of somebody else is refused";
    suite.case(name, choices::another_organization).await;
}
