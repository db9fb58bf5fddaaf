//! Execution on the calling thread or on a pool. The only module that knows about threads.

#[cfg(feature = "parallel")]
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, OptionField, Result};

/// Runs independent work items on one or many threads; results come in the order of the items.
///
/// Results never depend on the number of threads. A panic in an item propagates to the caller.
#[derive(Debug, Clone)]
pub struct Executor {
    #[cfg(feature = "parallel")]
    pool: Option<Arc<rayon::ThreadPool>>,
    cancelled: Option<Arc<AtomicBool>>,
}

impl Executor {
    /// `true` if there can be more than one thread.
    pub(crate) const PARALLEL: bool = cfg!(feature = "parallel");

    /// Runs everything on the calling thread.
    #[must_use]
    pub fn serial() -> Self {
        Self {
            #[cfg(feature = "parallel")]
            pool: None,
            cancelled: None,
        }
    }

    /// Runs on a pool of `count` threads; 1 means the calling thread.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for 0 threads or more than 1024, for more than one
    /// without the feature `parallel`, and if the system cannot start the threads.
    pub fn threads(count: usize) -> Result<Self> {
        match count {
            0 => Err(Error::option(OptionField::Threads, "must be at least 1")),
            1 => Ok(Self::serial()),
            // Starting more takes minutes, and no machine has that many cores.
            1025.. => Err(Error::option(OptionField::Threads, format!("{count} is out of range (1 to 1024)"))),
            #[cfg(feature = "parallel")]
            _ => {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(count)
                    .thread_name(|index| format!("cogsmith-{index}"))
                    .build()
                    .map_err(|error| {
                        Error::option(OptionField::Threads, format!("cannot start {count} threads: {error}"))
                    })?;
                Ok(Self { pool: Some(Arc::new(pool)), cancelled: None })
            }
            #[cfg(not(feature = "parallel"))]
            _ => Err(Error::option(OptionField::Threads, "more than one thread needs the feature 'parallel'")),
        }
    }

    /// Runs on as many threads as the machine has cores (on the calling thread without the feature `parallel`).
    ///
    /// # Errors
    /// As [`threads`](Self::threads).
    pub fn all_cores() -> Result<Self> {
        #[cfg(feature = "parallel")]
        return Self::threads(std::thread::available_parallelism().map_or(1, usize::from));
        #[cfg(not(feature = "parallel"))]
        return Ok(Self::serial());
    }

    /// Makes encoding stop with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) before the next tile once `flag`
    /// is set, from any thread. This is sooner than with a progress callback, which is called only every few tiles.
    #[must_use]
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled = Some(flag);
        self
    }

    /// Returns whether the work has been canceled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Returns the number of threads that work at once.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        #[cfg(feature = "parallel")]
        if let Some(pool) = &self.pool {
            return pool.current_num_threads();
        }
        1
    }

    /// Applies `work` to every item on all threads while `consume`, on the caller's thread, takes the results. Without
    /// threads, an item is worked on when its result is asked for.
    ///
    /// At most about `limit` items are in work or wait to be taken. No item is begun after `consume` has returned.
    pub(crate) fn produce<T: Send, R: Send, O>(
        &self,
        items: impl IntoIterator<Item = T>,
        limit: usize,
        work: impl Fn(T) -> R + Sync,
        consume: impl FnOnce(&mut dyn Results<R>) -> O,
    ) -> O {
        #[cfg(feature = "parallel")]
        if let Some(pool) = &self.pool {
            return stream::produce(pool, items.into_iter().collect(), limit, &work, consume);
        }
        let _ = limit;
        consume(&mut Serial { items: items.into_iter(), work })
    }

    /// Applies `work` to every item; results come in the order of the items.
    pub(crate) fn map<T, R>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R>
    where
        T: Send,
        R: Send,
    {
        #[cfg(feature = "parallel")]
        if let Some(pool) = &self.pool
            && items.len() > 1
        {
            use rayon::prelude::*;
            return pool.install(|| items.into_par_iter().with_max_len(1).map(work).collect());
        }
        items.into_iter().map(work).collect()
    }
}

/// The results of [`Executor::produce`], in the order of the items.
pub(crate) trait Results<R> {
    /// Returns the next result if it is ready. Never waits on a pool.
    fn poll(&mut self) -> Poll<R>;

    /// Waits until polling again is worthwhile.
    fn wait(&mut self);

    /// Tells the pool whether the caller's thread has so much other work that it counts as one of the threads.
    fn set_caller_busy(&mut self, busy: bool);
}

/// The state of the next result.
pub(crate) enum Poll<R> {
    Ready(R),
    /// It is still in work. `all_begun` means that threads begin to run out of items.
    #[cfg_attr(not(feature = "parallel"), expect(dead_code, reason = "without a pool no result is in work"))]
    Pending {
        all_begun: bool,
    },
    /// All results have been taken.
    Done,
}

/// Results that are computed when they are asked for.
struct Serial<I, F> {
    items: I,
    work: F,
}

impl<T, R, I: Iterator<Item = T>, F: Fn(T) -> R> Results<R> for Serial<I, F> {
    fn poll(&mut self) -> Poll<R> {
        self.items.next().map_or(Poll::Done, |item| Poll::Ready((self.work)(item)))
    }

    fn wait(&mut self) {}

    fn set_caller_busy(&mut self, _: bool) {}
}

impl Default for Executor {
    /// As [`serial`](Self::serial).
    fn default() -> Self {
        Self::serial()
    }
}
