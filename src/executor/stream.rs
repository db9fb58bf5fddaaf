//! Threads process items while the caller takes the results in order.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{Beside, Taker};
use crate::error::Result;

/// Items to process, and results to take.
struct Queue<T, R> {
    items: VecDeque<T>,
    /// Items that have been started, and how many may be before more results are taken.
    begun: usize,
    most: usize,
    /// Number of results to wake the caller for, and of items to wake a thread for: waking one by one takes longer than
    /// everything else.
    some: usize,
    /// Results by item number; for a panic, its payload.
    results: BTreeMap<usize, thread::Result<R>>,
    /// Threads that process items one after the other, and how many there should be.
    lanes: usize,
    wanted: usize,
}

impl<T, R> Queue<T, R> {
    /// Returns whether another item may be started.
    fn is_open(&self) -> bool {
        !self.items.is_empty() && self.begun < self.most
    }

    /// Returns whether another thread should process items.
    fn needs_lane(&self) -> bool {
        let room = self.most.saturating_sub(self.begun);
        self.lanes < self.wanted.min(self.items.len()) && room >= self.some.min(self.items.len())
    }

    /// Returns the next item and its number. A thread that gets `None` leaves.
    fn next(&mut self) -> Option<(usize, T)> {
        let item = if self.is_open() && self.lanes <= self.wanted { self.items.pop_front() } else { None };
        match item {
            Some(item) => {
                self.begun += 1;
                Some((self.begun - 1, item))
            }
            None => {
                self.lanes -= 1;
                None
            }
        }
    }
}

/// Implements [`Executor::stream`](super::Executor::stream).
pub(super) fn run<T: Send, R: Send>(
    pool: &rayon::ThreadPool,
    items: VecDeque<T>,
    most: usize,
    work: &(impl Fn(T) -> R + Sync),
    taker: &mut impl Taker<R>,
) -> Result<()> {
    let (count, threads, most) = (items.len(), pool.current_num_threads(), most.max(1));
    let some = most.div_ceil(4);
    let queue = Mutex::new(Queue { items, begun: 0, most, some, results: BTreeMap::new(), lanes: 0, wanted: threads });
    let ready = Condvar::new();
    // Code that can panic never runs under the lock.
    let lock = || -> MutexGuard<'_, Queue<T, R>> { queue.lock().unwrap_or_else(PoisonError::into_inner) };
    let lane = || {
        let mut next = lock().next();
        while let Some((number, item)) = next {
            // Resume the panic on the caller's thread, which would otherwise wait for the result.
            let result = catch_unwind(AssertUnwindSafe(|| work(item)));
            let mut queue = lock();
            queue.results.insert(number, result);
            next = queue.next();
            if next.is_none() || queue.results.len() >= some {
                ready.notify_one();
            }
        }
    };
    let lane = &lane;
    pool.in_place_scope(|scope| {
        let mut take_all = || {
            let mut taken = 0;
            let mut beside = Beside::Nothing;
            while taken < count {
                let mut queue = lock();
                let wanted = if beside == Beside::Much { (threads - 1).max(1) } else { threads };
                (queue.most, queue.wanted) = (most + taken, wanted);
                while queue.needs_lane() {
                    queue.lanes += 1;
                    scope.spawn(|_| lane());
                }
                let all_begun = queue.items.is_empty();
                let result = queue.results.remove(&taken);
                drop(queue);
                if let Some(result) = result {
                    taker.take(result.unwrap_or_else(|panic| resume_unwind(panic)))?;
                    taken += 1;
                    continue;
                }
                beside = taker.idle(all_begun)?;
                if beside == Beside::Nothing {
                    let nothing_to_do = |queue: &mut Queue<T, R>| {
                        let enough = queue.results.len() >= some || queue.lanes < queue.wanted;
                        let takes = enough && queue.results.contains_key(&taken);
                        !takes && !queue.needs_lane() && queue.items.is_empty() == all_begun
                    };
                    let _queue = ready.wait_while(lock(), nothing_to_do).unwrap_or_else(PoisonError::into_inner);
                }
            }
            Ok(())
        };
        let outcome = take_all();
        lock().items.clear();
        outcome
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;
    use crate::executor::Executor;

    /// Takes numbers, some of them slowly; fails or stays busy on request.
    #[derive(Default)]
    struct Numbers {
        taken: Vec<usize>,
        idle: usize,
        fails_at: Option<usize>,
        busy: bool,
    }

    impl Taker<usize> for Numbers {
        fn take(&mut self, number: usize) -> Result<()> {
            if self.fails_at == Some(number) {
                return Err(Error::image("as asked"));
            }
            self.taken.push(number);
            if number.is_multiple_of(7) {
                thread::yield_now();
            }
            Ok(())
        }

        fn idle(&mut self, _: bool) -> Result<Beside> {
            self.idle += 1;
            let all = [Beside::Nothing, Beside::Something, if self.busy { Beside::Much } else { Beside::Nothing }];
            Ok(if self.taken.len() < 200 { all[self.idle % 3] } else { Beside::Nothing })
        }
    }

    #[test]
    fn results_are_taken_in_order_however_many_threads_make_them() {
        for threads in [1, 2, 3, 8] {
            let executor = Executor::threads(threads).unwrap();
            for (count, most, busy) in [(0, 4, false), (1, 4, false), (5, 1, true), (300, 3, false), (300, 40, true)] {
                let mut numbers = Numbers { busy, ..Numbers::default() };
                let slow = |number: usize| {
                    // Every ninth item is late.
                    (0..if number.is_multiple_of(9) { 2000 } else { 0 }).for_each(|_| thread::yield_now());
                    number
                };
                executor.stream(0..count, most, slow, &mut numbers).unwrap();
                assert!(numbers.taken.iter().copied().eq(0..count), "{threads} threads, {count} of {most}");
            }
        }
    }

    #[test]
    fn no_more_are_begun_than_may_wait() {
        let (begun, most_ahead) = (AtomicUsize::new(0), AtomicUsize::new(0));
        struct Slow<'a>(&'a AtomicUsize, &'a AtomicUsize);
        impl Taker<usize> for Slow<'_> {
            fn take(&mut self, number: usize) -> Result<()> {
                (0..100).for_each(|_| thread::yield_now());
                self.1.fetch_max(self.0.load(Ordering::SeqCst) - number, Ordering::SeqCst);
                Ok(())
            }

            fn idle(&mut self, _: bool) -> Result<Beside> {
                Ok(Beside::Nothing)
            }
        }
        let count = |number: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            number
        };
        Executor::threads(3).unwrap().stream(0..200, 10, count, &mut Slow(&begun, &most_ahead)).unwrap();
        assert!(most_ahead.load(Ordering::SeqCst) <= 10);
    }

    #[test]
    fn an_error_and_a_panic_reach_the_caller_and_end_the_work() {
        let executor = Executor::threads(2).unwrap();
        let begun = AtomicUsize::new(0);
        let count = |number: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            number
        };
        let mut failing = Numbers { fails_at: Some(20), ..Numbers::default() };
        executor.stream(0..100_000, 8, count, &mut failing).unwrap_err();
        assert!(failing.taken.iter().copied().eq(0..20) && begun.load(Ordering::SeqCst) <= 28);

        let mut numbers = Numbers::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            executor.stream(0..100, 8, |number| if number == 30 { panic!("as asked") } else { number }, &mut numbers)
        }));
        assert!(outcome.is_err() && numbers.taken.len() <= 30);
    }
}
