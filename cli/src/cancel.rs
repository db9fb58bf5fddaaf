//! Ctrl-C and similar signals: the first asks the job to stop and clean up, the second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set when the user asks to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Listens for Ctrl-C, and on Unix for SIGTERM and SIGHUP.
    pub(crate) fn listen() -> Self {
        let cancel = Self::default();
        // Under nohup the job is meant to go on, and the handler takes all signals or none.
        if !hangup_is_ignored() {
            let seen = Arc::clone(&cancel.0);
            // Without a handler the system ends the process, and the temporary file is left behind.
            let _ = ctrlc::set_handler(move || {
                if seen.swap(true, Ordering::Relaxed) {
                    std::process::exit(crate::FAILED.into());
                }
            });
        }
        cancel
    }

    /// Returns the flag itself.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Returns whether the user has asked to stop.
    pub(crate) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Returns whether SIGHUP was ignored when the process started; known on Linux only.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        // Signal 1 is the lowest bit.
        .is_some_and(|mask| mask & 1 == 1)
}
