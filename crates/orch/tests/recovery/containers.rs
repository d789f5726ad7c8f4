//! The service in a container that restarts: a pid namespace of its own, in which pids begin at 1
//! again while the machine's boot id stays, and with which every supervisor ends.

use std::process::{Child, Command, Stdio};

use orch_testkit::until;

use crate::bed::{Bed, signal};

/// `orch serve` as the first process of a fresh pid namespace.
struct Container(Child);

impl Container {
    /// `None` where namespaces are not permitted.
    fn start(bed: &Bed) -> Option<Self> {
        let plain = bed.orch.command(bed.root());
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(bed.root().join("serve.log"))
            .unwrap();
        let mut inner = Command::new("unshare")
            .args(["--fork", "--pid", "--mount-proc", "--kill-child"])
            .arg(plain.get_program())
            .arg("serve")
            .current_dir(bed.root())
            .env_clear()
            .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .ok()?;
        until("the service in its container to answer, or to end", || {
            let answers = bed.orch.run(bed.root(), &["status", "--json"]).status.success();
            (answers || inner.try_wait().unwrap().is_some()).then_some(())
        });
        let log = || std::fs::read_to_string(bed.root().join("serve.log")).unwrap_or_default();
        match inner.try_wait().unwrap() {
            None => Some(Self(inner)),
            Some(_) if log().contains("unshare") => None,
            Some(status) => panic!("the service ended: {status}\n{}", log()),
        }
    }

    /// The container is killed with everything in it.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The service is asked to stop; the container ends with it.
    fn stop(mut self) {
        let pid = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        signal("-TERM", children.trim().parse().unwrap());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_container_may_be_killed_twice_and_stopped_ever_so_often_over_one_run() {
    let bed = Bed::new(&[]);
    bed.hold_agents();
    let Some(mut container) = Container::start(&bed) else {
        eprintln!("no pid namespaces here: nothing to see");
        return;
    };
    let keys = bed.submit();
    let mut run = String::new();
    let mut pids = Vec::new();
    let ends = ["stop", "kill", "stop", "stop", "kill", "stop"];
    let counted = [0, 0, 1, 1, 1, 2];
    for (end, expected) in ends.into_iter().zip(counted) {
        let (next, pid, crashes) = bed.working(&run);
        assert_eq!(crashes, expected, "before the next {end}");
        pids.push(pid);
        run = next;
        match end {
            "kill" => container.kill(),
            _ => container.stop(),
        }
        container = Container::start(&bed).unwrap();
    }
    println!("supervisors' pids, container after container: {pids:?}");
    assert_eq!(bed.working(&run).2, 2, "a stop in order is no crash");
    bed.let_agents_go();
    bed.all_done(&keys);
    container.stop();
    bed.orch.ok(bed.root(), &["db", "check"]);
}
