//! Migrations: numbered, forward only, each in one transaction. Each engine runs them its own way.
//!
//! A migration is one portable text with a few marked words that differ by engine, and a part
//! that only one engine understands (triggers).

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
}

/// Every migration there is, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "tables",
        portable: include_str!("../../migrations/0001_tables.sql"),
        sqlite: include_str!("../../migrations/0001_tables.sqlite.sql"),
        postgres: include_str!("../../migrations/0001_tables.postgres.sql"),
    },
    Migration {
        version: 2,
        name: "gate_stages",
        portable: include_str!("../../migrations/0002_gate_stages.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 3,
        name: "retention",
        portable: include_str!("../../migrations/0003_retention.sql"),
        sqlite: include_str!("../../migrations/0003_retention.sqlite.sql"),
        postgres: include_str!("../../migrations/0003_retention.postgres.sql"),
    },
    Migration {
        version: 4,
        name: "labels",
        portable: include_str!("../../migrations/0004_labels.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 5,
        name: "llm_calls",
        portable: include_str!("../../migrations/0005_llm_calls.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 6,
        name: "deploys",
        portable: include_str!("../../migrations/0006_deploys.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 7,
        name: "channels",
        portable: include_str!("../../migrations/0007_channels.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 8,
        name: "shadows",
        portable: include_str!("../../migrations/0008_shadows.sql"),
        sqlite: "",
        postgres: "",
    },
];

/// What a database says of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaInfo {
    /// The version the database is at.
    pub version: i64,
    /// The newest version that this program knows.
    pub supported: i64,
    /// The steps taken: version and name.
    pub applied: Vec<(i64, String)>,
}

/// The newest version among the steps.
pub(crate) fn newest(steps: &[Migration]) -> i64 {
    steps.iter().map(|step| step.version).max().unwrap_or(0)
}

impl Migration {
    /// The portable part with an engine's words in place of the marked ones.
    pub fn text(&self, words: &[(&str, &str)]) -> String {
        let portable = self.portable.to_owned();
        words.iter().fold(portable, |text, (word, engines)| text.replace(word, engines))
    }
}
