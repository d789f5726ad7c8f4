//! How a directive becomes a call of the agent's own tool.

use serde_json::{Map, Value, json};

use super::conversation::{Conversation, Tool};
use super::script::Act;

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// The tool's group, where the dialect has groups.
    pub(super) namespace: Option<String>,
    /// The tool.
    pub(super) name: String,
    /// Its arguments.
    pub(super) input: Value,
}

/// The tools that write a file, as programs call them.
const WRITERS: [&str; 4] = ["Write", "write", "write_file", "create_file"];
/// The tools that run a command.
const SHELLS: [&str; 6] =
    ["Bash", "bash", "exec_command", "shell", "shell_command", "run_shell_command"];
/// Arguments by their meaning.
const PATHS: [&str; 5] = ["file_path", "filePath", "path", "absolute_path", "filename"];
const CONTENTS: [&str; 3] = ["content", "contents", "text"];
const COMMANDS: [&str; 2] = ["command", "cmd"];

/// The call that does this; an error where the agent offers no tool for it.
pub(super) fn call(act: &Act, conversation: &Conversation) -> Result<Call, String> {
    let tools = &conversation.tools;
    match act {
        Act::Tool { name, input } => Ok(named(tools, name, input.clone())),
        Act::Bash(command) => run(tools, command),
        Act::Write { path, text } => match find(tools, &WRITERS) {
            Some(tool) => write(tool, &absolute(path, conversation), text),
            None => run(tools, &patch(path, text)),
        },
    }
}

fn find<'a>(tools: &'a [Tool], names: &[&str]) -> Option<&'a Tool> {
    names.iter().find_map(|name| tools.iter().find(|tool| tool.name == *name))
}

/// A tool that is not offered is called all the same: so models do.
fn named(tools: &[Tool], name: &str, input: Value) -> Call {
    let grouped = tools.iter().find(|tool| {
        let group = tool.namespace.as_deref();
        group.is_some_and(|group| name.strip_prefix(group) == Some(&format!("__{}", tool.name)))
    });
    match grouped {
        Some(tool) => Call { namespace: tool.namespace.clone(), name: tool.name.clone(), input },
        None => Call { namespace: None, name: name.to_owned(), input },
    }
}

fn run(tools: &[Tool], command: &str) -> Result<Call, String> {
    let tool = find(tools, &SHELLS).ok_or_else(|| none(tools, "runs commands"))?;
    let name = argument(tool, &COMMANDS)?;
    let wanted = &tool.schema["properties"][name.as_str()]["type"];
    let command = match wanted.as_str() {
        Some("array") => json!(["bash", "-c", command]),
        _ => json!(command),
    };
    Ok(filled(tool, [(name, command)]))
}

fn write(tool: &Tool, path: &str, text: &str) -> Result<Call, String> {
    let (at, content) = (argument(tool, &PATHS)?, argument(tool, &CONTENTS)?);
    Ok(filled(tool, [(at, json!(path)), (content, json!(text))]))
}

/// The call with a plain word for each further argument that is required.
fn filled<const N: usize>(tool: &Tool, given: [(String, Value); N]) -> Call {
    let mut input: Map<String, Value> = given.into_iter().collect();
    for name in tool.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let plain = match tool.schema["properties"][name]["type"].as_str() {
            Some("boolean") => json!(false),
            Some("integer" | "number") => json!(1),
            _ => json!("scripted"),
        };
        input.entry(name).or_insert(plain);
    }
    Call { namespace: tool.namespace.clone(), name: tool.name.clone(), input: input.into() }
}

/// What the tool calls an argument of this meaning.
fn argument(tool: &Tool, names: &[&str]) -> Result<String, String> {
    let properties = &tool.schema["properties"];
    let found = names.iter().find(|name| properties.get(**name).is_some());
    found
        .map(|name| (*name).to_owned())
        .ok_or_else(|| format!("the tool {} takes none of {names:?}: {}", tool.name, tool.schema))
}

fn none(tools: &[Tool], does: &str) -> String {
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    format!("no tool that is offered {does}: {names:?}")
}

/// Writing tools ask for absolute paths.
fn absolute(path: &str, conversation: &Conversation) -> String {
    match conversation.directory() {
        Some(directory) if !path.starts_with('/') => format!("{directory}/{path}"),
        _ => path.to_owned(),
    }
}

/// The command by which a program without a writing tool writes a file.
fn patch(path: &str, text: &str) -> String {
    let lines: String = text.lines().flat_map(|line| ["+", line, "\n"]).collect();
    format!(
        "apply_patch <<'PATCH'\n*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\nPATCH"
    )
}

#[cfg(test)]
mod tests {
    use super::super::conversation::Entry;
    use super::*;

    fn offering(tools: &[(Option<&str>, &str, Value)]) -> Conversation {
        let tools = tools.iter().map(|(namespace, name, schema)| Tool {
            namespace: namespace.map(ToOwned::to_owned),
            name: (*name).to_owned(),
            schema: schema.clone(),
        });
        Conversation {
            tools: tools.collect(),
            entries: vec![Entry::User("<cwd>/w</cwd>".to_owned())],
            ..Conversation::default()
        }
    }

    fn schema(types: &[(&str, &str)], required: &[&str]) -> Value {
        let properties: Map<String, Value> =
            types.iter().map(|(name, kind)| ((*name).to_owned(), json!({"type": kind}))).collect();
        json!({"properties": properties, "required": required})
    }

    #[test]
    fn each_programs_own_tools_are_called() {
        let bash = Act::Bash("ls".to_owned());
        let write = Act::Write { path: "a/b".to_owned(), text: "x\ny\n".to_owned() };
        let text = "string";
        let required = schema(&[("command", text), ("description", text)], &["description"]);
        let claude = offering(&[
            (None, "Bash", required),
            (None, "Write", schema(&[("file_path", text), ("content", text)], &[])),
        ]);
        let called = call(&bash, &claude).unwrap();
        assert_eq!(called.input, json!({"command": "ls", "description": "scripted"}));
        let called = call(&write, &claude).unwrap();
        assert_eq!(called.name, "Write");
        assert_eq!(called.input, json!({"file_path": "/w/a/b", "content": "x\ny\n"}));

        let codex = offering(&[(None, "exec_command", schema(&[("cmd", text)], &["cmd"]))]);
        assert_eq!(call(&bash, &codex).unwrap().input, json!({"cmd": "ls"}));
        let patched = call(&write, &codex).unwrap().input["cmd"].to_string();
        assert!(patched.contains("Add File: a/b\\n+x\\n+y\\n***"), "{patched}");

        let older = offering(&[(None, "shell", schema(&[("command", "array")], &[]))]);
        assert_eq!(call(&bash, &older).unwrap().input["command"][2], "ls");
    }

    #[test]
    fn a_tool_is_called_by_name_within_its_group_or_even_where_it_is_not_offered() {
        let grouped = offering(&[(Some("mcp__orch"), "queue_task", json!({}))]);
        let act = |name: &str| Act::Tool { name: name.to_owned(), input: json!({"a": 1}) };
        let called = call(&act("mcp__orch__queue_task"), &grouped).unwrap();
        let group = called.namespace.as_deref();
        assert_eq!((group, called.name.as_str()), (Some("mcp__orch"), "queue_task"));
        assert_eq!(call(&act("Nowhere"), &grouped).unwrap().name, "Nowhere");
        let error = call(&Act::Bash("ls".to_owned()), &grouped).unwrap_err();
        assert!(error.contains("queue_task"), "{error}");
    }
}
