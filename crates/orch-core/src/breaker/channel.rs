//! What runs go through beside their worker, and what may fail for all of them at once.

use std::fmt;
use std::str::FromStr;

use crate::ids::{AgentName, RepoName, StageName};
use crate::stage::RESERVED_AGENTS;

/// What runs go through beside their worker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A runner's command at a stage of a repository, on the service's own machines.
    Runner {
        /// The repository.
        repo: RepoName,
        /// The stage.
        stage: StageName,
    },
    /// A role of a repository whose agent is a command of its own.
    Agent {
        /// The repository.
        repo: RepoName,
        /// The role.
        role: AgentName,
    },
    /// A host that is reached over ssh, by whatever repositories.
    Ssh(String),
    /// A provider of language models, by whatever repositories and roles.
    Provider(String),
}

/// Why a text names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no channel")]
pub struct BadChannel(String);

impl Channel {
    /// The channel of a job, where nothing more is known of it.
    pub fn of_job(repo: &RepoName, stage: &StageName, agent: &AgentName) -> Self {
        let repo = repo.clone();
        if RESERVED_AGENTS.contains(&agent.as_str()) {
            return Self::Runner { repo, stage: stage.clone() };
        }
        Self::Agent { repo, role: agent.clone() }
    }

    /// For people: `testing of hello`, `ssh to deploy@staging`.
    pub fn words(&self) -> String {
        match self {
            Self::Runner { repo, stage } => format!("{stage} of {repo}"),
            Self::Agent { repo, role } => format!("the agent {role} of {repo}"),
            Self::Ssh(target) => format!("ssh to {target}"),
            Self::Provider(name) => format!("the provider {name}"),
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runner { repo, stage } => write!(f, "runner:{repo}/{stage}"),
            Self::Agent { repo, role } => write!(f, "agent:{repo}/{role}"),
            Self::Ssh(target) => write!(f, "ssh:{target}"),
            Self::Provider(name) => write!(f, "provider:{name}"),
        }
    }
}

impl FromStr for Channel {
    type Err = BadChannel;

    fn from_str(text: &str) -> Result<Self, BadChannel> {
        let bad = || BadChannel(text.chars().take(80).collect());
        let (kind, rest) =
            text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(bad)?;
        let parts = || {
            let (repo, name) = rest.split_once('/')?;
            Some((RepoName::new(repo).ok()?, name))
        };
        match kind {
            "runner" => {
                let (repo, stage) = parts().ok_or_else(bad)?;
                Ok(Self::Runner { repo, stage: StageName::new(stage).map_err(|_| bad())? })
            }
            "agent" => {
                let (repo, role) = parts().ok_or_else(bad)?;
                Ok(Self::Agent { repo, role: AgentName::new(role).map_err(|_| bad())? })
            }
            "ssh" => Ok(Self::Ssh(rest.to_owned())),
            "provider" => Ok(Self::Provider(rest.to_owned())),
            _ => Err(bad()),
        }
    }
}
