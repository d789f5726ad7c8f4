//! Migrations: numbered, forward only, all that a database lacks in one transaction: it has them all
//! or none. Each engine runs them its own way.
//!
//! A migration is one portable text with a few marked words that differ by engine, and a part
//! that only one engine understands (triggers).
//!
//! What a step says of older programs it writes into the database, so that a program that has never
//! heard of the step can tell whether it may go on (docs/adr/0013-self-deploy.md).

use std::path::PathBuf;

use crate::error::{Result, StoreError};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    /// Its number; they begin at 1 and have no gaps.
    pub version: i64,
    /// Its name, for people.
    pub name: &'static str,
    /// What every engine runs, with marked words.
    pub portable: &'static str,
    /// What SQLite runs after it.
    pub sqlite: &'static str,
    /// What PostgreSQL runs after it.
    pub postgres: &'static str,
    /// The oldest version whose programs may use the database after this step; its own number where
    /// they may not. A step is older programs' friend only if it does nothing but add: tables,
    /// indexes that are not unique, columns that may be absent or have a default.
    pub compatible_from: i64,
}

/// Every migration there is, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "tables",
        portable: include_str!("../../migrations/0001_tables.sql"),
        sqlite: include_str!("../../migrations/0001_tables.sqlite.sql"),
        postgres: include_str!("../../migrations/0001_tables.postgres.sql"),
        compatible_from: 1,
    },
    Migration {
        version: 2,
        name: "gate_stages",
        portable: include_str!("../../migrations/0002_gate_stages.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 2,
    },
    Migration {
        version: 3,
        name: "retention",
        portable: include_str!("../../migrations/0003_retention.sql"),
        sqlite: include_str!("../../migrations/0003_retention.sqlite.sql"),
        postgres: include_str!("../../migrations/0003_retention.postgres.sql"),
        compatible_from: 3,
    },
    Migration {
        version: 4,
        name: "labels",
        portable: include_str!("../../migrations/0004_labels.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 4,
    },
    Migration {
        version: 5,
        name: "llm_calls",
        portable: include_str!("../../migrations/0005_llm_calls.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 5,
    },
    Migration {
        version: 6,
        name: "deploys",
        portable: include_str!("../../migrations/0006_deploys.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 6,
    },
    Migration {
        version: 7,
        name: "channels",
        portable: include_str!("../../migrations/0007_channels.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 7,
    },
    Migration {
        version: 8,
        name: "shadows",
        portable: include_str!("../../migrations/0008_shadows.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 8,
    },
    Migration {
        version: HISTORY,
        name: "history",
        portable: include_str!("../../migrations/0009_history.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: HISTORY,
    },
    Migration {
        version: 10,
        name: "sessions",
        portable: include_str!("../../migrations/0010_sessions.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: HISTORY,
    },
    Migration {
        version: 11,
        name: "breakers",
        portable: include_str!("../../migrations/0011_breakers.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 11,
    },
    Migration {
        version: 12,
        name: "alerts",
        portable: include_str!("../../migrations/0012_alerts.sql"),
        sqlite: "",
        postgres: "",
        compatible_from: 12,
    },
];

/// The step from which on a database says who took each step and what it means for older programs.
pub(crate) const HISTORY: i64 = 9;

/// A step that a database has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// The program that took it, with its path; `None` for steps older than this record.
    pub program: Option<String>,
    /// The oldest version whose programs may use the database after it; `None` as for `program`.
    pub compatible_from: Option<i64>,
}

/// What a database says of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaInfo {
    /// The version the database is at.
    pub version: i64,
    /// The newest version that this program knows.
    pub supported: i64,
    /// True where this program may use it: it is at its version, or at a newer one that is
    /// compatible with it.
    pub usable: bool,
    /// The steps taken.
    pub applied: Vec<Applied>,
}

/// What bringing a database up to date would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationPlan {
    /// The version the database is at; 0 where there is none yet.
    pub from: i64,
    /// The newest version that this program knows.
    pub to: i64,
    /// The steps that are missing, version and name: each was tried, and nothing of it was kept.
    pub pending: Vec<(i64, String)>,
}

/// The newest version among the steps.
pub(crate) fn newest(steps: &[Migration]) -> i64 {
    steps.iter().map(|step| step.version).max().unwrap_or(0)
}

/// The version of a database that has taken these steps.
pub(crate) fn version(applied: &[Applied]) -> i64 {
    applied.last().map_or(0, |step| step.version)
}

/// Whether a program that knows steps up to `supported` may use a database that has taken these.
pub(crate) fn usable(applied: &[Applied], supported: i64) -> bool {
    let unknown = applied.iter().filter(|step| step.version > supported);
    unknown.map(|step| step.compatible_from).all(|from| from.is_some_and(|from| from <= supported))
}

/// The steps that a database lacks; none where it is newer and may be used. `copy` is the newest
/// copy beside it that this program can use, for the words of a refusal.
pub(crate) fn pending<'a>(
    applied: &[Applied],
    steps: &'a [Migration],
    copy: impl FnOnce() -> Option<PathBuf>,
) -> Result<Vec<&'a Migration>> {
    let (database, supported) = (version(applied), newest(steps));
    if !usable(applied, supported) {
        let program = applied.last().and_then(|step| step.program.clone());
        return Err(StoreError::TooNew { database, supported, program, copy: copy() });
    }
    whole(applied, steps)?;
    Ok(steps.iter().filter(|step| step.version > database).collect())
}

/// Refuses a database that lacks a step below its version, or took another one under its number: it
/// was put together by hand.
fn whole(applied: &[Applied], steps: &[Migration]) -> Result<()> {
    let database = version(applied);
    let taken = |step: &&Migration| {
        applied.iter().any(|done| done.version == step.version && done.name == step.name)
    };
    match steps.iter().filter(|step| step.version <= database).find(|step| !taken(step)) {
        None => Ok(()),
        Some(step) => {
            let reason = format!(
                "it is at version {database} and has not taken step {} ({}); restore a backup",
                step.version, step.name
            );
            Err(StoreError::conflict(&"the schema of the database", reason))
        }
    }
}

/// How this program signs the steps that it takes.
pub(crate) fn signature() -> String {
    let version = concat!("orch ", env!("CARGO_PKG_VERSION"));
    match std::env::current_exe() {
        Ok(path) => format!("{version} at {}", path.display()),
        Err(_) => version.to_owned(),
    }
}

impl Migration {
    /// The portable part with an engine's words in place of the marked ones.
    pub fn text(&self, words: &[(&str, &str)]) -> String {
        let portable = self.portable.to_owned();
        words.iter().fold(portable, |text, (word, engines)| text.replace(word, engines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(version: i64, compatible_from: Option<i64>) -> Applied {
        Applied { version, name: "step".to_owned(), program: None, compatible_from }
    }

    #[test]
    fn a_program_uses_a_newer_database_only_where_every_unknown_step_says_so() {
        type Steps<'a> = &'a [(i64, Option<i64>)];
        let table: [(Steps<'_>, bool); 7] = [
            (&[], true),
            (&[(5, None)], true),
            (&[(6, Some(6))], true),
            (&[(6, Some(6)), (7, Some(6))], true),
            (&[(6, Some(6)), (7, Some(7))], false),
            (&[(7, Some(7)), (8, Some(6))], false),
            (&[(7, None)], false),
        ];
        for (steps, expected) in table {
            let steps: Vec<Applied> = steps.iter().map(|(v, from)| applied(*v, *from)).collect();
            assert_eq!(usable(&steps, 6), expected, "{steps:?}");
        }
    }

    #[test]
    fn a_database_that_lacks_a_step_in_between_is_refused() {
        let all: Vec<Applied> = MIGRATIONS
            .iter()
            .map(|step| Applied { name: step.name.to_owned(), ..applied(step.version, None) })
            .collect();
        assert!(pending(&all, MIGRATIONS, || None).unwrap().is_empty());
        for left_out in 0..all.len() - 1 {
            let mut some = all.clone();
            let gone = some.remove(left_out);
            let error = pending(&some, MIGRATIONS, || None).unwrap_err().to_string();
            assert!(error.contains(&format!("step {} ({})", gone.version, gone.name)), "{error}");
        }
        let mut other = all;
        other[1].name = "something else".to_owned();
        assert!(matches!(pending(&other, MIGRATIONS, || None), Err(StoreError::Conflict { .. })));
    }

    /// A step that calls itself compatible and takes something away would let an older program work
    /// on a database that it does not understand.
    #[test]
    fn compatible_steps_only_add() {
        for step in MIGRATIONS.iter().filter(|step| step.compatible_from < step.version) {
            assert!(step.compatible_from >= HISTORY, "{}: older programs can't tell", step.name);
            for text in [step.portable, step.sqlite, step.postgres] {
                let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
                let text = lines.collect::<Vec<_>>().join(" ");
                for statement in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
                    assert!(adds(statement), "{}: {statement}", step.name);
                }
            }
        }
    }

    fn adds(statement: &str) -> bool {
        let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let column = words.starts_with("ALTER TABLE ") && words.contains(" ADD COLUMN ");
        let present = words.contains(" NOT NULL") && !words.contains(" DEFAULT ");
        words.starts_with("CREATE TABLE ")
            || words.starts_with("CREATE INDEX ")
            || words.starts_with("INSERT INTO ")
            || column && !present
    }

    #[test]
    fn what_adds_and_what_does_not() {
        let table = [
            ("CREATE TABLE x (id {{id}}){{strict}}", true),
            ("CREATE INDEX x ON y (z)", true),
            ("CREATE UNIQUE INDEX x ON y (z)", false),
            ("ALTER TABLE x ADD COLUMN y TEXT", true),
            ("ALTER TABLE x\n  ADD COLUMN y {{int}} NOT NULL DEFAULT 0", true),
            ("ALTER TABLE x ADD COLUMN y {{int}} NOT NULL", false),
            ("ALTER TABLE x DROP COLUMN y", false),
            ("UPDATE x SET y = 1", false),
            ("CREATE TRIGGER t BEFORE DELETE ON x BEGIN SELECT 1", false),
        ];
        for (statement, expected) in table {
            assert_eq!(adds(statement), expected, "{statement}");
        }
    }
}
