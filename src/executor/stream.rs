//! Threads process items while the caller takes the results in order.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{Poll, Results};

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

/// As [`Executor::produce`](super::Executor::produce).
pub(super) fn produce<T: Send, R: Send, O>(
    pool: &rayon::ThreadPool,
    items: VecDeque<T>,
    limit: usize,
    work: &(impl Fn(T) -> R + Sync),
    consume: impl FnOnce(&mut dyn Results<R>) -> O,
) -> O {
    let (count, threads, most) = (items.len(), pool.current_num_threads(), limit.max(1));
    let some = most.div_ceil(4);
    let queue = Mutex::new(Queue { items, begun: 0, most, some, results: BTreeMap::new(), lanes: 0, wanted: threads });
    let ready = Condvar::new();
    let lane = || {
        let mut next = lock(&queue).next();
        while let Some((number, item)) = next {
            // Resume the panic on the caller's thread, which would otherwise wait for the result.
            let result = catch_unwind(AssertUnwindSafe(|| work(item)));
            let mut queue = lock(&queue);
            queue.results.insert(number, result);
            next = queue.next();
            if next.is_none() || queue.results.len() >= some {
                ready.notify_one();
            }
        }
    };
    let lane = &lane;
    pool.in_place_scope(|scope| {
        let spawn = || scope.spawn(|_| lane());
        let mut results = PoolResults {
            queue: &queue,
            ready: &ready,
            spawn,
            count,
            threads,
            most,
            taken: 0,
            busy: false,
            all_begun: false,
        };
        let outcome = consume(&mut results);
        lock(&queue).items.clear();
        outcome
    })
}

/// No code that can panic runs under the lock.
fn lock<T, R>(queue: &Mutex<Queue<T, R>>) -> MutexGuard<'_, Queue<T, R>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The results of a pool.
struct PoolResults<'a, T, R, S> {
    queue: &'a Mutex<Queue<T, R>>,
    ready: &'a Condvar,
    /// Has another thread take items.
    spawn: S,
    count: usize,
    threads: usize,
    most: usize,
    taken: usize,
    busy: bool,
    /// True if all items had been begun at the last poll.
    all_begun: bool,
}

impl<T: Send, R: Send, S: Fn()> Results<R> for PoolResults<'_, T, R, S> {
    fn poll(&mut self) -> Poll<R> {
        if self.taken == self.count {
            return Poll::Done;
        }
        let mut queue = lock(self.queue);
        queue.most = self.most + self.taken;
        queue.wanted = if self.busy { (self.threads - 1).max(1) } else { self.threads };
        while queue.needs_lane() {
            queue.lanes += 1;
            (self.spawn)();
        }
        self.all_begun = queue.items.is_empty();
        let result = queue.results.remove(&self.taken);
        drop(queue);
        match result {
            Some(result) => {
                self.taken += 1;
                Poll::Ready(result.unwrap_or_else(|panic| resume_unwind(panic)))
            }
            None => Poll::Pending { all_begun: self.all_begun },
        }
    }

    fn wait(&mut self) {
        let nothing_to_do = |queue: &mut Queue<T, R>| {
            let enough = queue.results.len() >= queue.some || queue.lanes < queue.wanted;
            let takes = enough && queue.results.contains_key(&self.taken);
            !takes && !queue.needs_lane() && queue.items.is_empty() == self.all_begun
        };
        let waited = self.ready.wait_while(lock(self.queue), nothing_to_do);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn set_caller_busy(&mut self, busy: bool) {
        self.busy = busy;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::executor::Executor;

    /// Takes all results, some of them slowly, and says now and then that it is busy with something else.
    fn take_all(results: &mut dyn Results<usize>, busy: bool, mut take: impl FnMut(usize) -> bool) {
        let mut polls = 0;
        loop {
            match results.poll() {
                Poll::Ready(number) => {
                    if !take(number) {
                        return;
                    }
                    if number.is_multiple_of(7) {
                        thread::yield_now();
                    }
                }
                Poll::Pending { .. } => {
                    polls += 1;
                    results.set_caller_busy(busy && polls % 3 == 2);
                    if polls % 3 == 0 {
                        results.wait();
                    }
                }
                Poll::Done => return,
            }
        }
    }

    #[test]
    fn results_come_in_order_however_many_threads_make_them() {
        for threads in [1, 2, 3, 8] {
            let executor = Executor::threads(threads).unwrap();
            for (count, most, busy) in [(0, 4, false), (1, 4, false), (5, 1, true), (300, 3, false), (300, 40, true)] {
                let slow = |number: usize| {
                    // Every ninth item is late.
                    (0..if number.is_multiple_of(9) { 2000 } else { 0 }).for_each(|_| thread::yield_now());
                    number
                };
                let mut taken = Vec::new();
                let mut take = |number| {
                    taken.push(number);
                    true
                };
                executor.produce(0..count, most, slow, |results| take_all(results, busy, &mut take));
                assert!(taken.iter().copied().eq(0..count), "{threads} threads, {count} of {most}");
            }
        }
    }

    #[test]
    fn no_more_are_begun_than_may_wait() {
        let (begun, mut most_ahead) = (AtomicUsize::new(0), 0);
        let count = |number: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            number
        };
        let take = |number| {
            (0..100).for_each(|_| thread::yield_now());
            most_ahead = most_ahead.max(begun.load(Ordering::SeqCst) - number);
            true
        };
        let executor = Executor::threads(3).unwrap();
        executor.produce(0..200, 10, count, |results| take_all(results, false, take));
        assert!(most_ahead <= 10);
    }

    #[test]
    fn a_consumer_that_leaves_and_a_panic_end_the_work() {
        let executor = Executor::threads(2).unwrap();
        let begun = AtomicUsize::new(0);
        let count = |number: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            number
        };
        let mut taken = Vec::new();
        let until_20 = |number| {
            taken.push(number);
            number < 20
        };
        executor.produce(0..100_000, 8, count, |results| take_all(results, false, until_20));
        assert!(taken.iter().copied().eq(0..=20) && begun.load(Ordering::SeqCst) <= 29);

        let mut taken = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let fails = |number| if number == 30 { panic!("as asked") } else { number };
            let take = |_| {
                taken += 1;
                true
            };
            executor.produce(0..100, 8, fails, |results| take_all(results, false, take));
        }));
        assert!(outcome.is_err() && taken <= 30);
    }
}
