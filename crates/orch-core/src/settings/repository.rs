//! `[repository]`: what the repository is called and where its work lands.

use std::collections::BTreeSet;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use crate::ids::{KeyPrefix, Label, RepoName};

/// What a repository is called and where its work lands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name; `None` means its directory's.
    pub name: Option<RepoName>,
    /// A remote's name, a URL or a path: where merged work is pushed.
    pub remote: String,
    /// The branch that work is merged into.
    pub default_branch: String,
    /// The prefix of its task keys; `None` means derived from the name.
    pub key_prefix: Option<KeyPrefix>,
    /// What a worker must have for its stages that say nothing else.
    pub labels: BTreeSet<Label>,
}

static NAME: Key = Key {
    section: "repository",
    name: "name",
    env: "ORCH_REPOSITORY_NAME",
    kind: Kind::Text { form: "a repository name", rule: rules::repo_name },
    default: "",
    doc: "The repository's name; unset means its directory's name",
};
static REMOTE: Key = Key {
    section: "repository",
    name: "remote",
    env: "ORCH_REPOSITORY_REMOTE",
    kind: Kind::Text { form: "a remote's name, a URL or a path", rule: rules::remote },
    default: "origin",
    doc: "Where merged work is pushed: a remote's name, a URL or a path",
};
static DEFAULT_BRANCH: Key = Key {
    section: "repository",
    name: "default_branch",
    env: "ORCH_REPOSITORY_DEFAULT_BRANCH",
    kind: Kind::Text { form: "a branch name", rule: rules::branch },
    default: "main",
    doc: "The branch that work is merged into",
};
static KEY_PREFIX: Key = Key {
    section: "repository",
    name: "key_prefix",
    env: "ORCH_REPOSITORY_KEY_PREFIX",
    kind: Kind::Text { form: "upper-case letters, digits or _", rule: rules::key_prefix },
    default: "",
    doc: "Prefix of task keys, such as HELLO for HELLO-1; unset means derived from the name",
};

static LABELS: Key = Key {
    section: "repository",
    name: "labels",
    env: "ORCH_REPOSITORY_LABELS",
    kind: Kind::List { form: "labels of workers", rule: rules::label },
    default: "",
    doc: "What a worker must have to work its stages; unset means any worker does",
};

/// `[repository]`.
pub(super) static SECTION: Section = Section {
    name: "repository",
    instance: None,
    scope: Scope::Repository,
    doc: "What the repository is called and where its work lands",
    keys: &[&NAME, &REMOTE, &DEFAULT_BRANCH, &KEY_PREFIX, &LABELS],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Repository {
    Repository {
        name: reader.text(&NAME).and_then(|text| RepoName::new(text).ok()),
        remote: reader.text(&REMOTE).unwrap_or_default(),
        default_branch: reader.text(&DEFAULT_BRANCH).unwrap_or_default(),
        key_prefix: reader.text(&KEY_PREFIX).and_then(|text| KeyPrefix::new(text).ok()),
        labels: labels(reader.list(&LABELS)),
    }
}

/// Labels whose form has been checked.
pub(super) fn labels(texts: Vec<String>) -> BTreeSet<Label> {
    texts.into_iter().filter_map(|text| Label::new(text).ok()).collect()
}
