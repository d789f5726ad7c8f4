//! Which command runs a project's tests, told from the files at its root.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// The longest project file that is looked into, in bytes: real ones are far below.
const MAX_PROJECT_FILE: u64 = 1 << 20;
/// Test files looked into to tell pytest from unittest.
const MAX_TEST_FILES: usize = 50;

/// A test command and the file that speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The command, for `sh -c`.
    pub command: String,
    /// What it was told from, such as `Cargo.toml`.
    pub because: String,
}

/// One way to recognise a test suite.
type Probe = fn(&Path) -> Option<Found>;

/// The probes in order of preference: a language's own tool knows more than a wrapper around it.
const PROBES: [Probe; 9] = [cargo, node, go, python, makefile, maven, gradle, mix, shell_script];

/// Every test command that the project seems to have, the likeliest first.
pub fn detect(root: &Path) -> Vec<Found> {
    PROBES.iter().filter_map(|probe| probe(root)).collect()
}

fn found(command: &str, because: &str) -> Found {
    Found { command: command.to_owned(), because: because.to_owned() }
}

fn is_file(root: &Path, name: &str) -> bool {
    root.join(name).is_file()
}

/// A project file's text; `None` where it is absent, too long or not text.
fn read(path: &Path) -> Option<String> {
    let file = File::open(path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file()))?;
    let mut text = String::new();
    file.take(MAX_PROJECT_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

fn cargo(root: &Path) -> Option<Found> {
    let text = read(&root.join("Cargo.toml"))?;
    let manifest: toml::Table = toml::from_str(&text).ok()?;
    let members = manifest.contains_key("workspace") && manifest.contains_key("package");
    Some(found(if members { "cargo test --workspace" } else { "cargo test" }, "Cargo.toml"))
}

fn node(root: &Path) -> Option<Found> {
    let package: serde_json::Value =
        serde_json::from_str(&read(&root.join("package.json"))?).ok()?;
    let script = package.get("scripts")?.get("test")?.as_str()?;
    // What `npm init` leaves there fails always.
    if script.trim().is_empty() || script.contains("no test specified") {
        return None;
    }
    let tool =
        [("pnpm-lock.yaml", "pnpm test"), ("yarn.lock", "yarn test"), ("bun.lock", "bun run test")]
            .into_iter()
            .find(|(lock, _)| is_file(root, lock))
            .map_or("npm test", |(_, tool)| tool);
    Some(found(tool, "package.json, scripts.test"))
}

fn go(root: &Path) -> Option<Found> {
    is_file(root, "go.mod").then(|| found("go test ./...", "go.mod"))
}

fn python(root: &Path) -> Option<Found> {
    const PYTEST: &str = "python3 -m pytest";
    for name in ["pytest.ini", "conftest.py", "tests/conftest.py"] {
        if is_file(root, name) {
            return Some(found(PYTEST, name));
        }
    }
    for name in ["pyproject.toml", "setup.cfg", "tox.ini", "requirements-dev.txt"] {
        if read(&root.join(name)).is_some_and(|text| text.contains("pytest")) {
            return Some(found(PYTEST, name));
        }
    }
    let (dir, texts) = ["tests", "test"]
        .into_iter()
        .find_map(|dir| Some((dir, python_tests(&root.join(dir))?)))?;
    let unittest = texts.iter().any(|text| text.contains("unittest"))
        && !texts.iter().any(|text| text.contains("pytest"));
    let command = format!("python3 -m unittest discover -s {dir}");
    Some(found(if unittest { &command } else { PYTEST }, &format!("{dir}/test_*.py")))
}

/// The texts of `test_*.py` in a folder; `None` where there are none.
fn python_tests(dir: &Path) -> Option<Vec<String>> {
    let is_test = |name: &str| {
        Path::new(name).extension().is_some_and(|extension| extension == "py")
            && (name.starts_with("test_") || name.ends_with("_test.py"))
    };
    let texts: Vec<String> = fs::read_dir(dir)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_test))
        .take(MAX_TEST_FILES)
        .filter_map(|entry| read(&entry.path()))
        .collect();
    (!texts.is_empty()).then_some(texts)
}

fn makefile(root: &Path) -> Option<Found> {
    for name in ["GNUmakefile", "makefile", "Makefile"] {
        for target in ["test", "check"] {
            if read(&root.join(name)).is_some_and(|text| has_target(&text, target)) {
                return Some(found(&format!("make {target}"), &format!("{name}, target {target}")));
            }
        }
    }
    None
}

/// Whether a makefile has a rule for a target: `test:` or `all test: deps`, not `test := x`.
fn has_target(text: &str, target: &str) -> bool {
    text.lines().filter(|line| !line.starts_with(['\t', ' ', '#', '.'])).any(|line| {
        line.split_once(':').is_some_and(|(targets, rest)| {
            !rest.starts_with('=')
                && !rest.starts_with(":=")
                && targets.split_whitespace().any(|word| word == target)
        })
    })
}

fn maven(root: &Path) -> Option<Found> {
    let tool = if is_file(root, "mvnw") { "./mvnw" } else { "mvn" };
    is_file(root, "pom.xml").then(|| found(&format!("{tool} --batch-mode test"), "pom.xml"))
}

fn gradle(root: &Path) -> Option<Found> {
    is_file(root, "gradlew").then(|| found("./gradlew test", "gradlew"))
}

fn mix(root: &Path) -> Option<Found> {
    is_file(root, "mix.exs").then(|| found("mix test", "mix.exs"))
}

fn shell_script(root: &Path) -> Option<Found> {
    ["tests/run.sh", "test/run.sh", "run-tests.sh", "test.sh", "tests.sh"]
        .into_iter()
        .find(|name| is_file(root, name))
        .map(|name| found(&format!("sh {name}"), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeliest(files: &[(&str, &str)]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        detect(dir.path()).into_iter().next().map(|found| found.command)
    }

    #[test]
    fn each_kind_of_project_has_its_command() {
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let table: &[Row<'_>] = &[
            (&[], None),
            (&[("Cargo.toml", "[package]\nname='x'")], Some("cargo test")),
            (&[("Cargo.toml", "[workspace]\n[package]\nname='x'")], Some("cargo test --workspace")),
            (&[("Cargo.toml", "not toml ["), ("test.sh", "")], Some("sh test.sh")),
            (&[("package.json", r#"{"scripts":{"test":"vitest run"}}"#)], Some("npm test")),
            (
                &[("package.json", r#"{"scripts":{"test":"jest"}}"#), ("yarn.lock", "")],
                Some("yarn test"),
            ),
            (
                &[(
                    "package.json",
                    r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#,
                )],
                None,
            ),
            (&[("package.json", "[1"), ("go.mod", "module x")], Some("go test ./...")),
            (&[("pyproject.toml", "[tool.pytest.ini_options]")], Some("python3 -m pytest")),
            (&[("tests/test_a.py", "def test_a(): pass")], Some("python3 -m pytest")),
            (
                &[("tests/test_a.py", "import unittest")],
                Some("python3 -m unittest discover -s tests"),
            ),
            (&[("tests/readme.md", "")], None),
            (&[("Makefile", "all: test\n\ntest: build\n\tcc\n")], Some("make test")),
            (&[("Makefile", "test := 1\ncheck: x\n")], Some("make check")),
            (&[("Makefile", "test = 1\n# test:\n\ttest: no\n")], None),
            (&[("Makefile", "test:\n"), ("Cargo.toml", "[package]")], Some("cargo test")),
            (&[("pom.xml", "")], Some("mvn --batch-mode test")),
            (&[("pom.xml", ""), ("mvnw", "")], Some("./mvnw --batch-mode test")),
            (&[("gradlew", "")], Some("./gradlew test")),
            (&[("mix.exs", "")], Some("mix test")),
            (&[("tests/run.sh", "")], Some("sh tests/run.sh")),
        ];
        for (files, expected) in table {
            assert_eq!(likeliest(files).as_deref(), *expected, "{files:?}");
        }
    }

    #[test]
    fn what_is_no_file_or_no_text_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("Cargo.toml")).unwrap();
        fs::write(dir.path().join("package.json"), [0xff, 0xfe]).unwrap();
        assert_eq!(detect(dir.path()), []);
    }
}
