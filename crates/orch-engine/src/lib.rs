//! The loops: read, decide, apply, act.
