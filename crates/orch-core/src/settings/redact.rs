//! `[redact]`: what is masked in all that a run leaves behind (S6).

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;

/// Which variables are masked beside those that look like secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redact {
    /// Masked whatever they are called.
    pub variables: Vec<String>,
    /// Not masked, although they look like secrets.
    pub except: Vec<String>,
}

static VARIABLES: Key = Key {
    section: "redact",
    name: "variables",
    env: "ORCH_REDACT_VARIABLES",
    kind: Kind::List { form: "names of environment variables", rule: rules::env_name },
    default: "",
    doc: "Variables of the service whose values are masked beside those that look like secrets",
};
static EXCEPT: Key = Key {
    section: "redact",
    name: "except",
    env: "ORCH_REDACT_EXCEPT",
    kind: Kind::List { form: "names of environment variables", rule: rules::env_name },
    default: "",
    doc: "Variables that look like secrets, such as SORT_KEY, and are none",
};

/// `[redact]`.
pub(super) static SECTION: Section = Section {
    name: "redact",
    instance: None,
    scope: Scope::Repository,
    doc: "What is masked in logs, artifacts, briefs and alerts",
    keys: &[&VARIABLES, &EXCEPT],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Redact {
    Redact { variables: reader.list(&VARIABLES), except: reader.list(&EXCEPT) }
}

impl Redact {
    /// Whether a variable's value is masked.
    pub fn covers(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|listed| listed == name);
        listed(&self.variables) || (crate::redact::looks_secret(name) && !listed(&self.except))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_stand_above_the_looks() {
        let redact = Redact {
            variables: vec!["LICENCE".into(), "BOTH_KEY".into()],
            except: vec!["SORT_KEY".into(), "BOTH_KEY".into()],
        };
        for (name, masked) in [
            ("LICENCE", true),
            ("API_KEY", true),
            ("SORT_KEY", false),
            ("BOTH_KEY", true),
            ("PATH", false),
        ] {
            assert_eq!(redact.covers(name), masked, "{name}");
        }
    }
}
