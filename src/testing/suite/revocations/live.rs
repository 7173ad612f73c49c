//! Watches, by which live connections end with their sessions.

use std::{
    sync::Arc,
    task::{Context, Wake, Waker},
    time::Duration,
};

use futures_util::FutureExt;

use super::desk::{Desk, end_of, revocation, session, soon};
use crate::{
    clock::Signal,
    revocation::{Revocations, Target},
    session::Session,
    testing::suite::{
        FAR, after,
        report::{Miss, Outcome},
    },
};

fn watch(store: &Arc<dyn Revocations>, session: &Session) -> Outcome<Signal> {
    let watch = store.watch(session);
    watch.ok_or(Miss::Skipped("the store has no watch"))
}

/// Makes sure that a watch has not completed.
fn still(watch: &mut Signal, when: &str) -> Outcome {
    match watch.now_or_never() {
        None => Ok(()),
        Some(()) => Err(Miss::failed(
            "a watch that waits",
            format_args!("one that is done {when}"),
        )),
    }
}

pub(super) async fn its_session(desk: Desk<'_>) -> Outcome {
    for store in desk.replicas() {
        let one = session("a", 10);
        let mut mine = watch(store, &one)?;
        still(&mut mine, "before its session is ended")?;
        desk.end(end_of(&one)).await?;
        soon("a watch of an ended session to complete", mine).await?;
    }
    Ok(())
}

pub(super) async fn in_common(desk: Desk<'_>) -> Outcome {
    for (store, subject) in desk.replicas().zip(["a", "b"]) {
        let one = session(subject, 10);
        let mut mine = watch(store, &one)?;
        still(&mut mine, "before its subject's sessions are ended")?;
        let target = Target::Subject(subject.to_owned());
        desk.end(revocation(target, 10, FAR)).await?;
        soon("a watch of an ended session to complete", mine).await?;
    }
    Ok(())
}

pub(super) async fn already_ended(desk: Desk<'_>) -> Outcome {
    let one = session("a", 10);
    desk.end(end_of(&one)).await?;
    for store in desk.replicas() {
        let mine = watch(store, &one)?;
        soon("a watch of an ended session to complete", mine).await?;
    }
    Ok(())
}

pub(super) async fn no_other(desk: Desk<'_>) -> Outcome {
    for store in desk.replicas() {
        let [one, other, last] =
            ["a", "b", "c"].map(|subject| session(subject, 10).with_after(after(9)));
        let mut mine = watch(store, &one)?;
        let mut others = watch(store, &other)?;
        let mut heard = watch(store, &last)?;
        still(&mut heard, "before anything is ended")?;
        still(&mut mine, "before anything is ended")?;
        still(&mut others, "before anything is ended")?;
        // The same subject, but before the session began.
        let earlier = revocation(Target::Subject("a".to_owned()), 9, FAR);
        desk.end(earlier).await?;
        still(&mut mine, "at the end of an earlier session of its subject")?;
        desk.end(end_of(&last)).await?;
        soon("a watch of an ended session to complete", heard).await?;
        still(&mut mine, "at another's end")?;
        desk.end(end_of(&one)).await?;
        soon("a watch of an ended session to complete", mine).await?;
        still(&mut others, "at another's end")?;
    }
    Ok(())
}

/// A waker that does nothing. The count of its `Arc` shows whether the store still holds it.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {}
}

pub(super) async fn dropped(desk: Desk<'_>) -> Outcome {
    for store in desk.replicas() {
        let one = session("a", 10);
        let bell = Arc::new(Bell);
        let mut mine = watch(store, &one)?;
        let waker = Waker::from(bell.clone());
        let poll = mine.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            return Err(Miss::failed("a watch that waits", "one that is done"));
        }
        drop((waker, mine));
        let alone = async {
            // A task of the store may drop its share a little later.
            while Arc::strong_count(&bell) > 1 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        soon("the waker of a watch that was dropped to be let go", alone).await?;
        desk.end(end_of(&one)).await?;
    }
    Ok(())
}
