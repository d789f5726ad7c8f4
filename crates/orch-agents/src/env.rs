//! What of the service's environment a run may see: an allow-list, so that no secret leaks by
//! being forgotten.

use std::collections::BTreeMap;

/// Names that every run may see.
pub const ENV_ALLOW_LIST: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "TMPDIR",
    "SHELL",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The allowed part of an environment, with the names that the settings add. Nothing that begins
/// with `ORCH_` passes: the service's own settings and tokens are not a run's business.
pub fn allowed_env(all: &BTreeMap<String, String>, further: &[String]) -> BTreeMap<String, String> {
    let allowed = |name: &str| {
        ENV_ALLOW_LIST.contains(&name)
            || name.starts_with("LC_")
            || further.iter().any(|extra| extra == name)
    };
    let kept = all.iter().filter(|(name, _)| allowed(name) && !name.starts_with("ORCH_"));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_pass_and_named_extras_do() {
        let all: BTreeMap<String, String> =
            ["PATH", "LC_ALL", "ORCH_API_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_KEY"]
                .map(|n| (n.into(), "x".into()))
                .into();
        let further = ["MY_KEY".to_owned(), "ORCH_API_TOKEN".to_owned()];
        let names: Vec<String> = allowed_env(&all, &further).into_keys().collect();
        assert_eq!(names, ["LC_ALL", "MY_KEY", "PATH"]);
    }
}
