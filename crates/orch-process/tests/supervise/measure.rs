//! Numbers rather than verdicts: `cargo test -p orch-process -- --ignored --nocapture measure`.

use std::time::{Duration, Instant};

use orch_process::Observation;

use crate::support::{Scene, until};

const ROUNDS: usize = 40;

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The supervisor of a run that has printed a lot stays small.
#[test]
fn a_supervisor_stays_small() {
    let scene = Scene::shell(
        "yes 'some output that is neither short nor long' | head -n 200000; echo ready; exec sleep 50",
    )
    .with(|s| s.log_limit = 1 << 20);
    let supervisor = scene.launch();
    until(|| matches!(orch_process::observe(&scene.dir), Observation::Running(_)));
    let children = format!("/proc/{0}/task/{0}/children", supervisor.pid);
    until(|| {
        let child = std::fs::read_to_string(&children).unwrap_or_default();
        let name = std::fs::read_to_string(format!("/proc/{}/comm", child.trim()));
        name.is_ok_and(|name| name == "sleep\n")
    });
    let kib = resident_kib(supervisor.pid);
    println!("resident set of a supervisor: {kib} KiB");
    // Pages of the program itself count too, and a debug build has many; without bounds on what is
    // kept it would be more than 9 MB of output alone.
    assert!(kib < 8 * 1024, "{kib} KiB");
}

#[test]
#[ignore = "prints measurements"]
fn measure_latencies() {
    let (mut launched, mut executed, mut ended, mut noticed, mut whole) =
        (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let scene = Scene::shell("date +%s%N > started; date +%s%N > ended");
        let (begin, wall) = (Instant::now(), jiff::Timestamp::now());
        scene.launch();
        launched.push(begin.elapsed());
        let seen = std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                until(|| scene.dir.exit().exists());
                jiff::Timestamp::now()
            });
            scene.wait();
            watch.join().unwrap()
        });
        let end = jiff::Timestamp::now();
        whole.push(begin.elapsed());
        let stamp = |name: &str| {
            let text = std::fs::read_to_string(scene.work().join(name)).unwrap();
            jiff::Timestamp::from_nanosecond(text.trim().parse().unwrap()).unwrap()
        };
        executed.push(between(wall, stamp("started")));
        ended.push(between(stamp("ended"), end));
        noticed.push(between(seen, end));
    }
    for (what, times) in [
        ("launch() returns after", launched),
        ("launch() to the child's first command", executed),
        ("child's last command to wait_exit() returning", ended),
        ("exit.json written to wait_exit() returning", noticed),
        ("launch() to wait_exit() returning", whole),
    ] {
        let mut times = times;
        times.sort();
        println!("{what}: median {:?}, worst {:?}", times[ROUNDS / 2], times[ROUNDS - 1]);
    }
}

fn between(from: jiff::Timestamp, to: jiff::Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
