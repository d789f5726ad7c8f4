//! `[sandbox]`: what agents and suites may reach of the machine (S6).

use super::error::{Place, SettingsError};
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use super::size::FORM;

/// What agents and suites may reach of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// How they are confined.
    pub profile: SandboxProfile,
    /// What they reach of the network.
    pub network: NetworkPolicy,
    /// Paths that may be read beside the usual ones; absolute or below `~/`.
    pub readable: Vec<String>,
    /// Paths that may be written beside the worktree; absolute or below `~/`.
    pub writable: Vec<String>,
    /// Paths that can't be seen, beside the usual ones; absolute or below `~/`.
    pub hidden: Vec<String>,
    /// Bytes that a run may take up on the disk, under every profile; `None` is no limit.
    pub disk: Option<u64>,
}

/// How a run is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxProfile {
    /// Not at all: it may do what the service's user may.
    None,
    /// By the strongest of the others that this machine has; a run is held where it has none.
    Auto,
    /// By bubblewrap: namespaces of its own for files, processes and, if wanted, the network.
    Bubblewrap,
    /// By the kernel's Landlock: files and TCP; processes stay visible.
    Landlock,
}

/// What a run reaches of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// All of it.
    On,
    /// Nothing.
    Off,
    /// These hosts, through a proxy that the service starts for the run.
    Only(Vec<String>),
}

const PATHS: Kind = Kind::List { form: "absolute paths, or paths below ~/", rule: rules::place };

static PROFILE: Key = Key {
    section: "sandbox",
    name: "profile",
    env: "ORCH_SANDBOX_PROFILE",
    kind: Kind::Choice(&["none", "auto", "bubblewrap", "landlock"]),
    default: "none",
    doc: "How agents and suites are confined; auto takes the strongest that the machine has, and holds where it has none",
};
static NETWORK: Key = Key {
    section: "sandbox",
    name: "network",
    env: "ORCH_SANDBOX_NETWORK",
    kind: Kind::Choice(&["on", "off", "allowlist"]),
    default: "on",
    doc: "What a confined run reaches of the network; allowlist means allow_hosts alone",
};
static ALLOW_HOSTS: Key = Key {
    section: "sandbox",
    name: "allow_hosts",
    env: "ORCH_SANDBOX_ALLOW_HOSTS",
    kind: Kind::List {
        form: "hosts such as api.example.com, *.example.com or localhost:8080",
        rule: rules::host_pattern,
    },
    default: "",
    doc: "Hosts that a run reaches with network = \"allowlist\"; without a port, 80 and 443",
};
static READABLE: Key = Key {
    section: "sandbox",
    name: "readable",
    env: "ORCH_SANDBOX_READABLE",
    kind: PATHS,
    default: "",
    doc: "Paths that a confined run may read beside the usual ones",
};
static WRITABLE: Key = Key {
    section: "sandbox",
    name: "writable",
    env: "ORCH_SANDBOX_WRITABLE",
    kind: PATHS,
    default: "",
    doc: "Paths that a confined run may write beside its worktree, such as a package cache",
};
static HIDDEN: Key = Key {
    section: "sandbox",
    name: "hidden",
    env: "ORCH_SANDBOX_HIDDEN",
    kind: PATHS,
    default: "",
    doc: "Paths that a confined run can't see, beside the home and state directories",
};

static DISK: Key = Key {
    section: "sandbox",
    name: "disk",
    env: "ORCH_SANDBOX_DISK",
    kind: Kind::Text { form: FORM, rule: rules::size },
    default: "20GB",
    doc: "Disk that a run may take up with its worktree, home, temporary files and log, under every profile; 0 means any",
};

/// `[sandbox]`.
pub(super) static SECTION: Section = Section {
    name: "sandbox",
    instance: None,
    scope: Scope::Repository,
    doc: "What agents and suites may reach of the machine",
    keys: &[&PROFILE, &NETWORK, &ALLOW_HOSTS, &READABLE, &WRITABLE, &HIDDEN, &DISK],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Sandbox {
    let (network, network_at) = reader.value(&NETWORK);
    let (hosts, hosts_at) = reader.value(&ALLOW_HOSTS);
    let hosts = hosts.list().unwrap_or_default();
    let profile = match reader.text(&PROFILE).as_deref() {
        Some("auto") => SandboxProfile::Auto,
        Some("bubblewrap") => SandboxProfile::Bubblewrap,
        Some("landlock") => SandboxProfile::Landlock,
        _ => SandboxProfile::None,
    };
    let network = network.text().unwrap_or_default();
    let mut fault = |place: &Place, message: &str, hint: &str| {
        let hint = Some(hint.to_owned());
        reader.errors.push(SettingsError::new(place.clone(), message.to_owned(), hint));
    };
    if network != "on" && profile == SandboxProfile::None {
        let message = format!("`sandbox.network` is \"{network}\", and no sandbox enforces it");
        fault(&network_at, &message, "set sandbox.profile = \"auto\"");
    }
    if network == "allowlist" && hosts.is_empty() {
        fault(
            &network_at,
            "`sandbox.network` is \"allowlist\" and allows nobody",
            "set sandbox.allow_hosts, or network = \"off\"",
        );
    }
    if network != "allowlist" && !hosts.is_empty() {
        fault(
            &hosts_at,
            "`sandbox.allow_hosts` does nothing",
            "set sandbox.network = \"allowlist\"",
        );
    }
    Sandbox {
        profile,
        network: match network.as_str() {
            "off" => NetworkPolicy::Off,
            "allowlist" => NetworkPolicy::Only(hosts),
            _ => NetworkPolicy::On,
        },
        readable: reader.list(&READABLE),
        writable: reader.list(&WRITABLE),
        hidden: reader.list(&HIDDEN),
        disk: reader.size(&DISK),
    }
}
