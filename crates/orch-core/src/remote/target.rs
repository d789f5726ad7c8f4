//! Where ssh goes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::IdError;

/// A host that ssh reaches: `[user@]host`, or `ssh://[user@]host[:port]`. Holds nothing that ssh
/// or a shell could take for an option, a command or a second word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SshTarget {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

/// The form of a target, to follow "must be".
const FORM: &str = "an ssh target, such as deploy@staging.example or ssh://deploy@host:2222";
/// The longest host name of DNS; a user name is far shorter.
const MAX_PART: usize = 255;

impl SshTarget {
    /// Reads the text form.
    pub fn new(text: &str) -> Result<Self, IdError> {
        parse(text).ok_or_else(|| IdError {
            what: "ssh target",
            given: text.chars().take(80).collect(),
            rule: FORM,
        })
    }

    /// Who logs in; `None` leaves it to ssh's own configuration.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host's name, address, or alias in ssh's own configuration.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; `None` leaves it to ssh's own configuration.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

fn parse(text: &str) -> Option<SshTarget> {
    let (rest, url) = match text.strip_prefix("ssh://") {
        Some(rest) => (rest.strip_suffix('/').unwrap_or(rest), true),
        None => (text, false),
    };
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    let (host, port) = if url { split_port(place)? } else { (place, None) };
    let user_kept = user.is_none_or(|user| word(user, "._+-@\\"));
    let host_kept = word(host, "._-") || host.parse::<std::net::Ipv6Addr>().is_ok();
    (user_kept && host_kept).then(|| SshTarget {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    })
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':')?)),
            }
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let Some(port) = port else { return Some((host, None)) };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let number: u16 = port.parse().ok()?;
    (digits && number > 0).then_some((host, Some(number)))
}

fn word(text: &str, further: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first
        && text.len() <= MAX_PART
        && text.chars().all(|c| c.is_ascii_alphanumeric() || further.contains(c))
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        match self.port {
            Some(port) if self.host.contains(':') => {
                write!(f, "ssh://{user}[{}]:{port}", self.host)
            }
            Some(port) => write!(f, "ssh://{user}{}:{port}", self.host),
            None => write!(f, "{user}{}", self.host),
        }
    }
}

impl FromStr for SshTarget {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl TryFrom<String> for SshTarget {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl From<SshTarget> for String {
    fn from(target: SshTarget) -> String {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written_alike() {
        for (text, user, host, port) in [
            ("staging", None, "staging", None),
            ("deploy@staging.example", Some("deploy"), "staging.example", None),
            ("ssh://deploy@staging.example:2222", Some("deploy"), "staging.example", Some(2222)),
            ("ssh://10.0.0.1:22", None, "10.0.0.1", Some(22)),
            ("ssh://me@[::1]:22", Some("me"), "::1", Some(22)),
            ("me@::1", Some("me"), "::1", None),
            ("a@corp.example@bastion", Some("a@corp.example"), "bastion", None),
        ] {
            let target = SshTarget::new(text).unwrap();
            assert_eq!((target.user(), target.host(), target.port()), (user, host, port), "{text}");
            assert_eq!(target.to_string(), text);
        }
        assert_eq!(SshTarget::new("ssh://host/").unwrap().to_string(), "host");
        assert_eq!(SshTarget::new("ssh://me@[::1]").unwrap().to_string(), "me@::1");
    }

    #[test]
    fn nothing_passes_that_ssh_or_a_shell_could_take_for_more_than_a_host() {
        for bad in [
            "",
            "@",
            "user@",
            "@host",
            "-oProxyCommand=touch /tmp/x",
            "user@-oProxyCommand=x",
            "-l@host",
            "host name",
            "host\0",
            "host\n",
            "host;reboot",
            "$(reboot)",
            "`reboot`@host",
            "us'er@host",
            "ho|st",
            "%h",
            "höst",
            "ssh://",
            "ssh://-x",
            "ssh://host:",
            "ssh://host:0",
            "ssh://host:+22",
            "ssh://host:70000",
            "ssh://host:22:22",
            "ssh://host/path",
            "ssh://[::1",
            "ssh://[::1]x",
            "host:22",
            "::zz",
        ] {
            assert!(SshTarget::new(bad).is_err(), "{bad:?} passed");
        }
        assert!(SshTarget::new(&"h".repeat(MAX_PART + 1)).is_err());
    }
}
