//! `orch remote-runner DIR`: carries one order out, in a run's child process.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use orch_core::remote::RemoteEnd;

use super::call;
use super::order::Order;
use super::watch::{Left, Watch, note};
use crate::run_dir::RunDir;
use crate::supervise::Signals;

/// Exit code for wrong arguments.
const USAGE: i32 = 2;
/// Exit code where the far side gave no frame; as ssh's own.
const NO_FRAME: i32 = 255;
/// Exit code where the end was asked for; as of a program that SIGTERM ended.
const ENDED: i32 = 143;

/// `orch remote-runner DIR`, given the arguments after the command's name: carries out the order in
/// the run's directory, passes its output on, leaves its end beside it, and ends with the work's
/// own exit code where there is one. SIGTERM ends the run on the far side too.
pub fn remote_runner_main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let [dir] = arguments.as_slice() else {
        let _ = writeln!(io::stderr(), "remote-runner takes one argument, the run directory");
        return USAGE;
    };
    let dir = RunDir::new(Path::new(dir));
    // Before any thread: the others must not be woken by the signals.
    let signals = match Signals::take_over() {
        Ok(signals) => signals,
        Err(error) => {
            note(&format!("signals can not be taken over: {error}"));
            return NO_FRAME;
        }
    };
    let Some(order) = Order::read(&dir) else {
        note("the order of this run can not be read");
        return NO_FRAME;
    };
    carry_out(&dir, &order, &signals)
}

fn carry_out(dir: &RunDir, order: &Order, signals: &Signals) -> i32 {
    let mut watch = Watch::new(order, signals);
    let end = match watch.follow() {
        Ok(end) => end,
        Err(Left::Deaf) => return NO_FRAME,
        Err(Left::Asked) => {
            let unsure = call::stop(&order.client, &watch.runs()).err();
            if let Some(fault) = &unsure {
                note(&format!("not seen to have ended: {}", fault.describe(order.target())));
            }
            RemoteEnd::Ended { unsure }
        }
    };
    if let Err(error) = Order::write_end(dir, &end) {
        note(&format!("the end of the run can not be written: {error}"));
        return NO_FRAME;
    }
    if let Some(tree) = &order.tree {
        // It can be made again; left behind it takes some space until the run is pruned.
        let _ = std::fs::remove_file(tree);
    }
    match end {
        RemoteEnd::Framed(frame) => {
            // Only now that the frame is on disk here: until then the far side's is the only one.
            let _ = call::clean(&order.client, &watch.runs());
            frame.exit_code
        }
        RemoteEnd::Faulty(fault) => {
            note(&fault.describe(order.target()));
            NO_FRAME
        }
        RemoteEnd::Ended { .. } => ENDED,
    }
}
