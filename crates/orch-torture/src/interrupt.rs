//! SIGINT and SIGTERM become a flag: whoever waits looks at it, and everything is cleaned up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody asked for an early end; clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for signals from now on.
    pub fn listen() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("signals can't be listened for")?;
        let (mut interrupt, mut terminate) = {
            let _guard = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let flag = Self::default();
        let theirs = flag.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            theirs.0.store(true, Ordering::Release);
        })?;
        Ok(flag)
    }

    /// Fails once somebody asked for the end.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.0.load(Ordering::Acquire) {
            bail!("interrupted");
        }
        Ok(())
    }
}
