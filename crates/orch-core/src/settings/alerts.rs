//! `[alerts]`: who is told of holds, used-up budgets and paused channels (S13).

use std::time::Duration;

use super::error::SettingsError;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use super::secret::Secret;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// The kill-switch; off, alerts gather and nobody is told.
    pub enabled: bool,
    /// How long alerts about one fault gather before they are told as one.
    pub gather: Duration,
    /// Each that is told; empty where nobody is.
    pub receivers: Vec<Receiver>,
}

/// One who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// Any program that takes JSON.
    Webhook {
        /// Where it is posted to.
        url: Secret,
        /// What it is signed with; `None` for no signature.
        secret: Option<Secret>,
    },
    /// Slack, or what takes the same form.
    Slack {
        /// The incoming webhook.
        url: Secret,
    },
    /// A topic of ntfy.
    Ntfy {
        /// The topic's address.
        url: String,
        /// The access token; `None` where the topic is open.
        token: Option<Secret>,
    },
    /// A chat of Telegram.
    Telegram {
        /// The address of the bot API.
        url: String,
        /// The bot.
        token: Secret,
        /// The chat.
        chat: String,
    },
}

impl Receiver {
    /// Its name in records and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Ntfy { .. } => "ntfy",
            Self::Telegram { .. } => "telegram",
        }
    }

    /// What nobody else may know of it, by the name of the variable that sets it.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        match self {
            Self::Webhook { url, secret } => {
                let signs = secret.iter().map(|secret| (WEBHOOK_SECRET.env, secret));
                std::iter::once((WEBHOOK_URL.env, url)).chain(signs).collect()
            }
            Self::Slack { url } => vec![(SLACK_URL.env, url)],
            Self::Ntfy { token, .. } => token.iter().map(|token| (NTFY_TOKEN.env, token)).collect(),
            Self::Telegram { token, .. } => vec![(TELEGRAM_TOKEN.env, token)],
        }
    }
}

static ENABLED: Key = Key {
    section: "alerts",
    name: "enabled",
    env: "ORCH_ALERTS_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch: off, nobody is told",
};
static GATHER: Key = Key {
    section: "alerts",
    name: "gather",
    env: "ORCH_ALERTS_GATHER",
    kind: Kind::Duration { min_ms: 1, max_ms: 3_600_000, or_off: true },
    default: "5s",
    doc: "How long alerts about one fault gather before they are told as one",
};
static WEBHOOK_URL: Key = Key {
    section: "alerts",
    name: "webhook_url",
    env: "ORCH_ALERTS_WEBHOOK_URL",
    kind: Kind::Secret,
    default: "",
    doc: "Where alerts are posted as JSON",
};
static WEBHOOK_SECRET: Key = Key {
    section: "alerts",
    name: "webhook_secret",
    env: "ORCH_ALERTS_WEBHOOK_SECRET",
    kind: Kind::Secret,
    default: "",
    doc: "Signs what is posted there: X-Orch-Signature-256 is sha256= and the HMAC of the body",
};
static SLACK_URL: Key = Key {
    section: "alerts",
    name: "slack_url",
    env: "ORCH_ALERTS_SLACK_URL",
    kind: Kind::Secret,
    default: "",
    doc: "An incoming webhook of Slack, or of what takes the same form",
};
static NTFY_URL: Key = Key {
    section: "alerts",
    name: "ntfy_url",
    env: "ORCH_ALERTS_NTFY_URL",
    kind: Kind::URL,
    default: "",
    doc: "A topic of ntfy, such as https://ntfy.example/builds",
};
static NTFY_TOKEN: Key = Key {
    section: "alerts",
    name: "ntfy_token",
    env: "ORCH_ALERTS_NTFY_TOKEN",
    kind: Kind::Secret,
    default: "",
    doc: "The access token of that topic",
};
static TELEGRAM_TOKEN: Key = Key {
    section: "alerts",
    name: "telegram_token",
    env: "ORCH_ALERTS_TELEGRAM_TOKEN",
    kind: Kind::Secret,
    default: "",
    doc: "The token of a Telegram bot",
};
static TELEGRAM_CHAT: Key = Key {
    section: "alerts",
    name: "telegram_chat",
    env: "ORCH_ALERTS_TELEGRAM_CHAT",
    kind: Kind::Text { form: "a chat's id", rule: rules::text },
    default: "",
    doc: "The chat that the bot writes to",
};
static TELEGRAM_URL: Key = Key {
    section: "alerts",
    name: "telegram_url",
    env: "ORCH_ALERTS_TELEGRAM_URL",
    kind: Kind::URL,
    default: "https://api.telegram.org",
    doc: "The bot API, where it is not Telegram's own",
};

/// `[alerts]`.
pub(super) static SECTION: Section = Section {
    name: "alerts",
    instance: None,
    scope: Scope::Service,
    doc: "Who is told of holds, used-up budgets and paused channels",
    keys: &[
        &ENABLED,
        &GATHER,
        &WEBHOOK_URL,
        &WEBHOOK_SECRET,
        &SLACK_URL,
        &NTFY_URL,
        &NTFY_TOKEN,
        &TELEGRAM_TOKEN,
        &TELEGRAM_CHAT,
        &TELEGRAM_URL,
    ],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Alerts {
    let mut receivers = Vec::new();
    let secret = needs(reader, &WEBHOOK_SECRET, &WEBHOOK_URL);
    if let Some(url) = secret_url(reader, &WEBHOOK_URL) {
        receivers.push(Receiver::Webhook { url, secret });
    }
    if let Some(url) = secret_url(reader, &SLACK_URL) {
        receivers.push(Receiver::Slack { url });
    }
    let token = needs(reader, &NTFY_TOKEN, &NTFY_URL);
    if let Some(url) = reader.text(&NTFY_URL) {
        receivers.push(Receiver::Ntfy { url, token });
    }
    let token = needs(reader, &TELEGRAM_TOKEN, &TELEGRAM_CHAT);
    let url = reader.text(&TELEGRAM_URL).unwrap_or_default();
    if let (Some(token), Some(chat)) = (token, reader.text(&TELEGRAM_CHAT)) {
        receivers.push(Receiver::Telegram { url, token, chat });
    }
    Alerts { enabled: reader.flag(&ENABLED), gather: reader.duration(&GATHER), receivers }
}

/// An address that is a secret itself, as those of incoming webhooks are.
fn secret_url(reader: &mut Reader<'_>, key: &Key) -> Option<Secret> {
    let (value, place) = reader.value(key);
    let url = value.secret()?;
    if let Err(form) = rules::url(url.expose()) {
        let message = format!("`{}` {form}", key.path(None));
        reader.errors.push(SettingsError::new(place, message, None));
        return None;
    }
    Some(url)
}

/// A secret that is of no use without another key.
fn needs(reader: &mut Reader<'_>, key: &Key, other: &Key) -> Option<Secret> {
    let (value, place) = reader.value(key);
    let secret = value.secret()?;
    if reader.is_unset(other) {
        let (key, other) = (key.path(None), other.path(None));
        let message = format!("`{key}` is set and `{other}` is not");
        reader.errors.push(SettingsError::new(place, message, Some(format!("set {other} too"))));
    }
    Some(secret)
}
