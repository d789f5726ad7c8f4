//! Which variables hold secrets, by their names and by the form of their values.

/// Words that make a name that of a secret wherever they stand in it.
const ANYWHERE: [&str; 4] = ["SECRET", "PASSWORD", "PASSWD", "PASSPHRASE"];
/// Words that do at its end, a number behind them apart.
const AT_END: [&str; 8] =
    ["KEY", "APIKEY", "TOKEN", "PASS", "PAT", "CREDENTIAL", "CREDENTIALS", "AUTH"];

/// Whether a variable, or a key of a JSON file, holds a secret by its name: `OPENAI_API_KEY`,
/// `accessToken`, `DB_PASSWORD_OLD`; not `KEY_PREFIX` or `MAX_TOKENS`.
pub fn looks_secret(name: &str) -> bool {
    let words = words(name);
    let last = words.iter().rfind(|word| !word.bytes().all(|b| b.is_ascii_digit()));
    words.iter().any(|word| ANYWHERE.contains(&word.as_str()))
        || last.is_some_and(|last| AT_END.contains(&last.as_str()))
}

/// The words of a name, in capitals: cut at signs, and before a capital that follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        small = c.is_ascii_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The password within a URL such as `postgres://user:password@host/`; `None` where it has none.
pub fn url_password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty()).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "OPENAI_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "accessToken",
            "refresh_token",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD_OLD",
            "GITHUB_TOKEN_2",
            "KEY",
            "npm_config__auth",
            "apiKey",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "ORCH_REPOSITORY_KEY_PREFIX",
            "MAX_TOKENS",
            "PATH",
            "MONKEY",
            "SSH_AUTH_SOCK",
            "TOKENIZER",
            "",
            "___",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn a_url_gives_its_password() {
        for (url, password) in [
            ("postgres://orch:s3cr3t-pw@db/orch", Some("s3cr3t-pw")),
            ("http://user:p@ss:w@proxy:3128", Some("p@ss:w")),
            ("https://host/a:b@c", None),
            ("https://user@host/", None),
            ("https://user:@host/", None),
            ("no url", None),
        ] {
            assert_eq!(url_password(url), password, "{url}");
        }
    }
}
