//! `agent-matrix [PROGRAM[/SITUATION]…]`: puts every installed agent program through every situation
//! under the real `orch`, keeps what was observed and writes the page. Programs are those of
//! `.ci/agent-clis.txt`; one that is driven by the Agent Client Protocol has `+acp` after its name.

mod observe;
mod programs;
mod situations;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use orch_testkit::agent_matrix::{keep, observed, page, page_file};

use crate::programs::Program;
use crate::situations::{SITUATIONS, Situation};

/// Services at work at the same time.
const PARALLEL: usize = 2;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let Some(orch) = built() else {
        eprintln!("there is no orch beside this program: cargo build -p orch");
        return ExitCode::from(2);
    };
    let named = |program: &Program, situation: &Situation| {
        let one = format!("{}/{}", program.name, situation.name);
        wanted.is_empty() || wanted.iter().any(|name| *name == program.name || *name == one)
    };
    let mut work = VecDeque::new();
    for program in programs::installed() {
        let of_it = SITUATIONS.iter().filter(|situation| named(&program, situation));
        work.extend(of_it.map(|situation| (program.clone(), situation)));
    }
    let (work, kept) = (Mutex::new(work), Mutex::new(()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no thread panics with it").pop_front();
                    let Some((program, situation)) = next else { break };
                    let seen = observe::observe(&orch, &program, situation);
                    println!("{seen:?}");
                    let _one_at_a_time = kept.lock().expect("no thread panics with it");
                    keep(&seen);
                }
            });
        }
    });
    std::fs::write(page_file(), page(&observed())).expect("the checkout can be written to");
    ExitCode::SUCCESS
}

/// The service's program, built beside this one.
fn built() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.with_file_name("orch")).filter(|program| program.exists())
}
