//! Whole runs with real processes: every way in which one can start, misbehave and end.

mod crashes;
mod ends;
mod launches;
mod measure;
mod outputs;
mod support;
mod trees;
