//! Byte buffers that can be seen as samples of any type, and what is used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{ErrorKind, Result};

/// Bytes that start at a multiple of 8, so that they can be seen as samples of any type.
#[derive(Debug, Default, Clone)]
pub(crate) struct AlignedBytes {
    words: Vec<u64>,
    len: usize,
}

impl AlignedBytes {
    /// Makes the buffer at least `len` bytes long, keeping what it holds; new bytes are zero.
    pub(crate) fn grow(&mut self, len: usize, what: &'static str) -> Result<()> {
        let words = len.div_ceil(8);
        if let Some(more) = words.checked_sub(self.words.len()) {
            if self.words.is_empty() {
                // Pages that the system fills with zeros when threads touch them, all at once.
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

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The bytes, to be changed.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// Things that are used again, buffers above all: fresh memory costs the system more than what is done with it.
#[derive(Debug, Default)]
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T: Default> Pool<T> {
    /// One with whatever it held, or a new one.
    pub(crate) fn take(&self) -> T {
        let held = self.lock().pop();
        // Outside of the lock: to make a new one can take a while, and others needn't wait for it.
        held.unwrap_or_default()
    }

    /// Takes one back.
    pub(crate) fn give(&self, item: T) {
        self.lock().push(item);
    }

    /// Frees all that is here.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // What a panic elsewhere leaves here is whole: things are taken out to be used.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pool<Vec<T>> {
    /// An empty buffer.
    pub(crate) fn take_empty(&self) -> Vec<T> {
        let mut buffer = self.take();
        buffer.clear();
        buffer
    }
}
