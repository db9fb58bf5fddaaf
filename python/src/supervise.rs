//! Runs work without the GIL, while the caller's thread checks for Ctrl-C and reports progress.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cogsmith::{Error, ErrorKind, Executor, Progress};
use pyo3::prelude::*;

use crate::error::raise;

/// Interval at which the caller's thread checks for signals and reports progress.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Shared between the work and the caller's thread: cancellation, progress, and the executor.
pub(crate) struct Supervisor {
    cancelled: Arc<AtomicBool>,
    rows_done: Arc<AtomicU32>,
    executor: Executor,
}

impl Supervisor {
    /// Returns the executor of the work; it stops soon after a cancellation.
    pub(crate) fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Returns the flag that is set when the caller has canceled the work.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Returns the progress callback for the library.
    pub(crate) fn progress(&self) -> impl FnMut(Progress) -> ControlFlow<()> + use<> {
        let (cancelled, rows_done) = (Arc::clone(&self.cancelled), Arc::clone(&self.rows_done));
        move |progress: Progress| {
            rows_done.store(progress.rows_done, Ordering::Relaxed);
            if cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// Returns an error if the caller has canceled the work; called before anything that cannot be undone.
    pub(crate) fn check(&self) -> cogsmith::Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
    }
}

/// The receiver of progress: a Python callable that takes rows done and rows in total.
pub(crate) struct Audience<'a> {
    /// `None`: no reports.
    pub(crate) callback: Option<&'a Py<PyAny>>,
    /// Rows in total.
    pub(crate) rows: u32,
}

/// Runs `work` on a separate thread with `threads` threads (all cores for `None`), without the GIL.
///
/// Meanwhile, the caller's thread runs Python's signal handlers and reports progress. An exception in either stops the
/// work and is returned.
pub(crate) fn supervise<R: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    audience: &Audience<'_>,
    work: impl FnOnce(&Supervisor) -> cogsmith::Result<R> + Send,
) -> PyResult<R> {
    supervise_by(py, threads, audience, (&Arc::default(), raise), work)
}

/// Runs `work` as [`supervise`] does, with a flag for cancellations that exists before it and that other work may share,
/// and with another way to make exceptions.
pub(crate) fn supervise_by<R: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    audience: &Audience<'_>,
    (cancelled, raise): (&Arc<AtomicBool>, fn(Error) -> PyErr),
    work: impl FnOnce(&Supervisor) -> cogsmith::Result<R> + Send,
) -> PyResult<R> {
    let cancelled = Arc::clone(cancelled);
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
            // Nothing is ever sent: the channel closes when the work is done or panics.
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

/// Runs signal handlers, and reports progress if there is any.
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
