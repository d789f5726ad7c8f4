//! Runs of the simulator: directives one by one, each judged; by a seed, by a script, or again.

mod compose;
mod drain;
mod random;
mod report;
mod shrink;

use anyhow::Context as _;

use crate::directive::Directive;
use crate::judge::{Judge, Violation};
use crate::plant::Plant;
use crate::world::{Setup, World};

pub use report::{Failure, Summary};
pub use shrink::shrink;

/// A world and its judge.
pub struct Session {
    /// The world.
    pub world: World,
    /// Its judge.
    pub judge: Judge,
    /// Steps that were judged.
    pub steps: u64,
    /// What is to be written down, where anything is.
    pub transcript: Option<Vec<String>>,
    /// The world comes to rest: of many small steps only the events are written down.
    at_rest: bool,
    /// Every step, one by one.
    pub log: Vec<Directive>,
}

/// Why a session can't go on.
#[derive(Debug)]
pub enum Stop {
    /// A law was broken.
    Broken(Violation),
    /// The simulator itself failed.
    Failed(anyhow::Error),
}

impl Session {
    /// A fresh world with its judge.
    pub fn new(setup: Setup, plant: Option<Plant>) -> anyhow::Result<Self> {
        let world = World::new(setup, plant)?;
        Ok(Self {
            world,
            judge: Judge::default(),
            steps: 0,
            transcript: None,
            at_rest: false,
            log: Vec::new(),
        })
    }

    /// Does what a directive says, with all the steps that it is made of.
    pub fn perform(&mut self, directive: &Directive) -> Result<(), Stop> {
        match directive {
            Directive::Run(worker, key, end) => self.run_through(*worker, key, *end),
            Directive::Drain => {
                self.at_rest = true;
                let done = self.drain();
                self.at_rest = false;
                done
            }
            Directive::Show => {
                self.show();
                Ok(())
            }
            Directive::Why(key) => {
                self.say_why(key);
                Ok(())
            }
            Directive::Expect(what) => self.expect(what).map_err(Stop::Broken),
            single => self.step(single),
        }
    }

    /// One step, and its judgement.
    fn step(&mut self, directive: &Directive) -> Result<(), Stop> {
        self.log.push(directive.clone());
        self.world.perform(directive);
        self.steps += 1;
        let judged = self.judge.judge(&self.world).context("the store could not be read");
        let found = judged.map_err(Stop::Failed)?;
        if let Some(transcript) = &mut self.transcript {
            if !self.at_rest {
                transcript.append(&mut self.world.lines);
            }
            transcript.append(&mut self.judge.news);
        }
        match found.into_iter().next() {
            None => Ok(()),
            Some(violation) => Err(Stop::Broken(violation)),
        }
    }

    fn write(&mut self, line: String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(line);
        }
    }
}

/// Performs directives until one breaks a law; says which and where, and how many steps it took.
pub fn replay(
    setup: Setup,
    plant: Option<Plant>,
    directives: &[Directive],
) -> anyhow::Result<(Option<(usize, Violation)>, u64)> {
    let mut session = Session::new(setup, plant)?;
    for (place, directive) in directives.iter().enumerate() {
        match session.perform(directive) {
            Ok(()) => {}
            Err(Stop::Broken(violation)) => return Ok((Some((place, violation)), session.steps)),
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    Ok((None, session.steps))
}

/// Runs a seed for so many steps, then lets the world come to rest; sums up into `summary`.
pub fn seed(
    seed: u64,
    steps: u64,
    plant: Option<Plant>,
    summary: &mut Summary,
) -> anyhow::Result<Option<Failure>> {
    let mut chooser = random::Chooser::new(seed);
    let setup = chooser.setup();
    let mut session = Session::new(setup, plant)?;
    let mut done: Vec<Directive> = Vec::new();
    let mut broken = None;
    for number in 0..=steps {
        let last = number == steps;
        let directive =
            if last { Directive::Drain } else { chooser.choose(&session.world, &session.judge) };
        done.push(directive.clone());
        match session.perform(&directive) {
            Ok(()) => {}
            Err(Stop::Broken(violation)) => {
                broken = Some(violation);
                break;
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    summary.add(&session);
    Ok(broken.map(|violation| {
        // What only shows when the world is at rest needs the directive that brings it there.
        let at_rest = drain::LAWS.contains(&violation.law.as_str());
        let script = if at_rest { done } else { session.log };
        Failure { seed, steps, plant, setup, violation, script }
    }))
}
