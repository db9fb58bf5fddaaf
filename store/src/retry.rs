//! Repetitions of requests that failed: how many, for how long, and the waits between them.

use std::time::{Duration, Instant};

/// The longest wait between two requests.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// Limits of the repetitions of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retries {
    /// Number of repetitions.
    pub(crate) max: usize,
    /// Time for all of them.
    pub(crate) time: Duration,
}

impl Retries {
    /// No repetition.
    pub(crate) const NONE: Self = Self { max: 0, time: Duration::ZERO };

    /// Returns the wait before the first repetition; it doubles each time.
    pub(crate) fn first_wait(self) -> Duration {
        (self.time / 1000).clamp(Duration::from_millis(1), Duration::from_millis(100))
    }

    /// Starts to count the repetitions of a request.
    pub(crate) fn start(self) -> Backoff {
        Backoff { limits: self, began: Instant::now(), wait: self.first_wait(), count: 0 }
    }
}

/// The repetitions of one request.
pub(crate) struct Backoff {
    limits: Retries,
    began: Instant,
    wait: Duration,
    count: usize,
}

impl Backoff {
    /// Waits before the next repetition. Returns false, without a wait, if there is none: there were as many as the limits
    /// allow, or `max`, or the time would be over.
    pub(crate) async fn wait(&mut self, max: usize) -> bool {
        if self.count >= self.limits.max.min(max) || self.began.elapsed() + self.wait > self.limits.time {
            return false;
        }
        tokio::time::sleep(self.wait).await;
        self.count += 1;
        self.wait = (self.wait * 2).min(MAX_WAIT);
        true
    }
}
