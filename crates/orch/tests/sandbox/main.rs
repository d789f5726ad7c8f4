//! What a hostile agent tries from within each sandbox, with the real program: none of it may work,
//! and honest work has to.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

mod bed;
mod escapes;
mod honest;
mod limits;
mod network;
mod secrets;
mod token;
