//! The smoke test beside the suite (S7): a running service is asked a few questions, and says what
//! it should or not. A service that can't be reached is infrastructure; one that says something
//! else is found wanting.

use std::time::Duration;

use orch_core::outcome::Outcome;
use orch_core::probe::Judged;
use orch_core::settings::TestRunner;
use orch_core::verdict::Finding;

use super::RunnerKind;
use super::probe::{Looked, look};
use crate::repo_config::RepoConfig;
use crate::wake::Wake;

/// Stands in the artifact's `exit_code` where the suite passed and the smoke test did not.
pub const UNMET: i32 = 72;
/// Looks at a service that can't be reached before that counts: it may be starting.
const LOOKS: u32 = 3;
/// From one such look to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// What takes the place of a suite's pass, and what was found; a suite that did not pass, and one
/// without a smoke test, keep their outcome.
pub fn smoke(
    kind: RunnerKind,
    config: &RepoConfig,
    outcome: Outcome,
    wake: &Wake,
) -> (Outcome, Vec<Finding>) {
    let settings = &config.settings.test_runner;
    match (kind, &outcome, &settings.smoke_url) {
        (RunnerKind::Test, Outcome::SuiteRan { exit_code: 0 }, Some(base)) => {
            ask(base, settings, outcome, wake)
        }
        _ => (outcome, Vec::new()),
    }
}

fn ask(base: &str, settings: &TestRunner, passed: Outcome, wake: &Wake) -> (Outcome, Vec<Finding>) {
    let mut findings = Vec::new();
    for probe in &settings.smoke {
        let infra = |reason: String| format!("smoke test: {reason}");
        match patiently(wake, || look(base, probe, settings.smoke_timeout)) {
            Looked::Answered(Judged::Met) => {}
            Looked::Answered(Judged::Unmet(finding)) => {
                let title = format!("smoke test of {base}: {}", finding.title);
                findings.push(Finding { title, ..finding });
            }
            Looked::Answered(Judged::NotThere { reason }) | Looked::Unreachable { reason } => {
                return (Outcome::TransientInfra { reason: infra(reason) }, Vec::new());
            }
            Looked::Answered(Judged::NotLetIn { reason }) => {
                return (Outcome::PermanentEnv { reason: infra(reason) }, Vec::new());
            }
        }
    }
    if findings.is_empty() {
        (passed, findings)
    } else {
        (Outcome::SuiteRan { exit_code: UNMET }, findings)
    }
}

/// Looks again at a service that is not there, a few times.
fn patiently(wake: &Wake, look: impl Fn() -> Looked) -> Looked {
    let mut looked = look();
    for _ in 1..LOOKS {
        let gone = matches!(
            looked,
            Looked::Unreachable { .. } | Looked::Answered(Judged::NotThere { .. })
        );
        if !gone || wake.sleep_through(INTERVAL) {
            break;
        }
        looked = look();
    }
    looked
}
