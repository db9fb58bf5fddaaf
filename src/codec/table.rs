//! The table of codecs: whatever differs between them, in one row each. Plan, directories, messages, options, and the
//! front ends read it; none of them names a codec.

use crate::error::{Error, Result};
use crate::tiff::{Tag, TagValue};

use super::compression::{Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_ZSTD_LEVEL};
use super::encoder::{Deflate, EncoderKind, Zstd};
use super::{TileFormat, lzw, zstd};

/// A codec: its code and name, its parameter, and what it is good for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Codec {
    /// The value of tag 259.
    pub code: u16,
    /// The name of the option, such as `deflate`.
    pub name: &'static str,
    /// The parameter, if it has one.
    pub parameter: Option<CodecParameter>,
    /// Whether decoding gives back the samples that were encoded.
    pub lossless: bool,
    /// Whether a [`Predictor`](crate::Predictor) can come before it.
    pub takes_predictor: bool,
    /// The readers that cannot decode it; empty where all can.
    pub missing_in: &'static [&'static str],
    /// Makes the option from the value of the parameter.
    pub(super) compression: fn(u8) -> Compression,
    pub(super) encoder: EncoderKind,
    /// The largest encoded tile, from the size before encoding; a bound, which may be generous.
    pub(crate) max_len: fn(u64) -> u64,
    /// The tags of a directory that are due to the codec, beyond 259 and 317.
    pub(crate) tags: fn(&TileFormat) -> Vec<(Tag, TagValue)>,
    /// Why this build cannot encode it.
    pub(super) unavailable: fn() -> Option<&'static str>,
    /// The parameter of small images in place of the default: a small tile has little before it to learn from, and more
    /// effort takes milliseconds.
    pub(super) small_image: Option<u8>,
    /// The largest parameter at which predictors are compared.
    pub(super) trial_max: u8,
}

impl Codec {
    /// Whether it stores tiles as they are, so that their sizes are known beforehand.
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.encoder, EncoderKind::Stored)
    }

    /// Whether it encodes samples, rather than bytes.
    pub(crate) fn takes_samples(&self) -> bool {
        matches!(self.encoder, EncoderKind::Samples(_))
    }
}

/// The parameter of a codec: a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodecParameter {
    /// The name of the option, such as `level`.
    pub name: &'static str,
    /// The smallest value.
    pub min: u8,
    /// The largest value.
    pub max: u8,
    /// The value unless asked otherwise.
    pub default: u8,
}

impl CodecParameter {
    /// A level of effort, from 1 (fastest) on.
    const fn level(max: u8, default: u8) -> Option<Self> {
        Some(Self { name: "level", min: 1, max, default })
    }

    /// Checks the range of a value.
    pub(super) fn check(self, codec: &Codec, value: u32) -> Result<u8> {
        let Self { name, min, max, .. } = self;
        let in_range = u8::try_from(value).ok().filter(|value| (min..=max).contains(value));
        in_range
            .ok_or_else(|| Error::option(name, format!("{value} is out of range for {} ({min} to {max})", codec.name)))
    }
}

pub(super) static NONE: Codec = Codec {
    code: 1,
    name: "none",
    parameter: None,
    lossless: true,
    takes_predictor: false,
    missing_in: &[],
    compression: |_| Compression::None,
    encoder: EncoderKind::Stored,
    max_len: |len| len,
    tags: no_tags,
    unavailable: always_available,
    small_image: None,
    trial_max: u8::MAX,
};

pub(super) static LZW: Codec = Codec {
    code: 5,
    name: "lzw",
    parameter: None,
    lossless: true,
    takes_predictor: true,
    missing_in: &[],
    compression: |_| Compression::Lzw,
    encoder: EncoderKind::Bytes(|| Box::<lzw::Encoder>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: always_available,
    small_image: None,
    trial_max: u8::MAX,
};

pub(super) static DEFLATE: Codec = Codec {
    code: 8,
    name: "deflate",
    parameter: CodecParameter::level(9, DEFAULT_DEFLATE_LEVEL),
    lossless: true,
    takes_predictor: true,
    missing_in: &[],
    compression: |level| Compression::Deflate { level },
    encoder: EncoderKind::Bytes(|| Box::<Deflate>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: always_available,
    small_image: Some(DEFAULT_DEFLATE_LEVEL + 1),
    trial_max: u8::MAX,
};

pub(super) static ZSTD: Codec = Codec {
    code: 50_000,
    name: "zstd",
    parameter: CodecParameter::level(22, DEFAULT_ZSTD_LEVEL),
    lossless: true,
    takes_predictor: true,
    missing_in: &["web browsers", "GDAL before 2.3"],
    compression: |level| Compression::Zstd { level },
    encoder: EncoderKind::Bytes(|| Box::new(Zstd)),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: zstd::unavailable,
    small_image: None,
    // Higher levels take long and decide the same.
    trial_max: 9,
};

/// Of the codecs of bytes, LZW grows most: at most 12 bits for a byte, and a code now and then. The others store what
/// they cannot compress.
fn at_most_twice(len: u64) -> u64 {
    len.saturating_mul(2).saturating_add(1024)
}

fn no_tags(_: &TileFormat) -> Vec<(Tag, TagValue)> {
    Vec::new()
}

fn always_available() -> Option<&'static str> {
    None
}
