//! What a run is to do: the content of `spec.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use orch_core::ids::RunId;
use orch_core::process::{DiskLimit, Polite, StepWatch};
use serde::{Deserialize, Serialize};

use crate::fsio;
use crate::run_dir::RunDir;

/// The environment variable that the supervisor gives every process of a run; its value is the run
/// id. It is inherited by all descendants, so that a sweep finds those that left the process tree.
pub const MARK: &str = "ORCH_RUN_MARK";

/// One run, complete: the supervisor adds nothing but the mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Names the run; the value of the mark.
    pub run_id: RunId,
    /// Program and arguments, no shell implied. The program is looked up on the `PATH` of `env`.
    pub argv: Vec<String>,
    /// Where the child starts; it must exist.
    pub cwd: PathBuf,
    /// The child's complete environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// A file to read standard input from; `None` means `/dev/null`.
    pub stdin: Option<PathBuf>,
    /// The absolute limit, counted while the machine is awake.
    #[serde(rename = "timeout_ms", with = "millis")]
    pub timeout: Duration,
    /// The longest silence on both output streams; `None` means no such limit.
    #[serde(rename = "stall_ms", with = "optional_millis")]
    pub stall: Option<Duration>,
    /// The signals that ask the tree to end, in this order; each has the grace. Empty is TERM alone.
    #[serde(default)]
    pub polite: Vec<Polite>,
    /// How its steps are counted; empty where they are not.
    #[serde(default)]
    pub steps: Vec<StepWatch>,
    /// How long the tree may take from each polite signal to the next, and to the last one (KILL).
    #[serde(rename = "grace_ms", with = "millis")]
    pub grace: Duration,
    /// How much of the disk it may take up; `None` is no limit.
    #[serde(default)]
    pub disk: Option<DiskLimit>,
    /// Bytes of `log.jsonl` after which output is counted and kept as tail, but no longer written.
    pub log_limit: u64,
}

impl RunSpec {
    /// What the run in a directory is to do; `None` where that can't be read.
    pub fn read(dir: &RunDir) -> Option<Self> {
        fsio::read_json(&dir.spec()).ok().flatten()
    }
}

/// A duration as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(super::whole_millis(*value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// The same, where the limit may be absent.
mod optional_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's `with` passes a reference to the field")]
    pub fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        value.map(super::whole_millis).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}

/// Milliseconds, saturating: a limit beyond 584 million years is no limit.
pub(crate) fn whole_millis(value: Duration) -> u64 {
    u64::try_from(value.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_reads_back_as_written() {
        for (timeout, stall) in [
            (Duration::from_mins(30), Some(Duration::from_millis(1500))),
            (Duration::ZERO, None),
            (Duration::from_millis(u64::MAX), Some(Duration::from_millis(u64::MAX))),
        ] {
            let spec = RunSpec {
                run_id: RunId::from_parts(5, 6),
                argv: vec!["sh".into(), "-c".into(), "echo \"é\n\"".into()],
                cwd: "/".into(),
                env: BTreeMap::from([("A".into(), "b=c".into())]),
                stdin: Some("/dev/null".into()),
                timeout,
                stall,
                polite: vec![Polite::Int, Polite::Term],
                steps: vec![StepWatch {
                    marks: vec!["\"tool\"".into()],
                    same: None,
                    limit: Some(9),
                    repeats: None,
                }],
                grace: Duration::from_secs(5),
                disk: Some(DiskLimit { roots: vec!["/w".into()], bytes: 7 }),
                log_limit: u64::MAX,
            };
            let text = serde_json::to_string(&spec).unwrap();
            assert!(text.contains("\"timeout_ms\":") && text.contains("\"grace_ms\":5000"));
            assert_eq!(serde_json::from_str::<RunSpec>(&text).unwrap(), spec);
        }
    }
}
