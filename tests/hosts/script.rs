//! A revocation store that does as it is told, and counts how often it is asked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tower_magic_link::{
    Session,
    revocation::{Lookup, Revocation, Revocations, Standing},
    store::{StoreError, StoreErrorKind, StoreFuture},
};

/// What the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Active,
    Revoked,
    /// It cannot tell.
    Fail,
    /// It never answers.
    Hang,
}

/// The store. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    act: Act,
    waits: bool,
    asked: Arc<AtomicUsize>,
}

impl Script {
    /// Makes a store that answers at once.
    pub(crate) fn settled(act: Act) -> Self {
        Self {
            act,
            waits: false,
            asked: Arc::default(),
        }
    }

    /// Makes a store that has to wait.
    pub(crate) fn pending(act: Act) -> Self {
        Self {
            waits: true,
            ..Self::settled(act)
        }
    }

    /// Says whether the store lets nobody in.
    pub(crate) fn is_refusing(&self) -> bool {
        matches!(self.act, Act::Revoked | Act::Fail)
    }

    /// Returns how many look-ups there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(act: Act) -> Result<Standing, StoreError> {
    match act {
        Act::Active => Ok(Standing::Active),
        Act::Revoked => Ok(Standing::Revoked),
        Act::Fail => Err(StoreError::new(StoreErrorKind::Unavailable)),
        Act::Hang => std::future::pending().await,
    }
}

impl Revocations for Script {
    fn look_up(&self, _: &Session) -> Lookup {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let act = self.act;
        if !self.waits {
            let settled = futures_util::FutureExt::now_or_never(answer(act));
            return Lookup::Settled(settled.expect("a store that hangs has to wait"));
        }
        Lookup::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            answer(act).await
        }))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        let answer = answer(self.act);
        Box::pin(async move { answer.await.map(drop) })
    }
}
