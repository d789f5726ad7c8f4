//! Without a planted bug no seed breaks a law, and a seed is the same every time.

use orch_sim::run::{self, Failure, Session, Summary};
use orch_sim::{Directive, Plant};

#[test]
fn no_seed_breaks_a_law() {
    let mut summary = Summary::default();
    for seed in 1_000..1_010 {
        if let Some(failure) = run::seed(seed, 300, None, &mut summary).unwrap() {
            let text = Failure::text(&failure.setup, &failure.script);
            panic!("{:?}\nagain: {}\n{text}", failure.violation, failure.command());
        }
    }
    println!("{summary}");
    assert_eq!(summary.done + summary.cancelled, summary.tasks, "every task comes to its end");
    assert!(summary.done > 10 && summary.crashes > 10, "hardly anything happened: {summary}");
}

/// What a seed does, and what becomes of it, is the same on every run and every machine.
#[test]
fn a_seed_does_the_same_every_time() {
    let once = || {
        let mut summary = Summary::default();
        let failure = run::seed(7, 200, Some(Plant::DroppedEvent), &mut summary).unwrap().unwrap();
        (Failure::text(&failure.setup, &failure.script), failure.violation, summary.faults)
    };
    assert_eq!(once(), once());
}

/// A list of directives is performed alike whether it was chosen or read back from its text.
#[test]
fn a_script_says_all_that_happened() {
    let mut summary = Summary::default();
    let failure = run::seed(3, 300, Some(Plant::DroppedEvent), &mut summary).unwrap().unwrap();
    let text = Failure::text(&failure.setup, &failure.script);
    let mut session =
        Session::new(text.lines().next().unwrap().parse().unwrap(), failure.plant).unwrap();
    let read: Vec<Directive> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    let last = read.len() - 1;
    for (place, directive) in read.iter().enumerate() {
        assert_eq!(session.perform(directive).is_err(), place == last, "{directive}");
    }
}
