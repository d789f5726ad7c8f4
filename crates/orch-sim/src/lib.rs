//! The deterministic simulator: the real decisions of `orch-core`, the engine's real judgement of
//! runs and the real store, in a simulated world of workers, processes, clocks, git and people.
//!
//! Everything that happens is a [`Directive`], one line of text. A seed is a way of choosing
//! directives; a script is a list of them; what a failing seed did is such a list too, and is made
//! shorter by leaving directives out. One thread, no real clock, no real randomness: the same list
//! comes to the same end.

pub mod directive;
pub mod judge;
pub mod plant;
pub mod run;
pub mod script;
pub mod world;

pub use directive::Directive;
pub use plant::Plant;
pub use world::World;
