//! One file from many machines: an image is cut into shards, which are encoded anywhere and in any order, and assembled
//! into the bytes of the local encoder.
//!
//! [`ShardPlan`] divides the image. A worker calls [`encode_shard`] for each of its shards and keeps the fragment, its tiles.
//! [`Assembler`] gathers the records, and [`assemble`] or [`Assembly::pieces`] puts the file together. The guide is
//! [docs/distributed.md](https://github.com/cogsmith/cogsmith/blob/main/docs/distributed.md).

pub use crate::encode::{
    Assembler, Assembly, Mosaic, Piece, PlannedRun, ShardOutput, ShardPixels, ShardRecord, encode_shard,
    predictor_windows, settle_predictor, settle_predictor_from_windows,
};
pub use crate::plan::{DEFAULT_SHARD_SIDE, Shard, ShardId, ShardOptions, ShardPlan};
pub use crate::sink::fragments::{FragmentFolder, Fragments, assemble, assemble_to_file, assemble_to_vec};
