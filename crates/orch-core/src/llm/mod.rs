//! The registry of every place where the service starts a language model (S11).
//!
//! Starting an agent needs a [`CallSite`], which only this module can make: whatever starts one
//! stands in the table, and tests fail where code and table drift.

use crate::ids::{AgentName, StageName};

/// Whether a call site should go on asking a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The work is a model's: no subprocess does it better.
    KeepLlm,
    /// A deterministic producer decides, and a model only helps where that one can't.
    NeedsHybridFallback,
    /// A deterministic producer does it better, cheaper and faster.
    ReplaceDeterministicNow,
}

impl Class {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::KeepLlm => "keep-llm",
            Self::NeedsHybridFallback => "needs-hybrid-fallback",
            Self::ReplaceDeterministicNow => "replace-deterministic-now",
        }
    }
}

/// What a language model is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It does a stage's work, and its gate judges it.
    Work,
    /// It does the same beside a runner that decides, to be compared with it.
    Shadow,
    /// It explains what a runner found failing.
    Explain,
}

impl Purpose {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Shadow => "shadow",
            Self::Explain => "explain",
        }
    }
}

/// One row of the registry.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: &'static str,
    stage: Option<&'static str>,
    role: Option<&'static str>,
    purpose: Purpose,
    class: Class,
    doc: &'static str,
}

/// A place where a language model is started. Only the registry makes one:
///
/// ```compile_fail
/// let site = orch_core::llm::CallSite(todo!());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSite(&'static Row);

/// The call sites of the standard pipeline's agents, then those of a repository's own stages.
static ROWS: [Row; 11] = [
    work("analysis", "analyst", Class::KeepLlm, "says what is asked for, and how it is accepted"),
    work("architecture", "architect", Class::KeepLlm, "decides how it is to be built"),
    work("development", "developer", Class::KeepLlm, "writes the code"),
    work("review", "reviewer", Class::KeepLlm, "reads the code for what no test finds"),
    work(
        "testing",
        "tester",
        Class::ReplaceDeterministicNow,
        "runs the tests where no test-runner is set up",
    ),
    work(
        "deploy-staging",
        "deployer",
        Class::ReplaceDeterministicNow,
        "runs the staging suite where no staging-runner is set up",
    ),
    beside(
        "testing.shadow",
        "testing",
        "tester",
        Purpose::Shadow,
        "runs the tests beside the test-runner, to be compared with it",
    ),
    beside(
        "testing.explain",
        "testing",
        "tester",
        Purpose::Explain,
        "explains what the test-runner found failing",
    ),
    beside(
        "deploy-staging.shadow",
        "deploy-staging",
        "deployer",
        Purpose::Shadow,
        "runs the staging suite beside the staging-runner, to be compared with it",
    ),
    beside(
        "deploy-staging.explain",
        "deploy-staging",
        "deployer",
        Purpose::Explain,
        "explains what the staging-runner found failing",
    ),
    Row {
        id: OWN_STAGE,
        stage: None,
        role: None,
        purpose: Purpose::Work,
        class: Class::KeepLlm,
        doc: "works a stage that a repository made its own, or with a role of its own",
    },
];

/// The id of the call site of stages and roles that a repository made its own.
const OWN_STAGE: &str = "own-stage";

const fn work(stage: &'static str, role: &'static str, class: Class, doc: &'static str) -> Row {
    Row { id: stage, stage: Some(stage), role: Some(role), purpose: Purpose::Work, class, doc }
}

const fn beside(
    id: &'static str,
    stage: &'static str,
    role: &'static str,
    purpose: Purpose,
    doc: &'static str,
) -> Row {
    let class = match purpose {
        Purpose::Explain => Class::NeedsHybridFallback,
        Purpose::Work | Purpose::Shadow => Class::ReplaceDeterministicNow,
    };
    Row { id, stage: Some(stage), role: Some(role), purpose, class, doc }
}

impl CallSite {
    /// Every call site there is, in the order of the pipeline.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(Self)
    }

    /// The call site at which a role works a stage.
    pub fn work(stage: &StageName, role: &AgentName) -> Self {
        let own = &ROWS[ROWS.len() - 1];
        let found = ROWS.iter().find(|row| {
            row.purpose == Purpose::Work
                && row.stage == Some(stage.as_str())
                && row.role == Some(role.as_str())
        });
        Self(found.unwrap_or(own))
    }

    /// The call site at which a role works beside the runner of a stage; `None` where none may.
    pub fn shadow(stage: &StageName, role: &AgentName) -> Option<Self> {
        Self::beside(stage, role, Purpose::Shadow)
    }

    /// The call site at which a role explains what the runner of a stage found failing; `None`
    /// where none may.
    pub fn explain(stage: &StageName, role: &AgentName) -> Option<Self> {
        Self::beside(stage, role, Purpose::Explain)
    }

    fn beside(stage: &StageName, role: &AgentName, purpose: Purpose) -> Option<Self> {
        Self::all().find(|site| {
            site.purpose() == purpose
                && site.stage() == Some(stage.as_str())
                && site.role() == Some(role.as_str())
        })
    }

    /// The call site of that id; `None` where it is no more.
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|site| site.id() == id)
    }

    /// Its name in records and reports.
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// The stage; `None` for those that a repository made its own.
    pub fn stage(self) -> Option<&'static str> {
        self.0.stage
    }

    /// The role; `None` for those that a repository made its own.
    pub fn role(self) -> Option<&'static str> {
        self.0.role
    }

    /// What a model is started for.
    pub fn purpose(self) -> Purpose {
        self.0.purpose
    }

    /// Whether it should stay a model's.
    pub fn class(self) -> Class {
        self.0.class
    }

    /// What a model does there, in words for people.
    pub fn doc(self) -> &'static str {
        self.0.doc
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::stage::{AGENT_ROLES, STAGE_TRANSITIONS};

    #[test]
    fn every_agent_of_the_standard_pipeline_has_its_call_site_and_no_other_is_listed() {
        let mut standard = BTreeSet::new();
        for row in &STAGE_TRANSITIONS {
            let Some(work) = row.work else { continue };
            for role in [Some(work.producer), work.fallback].into_iter().flatten() {
                if AGENT_ROLES.contains(&role) {
                    standard.insert((row.stage, role));
                }
            }
        }
        let listed: BTreeSet<_> = CallSite::all()
            .filter(|site| site.purpose() == Purpose::Work)
            .filter_map(|site| Some((site.stage()?, site.role()?)))
            .collect();
        assert_eq!(listed, standard);
    }

    #[test]
    fn ids_are_unique_and_lead_back() {
        let ids: BTreeSet<_> = CallSite::all().map(CallSite::id).collect();
        assert_eq!(ids.len(), CallSite::all().count());
        for site in CallSite::all() {
            assert_eq!(CallSite::by_id(site.id()), Some(site));
        }
    }

    #[test]
    fn a_stage_or_role_of_a_repository_s_own_is_told_apart() {
        let site = |stage: &str, role: &str| {
            CallSite::work(&StageName::new(stage).unwrap(), &AgentName::new(role).unwrap()).id()
        };
        assert_eq!(site("review", "reviewer"), "review");
        assert_eq!(site("review", "security"), OWN_STAGE);
        assert_eq!(site("audit", "reviewer"), OWN_STAGE);
    }
}
