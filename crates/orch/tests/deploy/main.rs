//! Deploys to a service that really runs, with every way in which they go wrong.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod elsewhere;
mod kills;
mod matrix;
mod monitors;
