//! A link in another browser than the one that began: letters, a click, or no way in.

use tower_magic_link::{Builder, page::CrossDevice};

use crate::{
    names::ADA,
    page::Page,
    support::{Post, by_own_link},
    walk::Walk,
    watched::Watched,
};

pub(crate) async fn all(walk: &Walk) {
    let ways = [
        CrossDevice::MatchCode,
        CrossDevice::Confirm,
        CrossDevice::Refuse,
    ];
    for (way, is_own) in ways.into_iter().flat_map(|way| [(way, true), (way, false)]) {
        let post = Post::default();
        let set = |builder: Builder| {
            let builder = builder.cross_device(way).insecure_no_throttle();
            match is_own {
                true => builder.mailer(Watched::new(post.clone(), walk)),
                false => builder,
            }
        };
        let world = walk.world(set).await;
        let mut first = walk.browser(&world.layer);
        for answer in ["right", "wrong", "answer=no"] {
            let check = first.ask_for_link(ADA, "/reports").await;
            walk.gather(&world);
            let link = match is_own {
                true => post.link(),
                false => world.follow_mail(ADA).await,
            };
            let letters = Page::of(&check.text())
                .text_of("match-code")
                .map(str::to_owned);
            let mut other = walk.browser(&world.layer);
            other.get(&link).await;
            let answers: Vec<_> = match (answer, letters) {
                ("right", Some(letters)) => {
                    let typed = letters.to_lowercase().replace('-', " ");
                    vec![format!("code={typed}"), format!("code={letters}")]
                }
                ("right", None) => vec![String::new()],
                ("wrong", _) => vec!["code=BBB-BBB".to_owned(); 6],
                (other, _) => vec![other.to_owned()],
            };
            for form in answers {
                let answered = other.post(&link, &form).await;
                if !answered.status().is_redirection() {
                    continue;
                }
                let arrived = match is_own {
                    true => by_own_link(&mut other, &answered).await,
                    false => answered,
                };
                if arrived.status().is_redirection() {
                    other.follow(arrived).await;
                }
            }
        }
        walk.gather(&world);
    }
}
