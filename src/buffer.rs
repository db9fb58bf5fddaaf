//! Aligned byte buffers that can be viewed as samples of any type, and a pool of reusable objects.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{ErrorKind, Result};

/// Bytes aligned to 8, so that they can be viewed as samples of any type.
#[derive(Debug, Default, Clone)]
pub(crate) struct AlignedBytes {
    words: Vec<u64>,
    len: usize,
}

impl AlignedBytes {
    /// Grows the buffer to at least `len` bytes, keeping its contents; new bytes are zero.
    pub(crate) fn grow(&mut self, len: usize, what: &'static str) -> Result<()> {
        let words = len.div_ceil(8);
        if let Some(more) = words.checked_sub(self.words.len()) {
            if self.words.is_empty() {
                // Pages that the system zeroes on first touch, on the threads that touch them.
                let zeros = bytemuck::allocation::try_zeroed_slice_box(words);
                self.words = zeros.map_err(|()| ErrorKind::OutOfMemory { what, bytes: len as u64 })?.into_vec();
            } else {
                let reserved = self.words.try_reserve_exact(more);
                reserved.map_err(|_| ErrorKind::OutOfMemory { what, bytes: len as u64 })?;
                self.words.resize(words, 0);
            }
        }
        self.len = self.len.max(len);
        Ok(())
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// Returns the bytes, mutable.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// Returns whether bytes are a sample that repeats; they hold whole samples, at least one.
pub(crate) fn repeats(bytes: &[u8], sample: &[u8]) -> bool {
    // If the first sample is right, and each one equals its neighbor, all are.
    bytes.starts_with(sample) && bytes[sample.len()..] == bytes[..bytes.len() - sample.len()]
}

/// A pool of reusable objects, mainly buffers: getting fresh memory from the system takes longer than the work done in
/// it.
#[derive(Debug, Default)]
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T: Default> Pool<T> {
    /// Takes an object from the pool, with whatever it contains, or makes a new one.
    pub(crate) fn take(&self) -> T {
        let held = self.lock().pop();
        // Build new objects outside the lock: that can take a while, and other threads need not wait for it.
        held.unwrap_or_default()
    }

    /// Returns an object to the pool.
    pub(crate) fn give(&self, item: T) {
        self.lock().push(item);
    }

    /// Frees all pooled objects.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // A panic elsewhere leaves the pool intact: objects are taken out while in use.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pool<Vec<T>> {
    /// Takes a buffer from the pool and clears it.
    pub(crate) fn take_empty(&self) -> Vec<T> {
        let mut buffer = self.take();
        buffer.clear();
        buffer
    }
}
