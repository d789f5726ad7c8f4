//! A failing list of directives is made shorter: what can be left out, while the same law is still
//! broken, is left out.

use super::replay;
use crate::directive::Directive;
use crate::plant::Plant;
use crate::world::Setup;

/// The most steps that all replays of one shrinking take together.
const MOST_STEPS: u64 = 40_000;

/// Leaves out what is not needed to break that law; the answer breaks it with its last directive.
pub fn shrink(
    setup: Setup,
    plant: Option<Plant>,
    law: &str,
    script: &[Directive],
) -> anyhow::Result<Vec<Directive>> {
    let mut left: Vec<Directive> = script.to_vec();
    let mut steps = 0;
    let mut size = left.len().div_ceil(2);
    while size > 0 && steps < MOST_STEPS {
        let mut place = 0;
        let mut shorter = false;
        while place < left.len() && steps < MOST_STEPS {
            let end = (place + size).min(left.len());
            let without: Vec<Directive> = [&left[..place], &left[end..]].concat();
            let (broken, took) = replay(setup, plant, &without)?;
            steps += took;
            match broken {
                Some((last, violation)) if violation.law == law => {
                    left = without;
                    left.truncate(last + 1);
                    shorter = true;
                }
                _ => place = end,
            }
        }
        if size > 1 || !shorter {
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    Ok(left)
}
