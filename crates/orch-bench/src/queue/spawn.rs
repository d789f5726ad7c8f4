//! From a submission to a process, on SQLite: what the queue takes, with nothing to prepare, and
//! what the whole service takes, with a git worktree to make.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use orch_api::{Client, NewTask};
use orch_core::redact::Masks;
use orch_process::{RunDir, RunSpec};
use orch_testkit::{Orch, Repository, until};
use serde::Serialize;

use super::bed::{Bed, Engine};
use super::fill;
use super::work::{Work, fence};
use crate::spread::Spread;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Spawn {
    /// From the submission's call to its answer: the task is on the disk.
    pub enqueued: Spread,
    /// From that answer to the claim's: whoever sleeps on the queue was woken and has the job.
    pub claimed: Spread,
    /// From that answer until the run's supervisor lives, has its claim on the disk and its
    /// identity in the database.
    pub spawned: Spread,
    /// Through the service: from the API's answer to the agent's first instruction, a git worktree
    /// and the brief included.
    pub service: Spread,
}

/// One after the other, so that each finds an idle queue.
pub fn measure(bed: &Bed, program: &Path, times: usize) -> anyhow::Result<Spawn> {
    let database = bed.database(Engine::Sqlite)?;
    database.fill(&fill::repositories(Engine::Sqlite, 1))?;
    let store = database.store()?;
    let work = Work::new()?;
    let (wake, mut woken) = channel();
    // Nobody listens any more once the measuring is over.
    store.subscribe(Box::new(move |_| wake.send(()).unwrap_or_default()));
    let (mut enqueued, mut claimed, mut spawned) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        while woken.try_recv().is_ok() {}
        let begun = Instant::now();
        // The claimer is woken by the commit, before the submission has been answered.
        let (answered, claim, has_job, lives) = std::thread::scope(|scope| {
            let (store, work, woken) = (&store, &work, &mut woken);
            let worker = scope.spawn(move || {
                let claim = sleep_and_claim(store, work, woken)?;
                let has_job = Instant::now();
                launch(bed, program, store, &claim)?;
                anyhow::Ok((claim, has_job, Instant::now()))
            });
            let submitted = work.submit(store, "r0");
            let answered = Instant::now();
            submitted?;
            let (claim, has_job, lives) =
                worker.join().map_err(|_| anyhow::anyhow!("the worker panicked"))??;
            anyhow::Ok((answered, claim, has_job, lives))
        })?;
        enqueued.push(answered - begun);
        claimed.push(has_job.saturating_duration_since(answered));
        spawned.push(lives.saturating_duration_since(answered));
        let fence = fence(&claim)?;
        let dir = RunDir::new(bed.path().join("runs").join(fence.run_id.to_string()));
        orch_process::wait_exit(&dir, &|| false);
        work.complete(&store, &claim)?;
    }
    let service = service(bed, program, times)?;
    let of = Spread::of;
    Ok(Spawn { enqueued: of(enqueued), claimed: of(claimed), spawned: of(spawned), service })
}

fn sleep_and_claim(
    store: &orch_store::Store,
    work: &Work,
    woken: &mut Receiver<()>,
) -> anyhow::Result<orch_store::Claim> {
    loop {
        woken.recv_timeout(Duration::from_mins(1)).context("nobody woke the worker")?;
        if let Some(claim) = work.claim(store)? {
            return Ok(claim);
        }
    }
}

fn launch(
    bed: &Bed,
    program: &Path,
    store: &orch_store::Store,
    claim: &orch_store::Claim,
) -> anyhow::Result<()> {
    let fence = fence(claim)?;
    let dir = RunDir::new(bed.path().join("runs").join(fence.run_id.to_string()));
    let spec = RunSpec {
        run_id: fence.run_id.clone(),
        argv: vec!["/bin/true".to_owned()],
        cwd: "/".into(),
        env: std::collections::BTreeMap::new(),
        stdin: None,
        timeout: Duration::from_mins(1),
        stall: None,
        polite: Vec::new(),
        steps: Vec::new(),
        grace: Duration::from_secs(1),
        disk: None,
        log_limit: 1 << 20,
    };
    let supervisor = orch_process::launch(program, &dir, &spec, &Masks::default())
        .context("a run could not be launched")?;
    store.stamp_process(&fence, &supervisor)?;
    Ok(())
}

/// Notes the moment it is started at, and does what the gate asks for.
const AGENT: &str = r#"
date +%s%N > "@ROOT@/began/$ORCH_TASK"
mkdir -p "$ORCH_ARTIFACT_DIR"
printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/01-analysis.md"
printf -- '- it adds\n' > "$ORCH_ARTIFACT_DIR/03-acceptance-criteria.md"
"#;

const SETTINGS: &str = r#"
[repository]
name = "hello"
key_prefix = "HELLO"
[pipeline]
stages = ["analysis"]
[agents.default]
adapter = "command"
command = ["sh", "@ROOT@/agent.sh"]
"#;

fn service(bed: &Bed, program: &Path, times: usize) -> anyhow::Result<Spread> {
    let root = bed.path().join("service");
    std::fs::create_dir_all(root.join("began"))?;
    let place = root.display().to_string();
    std::fs::write(root.join("agent.sh"), AGENT.replace("@ROOT@", &place))?;
    let settings = SETTINGS.replace("@ROOT@", &place);
    let repository = Repository::make(&root, "hello", &[("orch.toml", &settings)]);
    let orch = Orch::new(program, &root);
    orch.ok(&repository.checkout, &["init"]);
    let served = orch.serve();
    let client = Client::new(&orch.url(), None);
    let mut took = Vec::new();
    for _ in 0..times {
        let task = NewTask {
            title: "Add subtraction".to_owned(),
            body: String::new(),
            repo: None,
            priority: 0,
        };
        let key = client.submit(&task, None)?.task.key;
        let answered = SystemTime::now().duration_since(UNIX_EPOCH)?;
        until("a task to end", || {
            let task = client.task(&key).ok()?.summary;
            (task.status != "open" || task.state == "held").then_some(())
        });
        let began = std::fs::read_to_string(root.join("began").join(&key))
            .with_context(|| format!("{key} was not worked; see {}", root.display()))?;
        let began = Duration::from_nanos(began.trim().parse().context("the agent's clock")?);
        took.push(began.saturating_sub(answered));
    }
    served.stop();
    ensure!(took.len() == times, "{} of {times} tasks were worked", took.len());
    Ok(Spread::of(took))
}
