//! Orchestrator deploys itself: a copy of this source tree is a repository of its own pipeline, and
//! its revisions are built, installed and switched to by the service that they replace, while an
//! agent works on something else all along.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod commands;

use bed::{Bed, Ledger};

/// One works, the next crashes at its start, the next has a migration that fails, the last works.
#[test]
fn revisions_of_orch_deploy_themselves_under_a_working_agent() {
    let bed = Bed::new();
    let launcher = bed.launch();
    let worked = bed.work();
    let ledger = bed.ledger();

    let works = bed.deploy("SELF-1", "done");
    assert_eq!(bed.status("SELF-1"), "SUCCESS");
    assert_eq!(bed.serves(), works);

    let crashes = bed.deploy("SELF-2", "held");
    assert_ne!(crashes, works);
    assert_eq!(bed.status("SELF-2"), "ROLLED_BACK");
    assert!(bed.why("SELF-2").contains("exit status"), "{}", bed.why("SELF-2"));
    assert_eq!(bed.serves(), works, "the one before took its place again");
    let schema = bed.schema();

    // It went through on a copy, which is why it came so far.
    let fails = bed.deploy("SELF-3", "held");
    assert_eq!(bed.status("SELF-3"), "ROLLED_BACK");
    assert_eq!((bed.serves(), bed.schema()), (works.clone(), schema));

    let mended = bed.deploy("SELF-4", "done");
    assert_eq!(bed.status("SELF-4"), "SUCCESS");
    assert_eq!(bed.serves(), mended);
    for bad in [crashes, fails] {
        assert!(bed.is_bad(&bad));
    }

    // The agent has worked through it all: one process, one run, no gap.
    let after = bed.ledger();
    let grown = Ledger { lines: after.lines, ..ledger.clone() };
    assert_eq!(after, grown);
    assert!(after.lines > ledger.lines);
    assert_eq!(bed.running(&worked), ledger.run);
    bed.let_go();
    bed.settled(&worked, "done");
    assert_eq!(bed.attempts(&worked), 1);
    launcher.stop();
}
