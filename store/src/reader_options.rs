//! Options for reading inputs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;

use crate::options::StorageOptions;

/// Requests in flight by default: enough for a line of 1 Gbit/s at 100 ms.
const IN_FLIGHT: usize = 8;

/// Bytes in memory by default: twice those of the requests in flight.
const MEMORY: u64 = 64 << 20;

/// Options for reading inputs.
#[derive(Clone, Debug)]
#[must_use]
pub struct ReaderOptions {
    pub(crate) storage: StorageOptions,
    pub(crate) in_flight: usize,
    pub(crate) memory: u64,
    pub(crate) cancelled: Vec<Arc<AtomicBool>>,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { storage: StorageOptions::new(), in_flight: IN_FLIGHT, memory: MEMORY, cancelled: Vec::new() }
    }
}

impl ReaderOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the options of connections: endpoint, region, credentials, retries. Web servers take `max_retries`,
    /// `retry_timeout`, `timeout`, `connect_timeout`, `proxy_url`, and `allow_invalid_certificates`.
    pub fn storage(mut self, storage: StorageOptions) -> Self {
        self.storage = storage;
        self
    }

    /// Sets how many requests are in flight at once, for all inputs together (default 8, at least 1). A request is for at most
    /// 4 MiB.
    pub fn in_flight(mut self, count: usize) -> Self {
        self.in_flight = count.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets the bytes that are held in memory, for all inputs together (default 64 MiB). Half of them are for what is fetched
    /// in advance. More are held if that many are asked for at once.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Stops waiting for servers once `flag` is set, from any thread. There may be several flags.
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled.push(flag);
        self
    }
}

impl From<StorageOptions> for ReaderOptions {
    fn from(storage: StorageOptions) -> Self {
        Self::new().storage(storage)
    }
}
