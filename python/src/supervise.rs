//! Work without the GIL, while the caller's thread looks for Ctrl-C and tells how far the work is.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cogsmith::{ErrorKind, Executor, Progress};
use pyo3::prelude::*;

use crate::error::raise;

/// How often the caller's thread looks for signals and reports progress.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What work may ask and tell while it runs.
pub(crate) struct Supervisor {
    cancelled: Arc<AtomicBool>,
    rows_done: Arc<AtomicU32>,
    executor: Executor,
}

impl Supervisor {
    /// Where the work runs; it stops soon after a cancellation.
    pub(crate) fn executor(&self) -> &Executor {
        &self.executor
    }

    /// To be given to the library as its progress callback.
    pub(crate) fn progress(&self) -> impl FnMut(Progress) -> ControlFlow<()> + use<> {
        let (cancelled, rows_done) = (Arc::clone(&self.cancelled), Arc::clone(&self.rows_done));
        move |progress: Progress| {
            rows_done.store(progress.rows_done, Ordering::Relaxed);
            if cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// An error once the caller has asked to stop: to be asked before what can't be undone.
    pub(crate) fn check(&self) -> cogsmith::Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
    }
}

/// Whom to tell how far the work is: a Python callable that takes rows done and rows in all.
pub(crate) struct Audience<'a> {
    /// `None`: nobody.
    pub(crate) callback: Option<&'a Py<PyAny>>,
    /// Rows in all.
    pub(crate) rows: u32,
}

/// Runs `work` on a thread of its own with `threads` threads (all cores for `None`), without the GIL.
///
/// The caller's thread runs Python's signal handlers and calls the audience meanwhile. An exception of either stops the
/// work, and is what comes out.
pub(crate) fn supervise<R: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    audience: &Audience<'_>,
    work: impl FnOnce(&Supervisor) -> cogsmith::Result<R> + Send,
) -> PyResult<R> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let rows_done = Arc::new(AtomicU32::new(0));
    let executor = match threads {
        Some(count) => Executor::threads(count),
        None => Executor::all_cores(),
    };
    let executor = executor.map_err(raise)?.cancelled_by(Arc::clone(&cancelled));
    let supervisor = Supervisor { cancelled: Arc::clone(&cancelled), rows_done: Arc::clone(&rows_done), executor };
    let outcome = py.detach(|| {
        thread::scope(|scope| {
            let (done, is_done) = channel::<()>();
            let worker = scope.spawn(move || {
                let result = work(&supervisor);
                drop(done);
                result
            });
            let mut exception = None;
            let mut told = None;
            // Nothing is ever sent: the channel closes when the work is done, also by a panic.
            while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if exception.is_some() {
                    continue;
                }
                let rows = rows_done.load(Ordering::Relaxed);
                if let Err(error) = Python::attach(|py| look(py, audience, rows, &mut told)) {
                    exception = Some(error);
                    cancelled.store(true, Ordering::Relaxed);
                }
            }
            match worker.join() {
                Ok(result) => (result, exception),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    });
    match outcome {
        (_, Some(exception)) => Err(exception),
        (Ok(result), None) => {
            if let Some(callback) = audience.callback {
                callback.call1(py, (audience.rows, audience.rows))?;
            }
            Ok(result)
        }
        (Err(error), None) => Err(raise(error)),
    }
}

/// Runs signal handlers, and tells the audience where there is news.
fn look(py: Python<'_>, audience: &Audience<'_>, rows: u32, told: &mut Option<u32>) -> PyResult<()> {
    py.check_signals()?;
    if let Some(callback) = audience.callback
        && *told != Some(rows)
    {
        callback.call1(py, (rows, audience.rows))?;
        *told = Some(rows);
    }
    Ok(())
}
