//! The service under torture: one after the other, in either world, each kept to its start.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use orch_api::Client;

use super::bed::Bed;
use super::plan::World;
use super::processes;
use crate::interrupt::Interrupt;

/// How long a service may take until it answers, on a machine under load.
const PATIENCE: Duration = Duration::from_mins(2);

/// Takes the pids it is told in its namespace, then becomes the service.
const CONTAINER: &str = r#"
for pid in $PIDS; do
    echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid && { sleep 100000 & }
done 2> /dev/null
exec "$@"
"#;

/// A running service; killed with the value.
pub struct Service {
    child: Child,
    /// Where it runs.
    pub world: World,
}

/// What the starts of all services showed.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    /// Each start of a service that came to answer, in their order.
    pub answered: Vec<Start>,
    /// Starts that failed while the disk was full or the database locked, and were repeated.
    pub refused: u32,
    /// Pids of running jobs that belonged to somebody else in the next namespace.
    pub reused_pids: u32,
}

/// One start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// When the process was started.
    pub at: Timestamp,
    /// From then to the first answer, in milliseconds.
    pub ready_ms: u64,
    /// Whether no disk was full and no database locked meanwhile.
    pub calm: bool,
}

impl Service {
    /// Starts a service and waits until it answers. While a fault goes on that forbids it, it is
    /// started again, as a service manager would.
    pub fn start(
        bed: &Bed,
        world: World,
        interrupt: &Interrupt,
        starts: &mut Starts,
        concurrency: u32,
    ) -> anyhow::Result<Self> {
        let foreign = if world == World::Fresh { remembered_pids(bed) } else { Vec::new() };
        let deadline = Instant::now() + PATIENCE;
        loop {
            interrupt.check()?;
            let disturbed = bed.is_disturbed();
            let (begun, at) = (Instant::now(), Timestamp::now());
            let mut child = spawn(bed, world, &foreign, concurrency)?;
            match until_ready(bed, &mut child, interrupt, deadline) {
                Ok(true) => {
                    let calm = !disturbed && !bed.is_disturbed();
                    let ready_ms = begun.elapsed().as_millis() as u64;
                    starts.answered.push(Start { at, ready_ms, calm });
                    starts.reused_pids += reused(child.id(), &foreign);
                    return Ok(Self { child, world });
                }
                Ok(false) if disturbed || bed.was_disturbed() => starts.refused += 1,
                Ok(false) => {
                    bail!(
                        "the service did not start, and nothing was wrong:\n{}",
                        bed.last_words(12)
                    )
                }
                Err(error) => {
                    end(&mut child, world);
                    return Err(error);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().ok().flatten().is_some()
    }

    /// `kill -9`; in a namespace of its own everything goes with it.
    pub fn kill(mut self) {
        end(&mut self.child, self.world);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        end(&mut self.child, self.world);
    }
}

fn end(child: &mut Child, world: World) {
    if world == World::Fresh && child.try_wait().ok().flatten().is_none() {
        // The namespace ends with its first process; `unshare` ends when all of it is gone.
        for inner in processes::children(child.id()) {
            let _ = Command::new("kill").args(["-9", &inner.to_string()]).status();
        }
    } else {
        let _ = child.kill();
    }
    let _ = child.wait();
}

fn spawn(bed: &Bed, world: World, foreign: &[u32], concurrency: u32) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(bed.root.join("serve.log"))
        .context("the service's log")?;
    let plain = bed.orch.command(&bed.root);
    let mut command = match world {
        World::Host => Command::new(plain.get_program()),
        World::Fresh => {
            let mut command = Command::new("unshare");
            command.args([
                "--fork",
                "--pid",
                "--mount-proc",
                "--kill-child",
                "sh",
                "-c",
                CONTAINER,
            ]);
            command.arg("container").arg(plain.get_program());
            command
        }
    };
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let pids: Vec<String> = foreign.iter().map(ToString::to_string).collect();
    command
        .arg("serve")
        .current_dir(&bed.root)
        .env("PIDS", pids.join(" "))
        .env("ORCH_MAX_CONCURRENCY", concurrency.to_string())
        // Faults are made one after the other on purpose: a pause of a minute for those that look
        // alike would only make the programme wait.
        .env("ORCH_BREAKER_ENABLED", "false")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("the service can't be started")
}

/// True once it answers, false where it ended before.
fn until_ready(
    bed: &Bed,
    child: &mut Child,
    interrupt: &Interrupt,
    deadline: Instant,
) -> anyhow::Result<bool> {
    let client = client(bed);
    loop {
        interrupt.check()?;
        if client.health().is_ok() {
            return Ok(true);
        }
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        if Instant::now() > deadline {
            bail!("the service does not answer:\n{}", bed.last_words(12));
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A client of the service.
pub fn client(bed: &Bed) -> Client {
    Client::new(&bed.orch.url(), None)
}

/// The pids that the database knows of running jobs.
fn remembered_pids(bed: &Bed) -> Vec<u32> {
    let read = || -> rusqlite::Result<Vec<u32>> {
        let connection = bed.database()?;
        let mut rows = connection
            .prepare("SELECT pid FROM jobs WHERE status = 'running' AND pid IS NOT NULL")?;
        rows.query_map([], |row| row.get(0))?.collect()
    };
    let mut pids = read().unwrap_or_default();
    pids.retain(|pid| *pid > 2);
    pids
}

/// How many of these pids belong to somebody else in the namespace that `unshare` made.
fn reused(unshare: u32, foreign: &[u32]) -> u32 {
    if foreign.is_empty() {
        return 0;
    }
    let others = processes::children(unshare).into_iter().flat_map(processes::children);
    let pids = others.filter_map(processes::inner_pid);
    pids.filter(|pid| foreign.contains(pid)).count() as u32
}
