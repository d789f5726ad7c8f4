//! How long a claim takes in a small queue, behind a long history, behind a busy repository and
//! before many repositories. All are measured in turns, claim by claim.

use std::time::{Duration, Instant};

use anyhow::ensure;
use orch_store::Store;
use serde::Serialize;

use super::bed::{Bed, Engine};
use super::fill;
use super::work::{Work, pipeline_json};
use crate::spread::Spread;

/// What a claim has to get along with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// So many finished jobs, with their runs, gate results and events.
    History(u64),
    /// So many jobs that wait behind one repository whose task runs.
    Blocked(u64),
    /// So many repositories with a job to claim in each.
    Repositories(u64),
}

impl Scene {
    fn told(self) -> String {
        match self {
            Self::History(jobs) => format!("{jobs} finished jobs"),
            Self::Blocked(jobs) => format!("{jobs} jobs behind a busy repository"),
            Self::Repositories(count) => format!("{count} repositories"),
        }
    }
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Latency {
    pub engine: Engine,
    pub scene: String,
    /// Claims that found a job.
    pub claim: Spread,
    /// Claims that found none; absent where there is always one.
    pub empty: Option<Spread>,
    /// The claim's p99 over that of the first scene.
    pub claim_p99_ratio: f64,
    /// The same of claims that found none.
    pub empty_p99_ratio: Option<f64>,
    /// False for what the others are compared with.
    pub compared: bool,
}

struct Place {
    scene: Scene,
    store: Store,
    claims: Vec<Duration>,
    empty: Vec<Duration>,
}

/// Measures every scene with so many claims; the first is what the others are compared with.
pub fn measure(
    bed: &Bed,
    engine: Engine,
    scenes: &[Scene],
    claims: usize,
) -> anyhow::Result<Vec<Latency>> {
    let work = Work::new()?;
    let mut places = Vec::new();
    for scene in scenes {
        eprintln!("  {}: filling {}", engine.name(), scene.told());
        places.push(prepare(bed, engine, *scene, &work)?);
    }
    eprintln!("  {}: {claims} claims in each", engine.name());
    // The first claims of each find nothing in any cache; they are every scene's alike.
    for round in 0..claims + claims / 10 {
        for place in &mut places {
            once(place, &work, round)?;
        }
    }
    let lines = places.into_iter().map(|mut place| {
        let measured = |mut times: Vec<Duration>| Spread::of(times.split_off(claims / 10));
        let claim = measured(std::mem::take(&mut place.claims));
        let empty = (!place.empty.is_empty()).then(|| measured(place.empty));
        (place.scene, claim, empty)
    });
    let lines: Vec<_> = lines.collect();
    let over = |spread: &Spread, base: &Spread| spread.p99_us as f64 / base.p99_us.max(1) as f64;
    let Some((_, base, base_empty)) = lines.first().copied() else { return Ok(Vec::new()) };
    let line =
        |(number, (scene, claim, empty)): (usize, &(Scene, Spread, Option<Spread>))| Latency {
            engine,
            scene: scene.told(),
            claim: *claim,
            empty: *empty,
            claim_p99_ratio: over(claim, &base),
            empty_p99_ratio: empty.as_ref().zip(base_empty.as_ref()).map(|(a, b)| over(a, b)),
            compared: number > 0,
        };
    Ok(lines.iter().enumerate().map(line).collect())
}

fn prepare(bed: &Bed, engine: Engine, scene: Scene, work: &Work) -> anyhow::Result<Place> {
    let database = bed.database(engine)?;
    let json = pipeline_json()?;
    let repositories = match scene {
        Scene::Repositories(count) => count,
        Scene::History(_) | Scene::Blocked(_) => 1,
    };
    let mut statements = vec![fill::repositories(engine, repositories)];
    match scene {
        Scene::History(0) | Scene::Repositories(_) => {}
        Scene::History(jobs) => statements.push(fill::history(engine, jobs, &json)),
        Scene::Blocked(jobs) => statements.push(fill::blocked(engine, jobs, &json)),
    }
    database.fill(&statements.join("; "))?;
    let store = database.store()?;
    if let Scene::Repositories(count) = scene {
        for number in 0..count {
            work.submit(&store, &format!("r{number}"))?;
        }
    }
    Ok(Place { scene, store, claims: Vec::new(), empty: Vec::new() })
}

fn once(place: &mut Place, work: &Work, round: usize) -> anyhow::Result<()> {
    if !matches!(place.scene, Scene::Repositories(_)) {
        work.submit(&place.store, "r0")?;
    }
    let begun = Instant::now();
    let claim = work.claimed(&place.store)?;
    place.claims.push(begun.elapsed());
    work.complete(&place.store, &claim)?;
    if matches!(place.scene, Scene::Repositories(_)) {
        return work.submit(&place.store, claim.task.repo.as_str());
    }
    let begun = Instant::now();
    let none = work.claim(&place.store)?;
    place.empty.push(begun.elapsed());
    ensure!(none.is_none(), "round {round} found a job that nobody submitted");
    Ok(())
}
