//! The look at a channel, and the connection that others share.

use orch_core::remote::FaultKind;
use orch_process::ssh::check;
use orch_testkit::{Sshd, until};

use crate::bed::Bed;

fn look(bed: &Bed) -> Result<String, FaultKind> {
    check(&bed.client(), &|| false).map_err(|fault| fault.kind)
}

#[test]
fn each_fault_of_the_channel_is_told_apart() {
    let mut bed = Bed::new();
    assert_eq!(look(&bed), Ok(bed.sshd.runs().display().to_string()));
    // What is shared does not hide what is wrong now.
    bed.sshd.trust_nobody();
    assert_eq!(look(&bed), Err(FaultKind::HostKeyUnknown));
    bed.sshd.trust("other_key");
    assert_eq!(look(&bed), Err(FaultKind::HostKeyChanged));
    bed.sshd.trust("host_key");
    bed.sshd.let_in(false);
    assert_eq!(look(&bed), Err(FaultKind::NotLetIn));
    bed.sshd.let_in(true);
    bed.sshd.force_command("exit 1");
    assert_eq!(look(&bed), Err(FaultKind::NoShell));
    bed.sshd.let_in(true);
    bed.sshd.stop();
    assert_eq!(look(&bed), Err(FaultKind::Refused));
    bed.sshd.resume();
    assert!(look(&bed).is_ok());
    let nowhere = bed.client_at("ssh://nobody@name.invalid:22");
    assert_eq!(check(&nowhere, &|| false).unwrap_err().kind, FaultKind::NameUnknown);
    let mut odd = bed.client();
    odd.control = None;
    odd.config = Some(bed.path("no-such-config"));
    assert_eq!(check(&odd, &|| false).unwrap_err().kind, FaultKind::BadConfig);
    end_shared(&bed);
}

/// Many runs at once go over one connection; one that ends takes nothing from the others.
#[test]
fn runs_share_the_connection_that_a_look_has_made() {
    let bed = Bed::new();
    look(&bed).unwrap();
    let logins = |bed: &Bed| bed.sshd.log().matches("Accepted publickey").count();
    assert_eq!(logins(&bed), 1);
    let runs: Vec<_> = (0..4).map(|n| bed.run(&format!("echo ready {n}; sleep 300"))).collect();
    runs.iter().for_each(crate::bed::Run::start);
    for (number, run) in runs.iter().enumerate() {
        run.has_said(&format!("ready {number}"));
    }
    runs[0].stop();
    runs[0].wait();
    let last = bed.run("echo still").done();
    assert_eq!(last.stdout(), "still\n");
    assert_eq!(logins(&bed), 1, "{}", bed.sshd.log());
    for run in &runs[1..] {
        run.stop();
        assert!(run.wait().told().contains("ready"));
    }
    assert_eq!(logins(&bed), 1);
    end_shared(&bed);
}

/// A socket that nobody listens on any more is gone around, and replaced by the next look.
#[test]
fn a_stale_socket_harms_nobody() {
    let bed = Bed::new();
    look(&bed).unwrap();
    let socket = bed.client().control.unwrap();
    let said = std::process::Command::new("ssh")
        .args(["-O", "check", "-o"])
        .arg(format!("ControlPath={}", socket.display()))
        .arg("x")
        .output()
        .unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    let pid: String = said.chars().filter(char::is_ascii_digit).collect();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    until("the shared connection to be gone", || {
        std::os::unix::net::UnixStream::connect(&socket).is_err().then_some(())
    });
    assert!(socket.exists());
    assert_eq!(bed.run("echo hello").done().stdout(), "hello\n");
    look(&bed).unwrap();
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
    end_shared(&bed);
}

/// No text of a target reaches ssh as an option.
#[test]
fn a_target_is_never_an_option() {
    let bed = Bed::new();
    let touched = bed.path("touched");
    let text = format!("-oProxyCommand=touch {}", touched.display());
    assert!(orch_core::remote::SshTarget::new(&text).is_err());
    assert!(!touched.exists());
    assert!(orch_core::remote::SshTarget::new(&Sshd::target_at(1)).is_ok());
}

fn end_shared(bed: &Bed) {
    let Some(socket) = bed.client().control else { return };
    let path = format!("ControlPath={}", socket.display());
    drop(std::process::Command::new("ssh").args(["-O", "exit", "-o", &path, "x"]).output());
}
