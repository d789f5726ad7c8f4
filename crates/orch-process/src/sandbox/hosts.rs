//! Which hosts a run may reach.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host, or all hosts below a domain, with a port or the usual two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern {
    /// Lower case, without `*.`.
    host: String,
    /// Whether it stands for all hosts below it, itself not among them.
    below: bool,
    /// `None` means 80 and 443.
    port: Option<u16>,
}

/// A text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host such as api.example.com, *.example.com or localhost:8080")]
pub struct NoHost(String);

impl FromStr for HostPattern {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let fault = || NoHost(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| fault())?)),
            None => (text, None),
        };
        let (host, below) = host.strip_prefix("*.").map_or((host, false), |host| (host, true));
        let odd = |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err(fault());
        }
        Ok(Self { host: host.to_ascii_lowercase(), below, port })
    }
}

impl TryFrom<String> for HostPattern {
    type Error = NoHost;
    fn try_from(text: String) -> Result<Self, NoHost> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{star}{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl HostPattern {
    /// Whether it stands for this host and port.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let named = if self.below {
            host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.host
        };
        named && self.port.map_or(matches!(port, 80 | 443), |own| own == port)
    }

    /// Whether it names this machine itself, so that a name which leads here is what was meant.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| is_private(&ip))
    }
}

/// Whether an address is of this machine or its own network: a public name that leads there is a
/// trick to reach a neighbour, the service itself among them.
pub(super) fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            let mapped = ip.to_ipv4_mapped().is_some_and(|ip| is_private(&IpAddr::V4(ip)));
            let first = ip.segments()[0];
            let unique_local = first & 0xfe00 == 0xfc00;
            let link_local = first & 0xffc0 == 0xfe80;
            mapped || ip.is_loopback() || ip.is_unspecified() || unique_local || link_local
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_matches() {
        for (pattern, host, port, matches) in [
            ("api.example.com", "api.example.com", 443, true),
            ("api.example.com", "API.Example.com.", 80, true),
            ("api.example.com", "api.example.com", 8080, false),
            ("api.example.com", "evil-api.example.com", 443, false),
            ("api.example.com", "api.example.com.evil.org", 443, false),
            ("*.example.com", "a.b.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", "evilexample.com", 443, false),
            ("localhost:8080", "localhost", 8080, true),
            ("localhost:8080", "localhost", 8420, false),
            ("127.0.0.1:9", "127.0.0.1", 9, true),
        ] {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(host, port), matches, "{pattern} {host}:{port}");
        }
        for bad in ["", "*.", "a b", "a:b", "a:70000", "http://a", "-o x", "a/b"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_this_machine_are_told() {
        for (ip, private) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("192.168.0.1", true),
            ("169.254.169.254", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("93.184.216.34", false),
            ("2606:2800::1", false),
        ] {
            assert_eq!(is_private(&ip.parse().unwrap()), private, "{ip}");
        }
    }
}
