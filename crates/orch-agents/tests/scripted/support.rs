//! What the tests share.

use std::path::Path;

use orch_agents::scripted::{Output, Script, ScriptContext, perform_with};

/// What an agent left behind.
pub struct Played {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The first attempt of a developer at HELLO-1.
pub fn context(root: &Path) -> ScriptContext {
    ScriptContext {
        task: "HELLO-1".into(),
        title: "Say hello".into(),
        stage: "development".into(),
        role: "developer".into(),
        attempt: 1,
        run_id: "r-1".into(),
        worktree: root.to_owned(),
        artifact_dir: root.join("docs/work-items/HELLO-1"),
    }
}

pub fn play_as(context: &ScriptContext, script: &str) -> Played {
    let script = Script::parse(script).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = perform_with(&script, context, &mut Output { out: &mut out, err: &mut err });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Played { code, out: text(out), err: text(err) }
}

/// Plays steps, each as the lines of its table.
pub fn play(root: &Path, steps: &[&str]) -> Played {
    play_as(&context(root), &script(steps))
}

pub fn script(steps: &[&str]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("[[on.step]]\n{step}\n")).collect();
    format!("[[on]]\n{}", steps.concat())
}
