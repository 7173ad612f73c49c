//! Every journey with every robot, by each post office.

use std::{fmt::Write, fs};

use tower_magic_link::RejectionKind;

use crate::{
    journey::Journey,
    robot::Robot,
    site::{PostOffice, Site},
    walk::{Ending, Walk},
};

/// What is promised. A line that changes here changes what people can rely on.
const PROMISED: &str = include_str!("matrix.txt");

const LEGEND: &str = "Each cell is one journey: what the person was told on the way, and then whether they are in or out.\n\
    used: the link no longer works, a press sends a new one. wait: enough mails for now, and for how long.";

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the matrix is there to be looked at")]
async fn every_journey_ends_with_the_person_signed_in_or_told_why_and_no_robot_is() {
    let mut matrix = format!("{LEGEND}\n\n");
    let mut burnt = Vec::new();
    let mut walks = 0;
    for office in [PostOffice::Ours, PostOffice::WorkOs, PostOffice::Alone] {
        let (table, total, taken) = table(office).await;
        matrix += &table;
        burnt.push(total);
        walks += taken;
    }
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/journeys.txt");
    fs::write(file, &matrix).unwrap();
    println!("{matrix}");
    assert_eq!(walks, 3 * Journey::ALL.len() * Robot::ALL.len());
    assert_eq!(burnt, [0, 114, 0], "no robot burns a link of ours");
    assert_eq!(matrix, PROMISED, "see {file}");
}

/// Takes every walk of a post office; returns the table, how many links robots used up before the
/// person, and how many walks there were.
async fn table(office: PostOffice) -> (String, usize, usize) {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(Robot::ALL.map(|robot| robot.name().to_owned()));
    let mut endings = Vec::new();
    for journey in Journey::ALL {
        let mut walks = Vec::new();
        for robot in Robot::ALL {
            let site = Site::new(office, |builder| journey.configure(office, builder)).await;
            // Each on a task of its own: side by side, and a panic ends one alone.
            walks.push(tokio::spawn(journey.take(Walk::new(site, robot))));
        }
        let mut row = vec![journey.name().to_owned()];
        for walk in walks {
            let ending = walk.await;
            row.push(ending.as_ref().map_or("FAILED".to_owned(), cell));
            endings.extend(ending);
        }
        rows.push(row);
    }
    let count = |is: fn(&&Ending) -> bool| endings.iter().filter(is).count();
    let burnt = endings.iter().map(|ending| ending.burnt).sum();
    let table = format!(
        "{}\n\n{}\n{} journeys: {} in at once, {} in after they were told, {} told why not. \
         Links that a robot used up before the person came: {burnt}.\n\n",
        match office {
            PostOffice::Alone => {
                "Our own mail and nobody else: how each journey ends, by the robot in the mail"
            }
            PostOffice::Ours => "Our own mail: how each journey ends, by the robot in the mail",
            PostOffice::WorkOs => "WorkOS's mail: how each journey ends, by the robot in the mail",
        },
        aligned(&rows),
        endings.len(),
        count(|ending| ending.is_in && ending.told.is_empty()),
        count(|ending| ending.is_in && !ending.told.is_empty()),
        count(|ending| !ending.is_in),
    );
    (table, burnt, endings.len())
}

fn aligned(rows: &[Vec<String>]) -> String {
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
            let bar = if column == 0 { "" } else { " | " };
            write!(line, "{bar}{cell:<width$}").unwrap();
        }
        table += line.trim_end();
        table.push('\n');
    }
    table
}

/// What the person was told on the way, and where they ended.
fn cell(ending: &Ending) -> String {
    let told = ending.told.iter().map(|trouble| match trouble {
        RejectionKind::AnotherBrowser => "other browser",
        RejectionKind::CookiesBlocked => "cookies",
        RejectionKind::InsecureConnection => "insecure",
        RejectionKind::LinkDeclined => "declined",
        RejectionKind::LinkExpired => "expired",
        RejectionKind::LinkUsed => "used",
        RejectionKind::NotAllowed => "not allowed",
        RejectionKind::RateLimited => "wait",
        other => panic!("{other:?} has no short name"),
    });
    let end = if ending.is_in { "in" } else { "out" };
    told.chain([end]).collect::<Vec<_>>().join(", ")
}
