//! What must not be read in anything that a run leaves behind: the service's own secrets, and those
//! that runs are lent (S6).

use std::io::Read;
use std::path::Path;

use orch_core::redact::{Masks, url_password};
use orch_core::settings::{Adapter, Redact};
use serde_json::Value;

use crate::engine::Engine;

/// The largest login file that is looked through.
const MAX_LOGIN: u64 = 256 << 10;
/// Shorter texts of a login file are no tokens.
const MIN_TOKEN: usize = 16;

impl Engine {
    /// The masks of a repository's runs.
    pub fn masks(&self, redact: &Redact) -> Masks {
        let own = self.settings.secrets.iter();
        let own = own.map(|(name, secret)| ((*name).to_owned(), secret.expose().to_owned()));
        let mut found: Vec<(String, String)> = own.collect();
        for (name, value) in &self.environment {
            found.extend(of_variable(redact, name, value));
        }
        if let Some(home) = self.environment.get("HOME") {
            let descriptors =
                Adapter::ALL.iter().filter_map(|(one, _)| orch_agents::descriptor(*one));
            for file in descriptors.filter_map(|descriptor| descriptor.login_file) {
                tokens(file, &login(&Path::new(home).join(file)), &mut found);
            }
        }
        Masks::new(found)
    }
}

/// What is secret of a variable: its whole value, or the password in an address.
fn of_variable(redact: &Redact, name: &str, value: &str) -> Vec<(String, String)> {
    let named = |value: &str| (name.to_owned(), value.to_owned());
    let excepted = redact.except.iter().any(|other| other == name);
    let password = url_password(value).filter(|_| !excepted).map(named);
    // A name such as TLS_KEY may be that of a variable which says where the key lies.
    let is_path = Path::new(value).is_absolute() && Path::new(value).exists();
    let whole = (redact.covers(name) && !is_path).then(|| named(value));
    whole.into_iter().chain(password).collect()
}

/// A login that an agent's program keeps; `null` where there is none.
fn login(path: &Path) -> Value {
    let mut text = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_LOGIN).read_to_end(&mut text));
    read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// The tokens in a login file: texts under keys that look like those of secrets.
fn tokens(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text)
                        if text.len() >= MIN_TOKEN && orch_core::redact::looks_secret(key) =>
                    {
                        found.push((name.to_owned(), text.clone()));
                    }
                    _ => tokens(name, value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| tokens(name, item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_gives_its_value_its_password_or_nothing() {
        let redact = Redact {
            variables: vec!["LICENCE".into()],
            except: vec!["SORT_KEY".into(), "DB".into()],
        };
        let of = |name: &str, value: &str| -> Vec<String> {
            of_variable(&redact, name, value).into_iter().map(|(_, value)| value).collect()
        };
        assert_eq!(of("API_KEY", "0123456789"), ["0123456789"]);
        assert_eq!(of("LICENCE", "0123456789"), ["0123456789"]);
        assert_eq!(of("HTTPS_PROXY", "http://me:pass-word@proxy"), ["pass-word"]);
        for (name, value) in [
            ("SORT_KEY", "0123456789"),
            ("TLS_KEY", "/etc/passwd"),
            ("PATH", "/usr/bin"),
            ("DB", "postgres://me:pass-word@host/"),
        ] {
            assert!(of(name, value).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_login_gives_its_tokens() {
        let login = serde_json::json!({
            "claudeAiOauth": { "accessToken": "sk-ant-oat01-abcdefgh", "expiresAt": 1, "scopes": ["a"] },
            "tokens": [{ "id_token": "eyJhbGciOiJSUzI1NiJ9.x", "account_id": "0123456789abcdef" }],
            "OPENAI_API_KEY": null, "short": { "token": "abc" },
        });
        let mut found = Vec::new();
        tokens("login", &login, &mut found);
        let values: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["sk-ant-oat01-abcdefgh", "eyJhbGciOiJSUzI1NiJ9.x"]);
        assert_eq!(super::login(Path::new("/no/such/file")), Value::Null);
    }
}
