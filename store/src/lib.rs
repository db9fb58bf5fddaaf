//! Cloud Optimized GeoTIFFs written straight to object stores, in one pass, with [`cogsmith`].
//!
//! A COG has its header and its overviews in front, but they are known last. Stores accept the parts of an upload in any
//! order, so full resolution is uploaded while rows are read and encoded, and the header and the overviews follow as the
//! first parts. There is no temporary file, and memory use does not depend on the size of the image, apart from the size of a
//! part, which has to grow where an image has more than about 29 GiB before compression.
//!
//! ```no_run
//! use cogsmith::{CogOptions, GeoTiffSource, ReadOptions, write_to_sink};
//! use cogsmith_store::{ObjectSink, StorageOptions, Store, Target, UploadOptions};
//! let target = Target::parse("s3://imagery/scene.tif")?;
//! let store = Store::open(&target, &StorageOptions::new().region("eu-central-1"))?;
//! let source = GeoTiffSource::open("scene.tif", &ReadOptions::new())?;
//! let sink = |plan: &_| ObjectSink::new(&store, &target, plan, &UploadOptions::new());
//! write_to_sink(sink, source, &CogOptions::new())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In asynchronous programs, [`write()`] does the same without blocking a thread of the runtime.
//!
//! Inputs can be objects and files on web servers, too: [`Objects`] opens them for
//! [`ReadOptions::addresses`](cogsmith::ReadOptions::addresses), and [`Object`] is one of them.
//!
//! An object appears whole or not at all, with the bytes of a local file. TLS and signatures are pure Rust.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stdout, clippy::print_stderr)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unimplemented)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking"))]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "tests make small numbers"))]

mod block;
mod cache;
mod complete;
mod crypto;
mod error;
mod fetch;
mod location;
mod options;
mod parts;
mod profile;
mod reader;
mod reader_options;
mod retry;
mod role;
mod shared;
mod sink;
mod store;
mod target;
mod upload;
mod web;
mod write;

pub use error::{Result, StoreError, StoreErrorKind};
pub use options::StorageOptions;
pub use reader::{Object, Objects, Traffic};
pub use reader_options::ReaderOptions;
pub use shared::SharedUpload;
pub use sink::{ObjectSink, UploadOptions};
pub use store::Store;
pub use target::{Service, Target};
pub use write::{WriteOptions, write};

// The version of the crate whose stores `Store::from_store` takes.
pub use object_store;
