//! What ssh's own words mean.

use super::{Fault, FaultKind};

/// Words of the OpenSSH client in lower case, and what they mean; the first that is found counts.
const WORDS: &[(&str, FaultKind)] = &[
    ("remote host identification has changed", FaultKind::HostKeyChanged),
    ("host key for", FaultKind::HostKeyChanged),
    ("host key is known for", FaultKind::HostKeyUnknown),
    ("host key verification failed", FaultKind::HostKeyUnknown),
    ("no matching host key", FaultKind::BadConfig),
    ("no matching key exchange", FaultKind::BadConfig),
    ("no matching cipher", FaultKind::BadConfig),
    ("permission denied (", FaultKind::NotLetIn),
    ("too many authentication failures", FaultKind::NotLetIn),
    ("no more authentication methods", FaultKind::NotLetIn),
    ("no supported authentication methods", FaultKind::NotLetIn),
    ("unprotected private key file", FaultKind::NotLetIn),
    ("bad configuration option", FaultKind::BadConfig),
    ("terminating, ", FaultKind::BadConfig),
    ("can't open user config file", FaultKind::BadConfig),
    ("bad owner or permissions on", FaultKind::BadConfig),
    ("no user exists for uid", FaultKind::BadConfig),
    ("could not resolve hostname", FaultKind::NameUnknown),
    ("connection refused", FaultKind::Refused),
    ("no route to host", FaultKind::Unreachable),
    ("network is unreachable", FaultKind::Unreachable),
    ("network is down", FaultKind::Unreachable),
    ("host is down", FaultKind::Unreachable),
    ("connection timed out", FaultKind::ConnectTimeout),
    ("operation timed out", FaultKind::ConnectTimeout),
    ("timed out during banner exchange", FaultKind::ConnectTimeout),
    ("timeout, server", FaultKind::Dropped),
    ("kex_exchange_identification", FaultKind::Dropped),
    ("connection reset", FaultKind::Dropped),
    ("connection closed", FaultKind::Dropped),
    ("closed by remote host", FaultKind::Dropped),
    ("client_loop: send disconnect", FaultKind::Dropped),
    ("broken pipe", FaultKind::Dropped),
    ("connection to", FaultKind::Dropped),
    ("shared connection", FaultKind::Dropped),
    ("disconnected", FaultKind::Dropped),
    ("no space left on device", FaultKind::DiskFull),
];

/// What went wrong, by what ssh printed on its standard error when it ended with 255.
pub fn diagnose(stderr: &str) -> Fault {
    let lower = stderr.to_lowercase();
    let found = WORDS.iter().find(|(words, _)| lower.contains(words));
    let Some((words, kind)) = found else { return Fault::new(FaultKind::Other, last_line(stderr)) };
    let line = stderr.lines().find(|line| line.to_lowercase().contains(words));
    Fault::new(*kind, line.unwrap_or_default().trim())
}

fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ssh_are_understood() {
        use FaultKind::*;
        let changed = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n\
            @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n\
            Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.\n\
            Host key verification failed.\n";
        let unknown = "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested \
            strict checking.\r\nHost key verification failed.\r\n";
        for (stderr, kind) in [
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", Refused),
            ("ssh: connect to host 10.255.255.1 port 22: No route to host", Unreachable),
            ("ssh: connect to host 10.255.255.1 port 22: Network is unreachable", Unreachable),
            ("ssh: connect to host 10.255.255.1 port 22: Connection timed out", ConnectTimeout),
            ("Connection timed out during banner exchange", ConnectTimeout),
            ("ssh: Could not resolve hostname x.invalid: Name or service not known", NameUnknown),
            (
                "ssh: Could not resolve hostname x: Temporary failure in name resolution",
                NameUnknown,
            ),
            (unknown, HostKeyUnknown),
            (changed, HostKeyChanged),
            ("deploy@staging: Permission denied (publickey,password).", NotLetIn),
            ("Received disconnect from ::1 port 22:2: Too many authentication failures", NotLetIn),
            ("kex_exchange_identification: Connection closed by remote host", Dropped),
            ("client_loop: send disconnect: Broken pipe", Dropped),
            ("Connection to 127.0.0.1 closed by remote host.", Dropped),
            ("Timeout, server 10.0.0.1 not responding.", Dropped),
            ("Shared connection to 127.0.0.1 closed.", Dropped),
            (
                "/etc/x: line 1: Bad configuration option: foo\n/etc/x: terminating, 1 bad",
                BadConfig,
            ),
            ("Can't open user config file /nowhere: No such file or directory", BadConfig),
            ("Unable to negotiate with ::1 port 22: no matching host key type found.", BadConfig),
            ("something new", Other),
            ("", Other),
        ] {
            assert_eq!(diagnose(stderr).kind, kind, "{stderr}");
        }
        assert_eq!(
            diagnose(unknown).said,
            "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict \
             checking."
        );
    }
}
