//! `check_merged`: the branch is part of the default branch.

use super::{GateInput, Judged, pass};

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    match input.merged {
        Some(merged) => Ok(pass([format!("landed on {} as {}", merged.branch, merged.landed)])),
        None => Err("the branch has not landed, as far as this gate was told; artifacts alone \
                     can't show it"
            .to_owned()),
    }
}
