//! Crawlers as they name themselves (threat 51).

use std::{env, fs};

use tower_magic_link::page::CrossDevice;

use crate::{
    names::ADA,
    site::{PostOffice, Site},
    visitor::{Ask, From, Habits, Seen, Visitor},
};

/// How many crawlers visit one link.
const AT_ONE_LINK: usize = 25;

/// A sign-in with a link that was not followed, and one with a link that was, whose callback waits.
struct Prey {
    site: Site,
    persons: [Visitor; 2],
    link: String,
    callback: String,
}

impl Prey {
    async fn new(office: PostOffice, cross_device: CrossDevice) -> Self {
        let site = Site::new(office, |builder| builder.cross_device(cross_device)).await;
        let persons = [(); 2].map(|()| site.visitor(Habits::PERSON));
        for person in &persons {
            let form = person.go_to("/auth/login").await;
            person.type_into(&form, "email", ADA).await;
        }
        let mails = site.mails();
        let mut ask = Ask::get(&mails[1], From::Nowhere);
        while ask.url.path() != "/auth/callback" {
            let seen = persons[1].hop(&ask).await;
            ask = Ask::get(seen.location().unwrap(), From::Nowhere);
        }
        Self {
            site,
            persons,
            link: mails[0].clone(),
            callback: ask.url.to_string(),
        }
    }

    async fn visit(&self, agent: &str) -> Vec<Seen> {
        let mut asked = vec![
            Ask::head(&self.callback),
            Ask::get(&self.callback, From::Nowhere),
        ];
        // WorkOS's own link is used up by the first visit, whoever it is: nothing of ours is asked.
        if self.site.post_office != PostOffice::WorkOs {
            asked.push(Ask::head(&self.link));
            asked.push(Ask::get(&self.link, From::Nowhere));
        }
        let mut seen = Vec::new();
        for ask in asked {
            let crawler = self.site.visitor(Habits {
                is_modern: false,
                ..Habits::PERSON
            });
            seen.push(crawler.go(ask.with("user-agent", agent)).await);
            assert_eq!(crawler.is_known_as().await, None, "{agent}");
        }
        seen
    }
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_crawler_burns_a_link_or_gets_a_session() {
    let corpora = env::var("CORPORA").expect("CORPORA names the folder of test data");
    let agents = fs::read_to_string(format!("{corpora}/crawler-user-agents.txt")).unwrap();
    let agents: Vec<_> = agents.lines().collect();
    let modes = [
        CrossDevice::MatchCode,
        CrossDevice::Confirm,
        CrossDevice::Refuse,
    ];
    let mut visits = 0;
    for office in [PostOffice::Alone, PostOffice::Ours, PostOffice::WorkOs] {
        for (agents, mode) in agents.chunks(AT_ONE_LINK).zip(modes.into_iter().cycle()) {
            let prey = Prey::new(office, mode).await;
            let used = prey.site.used_links();
            for agent in agents {
                for seen in prey.visit(agent).await {
                    visits += 1;
                    assert_eq!(seen.location(), None, "{agent}");
                    assert!(!seen.html.contains(ADA), "{agent}");
                }
            }
            assert_eq!(prey.site.used_links(), used, "{agents:?} burnt a link");
            assert_eq!(prey.site.sign_ins(), 0, "{agents:?}");
            for (person, way) in prey.persons.iter().zip([&prey.link, &prey.callback]) {
                person.click(way).await;
                assert_eq!(
                    person.is_known_as().await.as_deref(),
                    Some(ADA),
                    "{agents:?}"
                );
            }
            assert_eq!(prey.site.sign_ins(), 2);
        }
    }
    assert!(agents.len() > 2_000, "{} crawlers", agents.len());
    assert_eq!(visits, agents.len() * (4 + 4 + 2));
}
