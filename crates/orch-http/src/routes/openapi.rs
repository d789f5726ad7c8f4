//! `GET /openapi.json`: derived from the table of routes; only the schemas of bodies are written
//! out, and a test holds them against the types.

use axum::Json;
use serde_json::{Map, Value, json};

use super::{ROUTES, Route};

/// The description of the API.
pub(super) async fn openapi() -> Json<Value> {
    Json(document())
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Orchestrator",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Takes software tasks through a delivery pipeline.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": { "Problem": {
                "description": "A problem document (RFC 9457).",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                } },
            } },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": {
            "200": { "description": "Done." },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if let Some(body) = route.body {
        let schema = json!({ "$ref": format!("#/components/schemas/{body}") });
        operation["requestBody"] =
            json!({ "content": { "application/json": { "schema": schema } } });
    }
    if route.path == "/tasks" && route.body.is_some() {
        operation["responses"]["201"] = json!({ "description": "Created; see Location." });
    }
    operation
}

/// Such as `get_tasks_key_events`.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words.fold(route.method.to_ascii_lowercase(), |id, word| format!("{id}_{word}"))
}

fn parameters(route: &Route) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let in_path = route.path.split('/').filter_map(|piece| {
        let name = piece.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({ "name": name, "in": "path", "required": true, "schema": text }))
    });
    let in_query = route.query.unwrap_or_default().iter().map(|name| {
        let kind = if matches!(*name, "limit" | "after") { "integer" } else { "string" };
        json!({ "name": name, "in": "query", "schema": { "type": kind } })
    });
    in_path.chain(in_query).collect()
}

fn schemas() -> Value {
    let text = json!({ "type": "string" });
    let reason = json!({ "type": "string", "maxLength": 1000 });
    let closed = |properties: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    json!({
        "NewTask": closed(json!({
            "title": { "type": "string", "maxLength": 300 },
            "body": text,
            "repo": text,
            "priority": { "type": "integer", "format": "int32" },
        }), &["title"]),
        "CancelRequest": closed(json!({ "reason": reason }), &[]),
        "RetryRequest": closed(json!({
            "raise_cost_micros": { "type": "integer", "minimum": 0 },
            "raise_tokens": { "type": "integer", "minimum": 0 },
        }), &[]),
        "RetryCauseRequest": closed(json!({}), &[]),
        "ApproveRequest": closed(json!({ "by": reason }), &[]),
        "AnswerRequest": closed(json!({ "text": text }), &["text"]),
        "PauseRequest": closed(json!({ "task": text, "reason": reason }), &["task"]),
        "ResumeRequest": closed(json!({ "task": text, "reason": reason }), &["task"]),
        "FreezeRequest": closed(json!({ "repo": text, "reason": reason }), &["repo"]),
        "UnfreezeRequest": closed(json!({ "repo": text, "reason": reason }), &["repo"]),
        "RegisterRepo": closed(json!({ "checkout": text, "remote": text }), &["checkout"]),
        "Problem": {
            "type": "object",
            "properties": {
                "type": text, "title": text, "status": { "type": "integer" },
                "detail": text, "instance": text, "errors": { "type": "array" },
            },
            "required": ["type", "title", "status", "detail"],
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use orch_api::{
        AnswerRequest, ApproveRequest, CancelRequest, FreezeRequest, NewTask, PauseRequest,
        RegisterRepo, ResumeRequest, RetryCauseRequest, RetryRequest, UnfreezeRequest,
    };
    use serde::Serialize;

    use super::*;

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    }

    fn filled(body: impl Serialize) -> BTreeSet<String> {
        keys(&serde_json::to_value(body).unwrap())
    }

    #[test]
    fn schemas_of_bodies_have_the_fields_of_their_types() {
        let some = || Some("x".to_owned());
        let x = || "x".to_owned();
        let types = [
            ("NewTask", filled(NewTask { repo: some(), ..NewTask::default() })),
            ("CancelRequest", filled(CancelRequest { reason: some() })),
            (
                "RetryRequest",
                filled(RetryRequest { raise_cost_micros: Some(1), raise_tokens: Some(1) }),
            ),
            ("RetryCauseRequest", filled(RetryCauseRequest {})),
            ("ApproveRequest", filled(ApproveRequest { by: some() })),
            ("AnswerRequest", filled(AnswerRequest { text: x() })),
            ("PauseRequest", filled(PauseRequest { task: x(), reason: some() })),
            ("ResumeRequest", filled(ResumeRequest { task: x(), reason: some() })),
            ("FreezeRequest", filled(FreezeRequest { repo: x(), reason: some() })),
            ("UnfreezeRequest", filled(UnfreezeRequest { repo: x(), reason: some() })),
            ("RegisterRepo", filled(RegisterRepo { checkout: x(), remote: some() })),
        ];
        let schemas = schemas();
        for (name, fields) in &types {
            assert_eq!(&keys(&schemas[name]["properties"]), fields, "{name}");
        }
        let named: BTreeSet<_> = ROUTES.iter().filter_map(|route| route.body).collect();
        assert_eq!(named, types.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn every_route_is_described_once() {
        let document = document();
        let mut ids = BTreeSet::new();
        for route in ROUTES {
            let described = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            assert_eq!(described["summary"], route.summary, "{} {}", route.method, route.path);
            assert!(ids.insert(operation_id(route)), "{} twice", operation_id(route));
        }
    }
}
