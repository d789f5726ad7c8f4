//! `[deploy]`: what happens after the merge (S9).

mod keys;

use std::time::Duration;

use super::command::CommandLine;
use super::reader::Reader;
use crate::deploy::{Rules, WindowRules};
use crate::probe::Expectation;
use crate::remote::SshTarget;

pub(super) use keys::SECTION;

/// What happens after the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// Whether it is this very service that is deployed: a command that begins with `orch` is run
    /// with the service's own program and settings.
    pub itself: bool,
    /// The deploy; `None` where the repository only merges.
    pub command: Option<CommandLine>,
    /// The host that the commands run on; `None` means this machine.
    pub ssh_target: Option<SshTarget>,
    /// Whether the landed revision is sent to that host, for commands to start in.
    pub ssh_send_tree: bool,
    /// What is deployed to; `None` means the repository's own name.
    pub target: Option<String>,
    /// Lets the service finish what it is at; `None` where nothing is to be waited for.
    pub drain: Option<CommandLine>,
    /// How long the drain may take.
    pub drain_timeout: Duration,
    /// What has to answer 2xx afterwards; `None` for no check.
    pub health_url: Option<String>,
    /// What that answer's JSON has to say as well; empty where 2xx is enough.
    pub health_expect: Vec<Expectation>,
    /// How long and how often it is looked after a deploy.
    pub window: WindowRules,
    /// How long one look may take.
    pub look_timeout: Duration,
    /// What has to name the merged revision afterwards; `None` for no check.
    pub freshness: Option<Freshness>,
    /// Where in a JSON answer the revision stands; `None` where the answer is text.
    pub revision_field: Option<String>,
    /// The way back after a bad deploy; `None` where there is none.
    pub rollback_command: Option<CommandLine>,
    /// Proves that the way back is there; `None` where a known earlier revision is proof enough.
    pub rollback_check: Option<CommandLine>,
    /// Whether nothing is deployed without a proven way back.
    pub require_rollback: bool,
    /// How long the deployed revision is watched; zero is off.
    pub monitor: Duration,
    /// Time from one look of the monitor to the next.
    pub monitor_interval: Duration,
    /// When the monitor takes the revision back.
    pub monitor_rules: Rules,
    /// How long the deploy may take.
    pub timeout: Duration,
}

/// What says which revision runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// An address.
    Url(String),
    /// What a command prints.
    Command(CommandLine),
}

/// Looks of a monitor before a percentage of them counts.
const LEAST_LOOKS: u32 = 10;

pub(super) fn read(reader: &mut Reader<'_>) -> Deploy {
    let command = reader.command(&keys::REVISION_COMMAND).map(Freshness::Command);
    let url = reader.text(&keys::REVISION_URL).map(Freshness::Url);
    let itself = reader.text(&keys::KIND).as_deref() == Some("self");
    let (build, program) = (reader.text(&keys::BUILD), reader.text(&keys::PROGRAM));
    let own = itself.then(|| deploy_itself(build, program));
    let own_revision = itself.then(|| Freshness::Command(orch(&["status", "--json"])));
    let own_rollback = itself.then(|| orch(&["self", "rollback"]));
    let configured = reader.command(&keys::COMMAND);
    Deploy {
        itself,
        command: own.or(configured),
        ssh_target: reader
            .text(&keys::SSH_TARGET)
            .and_then(|text| SshTarget::new(&text).ok())
            .filter(|_| !itself),
        ssh_send_tree: reader.flag(&keys::SSH_SEND_TREE),
        target: reader.text(&keys::TARGET),
        drain: reader.command(&keys::DRAIN),
        drain_timeout: reader.duration(&keys::DRAIN_TIMEOUT),
        health_url: reader.text(&keys::HEALTH_URL),
        health_expect: expectations(&reader.list(&keys::HEALTH_EXPECT)),
        window: WindowRules {
            interval: reader.duration(&keys::HEALTH_INTERVAL),
            within: reader.duration(&keys::HEALTH_WITHIN),
            passes: reader.count(&keys::HEALTH_PASSES),
        },
        look_timeout: reader.duration(&keys::HEALTH_TIMEOUT),
        freshness: command.or(url).or(own_revision),
        revision_field: reader
            .text(&keys::REVISION_FIELD)
            .or_else(|| itself.then(|| "/revision".to_owned())),
        rollback_command: reader.command(&keys::ROLLBACK_COMMAND).or(own_rollback),
        rollback_check: reader.command(&keys::ROLLBACK_CHECK),
        require_rollback: reader.flag(&keys::REQUIRE_ROLLBACK),
        monitor: reader.duration(&keys::MONITOR),
        monitor_interval: reader.duration(&keys::MONITOR_INTERVAL),
        monitor_rules: Rules {
            consecutive: reader.count(&keys::MONITOR_FAILURES),
            percent: reader.count(&keys::MONITOR_FAILURE_PERCENT),
            least_looks: LEAST_LOOKS,
        },
        timeout: reader.duration(&keys::TIMEOUT),
    }
}

/// Those that the key's rule has let through.
fn expectations(texts: &[String]) -> Vec<Expectation> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// How the service deploys itself.
fn deploy_itself(build: Option<String>, program: Option<String>) -> CommandLine {
    let given = [("--build", build), ("--program", program)];
    let mut args = vec!["self".to_owned(), "deploy".to_owned()];
    for (name, value) in given {
        args.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    }
    orch(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn orch(args: &[&str]) -> CommandLine {
    let argv = std::iter::once(&"orch").chain(args).map(|arg| (*arg).to_owned());
    CommandLine::Argv(argv.collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Sources, load_repo};
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Deploy {
        let env: Env = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let sources = Sources { service: None, repository: None, env: &env };
        load_repo(&sources).unwrap().value.deploy
    }

    #[test]
    fn the_service_knows_how_to_deploy_itself_and_what_it_is_told_goes_first() {
        assert_eq!(read(&[]).command, None);
        let own = read(&[("ORCH_DEPLOY_KIND", "self"), ("ORCH_DEPLOY_BUILD", "make it")]);
        let argv = own.command.unwrap().argv();
        assert_eq!(argv[..5], ["orch", "self", "deploy", "--build", "make it"]);
        assert_eq!(argv[5..], ["--program", "target/release/orch"]);
        let status = orch(&["status", "--json"]);
        assert_eq!(own.freshness, Some(Freshness::Command(status)));
        assert_eq!(own.revision_field.as_deref(), Some("/revision"));
        assert_eq!(own.rollback_command, Some(orch(&["self", "rollback"])));
        let elsewhere = [("ORCH_DEPLOY_SSH_TARGET", "www"), ("ORCH_DEPLOY_KIND", "self")];
        assert_eq!(read(&elsewhere[..1]).ssh_target, SshTarget::new("www").ok());
        assert_eq!(read(&elsewhere).ssh_target, None, "it is here that it runs");
        let told = [("ORCH_DEPLOY_KIND", "self"), ("ORCH_DEPLOY_ROLLBACK_COMMAND", "back")];
        assert_eq!(read(&told).rollback_command, Some(CommandLine::Shell("back".to_owned())));
    }
}
