//! What is sent, to whom, and what is not.

use futures_util::{FutureExt, future::join_all};
use tracing::instrument::WithSubscriber;

use super::{
    desk::{Desk, Letter},
    trial::{Failure, Trial},
};
use crate::testing::suite::{
    log::Log,
    report::{Miss, Outcome, same},
};

pub(super) async fn to_its_recipient<T: Trial>(desk: Desk<T>) -> Outcome {
    let letters = [Letter::numbered(1), Letter::numbered(2)];
    for letter in &letters {
        desk.sent(letter).await?;
    }
    // Two: a copy of the first would come before the second.
    for (delivered, letter) in desk.delivered(2).await?.iter().zip(letters) {
        let to = [letter.to.as_str().to_owned()];
        same("the recipients", &delivered.recipients.as_slice(), &&to[..])?;
    }
    Ok(())
}

pub(super) async fn at_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let letters: Vec<_> = (0..8).map(Letter::numbered).collect();
    let sent = join_all(letters.iter().map(|letter| desk.sent(letter))).await;
    sent.into_iter().collect::<Outcome<Vec<()>>>()?;
    let delivered = desk.delivered(letters.len()).await?;
    for letter in &letters {
        let mine = delivered.iter().filter(|mail| letter.is_for(mail));
        let right = mine.filter(|mail| letter.is_in(mail)).count();
        let what = format!("how many mails have the link of {}", letter.to.as_str());
        same(&what, &right, &1)?;
    }
    Ok(())
}

async fn is_held<T: Trial>(desk: &Desk<T>, letter: &Letter) -> Outcome {
    let delivered = desk.arrives(letter).await?;
    if letter.is_in(&delivered) {
        return Ok(());
    }
    Err(Miss::failed(
        "what the mail was given",
        format_args!("{:?}", delivered.text),
    ))
}

pub(super) async fn a_link<T: Trial>(desk: Desk<T>) -> Outcome {
    is_held(&desk, &Letter::numbered(1).with_link_alone()).await
}

pub(super) async fn a_code<T: Trial>(desk: Desk<T>) -> Outcome {
    is_held(&desk, &Letter::numbered(1).with_code_alone()).await
}

pub(super) async fn both<T: Trial>(desk: Desk<T>) -> Outcome {
    is_held(&desk, &Letter::numbered(1)).await
}

/// The characters that may be next to a link: a space or a line break, a quote, a bracket.
fn is_beside(c: Option<char>) -> bool {
    c.is_none_or(|c| c.is_whitespace() || "\"'<>()[]".contains(c))
}

pub(super) async fn as_it_was_given<T: Trial>(desk: Desk<T>) -> Outcome {
    let letter = Letter::numbered(1).with_link_alone();
    let delivered = desk.arrives(&letter).await?;
    for link in letter.secrets() {
        for (at, _) in delivered.text.match_indices(link) {
            let (before, rest) = delivered.text.split_at(at);
            let after = rest.strip_prefix(link).unwrap_or_default();
            if !is_beside(before.chars().next_back()) || !is_beside(after.chars().next()) {
                return Err(Miss::failed("the link alone", "one inside another"));
            }
        }
    }
    Ok(())
}

pub(super) async fn not_logged<T: Trial>(desk: Desk<T>) -> Outcome {
    let letter = Letter::numbered(1);
    let log = Log::default();
    desk.sent(&letter).with_subscriber(log.clone()).await?;
    if desk.0.fail(Failure::Begins).await {
        // It may be taken all the same, which another case is for.
        let failed = desk.send(&letter).with_subscriber(log.clone()).await;
        if let Err(error) = failed {
            let shown = format!("{error} {error:?} {}", error.reason());
            is_clean(&letter, "an error", &shown)?;
        }
    }
    is_clean(&letter, "a log", &log.text())
}

fn is_clean(letter: &Letter, what: &str, text: &str) -> Outcome {
    if letter.secrets().any(|secret| text.contains(secret)) {
        let expected = format!("{what} without the link and the code");
        return Err(Miss::failed(&expected, format_args!("{text:?}")));
    }
    Ok(())
}

pub(super) async fn dropped<T: Trial>(desk: Desk<T>) -> Outcome {
    let (first, next) = (Letter::numbered(1), Letter::numbered(2));
    // Polled once: a connection may be half made, or the mail may be sent.
    let is_done = desk.send(&first).now_or_never().is_some();
    desk.sent(&next).await?;
    let count = if is_done { 2 } else { 1 };
    let delivered = desk.0.delivered(count).await;
    let arrived = delivered.iter().filter(|mail| next.is_for(mail)).count();
    same("how often the next mail arrives", &arrived, &1)
}

async fn fails<T: Trial>(desk: &Desk<T>) -> Outcome {
    if desk.0.fail(Failure::Begins).await {
        return Ok(());
    }
    Err(Miss::Skipped("the trial cannot make the mailer fail"))
}

pub(super) async fn not_taken<T: Trial>(desk: Desk<T>) -> Outcome {
    fails(&desk).await?;
    let sent = desk.send(&Letter::numbered(1)).await;
    same("it is taken", &sent.is_ok(), &false)
}

pub(super) async fn after_a_failure<T: Trial>(desk: Desk<T>) -> Outcome {
    fails(&desk).await?;
    let _ = desk.send(&Letter::numbered(1)).await;
    if !desk.0.fail(Failure::Ends).await {
        return Err(Miss::Skipped("the trial cannot end the failure"));
    }
    let next = Letter::numbered(2);
    let delivered = desk.arrives(&next).await?;
    let is_next = next.is_for(&delivered) && next.is_in(&delivered);
    same("the next mail arrives", &is_next, &true)
}
