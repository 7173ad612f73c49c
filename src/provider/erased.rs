//! `ErasedProvider`: the port, as an object.

use futures_util::future::BoxFuture;

use super::{
    Abilities, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, ProviderError, Start,
    StartCode, Started, StartedCode,
};
use crate::{check::Checking, clock::Timestamp};

/// [`IdentityProvider`] as the layer stores it: one box per sign-in, no type parameter.
pub(crate) trait ErasedProvider: Send + Sync {
    fn abilities(&self) -> Abilities;
    fn start<'a>(&'a self, start: &'a Start<'a>) -> BoxFuture<'a, Result<Started, ProviderError>>;
    fn finish<'a>(
        &'a self,
        finish: &'a Finish<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
    fn start_code<'a>(
        &'a self,
        start: &'a StartCode<'a>,
    ) -> BoxFuture<'a, Result<StartedCode, ProviderError>>;
    fn finish_code<'a>(
        &'a self,
        finish: &'a FinishCode<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
    fn finish_choice<'a>(
        &'a self,
        finish: &'a FinishChoice<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
    fn check(&self, now: Timestamp) -> Checking<'_>;
}

impl<P: IdentityProvider> ErasedProvider for P {
    fn abilities(&self) -> Abilities {
        IdentityProvider::abilities(self)
    }

    fn start<'a>(&'a self, start: &'a Start<'a>) -> BoxFuture<'a, Result<Started, ProviderError>> {
        Box::pin(IdentityProvider::start(self, start))
    }

    fn finish<'a>(
        &'a self,
        finish: &'a Finish<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish(self, finish))
    }

    fn start_code<'a>(
        &'a self,
        start: &'a StartCode<'a>,
    ) -> BoxFuture<'a, Result<StartedCode, ProviderError>> {
        Box::pin(IdentityProvider::start_code(self, start))
    }

    fn finish_code<'a>(
        &'a self,
        finish: &'a FinishCode<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish_code(self, finish))
    }

    fn finish_choice<'a>(
        &'a self,
        finish: &'a FinishChoice<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish_choice(self, finish))
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        Box::pin(IdentityProvider::check(self, now))
    }
}
