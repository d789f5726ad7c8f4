//! How a world is laid out: workers, repositories, limits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use orch_core::breaker::Rule;
use orch_core::decide::Policy;
use orch_core::ids::{AgentName, KeyPrefix, RepoName, StageName};
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::stage::{DONE, DefaultOnFail, Gate, RESERVED_AGENTS, STAGE_TRANSITIONS};

/// How a world is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Workers, each on a machine of its own; 1 to 9.
    pub workers: usize,
    /// Runs that one worker takes at once.
    pub capacity: u32,
    /// Slots of a repository's serial gate.
    pub width: u32,
    /// Repositories; 1 to 3.
    pub repos: usize,
    /// Defers per job before a hold.
    pub defers: u32,
    /// Vanished runs per job before a hold.
    pub crashes: u32,
    /// Whether a shared fault pauses its channel; 1 or 0.
    pub breaker: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self { workers: 2, capacity: 1, width: 1, repos: 1, defers: 5, crashes: 10, breaker: 0 }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workers, capacity, width, repos, defers, crashes, breaker } = self;
        write!(
            f,
            "world workers={workers} capacity={capacity} width={width} repos={repos} \
             defers={defers} crashes={crashes}"
        )?;
        // A script without the word is as old as one that has no breaker.
        if *breaker == 1 { f.write_str(" breaker=1") } else { Ok(()) }
    }
}

impl FromStr for Setup {
    type Err = String;
    fn from_str(line: &str) -> Result<Self, String> {
        let mut setup = Self::default();
        let rest = line.strip_prefix("world").ok_or("a script begins with `world`")?;
        for part in rest.split_whitespace() {
            let wrong = || format!("{part:?} is not name=number with a number in its range");
            let (name, number) = part.split_once('=').ok_or_else(wrong)?;
            let number: u32 = number.parse().map_err(|_| wrong())?;
            let within = |low: u32, high: u32| {
                if (low..=high).contains(&number) { Ok(number) } else { Err(wrong()) }
            };
            match name {
                "workers" => setup.workers = within(1, 9)? as usize,
                "capacity" => setup.capacity = within(1, 100)?,
                "width" => setup.width = within(1, 100)?,
                "repos" => setup.repos = within(1, REPOS.len() as u32)? as usize,
                "defers" => setup.defers = within(0, 100)?,
                "crashes" => setup.crashes = within(0, 100)?,
                "breaker" => setup.breaker = within(0, 1)?,
                _ => {
                    return Err(format!(
                        "{name:?} is not workers, capacity, width, repos, defers, crashes or breaker"
                    ));
                }
            }
        }
        Ok(setup)
    }
}

/// Tries again per job where nobody can tell what failed.
pub const UNKNOWNS: u32 = 1;

/// The repositories there may be, and the prefixes of their keys.
const REPOS: [(&str, &str); 3] = [("alpha", "ALPHA"), ("beta", "BETA"), ("gamma", "GAMMA")];

impl Setup {
    /// The repositories of this world, with the prefixes of their keys.
    pub fn repositories(&self) -> Vec<(RepoName, KeyPrefix)> {
        let parse = |(name, prefix): &(&str, &str)| {
            Some((RepoName::new(*name).ok()?, KeyPrefix::new(*prefix).ok()?))
        };
        REPOS.iter().take(self.repos).filter_map(parse).collect()
    }

    /// When a fault is a shared one here: sooner than elsewhere, as faults are drawn from many.
    pub fn rule(&self) -> Rule {
        let window = Duration::from_hours(12);
        Rule { enabled: self.breaker == 1, times: 2, window, ..Rule::default() }
    }

    /// The limits that decisions keep here.
    pub fn policy(&self) -> Policy {
        Policy {
            bounces: 3,
            defers: self.defers,
            unknowns: UNKNOWNS,
            crashes: self.crashes,
            retests: 5,
            backoff_base: Duration::from_secs(5),
            backoff_cap: Duration::from_mins(10),
            reroute: None,
        }
    }
}

/// The pipeline of a repository: the standard one for the first, a short one with a human's
/// approval for the others.
pub fn pipeline(repo: &RepoName) -> Pipeline {
    let standard: Vec<StageSpec> = STAGE_TRANSITIONS.iter().filter_map(standard_stage).collect();
    if repo.as_str() == REPOS[0].0 {
        return Pipeline { stages: standard, left_out: Vec::new() };
    }
    let mut stages: Vec<StageSpec> = standard
        .into_iter()
        .filter(|stage| ["development", "testing", "deploy"].contains(&stage.name.as_str()))
        .collect();
    if let (Some(human), Some(deploy)) = (name("approval"), name("deploy")) {
        stages.insert(
            2,
            StageSpec {
                name: human.clone(),
                producer: Producer::Human,
                gate: Gate::HumanApproved,
                on_fail: OnFail::Hold,
                next: Some(deploy),
                attempts: 1,
                merges: false,
                writes_code: false,
                labels: std::collections::BTreeSet::new(),
            },
        );
        stages[0].next = name("testing");
        stages[1].next = Some(human);
    }
    Pipeline { stages, left_out: Vec::new() }
}

fn name(text: &str) -> Option<StageName> {
    StageName::new(text).ok()
}

fn standard_stage(row: &orch_core::stage::StageTransition) -> Option<StageSpec> {
    let work = row.work?;
    let agent = AgentName::new(work.producer).ok()?;
    let reserved = RESERVED_AGENTS.contains(&work.producer);
    Some(StageSpec {
        name: name(row.stage)?,
        producer: if reserved { Producer::Runner(agent) } else { Producer::Agent(agent) },
        gate: work.gate,
        on_fail: match work.on_fail {
            DefaultOnFail::Retry => OnFail::Retry,
            DefaultOnFail::Bounce(to) => OnFail::Bounce(name(to)?),
            DefaultOnFail::Hold => OnFail::Hold,
        },
        next: if row.next == DONE { None } else { Some(name(row.next)?) },
        attempts: 3,
        merges: row.stage == "deploy",
        writes_code: row.stage == "development",
        labels: std::collections::BTreeSet::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_back_and_its_pipelines_are_sound() {
        let setup = Setup { workers: 3, repos: 3, breaker: 1, ..Setup::default() };
        assert_eq!(setup.to_string().parse::<Setup>().unwrap(), setup);
        assert!("world repos=4".parse::<Setup>().unwrap_err().contains("range"));
        for (repo, _) in setup.repositories() {
            assert_eq!(pipeline(&repo).check(), []);
        }
        assert_eq!(pipeline(&RepoName::new("beta").unwrap()).stages.len(), 4);
    }
}
