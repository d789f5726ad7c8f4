//! The queue moves on by itself after whatever was left behind: the real program, with one place
//! for a run, before rows that no program writes, foreign processes under remembered pids, killed
//! and stopped supervisors, and containers that begin with fresh pids.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod containers;
mod crashes;
mod incident;
mod stopped;
