//! Statements that fill a fresh database: repositories, a history, a line behind a busy repository.

use super::bed::Engine;

/// `n (i)`: the numbers from nought up to but not this.
fn numbers(engine: Engine, count: u64) -> String {
    match engine {
        Engine::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"
        ),
        Engine::Postgres => format!("WITH n (i) AS (SELECT generate_series(0, {count} - 1))"),
    }
}

/// Repositories `r0`, `r1`, …, whose tasks are `R0-1` and so on.
pub fn repositories(engine: Engine, count: u64) -> String {
    format!(
        "{} INSERT INTO repos (name, key_prefix, remote, default_branch, created_at) \
         SELECT 'r' || i, 'R' || i, 'nowhere', 'main', 0 FROM n",
        numbers(engine, count)
    )
}

/// Finished jobs, four to a task, each with its run, gate result and two events. For a database
/// without any task.
pub fn history(engine: Engine, jobs: u64, pipeline: &str) -> String {
    let tasks = jobs.div_ceil(4);
    let (tasks_n, jobs_n) = (numbers(engine, tasks), numbers(engine, jobs));
    let events_n = numbers(engine, jobs * 2);
    format!(
        "INSERT INTO repos (name, key_prefix, remote, default_branch, created_at) \
             VALUES ('old', 'OLD', 'nowhere', 'main', 0); \
         {tasks_n} INSERT INTO tasks (repo_id, key, priority, status, stage, created_at, \
             updated_at, finished_at, title, feedback, pipeline, body) \
             SELECT r.id, 'OLD-' || n.i, 0, 'done', 'testing', n.i, n.i, n.i, \
             'Add subtraction', '[]', '{pipeline}', 'With tests.' \
             FROM n, repos r WHERE r.name = 'old'; \
         {jobs_n} INSERT INTO jobs (task_id, stage, agent, status, priority, available_at, \
             run_epoch, finished_at, created_at) \
             SELECT t.low + n.i / 4, 'testing', 'test-runner', 'succeeded', 0, n.i, 1, n.i, n.i \
             FROM n, (SELECT min(id) AS low FROM tasks) t; \
         {jobs_n} INSERT INTO runs (run_id, job_id, task_id, stage, agent, attempt, run_epoch, \
             worker_id, started_at, finished_at, outcome_kind, outcome) \
             SELECT 'old-' || n.i, j.low + n.i, t.low + n.i / 4, 'testing', 'test-runner', 1, 1, \
             'bench', n.i, n.i, 'suite_ran', '{{\"kind\":\"suite_ran\",\"exit_code\":0}}' \
             FROM n, (SELECT min(id) AS low FROM tasks) t, (SELECT min(id) AS low FROM jobs) j; \
         {jobs_n} INSERT INTO gate_results (run_id, task_id, stage, gate, verdict, reasons, at) \
             SELECT 'old-' || n.i, t.low + n.i / 4, 'testing', 'check_tests_passed', 'pass', \
             '[\"seen\"]', n.i FROM n, (SELECT min(id) AS low FROM tasks) t; \
         {events_n} INSERT INTO events (at, kind, task, repo, run_id, message, data) \
             SELECT n.i, 'run.ended', 'OLD-' || (n.i / 8), 'old', 'old-' || (n.i / 2), \
             'run ended: suite_ran', '{{}}' FROM n"
    )
}

/// A repository whose first task runs and whose others wait for it, outside the serial gate.
pub fn blocked(engine: Engine, waiting: u64, pipeline: &str) -> String {
    format!(
        "INSERT INTO repos (name, key_prefix, remote, default_branch, created_at) \
             VALUES ('busy', 'BUSY', 'nowhere', 'main', 0); \
         {} INSERT INTO tasks (repo_id, key, priority, status, stage, gate_slot, created_at, \
             updated_at, title, feedback, pipeline, body) \
             SELECT r.id, 'BUSY-' || n.i, 0, 'open', 'testing', CASE n.i WHEN 0 THEN 0 END, 0, 0, \
             'Add subtraction', '[]', '{pipeline}', 'With tests.' \
             FROM n, repos r WHERE r.name = 'busy' ORDER BY n.i; \
         INSERT INTO jobs (task_id, stage, agent, status, priority, available_at, created_at) \
             SELECT t.id, t.stage, 'test-runner', 'queued', 0, 0, 0 FROM tasks t \
             WHERE t.key LIKE 'BUSY-%'; \
         UPDATE jobs SET status = 'running', run_id = 'busy', worker_id = 'elsewhere', \
             started_at = 1, lease_until = 2, run_epoch = 1 \
             WHERE task_id = (SELECT id FROM tasks WHERE key = 'BUSY-0')",
        numbers(engine, waiting + 1)
    )
}
