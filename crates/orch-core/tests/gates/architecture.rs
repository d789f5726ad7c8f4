//! `check_architecture_complete`.

use orch_core::artifact::ArtifactContent;
use orch_core::stage::Gate;

use crate::support::{ask, expect, set};

/// A name, the files, the verdict's word, a reason.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

const ACCEPTED: &str = "---\nstatus: accepted\n---\n# Store\n";

#[test]
fn an_adr_or_the_reason_for_none() {
    let why = "06-adr/not-needed.md";
    let one = "06-adr/ADR-001-store.md";
    let two = "06-adr/ADR-002-wire.md";
    let cases: [Case; 20] = [
        ("nothing", &[], "refused", "no 06-adr/ADR-NNN-*.md"),
        ("accepted", &[(one, ACCEPTED)], "pass", "06-adr/ADR-001-store.md: `status: accepted`"),
        ("proposed", &[(one, "---\nStatus: Proposed\n---\n")], "pass", "proposed"),
        ("template", &[(one, "---\nstatus: proposed|accepted\n---\n")], "refused", "taken back"),
        ("status in body", &[(one, "# A\nstatus: accepted\n")], "refused", "first line"),
        ("no status", &[(one, "---\ntitle: A\n---\n")], "refused", "no field `status`"),
        ("list", &[(one, "---\nstatus: [accepted]\n---\n")], "refused", "`status` is a list"),
        ("one bad", &[(one, ACCEPTED), (two, "no front")], "refused", "ADR-002-wire.md: no front"),
        ("one draft", &[(one, ACCEPTED), (two, "---\nstatus: draft\n---\n")], "refused", "draft"),
        (
            "one rejected",
            &[(one, ACCEPTED), (two, "---\nstatus: rejected\n---\n")],
            "pass",
            "rejected",
        ),
        ("only rejected", &[(one, "---\nstatus: rejected\n---\n")], "refused", "no 06-adr/ADR-NNN"),
        ("bad name", &[("06-adr/ADR-1-x.md", ACCEPTED)], "refused", "is named ADR-NNN-title.md"),
        ("no title", &[("06-adr/ADR-001-.md", ACCEPTED)], "refused", "is named ADR-NNN-title.md"),
        (
            "lower case",
            &[("06-adr/adr-001-x.md", ACCEPTED)],
            "refused",
            "is named ADR-NNN-title.md",
        ),
        ("elsewhere", &[("ADR-001-x.md", ACCEPTED)], "refused", "no 06-adr/ADR-NNN-*.md"),
        ("readme", &[("06-adr/README.md", "x"), (one, ACCEPTED)], "pass", "accepted"),
        ("reason", &[(why, "---\nreason: a typo is mended\n---\n")], "pass", "a typo is mended"),
        ("empty reason", &[(why, "---\nreason: \"  \"\n---\n")], "refused", "no `reason` in words"),
        ("no reason", &[(why, "---\n---\nreason: x\n")], "refused", "no `reason` in words"),
        ("é in names", &[("06-adr/éééé.md", "x"), ("06-adr/aé", "x")], "refused", "no 06-adr/ADR"),
    ];
    for (case, files, word, reason) in cases {
        expect(&ask(Gate::ArchitectureComplete, &set(files), None), word, reason, case);
    }
}

#[test]
fn a_linked_adr_is_refused_even_beside_a_good_one() {
    let mut files = set(&[("06-adr/ADR-001-store.md", ACCEPTED)]);
    files.insert("06-adr/ADR-002-link.md", ArtifactContent::Symlink);
    let verdict = ask(Gate::ArchitectureComplete, &files, None);
    expect(&verdict, "refused", "06-adr/ADR-002-link.md: it is a symbolic link", "link");
    let mut files = set(&[]);
    files.insert("06-adr", ArtifactContent::Symlink);
    let verdict = ask(Gate::ArchitectureComplete, &files, None);
    expect(&verdict, "refused", "06-adr: it has to be a folder", "linked folder");
}
