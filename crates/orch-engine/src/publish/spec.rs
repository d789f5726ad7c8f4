//! What a run was to do, for others to read: `spec.json` without the values of its environment,
//! which may be tokens.

use std::path::PathBuf;

use orch_process::RunSpec;
use serde::Serialize;

#[derive(Serialize)]
struct Published<'a> {
    run_id: &'a str,
    argv: &'a [String],
    cwd: &'a PathBuf,
    /// The names alone.
    env: Vec<&'a String>,
    timeout_ms: u64,
    stall_ms: Option<u64>,
    log_limit: u64,
}

/// The text to publish; `None` where `spec.json` is not what a launcher writes.
pub(super) fn published(spec: &[u8]) -> Option<Vec<u8>> {
    let spec: RunSpec = serde_json::from_slice(spec).ok()?;
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let published = Published {
        run_id: spec.run_id.as_str(),
        argv: &spec.argv,
        cwd: &spec.cwd,
        env: spec.env.keys().collect(),
        timeout_ms: millis(spec.timeout),
        stall_ms: spec.stall.map(millis),
        log_limit: spec.log_limit,
    };
    serde_json::to_vec_pretty(&published).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_the_environment_is_published() {
        let spec = br#"{"run_id":"r-00000001-x","argv":["sh","agent.sh"],"cwd":"/w",
            "env":{"API_TOKEN":"hush-hush","PATH":"/usr/bin"},"stdin":null,
            "timeout_ms":1000,"stall_ms":null,"grace_ms":5000,"log_limit":10}"#;
        let text = String::from_utf8(published(spec).unwrap()).unwrap();
        assert!(text.contains("API_TOKEN") && text.contains("agent.sh"), "{text}");
        assert!(!text.contains("hush-hush") && !text.contains("/usr/bin"), "{text}");
        assert_eq!(published(b"{\"env\":{\"A\":\"hush\"}}"), None);
    }
}
