//! The HTTP API: a file per resource. No SQL, no deciding.
//!
//! A request passes the guards (host, origin, query), a handler reads it into domain values, and
//! the operator or the store does the work on a blocking thread. Every error leaves as a problem
//! document. The routes are one table, [`ROUTES`], from which the router and the API's description
//! both derive.

mod extract;
mod guards;
mod paging;
mod problem;
mod routes;
mod serve;
mod sse;
mod state;
mod text;
mod wire;

pub use routes::{ROUTES, Route, router};
pub use serve::serve;
pub use state::AppState;
