//! Values for this crate's own tests.

use jiff::Timestamp;

use crate::decide::Situation;
use crate::ids::{AgentName, JobId, RepoName, Revision, RunId, StageName, TaskId, WorkerId};
use crate::job::{Job, JobState, Ownership};
use crate::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use crate::stage::{DONE, DefaultOnFail, RESERVED_AGENTS, STAGE_TRANSITIONS};
use crate::task::{Progress, Task, TaskState};

pub fn stage(name: &str) -> StageName {
    StageName::new(name).unwrap()
}

pub fn revision(digit: char) -> Revision {
    Revision::new(digit.to_string().repeat(40)).unwrap()
}

pub fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// The standard pipeline, straight from the table.
pub fn pipeline() -> Pipeline {
    let stages = STAGE_TRANSITIONS
        .iter()
        .filter_map(|row| {
            let work = row.work?;
            let agent = AgentName::new(work.producer).unwrap();
            let reserved = RESERVED_AGENTS.contains(&work.producer);
            Some(StageSpec {
                name: stage(row.stage),
                producer: if reserved { Producer::Runner(agent) } else { Producer::Agent(agent) },
                gate: work.gate,
                on_fail: match work.on_fail {
                    DefaultOnFail::Retry => OnFail::Retry,
                    DefaultOnFail::Bounce(to) => OnFail::Bounce(stage(to)),
                    DefaultOnFail::Hold => OnFail::Hold,
                },
                next: (row.next != DONE).then(|| stage(row.next)),
                attempts: 3,
                merges: row.stage == "deploy",
                writes_code: row.stage == "development",
                labels: std::collections::BTreeSet::new(),
            })
        })
        .collect();
    Pipeline { stages, left_out: vec![] }
}

pub fn task(at: &str) -> Task {
    Task {
        id: TaskId(1),
        key: "HELLO-1".parse().unwrap(),
        repo: RepoName::new("hello").unwrap(),
        title: "Add subtraction".into(),
        body: String::new(),
        priority: 0,
        pipeline: pipeline(),
        state: TaskState::Open,
        progress: Progress::at(stage(at)),
        paused: None,
        gate_slot: Some(0),
        created_at: now(),
        updated_at: now(),
    }
}

pub fn job(at: &str, agent: &str, state: JobState) -> Job {
    Job {
        id: JobId(1),
        task_id: TaskId(1),
        key: "HELLO-1".parse().unwrap(),
        repo: RepoName::new("hello").unwrap(),
        stage: stage(at),
        agent: AgentName::new(agent).unwrap(),
        priority: 0,
        run_epoch: 1,
        defers: 0,
        unknowns: 0,
        stops: 0,
        crashes: 0,
        state,
        created_at: now(),
    }
}

pub fn running() -> JobState {
    JobState::Running(Ownership {
        run_id: RunId::from_parts(1, 2),
        run_epoch: 1,
        worker_id: WorkerId::new("w1").unwrap(),
        started_at: now(),
        lease_until: now(),
        process: None,
    })
}

pub fn at<'a>(task: &'a Task, job: &'a Job) -> Situation<'a> {
    Situation { task, job, now: now() }
}
