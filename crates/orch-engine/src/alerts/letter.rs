//! What each kind of receiver is sent: pure, one small formatter each.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use orch_core::settings::{Receiver, Secret};
use serde_json::json;
use sha2::Sha256;

/// What is told.
#[derive(Debug, Clone)]
pub struct News {
    /// The same with every try, so that a receiver can tell a repetition.
    pub id: String,
    /// What makes it one with others of its kind.
    pub key: String,
    /// One line.
    pub message: String,
    /// How many alike it stands for.
    pub times: u32,
    /// When it arose.
    pub at: Timestamp,
    /// The machine that tells.
    pub host: String,
}

/// A request as it goes out; always a POST.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where to; may hold a secret.
    pub url: Secret,
    /// Further headers; may hold secrets.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// The longest text that all receivers take.
const LONGEST: usize = 3000;

/// What this receiver is sent.
pub fn letter(receiver: &Receiver, news: &News) -> Letter {
    let as_json = || ("Content-Type", "application/json".to_owned());
    match receiver {
        Receiver::Webhook { url, secret } => {
            let body = json!({
                "id": news.id, "key": news.key, "message": news.message, "times": news.times,
                "at": news.at, "host": news.host,
            })
            .to_string();
            let mut headers = vec![as_json(), ("X-Orch-Delivery", news.id.clone())];
            if let Some(secret) = secret {
                headers.push(("X-Orch-Signature-256", signature(secret, &body)));
            }
            Letter { url: url.clone(), headers, body }
        }
        Receiver::Slack { url } => {
            let text = line(news).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Letter {
                url: url.clone(),
                headers: vec![as_json()],
                body: json!({ "text": text }).to_string(),
            }
        }
        Receiver::Ntfy { url, token } => {
            let mut headers = vec![("Title", "Orchestrator".to_owned())];
            if let Some(token) = token {
                headers.push(("Authorization", format!("Bearer {}", token.expose())));
            }
            Letter { url: Secret::new(url.clone()), headers, body: line(news) }
        }
        Receiver::Telegram { url, token, chat } => {
            let url = format!("{}/bot{}/sendMessage", url.trim_end_matches('/'), token.expose());
            let body = json!({ "chat_id": chat, "text": line(news) }).to_string();
            Letter { url: Secret::new(url), headers: vec![as_json()], body }
        }
    }
}

fn line(news: &News) -> String {
    let message: String = news.message.chars().take(LONGEST).collect();
    match news.times {
        0 | 1 => message,
        times => format!("{message} ({times} alike)"),
    }
}

/// `sha256=` and the HMAC of the body in hexadecimal digits.
fn signature(secret: &Secret, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().fold("sha256=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> News {
        News {
            id: "7".into(),
            key: "held:HELLO-1:testing".into(),
            message: "HELLO-1 is held: <no> docker & no disk".into(),
            times: 2,
            at: Timestamp::UNIX_EPOCH,
            host: "h".into(),
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn a_webhook_is_signed_over_its_body() {
        let receiver =
            Receiver::Webhook { url: secret("http://x/y"), secret: Some(secret("It's a Secret")) };
        let letter = letter(&receiver, &news());
        let signed = letter.headers.iter().find(|(name, _)| *name == "X-Orch-Signature-256");
        assert_eq!(signed.unwrap().1, signature(&secret("It's a Secret"), &letter.body));
        let body: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!((&body["id"], &body["times"]), (&json!("7"), &json!(2)));
        // The published test vector of GitHub's webhooks.
        let known = signature(&secret("It's a Secret to Everybody"), "Hello, World!");
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(known, expected);
    }

    #[test]
    fn each_receiver_gets_its_own_form() {
        let slack = letter(&Receiver::Slack { url: secret("http://x") }, &news());
        assert_eq!(
            slack.body,
            r#"{"text":"HELLO-1 is held: &lt;no&gt; docker &amp; no disk (2 alike)"}"#
        );
        let ntfy = Receiver::Ntfy { url: "http://x/t".into(), token: Some(secret("tk")) };
        let ntfy = letter(&ntfy, &news());
        assert_eq!(ntfy.body, "HELLO-1 is held: <no> docker & no disk (2 alike)");
        assert!(ntfy.headers.contains(&("Authorization", "Bearer tk".to_owned())));
        let bot =
            Receiver::Telegram { url: "http://x/".into(), token: secret("1:a"), chat: "-9".into() };
        let bot = letter(&bot, &news());
        assert_eq!(bot.url.expose(), "http://x/bot1:a/sendMessage");
        assert!(bot.body.contains(r#""chat_id":"-9""#), "{}", bot.body);
        assert!(!format!("{bot:?}").contains("1:a"), "a secret shows");
    }
}
