//! What texts a setting accepts. A rule answers with the form that is expected, to stand before
//! `, not "…"`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::size::parse_size;
use crate::ids::{AgentName, KeyPrefix, Label, RepoName, StageName};
use crate::money::prices::ModelPrice;
use crate::outcome::Fault;
use crate::remote::SshTarget;

/// Says what form a text must have where it hasn't.
pub type Rule = fn(&str) -> Result<(), String>;

fn require(kept: bool, form: &str) -> Result<(), String> {
    if kept { Ok(()) } else { Err(form.to_owned()) }
}

/// No control characters, not blank: what fits one line.
fn line(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

/// One line of text.
pub(super) fn text(text: &str) -> Result<(), String> {
    require(line(text), "must be one line of text")
}

/// The name of a stage.
pub(super) fn stage(text: &str) -> Result<(), String> {
    let kept = StageName::new(text).is_ok();
    require(kept, "must be the name of a stage, such as development")
}

/// A shell command; may have several lines.
pub(super) fn command(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    require(!text.trim().is_empty() && !text.contains(odd), "must be a command")
}

/// The name of a table `[agents.NAME]`.
pub(super) fn agent(text: &str) -> Result<(), String> {
    require(AgentName::new(text).is_ok(), "must be names of [agents.NAME]")
}

/// A size on a disk.
pub(super) fn size(text: &str) -> Result<(), String> {
    require(parse_size(text).is_some(), "must be a size such as 20GB or 512MB, or 0 for off")
}

/// A fault at which the next of a chain of agents takes over.
pub(super) fn takeover(text: &str) -> Result<(), String> {
    require(parse_takeover(text).is_some(), "must be auth_broken or overloaded")
}

/// The fault that such a text names.
pub(super) fn parse_takeover(text: &str) -> Option<Fault> {
    [Fault::AuthBroken, Fault::Overloaded].into_iter().find(|fault| fault.word() == text)
}

/// The name of a provider account.
pub(super) fn account(text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '=' | ',');
    let kept = !text.is_empty() && text.len() <= 64 && text.chars().all(plain);
    require(kept, "must be a name of at most 64 letters, digits and signs without spaces")
}

/// An account with the number of runs that it may have at once.
pub(super) fn account_limit(text: &str) -> Result<(), String> {
    require(parse_account_limit(text).is_some(), "must be NAME=RUNS, such as claude-main=4")
}

/// Reads what [`account_limit`] accepts.
pub(super) fn parse_account_limit(text: &str) -> Option<(String, u32)> {
    let (name, most) = text.split_once('=')?;
    account(name.trim()).ok()?;
    let most = most.trim().parse().ok().filter(|most| (1..=1000).contains(most))?;
    Some((name.trim().to_owned(), most))
}

/// A model and its price.
pub(super) fn model_price(text: &str) -> Result<(), String> {
    text.parse::<ModelPrice>().map(drop).map_err(ToOwned::to_owned)
}

/// One argument of a vector; may be empty.
pub(super) fn argument(text: &str) -> Result<(), String> {
    require(!text.contains('\0'), "must hold no NUL character")
}

/// `host:port` with an IP address or `localhost`.
pub(super) fn address(text: &str) -> Result<(), String> {
    require(
        parse_address(text).is_some(),
        "must be an IP address and a port, such as 127.0.0.1:8420",
    )
}

/// Reads what [`address`] accepts.
pub(super) fn parse_address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return port.parse().ok().map(|port| (IpAddr::from(Ipv4Addr::LOCALHOST), port).into());
    }
    text.parse().ok()
}

/// An `http://` or `https://` address.
pub(super) fn url(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let named = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
    require(
        named && line(text) && !text.contains(char::is_whitespace),
        "must be a URL that begins with http:// or https://",
    )
}

/// A JSON pointer, such as `/build/revision`.
pub(super) fn json_pointer(text: &str) -> Result<(), String> {
    require(
        line(text) && text.starts_with('/'),
        "must be a JSON pointer, such as /revision or /build/revision",
    )
}

/// A path inside the repository: relative and without `..`.
pub(super) fn inside(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split(['/', '\\']).collect();
    let drive = text.chars().nth(1) == Some(':');
    let relative = !text.starts_with(['/', '\\', '~', '-']) && !drive && !parts.contains(&"..");
    require(line(text) && relative, "must be a path inside the repository: relative, without ..")
}

/// A path or pattern inside the repository.
pub(super) fn path(text: &str) -> Result<(), String> {
    require(line(text), "must be a path")
}

/// A regular expression for one line.
pub(super) fn pattern(text: &str) -> Result<(), String> {
    let read = crate::suite::Mark::new(text);
    require(read.is_ok() && line(text), "must be a regular expression for one line")
}

/// What a field of an answer has to be.
pub(super) fn expectation(text: &str) -> Result<(), String> {
    let read = text.parse::<crate::probe::Expectation>();
    require(line(text), "must be one line of text")?;
    read.map(drop).map_err(|error| error.to_string())
}

/// A probe of a running service.
pub(super) fn probe(text: &str) -> Result<(), String> {
    let read = text.parse::<crate::probe::Probe>();
    require(line(text), "must be one line of text")?;
    read.map(drop).map_err(|error| error.to_string())
}

/// A repository's name.
pub(super) fn repo_name(text: &str) -> Result<(), String> {
    RepoName::new(text).map(drop).map_err(|error| format!("must be {}", error.rule))
}

/// The prefix of task keys.
pub(super) fn key_prefix(text: &str) -> Result<(), String> {
    KeyPrefix::new(text).map(drop).map_err(|error| format!("must be {}", error.rule))
}

/// A label of workers.
pub(super) fn label(text: &str) -> Result<(), String> {
    Label::new(text).map(drop).map_err(|error| format!("must be {}", error.rule))
}

/// A remote's name, a URL or a path, that git can't take for an option.
pub(super) fn remote(text: &str) -> Result<(), String> {
    let helper = text.contains("::");
    require(
        line(text) && !text.starts_with('-') && !helper,
        "must be a remote's name, a URL or a path",
    )
}

/// A branch name as git allows it.
pub(super) fn branch(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let part = |p: &str| {
        !p.is_empty() && !p.starts_with('.') && !p.ends_with('.') && !p.ends_with(".lock")
    };
    let form = !text.contains(odd)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.starts_with('-')
        && text != "@"
        && text.split('/').all(part);
    require(form && text.len() <= 200, "must be a branch name, such as main")
}

/// `user@host` that ssh can't take for an option.
pub(super) fn ssh_target(text: &str) -> Result<(), String> {
    SshTarget::new(text).map(drop).map_err(|error| format!("must be {}", error.rule))
}

/// A path from the root.
pub(super) fn absolute(text: &str) -> Result<(), String> {
    require(line(text) && text.starts_with('/'), "must be an absolute path")
}

/// An absolute path, or one below the user's home written `~/…`; never all of either.
pub(super) fn place(text: &str) -> Result<(), String> {
    let below = text.strip_prefix("~/").or_else(|| text.strip_prefix('/'));
    let inner =
        below.is_some_and(|below| !below.is_empty() && !below.split('/').any(|p| p == ".."));
    require(line(text) && inner, "must be an absolute path, or one below ~/, without ..")
}

/// A host, `*.` before a domain, or either with a port.
pub(super) fn host_pattern(text: &str) -> Result<(), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok().filter(|port| *port > 0)),
        None => (text, Some(443)),
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let part = |p: &str| {
        !p.is_empty()
            && p.len() <= 63
            && p.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    require(
        port.is_some() && host.len() <= 253 && host.split('.').all(part),
        "must be a host such as api.example.com, *.example.com or localhost:8080",
    )
}

/// The name of an environment variable to pass on; Orchestrator's own are not for agents.
pub(super) fn env_name(text: &str) -> Result<(), String> {
    let head = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    require(
        head && rest && !text.starts_with("ORCH_"),
        "must be names of environment variables, none of them ORCH_*",
    )
}
