//! The service: all loops in one process, started together and stopped within a moment. Runs are
//! left to their supervisors; the next service adopts them.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use orch_store::WorkerRow;

use crate::deploy;
use crate::engine::Engine;
use crate::error::chain;
use crate::orderly::Orderly;
use crate::run::beside;
use crate::{
    accounts, alerts, breakers, channels, far_sides, publish, reaper, reconciler, retention, worker,
};

/// From one look of the reconciler to the next.
const RECONCILE: Duration = Duration::from_secs(15);

/// The running loops.
#[derive(Debug)]
pub struct Service {
    engine: Arc<Engine>,
    loops: Vec<JoinHandle<()>>,
}

impl Service {
    /// Recovers what an earlier service left, then starts the loops. Without a worker nothing is
    /// claimed, and runs of this state directory are still looked after.
    pub fn start(engine: Arc<Engine>, with_worker: bool) -> std::io::Result<Self> {
        if let Err(error) = engine.store.guard_stages(&engine.settings.gate_stages) {
            tracing::error!(
                error = chain(&error),
                "the stages of the serial gate could not be set"
            );
        }
        beside::begin_anew(&engine);
        accounts::sync_all(&engine);
        engine.orderly.arrive(&engine.home, &engine.store, &engine.worker);
        reaper::tick(&engine);
        reconciler::tick(&engine);
        let mut loops = vec![
            spawn("reaper", &engine, |engine| {
                while !engine.wake.sleep_through(engine.settings.reaper_interval) {
                    reaper::tick(engine);
                }
            })?,
            spawn("reconciler", &engine, |engine| {
                while !engine.wake.sleep_through(RECONCILE) {
                    reconciler::tick(engine);
                }
            })?,
            spawn("monitor", &engine, deploy::monitor::run)?,
            spawn("alerts", &engine, alerts::run)?,
            spawn("breakers", &engine, breakers::run)?,
            spawn("far-sides", &engine, |engine| far_sides::run(engine))?,
            spawn("retention", &engine, |engine| retention::run(engine))?,
            spawn("heartbeat", &engine, move |engine| {
                heartbeat(engine, with_worker);
            })?,
        ];
        if engine.publishing.objects().is_some() {
            loops.push(spawn("publisher", &engine, publish::run)?);
        }
        if with_worker {
            loops.push(spawn("channels", &engine, |engine| channels::run(engine))?);
            loops.push(spawn("worker", &engine, worker::run)?);
        }
        Ok(Self { engine, loops })
    }

    /// The engine, for those who act and ask.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Stops claiming, lets runs that are being settled finish for at most `patience`, and leaves
    /// all others to their supervisors.
    pub fn stop(self, patience: Duration) {
        self.engine.wake.stop();
        let deadline = Instant::now() + patience;
        while !self.engine.active.is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        Orderly::leave(&self.engine.home);
        for running in self.loops {
            if running.is_finished() {
                drop(running.join());
            }
        }
    }
}

fn spawn(
    name: &str,
    engine: &Arc<Engine>,
    body: impl Fn(&Arc<Engine>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let engine = Arc::clone(engine);
    let name = name.to_owned();
    thread::Builder::new().name(name.clone()).spawn(move || {
        // A panic of one tick must not end the loop for good: it is logged and the loop goes on.
        while !engine.wake.stopping() {
            let calm = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&engine)));
            if calm.is_err() {
                tracing::error!(r#loop = name, "a loop panicked and is started again");
                engine.wake.sleep_through(Duration::from_secs(1));
            }
        }
    })
}

/// Prolongs the leases of the driven runs and tells those that lost their jobs. It looks more
/// often than leases need, so that a cancelled run is ended within a moment.
fn heartbeat(engine: &Arc<Engine>, with_worker: bool) {
    let every = engine.settings.heartbeat();
    let mut beaten: Option<Instant> = None;
    loop {
        let seen = engine.wake.generation();
        let due = beaten.is_none_or(|at| at.elapsed() >= every);
        if let Err(error) = beat(engine, due, with_worker) {
            tracing::error!(error = chain(&error), "the heartbeat could not be written");
        } else if due {
            beaten = Some(Instant::now());
        }
        if engine.wake.stopping() {
            return;
        }
        engine.wake.sleep(seen, every);
    }
}

fn beat(engine: &Engine, due: bool, with_worker: bool) -> Result<(), orch_store::StoreError> {
    let fences = engine.active.fences();
    let lost = if due {
        let now = engine.clock.now();
        if with_worker {
            engine.store.worker_beat(now, &row(engine))?;
        }
        let lease = engine.settings.lease;
        let locks = engine.deploy_locks.driven();
        if !locks.is_empty() {
            engine.store.renew_deploy_locks(now, &engine.worker, lease, &locks)?;
        }
        let monitors = engine.monitors.at_work();
        if !monitors.is_empty() {
            engine.store.renew_monitors(now, &engine.worker, lease, &monitors)?;
        }
        engine.store.heartbeat(now, &engine.worker, lease, &fences)?
    } else {
        let mut lost = Vec::new();
        for fence in fences {
            if !engine.owns(&fence)? {
                lost.push(fence);
            }
        }
        lost
    };
    engine.active.lose(&lost);
    Ok(())
}

fn row(engine: &Engine) -> WorkerRow {
    WorkerRow {
        id: engine.worker.clone(),
        host: engine.host.clone(),
        pid: std::process::id(),
        version: engine.version.to_owned(),
        capacity: engine.settings.max_concurrency,
        labels: engine.settings.labels.iter().map(ToString::to_string).collect(),
    }
}
