//! Which session a run works in: that of the role's last run at the same stage, where it may go on
//! and this machine has it, else a new one.

use std::path::Path;

use orch_agents::{Descriptor, EventReader, Session, Source, Tally};
use orch_core::session::{goes_on, is_id};
use orch_process::RunDir;
use orch_store::Run;

use super::{Halt, Owned, rooms};
use crate::engine::Engine;
use crate::repo_config::AgentConfig;

/// Lines of a lost run's log that are looked at for its session; it is named at the beginning.
const LOOKED_AT: usize = 200;
/// How deep a program's folder of sessions is looked through.
const DEPTH: u32 = 6;

/// Chooses the session of a run.
pub fn choose(engine: &Engine, owned: &Owned, agent: &AgentConfig) -> Result<Session, Halt> {
    let descriptor = agent.adapter.descriptor;
    let fresh = || fresh(engine);
    if !agent.resume || !agent.own_home || descriptor.sessions.is_none() {
        return Ok(fresh());
    }
    let Some(last) = earlier(engine, owned)?.pop() else { return Ok(fresh()) };
    let id = match &last.session {
        Some(session) if session.adapter == descriptor.adapter.name() => Some(session.id.clone()),
        Some(_) => None,
        None => named_in_log(engine, &last, descriptor),
    };
    let kept = rooms::kept_sessions(engine, owned, descriptor);
    let there = id.filter(|id| {
        is_id(id) && goes_on(last.end.as_ref().map(|(_, end)| end)) && holds(&kept, id, DEPTH)
    });
    Ok(there.map_or_else(fresh, |id| Session::Resume { id }))
}

/// A new session.
pub fn fresh(engine: &Engine) -> Session {
    Session::New { name: new_name(engine.clock.random(), engine.clock.random()) }
}

/// The role's earlier runs at this stage that ended or were lost, oldest first.
pub fn earlier(engine: &Engine, owned: &Owned) -> Result<Vec<Run>, Halt> {
    let mut runs = engine.store.runs(owned.task.id)?;
    runs.retain(|run| {
        run.run_id != owned.owner.run_id
            && run.agent == owned.job.agent
            && run.stage == owned.job.stage
            && run.process.is_some()
    });
    Ok(runs)
}

/// What a run that was lost said of its session before.
fn named_in_log(engine: &Engine, run: &Run, descriptor: &Descriptor) -> Option<String> {
    let dir = RunDir::new(engine.home.run(&run.run_id));
    let mut reader = EventReader::new((descriptor.mapper)());
    let mut tally = Tally::default();
    let lines = orch_process::log::lines(&dir).filter(|line| line.stream == "stdout");
    for line in lines.take(LOOKED_AT) {
        for event in reader.piece(Source::Out, &line.text, line.more) {
            tally.add(line.at, event);
        }
        if tally.session.is_some() {
            break;
        }
    }
    tally.session
}

/// Whether a folder holds a file of this session: every program names them so.
fn holds(dir: &Path, id: &str, depth: u32) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let named = entry.file_name().to_str().is_some_and(|name| name.contains(id));
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        named || (depth > 0 && is_dir && holds(&entry.path(), id, depth - 1))
    })
}

/// A name that no session has: a random UUID.
fn new_name(high: u64, low: u64) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_a_random_uuid() {
        assert_eq!(new_name(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(new_name(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(is_id(&new_name(1, 2)));
    }

    #[test]
    fn a_session_is_found_by_its_name_wherever_a_program_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("2026/11/25");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("rollout-x-01a2.jsonl"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), deep.join("loop")).unwrap();
        assert!(holds(dir.path(), "01a2", DEPTH));
        assert!(!holds(dir.path(), "01a3", DEPTH));
        assert!(!holds(&dir.path().join("gone"), "01a2", DEPTH));
    }
}
