use super::*;
use crate::job::{Hold, HoldKind, JobResult};
use crate::testing::{job, now, running, task};

fn queued() -> JobState {
    JobState::Queued { available_at: now(), reason: None }
}

fn state(tasks: Vec<Task>, jobs: Vec<Job>) -> State {
    State { tasks, jobs, gate_width: Some(1) }
}

fn laws(state: &State) -> Vec<&'static str> {
    audit(state).iter().map(|v| v.law).collect()
}

#[test]
fn a_lawful_state_has_no_violation() {
    assert!(
        audit(&state(vec![task("review")], vec![job("review", "reviewer", queued())])).is_empty()
    );
}

#[test]
fn each_law_is_judged() {
    let open = || task("review");
    let queued = || job("review", "reviewer", queued());
    let finished = JobState::Finished { result: JobResult::Failed, at: now(), reason: None };
    let silent = Hold { kind: HoldKind::Infra, reason: " ".into() };
    let mut done = open();
    done.state = TaskState::Done { at: now() };
    done.gate_slot = None;
    let mut paused = open();
    paused.paused = Some(crate::task::Pause { at: now(), reason: None });
    let mut twin = open();
    twin.id = TaskId(2);
    twin.key = "HELLO-2".parse().unwrap();
    let twin_job =
        || Job { id: JobId(2), task_id: TaskId(2), ..job("review", "reviewer", running()) };
    let table = [
        ("no_task_is_lost", state(vec![open()], vec![])),
        ("no_task_is_lost", state(vec![open()], vec![job("review", "reviewer", finished)])),
        ("one_active_job", state(vec![open()], vec![queued(), queued()])),
        ("job_and_task_agree", state(vec![open()], vec![job("testing", "test-runner", running())])),
        (
            "every_wait_has_a_reason",
            state(
                vec![open()],
                vec![job("review", "reviewer", JobState::Held { hold: silent, since: now() })],
            ),
        ),
        ("the_end_is_the_end", state(vec![done.clone()], vec![queued()])),
        ("done_means_landed", state(vec![done], vec![])),
        ("pause_blocks_nobody", state(vec![paused], vec![queued()])),
        ("one_task_per_slot", state(vec![open(), twin.clone()], vec![queued(), twin_job()])),
        (
            "one_job_per_run",
            state(vec![open(), twin], vec![job("review", "reviewer", running()), twin_job()]),
        ),
    ];
    for (law, state) in table {
        assert!(laws(&state).contains(&law), "{law} was not found in {:?}", laws(&state));
    }
}
