//! What every request passes before its handler, and every answer after it.

mod answer;
mod host;
mod origin;
mod query;
mod token;

pub(crate) use answer::answer;
pub(crate) use host::host;
pub(crate) use origin::origin;
pub(crate) use query::query;
pub(crate) use token::token;
