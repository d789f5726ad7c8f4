//! A row of the table of settings.

use super::kind::Kind;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The section in `orch.toml`; empty for what only the environment can say.
    pub section: &'static str,
    /// The key in its section.
    pub name: &'static str,
    /// The environment variable; in a section with instances `*` stands for the instance's name.
    pub env: &'static str,
    /// The form of its value.
    pub kind: Kind,
    /// The default as one would write it in the environment; empty where there is none.
    pub default: &'static str,
    /// One line for people.
    pub doc: &'static str,
}

/// One section of `orch.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// The word for the name of one of its tables, such as `ROLE` in `[agents.ROLE]`; `None`
    /// where the section is a single table.
    pub instance: Option<&'static str>,
    /// Whose settings they are.
    pub scope: Scope,
    /// One line for people.
    pub doc: &'static str,
    /// Its keys in the order of the documentation.
    pub keys: &'static [&'static Key],
}

/// Whose settings a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The service's: read from its own file and the environment.
    Service,
    /// A repository's: read from its file too.
    Repository,
}

impl Key {
    /// `section.name`, or `section.INSTANCE.name`.
    pub fn path(&self, instance: Option<&str>) -> String {
        match (self.section, instance) {
            ("", _) => self.name.to_owned(),
            (section, None) => format!("{section}.{}", self.name),
            (section, Some(instance)) => format!("{section}.{instance}.{}", self.name),
        }
    }

    /// The environment variable of one instance, such as `ORCH_AGENTS_REVIEWER_TIMEOUT`.
    pub fn variable(&self, instance: Option<&str>) -> String {
        let upper = |name: &str| name.to_uppercase().replace('-', "_");
        self.env.replace('*', &instance.map(upper).unwrap_or_default())
    }
}
