//! Work on another machine: what it is reached by, what proves that it ran, and what its faults
//! mean (S7).
//!
//! A verdict from far away needs positive evidence: the [`Frame`] that the far side writes when the
//! work has come to its own end. With it the work ran, whatever ssh itself ended with; without it
//! nothing is known of the work, and what failed is infrastructure.

mod diagnose;
mod end;
mod fault;
mod frame;
mod link;
mod target;

pub use diagnose::diagnose;
pub use end::RemoteEnd;
pub use fault::{Fault, FaultKind};
pub use frame::{Ended, Expected, Frame, FrameError, MAX_FRAME_BYTES, Nonce};
pub use link::{Attempt, Next, Progress, next};
pub use target::SshTarget;
