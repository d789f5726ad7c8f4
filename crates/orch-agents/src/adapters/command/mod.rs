//! The `command` adapter: any program. It finds the brief on standard input and at
//! `$ORCH_BRIEF_FILE`, and the facts of its run in the environment.

use super::descriptor::{Descriptor, PLAIN};

/// Any program, started by the configured command line.
pub(super) static DESCRIPTOR: Descriptor = PLAIN;
