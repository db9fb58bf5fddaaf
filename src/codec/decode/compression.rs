//! The compression schemes of TIFF files: those that can be decoded, and the names of the others.

use super::{DecodeResult, fax, lerc};
use crate::error::{Error, Result};

/// A supported compression scheme (tag 259).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// 1.
    None,
    /// 5, TIFF 6.0 section 13.
    Lzw,
    /// 8 and 32946, Adobe TIFF Technical Note 3.
    Deflate,
    /// 50000, libtiff.
    Zstd,
    /// 32773, TIFF 6.0 section 9.
    PackBits,
    /// 7, Adobe TIFF Technical Note 2.
    Jpeg,
    /// 50001, libtiff.
    WebP,
    /// 34887, Esri.
    Lerc(lerc::Wrapping),
    /// 2 to 4, TIFF 6.0 sections 10 and 11.
    Fax(fax::Options),
}

impl Compression {
    /// Returns the scheme of a code, or an error that names an unsupported one. The details of LERC and fax are in
    /// other tags.
    pub(crate) fn from_code(code: u64) -> Result<Self> {
        Ok(match code {
            1 => Self::None,
            2 => Self::Fax(fax::Options::Modified),
            3 => Self::Fax(fax::Options::Group3 { two_dimensional: false }),
            4 => Self::Fax(fax::Options::Group4),
            5 => Self::Lzw,
            7 => Self::Jpeg,
            8 | 32946 => Self::Deflate,
            32773 => Self::PackBits,
            34887 => Self::Lerc(lerc::Wrapping::None),
            50000 => Self::Zstd,
            50001 => Self::WebP,
            _ => {
                let name = match code {
                    6 => "JPEG as of TIFF 6.0, long replaced by 7",
                    9 => "JBIG on black and white",
                    10 => "JBIG on color",
                    32766 => "NeXT",
                    32771 => "CCITT RLE with word alignment",
                    32809 => "ThunderScan",
                    32908 => "Pixar film",
                    32909 => "PixarLog",
                    32947 => "Kodak DCS",
                    34661 => "JBIG",
                    34676 => "SGILog",
                    34677 => "SGILog24",
                    34712 | 33003 | 33005 => "JPEG 2000",
                    34892 => "lossy JPEG of DNG",
                    34925 => "LZMA",
                    50002 | 52546 => "JPEG XL",
                    _ => "unknown",
                };
                return Err(Error::unsupported(format!("compression {code} ({name})")));
            }
        })
    }

    /// Returns whether tag 266 applies to the compressed bytes: libtiff ignores it for JPEG and the newer codecs.
    pub(crate) fn takes_reversed_bits(self) -> bool {
        !matches!(self, Self::Jpeg | Self::WebP | Self::Lerc(_))
    }

    /// Returns whether tag 317 applies; libtiff ignores it for the other codecs.
    pub(crate) fn has_predictor(self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate | Self::Zstd)
    }

    /// Returns whether a chunk can be decoded piece by piece, in memory that does not grow with the chunk.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::None | Self::Lzw | Self::Deflate | Self::Zstd)
    }

    /// Checks that `compressed` bytes can hold `decoded` bytes, so that a false size in a header is never allocated.
    pub(crate) fn check_size(self, compressed: u64, decoded: u64) -> DecodeResult<()> {
        let ratio = match self {
            Self::None => 1,
            // Two bytes repeat one up to 128 times.
            Self::PackBits => 64,
            // A match of 258 bytes takes at least two bits.
            Self::Deflate => 1032,
            // Codes of 12 bits represent at most 4096 bytes.
            Self::Lzw => 4096,
            // A block of 64 samples takes at least one bit, and four components of a pixel may share some of them.
            Self::Jpeg => 2048,
            // A block of four bytes repeats one byte up to 128 KiB; WebP, LERC, and fax can also encode "all the same"
            // in almost no bytes.
            Self::Zstd | Self::WebP | Self::Lerc(_) | Self::Fax(_) => 1 << 20,
        };
        if decoded > compressed.saturating_mul(ratio).saturating_add(4096) && decoded > compressed {
            return Err(format!("its {compressed} bytes cannot hold {decoded} bytes of pixels").into());
        }
        Ok(())
    }
}
