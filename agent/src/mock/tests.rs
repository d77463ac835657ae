#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::outcome::Seen;
use super::*;

const MANUAL: &str = include_str!("../../MOCK.md");

#[test]
fn every_outcome_has_a_name_of_its_own_that_is_read_back() {
    let names: BTreeSet<&str> = Outcome::all().map(Outcome::name).collect();
    assert_eq!(names.len(), Outcome::all().count());
    for outcome in Outcome::all() {
        assert_eq!(outcome.name().parse(), Ok(outcome));
        assert!(!outcome.sentence().is_empty());
        assert_eq!(outcome.seen().code().is_some(), outcome.seen().verdict().is_none());
    }
    assert!("conformed".parse::<Outcome>().is_err());
}

/// The table of MOCK.md: a row for each outcome, in this order, with what is seen of it.
#[test]
fn the_manual_has_each_outcome_as_it_is() {
    let section = MANUAL.split("\n## Outcomes\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Outcome::all().count());
    for (outcome, row) in Outcome::all().zip(rows) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, sentence, plugin, portal] = cells[..] else {
            panic!("{row}");
        };
        assert_eq!((name, sentence), (&*format!("`{outcome}`"), outcome.sentence()));
        let code = match outcome.seen() {
            Seen::Plugin(code) => format!("`{}`", code.name()),
            _ => "`done`".to_owned(),
        };
        assert_eq!(plugin, code, "{outcome}");
        let verdict = match outcome.seen() {
            Seen::Plugin(_) => "–".to_owned(),
            Seen::Portal(code) => format!("`{code}`"),
            other => other.verdict().unwrap().to_owned(),
        };
        assert_eq!(portal, verdict, "{outcome}");
    }
}
