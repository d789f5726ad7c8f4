//! What is told.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Where lines go; told from the connection's handlers as well as from its main.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Mutex<Inner>>);

struct Inner {
    to: Box<dyn Write + Send>,
    /// What a resumed session tells again of its past is left out.
    muted: bool,
}

impl Lines {
    pub(crate) fn new(to: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inner { to: Box::new(to), muted: false })))
    }

    /// Leaves updates out from now on, or no longer.
    pub(crate) fn mute(&self, muted: bool) {
        self.inner().muted = muted;
    }

    pub(crate) fn session(&self, id: &str) {
        self.line(&json!({"acp": "session", "id": id}));
    }

    pub(crate) fn update(&self, update: &Value) {
        if !self.inner().muted {
            self.line(&json!({"acp": "update", "update": update}));
        }
    }

    pub(crate) fn permission(&self, tool: &str, granted: bool) {
        self.line(&json!({"acp": "permission", "tool": tool, "granted": granted}));
    }

    pub(crate) fn result(&self, stop_reason: &Value, usage: &Value) {
        self.line(&json!({"acp": "result", "stop_reason": stop_reason, "usage": usage}));
    }

    pub(crate) fn error(&self, code: i64, message: &str, data: &Value) {
        self.line(&json!({"acp": "error", "code": code, "message": message, "data": data}));
    }

    fn line(&self, line: &Value) {
        let to = &mut self.inner().to;
        // Whoever reads may have gone: then the supervisor ends us.
        let _ = writeln!(to, "{line}").and_then(|()| to.flush());
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
