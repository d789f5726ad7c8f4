//! Deploys whose commands run on another machine, over the system's ssh and a real sshd.

use orch_testkit::proxy::Proxy;
use orch_testkit::{Sshd, until};

use crate::bed::{Bed, PROBED};

/// What runs is asked over ssh as well; such a look starts in the home there.
const ASKED: &str = r#"
health_url = "http://127.0.0.1:@PORT@/health"
revision_command = "test -n \"$SSH_CONNECTION\" && cut -d' ' -f1 '@DIR@/now'"
rollback_command = "sh rollback.sh"
rollback_check = "sh check.sh"
drain = "sh drain.sh"
monitor = "0"
"#;

fn bed(deploy: &str, sshd: &Sshd, target: &str) -> Bed {
    let config = sshd.config().display().to_string();
    let settings = [
        ("ORCH_SSH_CONFIG", config.as_str()),
        ("ORCH_SSH_KEEP_ALIVE", "1s"),
        ("ORCH_SSH_CONNECT_TIMEOUT", "5s"),
        ("ORCH_SSH_REATTACH", "2s"),
        ("ORCH_DEPLOY_HEALTH_WITHIN", "20s"),
        ("ORCH_DEPLOY_HEALTH_TIMEOUT", "10s"),
    ];
    Bed::with(&format!("{deploy}ssh_target = \"{target}\"\n"), &settings)
}

/// Every command of a deploy runs there, in the files of the landed revision; a bad revision is
/// taken back there too, and nothing is left.
#[test]
fn every_command_of_a_deploy_runs_on_the_other_machine() {
    let sshd = Sshd::start();
    let bed = bed(ASKED, &sshd, &sshd.target());
    let service = bed.serve();
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "done", "{}", bed.why(&key));
    assert_eq!((bed.status(&key).as_str(), bed.runs(&key).as_str()), ("SUCCESS", "new"));
    bed.say("next", "bad");
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "held");
    assert_eq!(bed.status(&key), "ROLLED_BACK", "{}", bed.log(&key));
    for script in ["check.sh", "drain.sh", "deploy.sh", "rollback.sh"] {
        assert_eq!(bed.ran(script), if script == "rollback.sh" { 1 } else { 2 }, "{script}");
    }
    let lines = bed.ran_lines();
    assert!(lines.iter().all(|line| line.ends_with(" there")), "{lines:?}");
    until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
    until("the folders to go", || {
        (std::fs::read_dir(sshd.runs()).unwrap().count() == 0).then_some(())
    });
    drop(service);
}

/// The link is cut while the deploy command is at work: it is picked up again, and the command is
/// not run twice, also where that takes another try of the job or another service.
#[test]
fn a_deploy_whose_link_is_cut_is_found_again_and_not_run_twice() {
    for way in ["the same run", "the next try", "the next service"] {
        let sshd = Sshd::start();
        let proxy = Proxy::before(sshd.port());
        let bed = bed(PROBED, &sshd, &Sshd::target_at(proxy.port()));
        bed.say("mode", "waits");
        let mut service = bed.serve();
        let key = bed.submit();
        until("the deploy to be at work", || bed.hears("at-work").then_some(()));
        match way {
            "the next service" => {
                service.kill();
                service = bed.serve();
            }
            "the next try" => {
                proxy.cut_off(true);
                until("the deploy to stand", || {
                    let events = bed.orch.ok(bed.at(), &["events", "--json"]);
                    events.contains("job.deferred").then_some(())
                });
                proxy.cut_off(false);
            }
            _ => {
                proxy.cut_off(true);
                proxy.cut_off(false);
            }
        }
        bed.say("go", "");
        assert_eq!(bed.settled(&key), "done", "{way}: {}", bed.why(&key));
        let ends = (bed.status(&key), bed.runs(&key), bed.ran("deploy.sh"), bed.ran("rollback.sh"));
        assert_eq!(
            ends,
            ("SUCCESS".to_owned(), "new".to_owned(), 1, 0),
            "{way}: {}",
            bed.log(&key)
        );
        until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
        drop(service);
    }
}

/// A command that does not end in its time is ended there, with all that it started.
#[test]
fn a_deploy_that_hangs_leaves_no_process_there() {
    let sshd = Sshd::start();
    let bed = bed(&format!("{PROBED}timeout = \"3s\"\n"), &sshd, &sshd.target());
    bed.say("mode", "hangs");
    let service = bed.serve();
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "held", "{}", bed.why(&key));
    until("the far side to be empty", || sshd.at_work().is_empty().then_some(()));
    assert_eq!(bed.ran("rollback.sh"), 0, "{}", bed.log(&key));
    drop(service);
}

/// Exit 0 without a result frame is no deploy, and no reason to roll back.
#[test]
fn a_deploy_without_a_frame_is_infrastructure() {
    let sshd = Sshd::start();
    sshd.force_command("exit 0");
    let bed = bed(PROBED, &sshd, &sshd.target());
    let service = bed.serve();
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "held");
    let why = bed.why(&key);
    assert!(why.contains("starts no shell"), "{why}");
    let ends = (bed.runs(&key), bed.ran("deploy.sh"), bed.ran("rollback.sh"));
    assert_eq!(ends, ("old".to_owned(), 0, 0), "{}", bed.log(&key));
    sshd.let_in(true);
    bed.orch.ok(bed.at(), &["task", "retry", &key]);
    assert_eq!(bed.settled(&key), "done", "{}", bed.why(&key));
    drop(service);
}
