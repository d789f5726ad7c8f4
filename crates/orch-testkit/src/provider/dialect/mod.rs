//! The wire protocols.

mod anthropic;
mod chat;
mod gemini;
mod responses;

use serde_json::{Value, json};

use super::answer::Answer;
use super::conversation::Conversation;
use super::reply::Event;

/// A wire protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Anthropic's Messages.
    Anthropic,
    /// `OpenAI`'s Responses.
    Responses,
    /// `OpenAI`'s Chat Completions.
    Chat,
    /// Gemini.
    Gemini,
}

/// What a path asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// An answer of the model.
    Generate(Dialect),
    /// This document.
    Plain(Value),
}

impl Route {
    /// What the path below the base URL asks for.
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/v1/messages" => Self::Generate(Dialect::Anthropic),
            "/v1/messages/count_tokens" => {
                Self::Plain(json!({"input_tokens": super::INPUT_TOKENS}))
            }
            "/v1/responses" => Self::Generate(Dialect::Responses),
            "/v1/chat/completions" => Self::Generate(Dialect::Chat),
            "/v1/models" => Self::Plain(json!({"object": "list", "data": [MODEL.as_json()]})),
            _ => return gemini_route(path),
        })
    }
}

/// Gemini's paths name model and method: `/v1beta/models/MODEL:METHOD`.
fn gemini_route(path: &str) -> Option<Route> {
    let (_, method) = path.strip_prefix("/v1beta/models/")?.split_once(':')?;
    Some(match method {
        "generateContent" | "streamGenerateContent" => Route::Generate(Dialect::Gemini),
        "countTokens" => Route::Plain(json!({"totalTokens": super::INPUT_TOKENS})),
        _ => return None,
    })
}

/// The model that is listed; every other name is taken as well.
const MODEL: Model = Model("fake-model");

struct Model(&'static str);

impl Model {
    fn as_json(&self) -> Value {
        json!({"id": self.0, "type": "model", "object": "model", "display_name": self.0,
               "created": 0, "created_at": "2026-01-01T00:00:00Z", "owned_by": "test"})
    }
}

impl Dialect {
    /// A request, read; what it lacks is empty.
    pub(super) fn read(self, path: &str, body: &Value) -> Conversation {
        match self {
            Self::Anthropic => anthropic::read(body),
            Self::Responses => responses::read(body),
            Self::Chat => chat::read(body),
            Self::Gemini => gemini::read(path, body),
        }
    }

    /// The answer as a stream's events; `number` makes its ids unique.
    pub(super) fn events(self, answer: &Answer, to: &Conversation, number: u64) -> Vec<Event> {
        match self {
            Self::Anthropic => anthropic::events(answer, to, number),
            Self::Responses => responses::events(answer, to, number),
            Self::Chat => chat::events(answer, to, number),
            Self::Gemini => gemini::events(answer, to, number),
        }
    }

    /// The answer as one document.
    pub(super) fn document(self, answer: &Answer, to: &Conversation, number: u64) -> Value {
        match self {
            Self::Anthropic => anthropic::document(answer, to, number),
            Self::Responses => responses::document(answer, to, number),
            Self::Chat => chat::document(answer, to, number),
            Self::Gemini => gemini::document(answer, to, number),
        }
    }

    /// An error's document.
    pub(super) fn error(self, code: u16, message: &str) -> Value {
        match self {
            Self::Anthropic => anthropic::error(code, message),
            Self::Responses | Self::Chat => openai_error(code, message, None),
            Self::Gemini => gemini::error(code, message),
        }
    }

    /// What is said with a 400 where the prompt is too large.
    pub(super) fn overflow(self) -> Value {
        match self {
            Self::Anthropic => {
                anthropic::error(400, "prompt is too long: 250000 tokens > 200000 maximum")
            }
            Self::Gemini => gemini::error(
                400,
                "The input token count (1250000) exceeds the maximum number of tokens allowed \
                 (1048576).",
            ),
            Self::Responses | Self::Chat => openai_error(
                400,
                "Your input exceeds the context window of this model. Please adjust your input and \
                 try again.",
                Some("context_length_exceeded"),
            ),
        }
    }
}

/// The error document of `OpenAI`'s dialects.
fn openai_error(status: u16, message: &str, code: Option<&str>) -> Value {
    let (kind, usual) = match status {
        401 => ("authentication_error", Some("invalid_api_key")),
        403 => ("permission_error", None),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code.or(usual)}})
}

/// All texts of a content that is a text or a list of parts with a text each.
fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
