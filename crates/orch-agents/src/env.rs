//! What of the service's environment a run may see: an allow-list, so that no secret leaks by
//! being forgotten.

use std::collections::BTreeMap;

/// Names that every run may see, beside all that begin with `LC_`: what programs need to find
/// their tools, their files and the network, and nothing that is a secret by its purpose.
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
    "COLORTERM",
    "NO_COLOR",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    // A proxy's address may hold a password, but without it nothing reaches the network.
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "all_proxy",
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

    fn names(all: &[&str], further: &[&str]) -> Vec<String> {
        let all = all.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let further: Vec<String> = further.iter().map(|name| (*name).to_owned()).collect();
        allowed_env(&all, &further).into_keys().collect()
    }

    #[test]
    fn secrets_do_not_pass_and_named_extras_do() {
        let all = [
            "PATH",
            "LC_ALL",
            "ORCH_API_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "ANTHROPIC_API_KEY",
            "LD_PRELOAD",
            "GIT_DIR",
            "path",
            "MY_KEY",
        ];
        assert_eq!(names(&all, &[]), ["LC_ALL", "PATH"]);
        assert_eq!(names(&all, &["MY_KEY"]), ["LC_ALL", "MY_KEY", "PATH"]);
    }

    #[test]
    fn the_services_own_settings_never_pass_even_by_name() {
        let all = ["ORCH_API_TOKEN", "ORCH_HOME", "ORCH_RUN_MARK"];
        assert!(names(&all, &all).is_empty());
    }

    #[test]
    fn the_list_itself_names_no_secret() {
        for name in ENV_ALLOW_LIST {
            let secret = ["TOKEN", "SECRET", "PASS", "KEY", "CREDENTIAL", "ORCH_"];
            assert!(!secret.iter().any(|word| name.contains(word)), "{name}");
        }
    }
}
