//! `agent-matrix [PROGRAM[/SITUATION]…]`: puts every installed agent program through every situation
//! under the real `orch`, keeps what was observed and writes the page. Programs are those of
//! `.ci/agent-clis.txt`; one that is driven by the Agent Client Protocol has `+acp` after its name.
//! It fails where something comes to another end than is expected.

mod denied;
mod expected;
mod observe;
mod programs;
mod situations;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use orch_testkit::agent_matrix::{Observation, keep, observed, page, page_file};

use crate::programs::Program;
use crate::situations::{SITUATIONS, Situation};

/// Services at work at the same time: most of the time they wait.
const PARALLEL: usize = 4;

type Work = (Program, &'static Situation);

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let Some(orch) = built() else {
        eprintln!("there is no orch beside this program: cargo build -p orch");
        return ExitCode::from(2);
    };
    let work = Mutex::new(chosen(&wanted));
    if work.lock().expect("no thread panics with it").is_empty() {
        eprintln!("nothing of that name is installed: .ci/agent-clis wider");
        return ExitCode::from(2);
    }
    let missed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no thread panics with it").pop_front();
                    let Some((program, situation)) = next else { break };
                    let expected =
                        expected::expected(&program.name, situation.name, situation.expected);
                    let seen = observe::observe(&orch, &program, situation, &expected);
                    let mut missed = missed.lock().expect("no thread panics with it");
                    *missed += usize::from(!tell(&seen, expected.missed(&seen)));
                    keep(&seen);
                }
            });
        }
    });
    let (all, otherwise) = judged();
    std::fs::write(page_file(), page(&all)).expect("the checkout can be written to");
    let missed = missed.into_inner().expect("no thread panics with it");
    if missed + otherwise == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All that is kept, in the order of the situations, with why it is otherwise than elsewhere; and how
/// much of it is not as expected.
fn judged() -> (Vec<Observation>, usize) {
    let (mut all, mut otherwise) = (observed(), 0);
    for seen in &mut all {
        let known = SITUATIONS.iter().find(|situation| situation.name == seen.situation);
        let Some(situation) = known else { continue };
        let expected = expected::expected(&seen.program, situation.name, situation.expected);
        if let Some(missed) = expected.missed(seen) {
            println!("KEPT    {}: {}: {missed}", seen.program, seen.situation);
            otherwise += 1;
        }
        expected.because.clone_into(&mut seen.because);
    }
    let place = |seen: &Observation| SITUATIONS.iter().position(|one| one.name == seen.situation);
    all.sort_by(|a, b| a.program.cmp(&b.program).then(place(a).cmp(&place(b))));
    (all, otherwise)
}

/// The programs that are here, in the situations that can be made for them.
fn chosen(wanted: &[String]) -> VecDeque<Work> {
    let named = |program: &Program, situation: &Situation| {
        let one = format!("{}/{}", program.name, situation.name);
        wanted.is_empty() || wanted.iter().any(|name| *name == program.name || *name == one)
    };
    let mut work = VecDeque::new();
    for program in programs::installed() {
        let of_it = SITUATIONS.iter().filter(|situation| {
            named(&program, situation) && denied::can_be_made(&program.name, situation)
        });
        work.extend(of_it.map(|situation| (program.clone(), situation)));
    }
    work
}

/// Prints what was seen; whether it was expected.
fn tell(seen: &Observation, missed: Option<String>) -> bool {
    let what = format!("{} {}: {}", seen.program, seen.version, seen.situation);
    match missed {
        None => {
            println!("ok      {what}");
            true
        }
        Some(missed) => {
            println!("MISSED  {what}: {missed}\n        {seen:?}");
            false
        }
    }
}

/// The service's program, built beside this one.
fn built() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.with_file_name("orch")).filter(|program| program.exists())
}
