//! The HTTP API: a file per resource. No SQL, no deciding.
