//! `orch demo`: the whole pipeline on a small real repository, from nothing to a deployed `main`.

mod board;
mod cast;
mod example;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use orch_engine::{Engine, EngineConfig, Home, NewTaskRequest, Operator, RegisterRequest, Service};

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::local;
use crate::output::{Out, note};

/// Shows the whole pipeline at work on a small example repository.
///
/// Makes a git repository with a test suite and a bare origin, submits four tasks worked by the
/// built-in scripted agent, and runs the service until they are done: one goes straight through,
/// one is sent back by review, one fails its tests, one meets a conflict on main. Exit 0 only if
/// every task reached its expected end.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep everything in this folder, which must be new or empty; else it is removed at the end
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The agent that works the tasks
    #[arg(long, value_name = "NAME", default_value = "scripted", value_parser = ["scripted"])]
    agent: String,
    /// Port of the API while the demo runs; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Do not serve the API
    #[arg(long)]
    no_server: bool,
}

/// A demo that has not ended by now is stuck, and says so.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often the board is drawn.
const FRAME: Duration = Duration::from_millis(80);

/// Runs the demo to its end.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let place = Place::make(args.keep.as_deref())?;
    let out = Out::new(env);
    out.line(format!(
        "{} with the {} agent, in {}",
        out.style.bold("orch demo"),
        args.agent,
        place.path().display()
    ))?;
    let example = example::make(place.path())?;
    let engine = open(place.path(), env)?;
    let operator = Operator::new(Arc::clone(&engine));
    operator.register(&RegisterRequest { checkout: example.checkout.clone(), remote: None })?;
    let server = if args.no_server {
        None
    } else {
        Some(local::Server::start(&operator, ([127, 0, 0, 1], args.port).into())?)
    };
    if let Some(server) = &server {
        out.line(format!("the API answers at http://{}/ meanwhile", server.address()))?;
    }
    let service = Service::start(engine, true)?;
    let passed = play(&operator, &example, &out, env);
    service.stop(Duration::from_secs(2));
    drop(server);
    let passed = passed?;
    if args.keep.is_some() {
        out.line(format!(
            "\nkept: {} (checkout {}, state {})",
            place.path().display(),
            "calc",
            "state"
        ))?;
    }
    Ok(if passed { Exit::Done } else { Exit::Failed }.into())
}

fn open(root: &Path, env: &Env) -> anyhow::Result<Arc<Engine>> {
    let home = Home::open(&root.join("state"))?;
    let config = EngineConfig { home, ..local::engine_config(env, &root.join("state"))? };
    Ok(Engine::open(config)?)
}

/// Submits the tasks, draws until all have ended, and judges what came of them.
fn play(
    operator: &Operator,
    example: &example::Example,
    out: &Out,
    env: &Env,
) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let mut keys = Vec::new();
    for role in cast::CAST {
        let request = NewTaskRequest {
            repo: None,
            title: role.title.to_owned(),
            body: role.body.to_owned(),
            priority: 0,
        };
        keys.push(operator.submit(request, None)?.task.key);
    }
    let mut board = board::Board::new(operator, &keys, env.stderr_terminal)?;
    while !board.draw(operator)? {
        if begun.elapsed() > PATIENCE {
            for key in &keys {
                let why = operator.why(key)?;
                note(format!("{key}: {}; {}", why.headline, why.reasons.join("; ")));
            }
            return Err(Stop::failed("the demo did not end in five minutes").into());
        }
        thread::sleep(FRAME);
    }
    board.finish();
    summary::show(operator, example, &keys, begun.elapsed(), out)
}

/// Where the demo lives.
enum Place {
    Kept(PathBuf),
    Passing(PathBuf),
}

impl Place {
    fn make(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(dir) = keep else {
            let name = format!("orch-demo-{}-{:08x}", std::process::id(), fastrand::u32(..));
            let dir = std::env::temp_dir().join(name);
            std::fs::create_dir(&dir).with_context(|| format!("can't make {}", dir.display()))?;
            return Ok(Self::Passing(dir.canonicalize()?));
        };
        let taken = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if taken {
            let message = format!("{} is not empty", dir.display());
            return Err(Stop::usage(message).hint("name a new or empty folder").into());
        }
        std::fs::create_dir_all(dir).with_context(|| format!("can't make {}", dir.display()))?;
        Ok(Self::Kept(dir.canonicalize()?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Passing(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Passing(path) = self {
            // What can't be removed lies in the temp directory, which the system tidies.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
