//! Uploads whose parts are sent by several processes or machines, such as the tasks of a cluster.
//!
//! The size of the file is known before its first part is sent, so all parts are known too: [`SharedUpload::part_ends`]
//! divides the file, preferably where the work is divided anyway. A part that is sent twice replaces itself.

use std::time::Duration;

use bytes::Bytes;
use object_store::PutPayload;

use crate::complete::Completion;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::parts::{Limits, Misfit};
use crate::sink::UploadOptions;
use crate::store::Store;
use crate::target::Target;
use crate::upload::{ABORT_TIME, Upload, clean_up};

/// A multipart upload that several processes share. Its parts are numbered from 1 without gaps, as all stores accept them.
///
/// Nothing is aborted when a value is dropped: some process has to [complete](Self::complete) or [abort](Self::abort) the
/// upload. Calls wait for the store, so do not make them on the threads of an asynchronous runtime.
///
/// ```
/// use std::sync::Arc;
/// use cogsmith_store::object_store::{ObjectStoreExt, memory::InMemory, path::Path};
/// use cogsmith_store::{SharedUpload, Store, Target, UploadOptions};
/// let memory = Arc::new(InMemory::new());
/// let (store, target) = (Store::from_store(memory.clone())?, Target::parse("s3://bucket/key")?);
/// let options = UploadOptions::new();
/// let upload = SharedUpload::begin(&store, &target, &options)?;
/// // In other processes:
/// let upload = SharedUpload::resume(&target, upload.id());
/// let second = upload.send(&store, 2, b"world".to_vec())?;
/// let first = upload.send(&store, 1, b"hello ".to_vec())?;
/// upload.complete(&store, &[(1, first), (2, second)], 11, &options)?;
/// # Ok::<(), cogsmith_store::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedUpload {
    target: Target,
    id: String,
}

impl SharedUpload {
    /// Checks that the key is free, unless it may be replaced, that the bucket exists, and that it may be written to: begins
    /// an upload and aborts it.
    ///
    /// # Errors
    /// [`StoreErrorKind::Exists`], and any other error of the store.
    pub fn check(store: &Store, target: &Target, options: &UploadOptions) -> Result<()> {
        let mut upload = Upload::new(store.clone(), target.clone(), options.settings(store, 0))?;
        upload.begin()?;
        // An upload without parts costs nothing, so credentials that may not abort are not an error yet.
        let _ = upload.abort();
        Ok(())
    }

    /// Begins an upload, after the same check of the key.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn begin(store: &Store, target: &Target, options: &UploadOptions) -> Result<Self> {
        let mut upload = Upload::new(store.clone(), target.clone(), options.settings(store, 0))?;
        upload.begin()?;
        match upload.release() {
            Some(id) => Ok(Self { target: target.clone(), id }),
            None => Err(StoreError::new(StoreErrorKind::Other, "the upload has not begun")),
        }
    }

    /// Returns an upload that another process has begun.
    #[must_use]
    pub fn resume(target: &Target, id: &str) -> Self {
        Self { target: target.clone(), id: id.to_owned() }
    }

    /// Returns the store's identifier of the upload.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sends a part, and returns its identification for the completion. Numbers count from 1.
    ///
    /// # Errors
    /// Any error of the store, after the usual repetitions. The upload stays open.
    pub fn send(&self, store: &Store, number: u32, bytes: Vec<u8>) -> Result<String> {
        if number == 0 {
            return Err(StoreError::new(StoreErrorKind::Other, "parts are numbered from 1"));
        }
        let (own, key, id) = (store.clone(), self.target.path().clone(), self.id.clone());
        let payload = PutPayload::from(Bytes::from(bytes));
        store.requests().wait(&[], Duration::ZERO, async move { own.put_part(&key, &id, number, payload).await })
    }

    /// Makes the object appear. `parts` are all parts in order, and `size` is the size of the file in bytes. If a process
    /// completes the upload a second time, because the first outcome was lost, it succeeds too.
    ///
    /// # Errors
    /// [`StoreErrorKind::Exists`], and any other error of the store. The upload stays open.
    pub fn complete(&self, store: &Store, parts: &[(u32, String)], size: u64, options: &UploadOptions) -> Result<()> {
        let (own, key, id, parts) = (store.clone(), self.target.path().clone(), self.id.clone(), parts.to_vec());
        let (attributes, overwrite) = (options.attributes(store), options.overwrites());
        store.requests().wait(&[], Duration::ZERO, async move {
            let (parts, attributes) = (parts.as_slice(), &attributes);
            let completion = Completion { key: &key, id: &id, parts, size, attributes, overwrite, may_be_done: true };
            own.complete(&completion).await
        })
    }

    /// Aborts the upload, so that its parts are deleted. An upload that is gone is not an error.
    ///
    /// # Errors
    /// Any error of the store; the message names the upload, and how to clean up.
    pub fn abort(&self, store: &Store) -> Result<()> {
        let (own, key, id) = (store.clone(), self.target.path().clone(), self.id.clone());
        let aborted = store.requests().wait_at_most(ABORT_TIME, async move { own.abort(&key, &id).await });
        aborted.map_err(|error| {
            StoreError::new(error.kind(), format!("the upload could not be aborted ({error})"))
                .and(&clean_up(&self.target, &self.id))
        })
    }

    /// Writes a file of one part without an upload, in a single request.
    ///
    /// # Errors
    /// [`StoreErrorKind::Exists`], and any other error of the store.
    pub fn put(store: &Store, target: &Target, bytes: Vec<u8>, options: &UploadOptions) -> Result<()> {
        let (own, key) = (store.clone(), target.path().clone());
        let (attributes, overwrite) = (options.attributes(store), options.overwrites());
        let payload = PutPayload::from(Bytes::from(bytes));
        store.requests().wait(&[], Duration::ZERO, async move { own.put(&key, payload, attributes, overwrite).await })
    }

    /// Returns the end of each part of a file of `size` bytes, so that the parts follow the rules of the store. Parts end at
    /// `edges` where these are far enough apart: ascending offsets at which the work is divided, so that a task has whole
    /// parts. A file of one part is best written by [`put`](Self::put).
    ///
    /// # Errors
    /// [`StoreErrorKind::TooLarge`] if the file is larger than an object may be.
    pub fn part_ends(store: &Store, size: u64, edges: &[u64], options: &UploadOptions) -> Result<Vec<u64>> {
        let mut limits = store.limits();
        limits.min_part = options.smallest_part(limits);
        let is_equal = options.wants_contiguous_parts() || store.needs_equal_parts();
        Ok(part_ends(limits, options.wanted_part_size(), size, if is_equal { &[] } else { edges })?)
    }
}

/// Divides a file, at `edges` where they are far enough apart; without edges into parts of one size, and a last one.
fn part_ends(limits: Limits, part_size: u64, size: u64, edges: &[u64]) -> std::result::Result<Vec<u64>, Misfit> {
    if size > limits.max_object {
        return Err(Misfit::TooLong(size));
    }
    // A part between two edges may have half of this size.
    let sufficient = size.div_ceil(u64::from(limits.max_number) / 2);
    let part_size = part_size.max(limits.min_part).max(sufficient).max(1);
    if part_size > limits.max_part / 2 {
        return Err(Misfit::TooLarge);
    }
    if edges.is_empty() {
        let ends = (1..).map(|count| count * part_size).take_while(|end| *end < size);
        return Ok(ends.chain([size]).collect());
    }
    let shortest = limits.min_part.max(part_size / 2);
    let (mut ends, mut start) = (Vec::new(), 0);
    for &edge in edges.iter().chain([&size]).filter(|edge| **edge <= size) {
        let len = edge.saturating_sub(start);
        // What is too short belongs to the part after it, except at the end of the file.
        if len == 0 || (len < shortest && edge < size) {
            continue;
        }
        let count = (len / part_size).max(1);
        ends.extend((1..count).map(|part| start + len / count * part));
        ends.push(edge);
        start = edge;
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_any_division_follow_the_rules() {
        let mut state = 7_u64;
        let mut below = |end: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end.max(1)
        };
        let mut most = 0;
        for _ in 0..20_000 {
            let limits =
                Limits { min_part: below(20), max_part: 4000, max_number: 20 + below(50) as u32, max_object: 30_000 };
            let size = 1 + below(20_000);
            let mut edges: Vec<_> = (0..below(60)).map(|_| below(size + 1)).collect();
            edges.sort_unstable();
            let ends = part_ends(limits, 1 + below(200), size, &edges).unwrap();
            let starts = std::iter::once(&0).chain(&ends);
            let lens: Vec<_> = starts.zip(&ends).map(|(start, end)| end.checked_sub(*start).unwrap()).collect();
            assert_eq!(lens.iter().sum::<u64>(), size);
            assert!(lens.len() <= limits.max_number as usize, "{} parts of {}", lens.len(), limits.max_number);
            assert!(lens.iter().all(|len| (1..=limits.max_part).contains(len)));
            assert!(lens[..lens.len() - 1].iter().all(|len| *len >= limits.min_part), "{lens:?}");
            most = most.max(lens.len());
        }
        assert!(most > 30, "at most {most} parts");
    }

    #[test]
    fn parts_end_at_edges_that_are_far_apart() {
        let limits = Limits { min_part: 5, max_part: 1000, max_number: 100, max_object: 5000 };
        assert_eq!(part_ends(limits, 8, 47, &[2, 6, 20, 21, 45]).unwrap(), [6, 20, 28, 36, 45, 47]);
        assert_eq!(part_ends(limits, 8, 20, &[]).unwrap(), [8, 16, 20]);
        assert_eq!(part_ends(limits, 8, 16, &[]).unwrap(), [8, 16]);
        assert_eq!(part_ends(limits, 8, 5001, &[]), Err(Misfit::TooLong(5001)));
    }
}
