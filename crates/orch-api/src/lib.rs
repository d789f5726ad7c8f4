//! Wire types, problem documents and the typed client of the HTTP API.
