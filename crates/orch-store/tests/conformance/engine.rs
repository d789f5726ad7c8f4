//! A fresh database, and short words for what the cases do with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use orch_core::audit::{Violation, audit};
use orch_core::decide::{Counts, Decision, Policy, RunReport, Situation, Submission, run_ended};
use orch_core::ids::{AgentName, KeyPrefix, RepoName, Revision, RunId, StageName, WorkerId};
use orch_core::job::{Fence, Job, JobState};
use orch_core::outcome::Outcome;
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::serial_gate::GatePolicy;
use orch_core::stage::Gate;
use orch_core::task::{Task, Tested};
use orch_core::verdict::{Finding, Verdict};
use orch_store::{Claim, ClaimRequest, Guard, NewRepo, RunRecord, Store, StoreOptions, Usage};
use orch_testkit::postgres::Cluster;

pub const ONE: GatePolicy = GatePolicy { enabled: true, width: 1 };
pub const LEASE: Duration = Duration::from_secs(45);

/// A database of its own.
pub struct Engine {
    pub store: Store,
    pub dir: tempfile::TempDir,
    /// Where the server is; `None` on SQLite.
    pub url: Option<String>,
    runs: AtomicU64,
}

impl Engine {
    pub fn sqlite(gate: GatePolicy) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("orch.db"), StoreOptions { gate }).unwrap();
        Self { store, dir, url: None, runs: AtomicU64::new(0) }.begun()
    }

    pub fn postgres(gate: GatePolicy) -> Self {
        let url = Cluster::shared().database();
        let store = Store::open_url(&url, StoreOptions { gate }).unwrap();
        let dir = tempfile::tempdir().unwrap();
        Self { store, dir, url: Some(url), runs: AtomicU64::new(0) }.begun()
    }

    /// Another one of the same kind.
    pub fn another(&self, gate: GatePolicy) -> Self {
        if self.url.is_some() { Self::postgres(gate) } else { Self::sqlite(gate) }
    }

    /// The same database once more, as another process opens it.
    pub fn again(&self, gate: GatePolicy) -> orch_store::Result<Store> {
        let options = StoreOptions { gate };
        match &self.url {
            Some(url) => Store::open_url(url, options),
            None => Store::open(&self.path(), options),
        }
    }

    fn begun(self) -> Self {
        self.register("hello");
        self
    }

    pub fn memory(gate: GatePolicy) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in_memory(StoreOptions { gate }).unwrap();
        Self { store, dir, url: None, runs: AtomicU64::new(0) }.begun()
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("orch.db")
    }

    /// Runs a statement behind the store's back, as an editor of the file would.
    pub fn raw(&self, sql: &str) -> Result<(), String> {
        match &self.url {
            Some(url) => client(url).batch_execute(sql).map_err(|error| said(&error)),
            None => self.edit("PRAGMA foreign_keys = ON", sql),
        }
    }

    /// The same with every check off.
    pub fn force(&self, sql: &str) {
        match &self.url {
            Some(url) => unchecked(&mut client(url), sql),
            None => {
                self.edit("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON", sql)
                    .unwrap();
            }
        }
    }

    fn edit(&self, before: &str, sql: &str) -> Result<(), String> {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.execute_batch(before).unwrap();
        connection.execute_batch(sql).map_err(|error| error.to_string())
    }

    /// Lets every alert fail in the middle of its transaction, or mends that.
    pub fn break_the_outbox(&self, broken: bool) {
        let sql = match (&self.url, broken) {
            (None, true) => {
                "CREATE TRIGGER broken BEFORE INSERT ON outbox \
                 BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
            }
            (None, false) => "DROP TRIGGER broken",
            (Some(_), true) => {
                "CREATE TRIGGER broken BEFORE INSERT ON outbox \
                 FOR EACH ROW EXECUTE FUNCTION refuse('broken on purpose')"
            }
            (Some(_), false) => "DROP TRIGGER broken ON outbox",
        };
        self.raw(sql).unwrap();
    }

    pub fn register(&self, name: &str) {
        self.store.register_repo(at(0), &repo(name)).unwrap();
    }

    pub fn submit(&self) -> Task {
        self.submit_to("hello", 0)
    }

    pub fn submit_to(&self, repo: &str, priority: i32) -> Task {
        self.store.submit(at(1), &submission(repo, priority), None).unwrap().task
    }

    pub fn run_id(&self) -> RunId {
        RunId::from_parts(1, self.runs.fetch_add(1, Ordering::Relaxed))
    }

    pub fn request(&self, max_running: u32) -> ClaimRequest {
        ClaimRequest {
            worker_id: worker("w1"),
            run_id: self.run_id(),
            lease: LEASE,
            labels: std::collections::BTreeSet::new(),
            max_running,
            max_per_repo: None,
            max_per_agent: None,
        }
    }

    /// Claims with room for many, later than anything that ended before.
    pub fn claim(&self) -> Option<Claim> {
        self.store.claim(at(40), &self.request(1_000)).unwrap()
    }

    /// Claims a job that has to be there.
    pub fn claimed(&self) -> Claim {
        self.claim().expect("a job is claimable")
    }

    /// The run ends and its gate passes.
    pub fn pass(&self, claim: &Claim) {
        pass_on(&self.store, claim).unwrap();
    }

    /// The run ends and its gate does not pass.
    pub fn fail(&self, claim: &Claim) {
        let verdict = Verdict::Fail { findings: vec![Finding::new("wrong sum")] };
        self.end(claim, Outcome::SuiteRan { exit_code: 1 }, verdict).unwrap();
    }

    /// Infrastructure ends the run.
    pub fn infra(&self, claim: &Claim, outcome: Outcome) {
        self.end(claim, outcome, Verdict::refused("nothing ran")).unwrap();
    }

    pub fn end(&self, claim: &Claim, outcome: Outcome, verdict: Verdict) -> orch_store::Result<()> {
        end_on(&self.store, claim, outcome, verdict)
    }

    /// What the independent judge finds.
    pub fn violations(&self) -> Vec<Violation> {
        let snapshot = self.store.snapshot().unwrap();
        assert!(snapshot.damaged.is_empty(), "{:?}", snapshot.damaged);
        audit(&snapshot.into_state(self.store.gate_policy()))
    }
}

/// A run ends on that store and its gate passes.
pub fn pass_on(store: &Store, claim: &Claim) -> orch_store::Result<()> {
    let verdict = Verdict::Pass { reasons: vec!["seen".to_owned()] };
    end_on(store, claim, Outcome::SuiteRan { exit_code: 0 }, verdict)
}

fn end_on(
    store: &Store,
    claim: &Claim,
    outcome: Outcome,
    verdict: Verdict,
) -> orch_store::Result<()> {
    let decision = decided(claim, outcome.clone(), verdict.clone());
    let record = record(claim, outcome, verdict);
    store.apply(at(20), &Guard::Run(fence(claim)), &decision, Some(&record)).map(drop)
}

/// A connection of its own to the server.
pub fn client(url: &str) -> postgres::Client {
    postgres::Client::connect(url, postgres::NoTls).unwrap()
}

/// The server's message and the constraint it names.
fn said(error: &postgres::Error) -> String {
    let found = error.as_db_error().unwrap();
    format!("{found} {} {}", found.constraint().unwrap_or_default(), found.code().code())
}

/// Runs a statement with constraints, references and triggers off; afterwards they hold again for
/// whatever is written then.
fn unchecked(client: &mut postgres::Client, sql: &str) {
    let checks = client
        .query(
            "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE contype = 'c' \
             AND connamespace = current_schema()::regnamespace",
            &[],
        )
        .unwrap();
    let checks: Vec<[String; 3]> = checks.iter().map(|row| [0, 1, 2].map(|n| row.get(n))).collect();
    for [table, name, _] in &checks {
        client.batch_execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}")).unwrap();
    }
    client.batch_execute("SET session_replication_role = replica").unwrap();
    client.batch_execute(sql).unwrap();
    for [table, name, rule] in &checks {
        let rule = rule.trim_end_matches(" NOT VALID");
        let sql = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID");
        client.batch_execute(&sql).unwrap();
    }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

pub fn repo_name(name: &str) -> RepoName {
    RepoName::new(name).unwrap()
}

pub fn revision(digit: char) -> Revision {
    Revision::new(digit.to_string().repeat(40)).unwrap()
}

pub fn repo(name: &str) -> NewRepo {
    NewRepo {
        name: repo_name(name),
        key_prefix: KeyPrefix::new(name.to_uppercase()).unwrap(),
        remote: format!("/srv/{name}.git"),
        default_branch: "main".to_owned(),
        checkout: None,
    }
}

/// `development` (retries) → `testing` (bounces).
pub fn pipeline() -> Pipeline {
    let name = |text: &str| StageName::new(text).unwrap();
    let stage = |stage: &str, agent: &str, gate, on_fail, next: Option<&str>| StageSpec {
        name: name(stage),
        producer: Producer::Agent(AgentName::new(agent).unwrap()),
        gate,
        on_fail,
        next: next.map(name),
        attempts: 3,
        merges: false,
        writes_code: stage == "development",
        labels: std::collections::BTreeSet::new(),
    };
    let development = stage(
        "development",
        "developer",
        Gate::DevelopmentComplete,
        OnFail::Retry,
        Some("testing"),
    );
    let bounce = OnFail::Bounce(name("development"));
    let testing = stage("testing", "test-runner", Gate::TestsPassed, bounce, None);
    Pipeline { stages: vec![development, testing], left_out: vec![] }
}

pub fn submission(repo: &str, priority: i32) -> Submission {
    Submission {
        repo: repo_name(repo),
        title: "Add subtraction".to_owned(),
        body: "With tests — and naïve input.".to_owned(),
        priority,
        pipeline: pipeline(),
    }
}

/// Every counter that a way back into the queue may raise, and the reset of all at last.
pub const EVERY_COUNT: [Counts; 6] =
    [Counts::Nothing, Counts::Defer, Counts::Unknown, Counts::Stop, Counts::Crash, Counts::Reset];

pub fn fence(claim: &Claim) -> Fence {
    fence_of(&claim.job)
}

pub fn fence_of(job: &Job) -> Fence {
    let JobState::Running(owner) = &job.state else { panic!("{job:?} does not run") };
    Fence { job_id: job.id, run_id: owner.run_id.clone(), run_epoch: owner.run_epoch }
}

pub fn decided(claim: &Claim, outcome: Outcome, verdict: Verdict) -> Decision {
    let situation = Situation { task: &claim.task, job: &claim.job, now: at(20) };
    let tested = Tested {
        commit: revision('a'),
        code_tree: orch_core::ids::TreeId::new("b".repeat(40)).unwrap(),
    };
    let report = RunReport { outcome, verdict, head: Some(revision('a')), tested: Some(tested) };
    run_ended(situation, report, &Policy::default(), 7)
}

pub fn record(claim: &Claim, outcome: Outcome, verdict: Verdict) -> RunRecord {
    let gate = (Gate::DevelopmentComplete, verdict, Some(revision('a')));
    RunRecord {
        run_id: fence(claim).run_id,
        gate: matches!(outcome, Outcome::SuiteRan { .. }).then_some(gate),
        outcome,
        end_commit: Some(revision('a')),
        usage: Usage { input_tokens: 1, output_tokens: 2, cost_micros: 3 },
    }
}

pub fn situation<'a>(task: &'a Task, job: &'a Job) -> Situation<'a> {
    Situation { task, job, now: at(30) }
}
