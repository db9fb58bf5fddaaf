//! Byte buffers that can be seen as samples of any type, and buffers that are used again.

use std::sync::{Mutex, PoisonError};

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

/// Buffers that are used again: fresh ones cost the system more than what is done with them.
#[derive(Debug, Default)]
pub(crate) struct BufferPool(Mutex<Vec<Vec<u8>>>);

impl BufferPool {
    /// An empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut buffer = self.take_filled();
        buffer.clear();
        buffer
    }

    /// A buffer with whatever it held, for what overwrites all of it: nothing has to be filled with zeros first.
    pub(crate) fn take_filled(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
