//! What `orch init` tells.

use serde_json::json;

use super::write::Written;
use super::{Done, agents};
use crate::env::Env;
use crate::output::{Out, plain};

/// Prints what was found out and done.
pub fn print(done: &Done, as_json: bool, env: &Env) -> anyhow::Result<()> {
    let out = Out::new(env);
    if as_json {
        return out.json(&to_json(done));
    }
    for (what, text) in lines(done) {
        let what = format!("{what:<10}");
        out.line(format!("{}  {}", out.style.bold(&what), plain(&text)))?;
    }
    for step in next_steps(done) {
        out.line(format!("{} {step}", out.style.cyan("next:")))?;
    }
    Ok(())
}

fn lines(done: &Done) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("repository", format!("{}, {}", done.repo.name, registration(done))),
        ("keys", format!("{0}-1, {0}-2, …", done.repo.key_prefix)),
        ("remote", format!("{}, branch {}", done.repo.remote, done.repo.default_branch)),
    ];
    if let Some(bare) = &done.origin_made {
        let text =
            format!("{} (made: this repository has no remote; it was not touched)", bare.display());
        lines.push(("origin", text));
    }
    let change = match done.config_written {
        Written::New => "written",
        Written::Kept => "unchanged",
    };
    lines.push(("config", format!("{}, {change}", done.config.display())));
    if let Some(written) = done.rehearsal {
        lines.push(("rehearsal", format!("{}, {}", super::render::REHEARSAL, written.word())));
    }
    lines.push(("stages", format!("{} → done", done.stages.join(" → "))));
    for (stage, reason) in &done.left_out {
        lines.push(("left out", format!("{stage} ({reason})")));
    }
    for found in &done.tests {
        lines.push(("tests", format!("{} (told from {})", found.command, found.because)));
    }
    let found: Vec<&str> = done.agents.iter().map(|agent| agent.program).collect();
    let known = agents::KNOWN.map(|agent| agent.program).join(", ");
    let told = if found.is_empty() { format!("none of {known} on PATH") } else { found.join(", ") };
    lines.push(("agents", told));
    lines
}

fn registration(done: &Done) -> &'static str {
    if done.changed { "registered" } else { "unchanged" }
}

fn next_steps(done: &Done) -> Vec<String> {
    let mut steps = Vec::new();
    if !done.missing.is_empty() {
        steps.push(format!(
            "install {}, or name another program in [agents.default] of orch.toml; to try the \
             pipeline without a model, remove orch.toml and run `orch init --rehearsal`",
            done.missing.join(", ")
        ));
    }
    if done.config_written == Written::New || done.changed {
        steps.push("orch serve, then: orch task add \"TITLE\" --wait".to_owned());
    }
    steps
}

fn to_json(done: &Done) -> serde_json::Value {
    let tests: Vec<_> = done
        .tests
        .iter()
        .map(|found| json!({ "command": found.command, "because": found.because }))
        .collect();
    let left: Vec<_> = done
        .left_out
        .iter()
        .map(|(stage, reason)| json!({ "stage": stage, "reason": reason }))
        .collect();
    json!({
        "name": done.repo.name,
        "key_prefix": done.repo.key_prefix,
        "remote": done.repo.remote,
        "default_branch": done.repo.default_branch,
        "registration": registration(done),
        "config": { "path": done.config, "status": done.config_written.word() },
        "rehearsal": done.rehearsal.map(Written::word),
        "origin_made": done.origin_made,
        "stages": done.stages,
        "left_out": left,
        "tests": tests,
        "agents_found": done.agents.iter().map(|agent| agent.program).collect::<Vec<_>>(),
        "agents_missing": done.missing,
    })
}
