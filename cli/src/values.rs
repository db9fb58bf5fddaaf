//! Parsers of option values.

use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use cogsmith::{
    BigTiff, EncodeOptions, ErrorKind, Interleave, MaskPolicy, Nodata, Overviews, Resampling, Sparse, TileSize,
};

use crate::arguments::{BitsChoice, NodataChoice, Threads};
use crate::flags;

/// Makes the library's checks of a single option while it is parsed, so that the message names the value.
fn checked(options: EncodeOptions) -> Result<EncodeOptions, String> {
    options.validate().map_err(|error| flags::reason(&error))?;
    Ok(options)
}

pub(crate) fn tile_size(text: &str) -> Result<TileSize, String> {
    let side = |text: &str| text.parse().map_err(|_| "expected a size in pixels, such as 512 or 512x256".to_owned());
    let tile_size = match text.split_once(['x', 'X']) {
        Some((width, height)) => TileSize { width: side(width)?, height: side(height)? },
        None => TileSize::square(side(text)?),
    };
    Ok(checked(EncodeOptions::new().tile_size(tile_size))?.tile_size)
}

pub(crate) fn overviews(text: &str) -> Result<Overviews, String> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => return Ok(Overviews::Auto),
        "none" => return Ok(Overviews::None),
        "existing" => return Ok(Overviews::Existing),
        _ => {}
    }
    let expected = "expected auto, none, existing, or ascending factors of at least 2, such as 2,4,8";
    let factors: Result<Vec<u32>, _> = text.split(',').map(|factor| factor.trim().parse()).collect();
    let overviews = Overviews::Factors(factors.map_err(|_| expected)?);
    Ok(checked(EncodeOptions::new().overviews(overviews))?.overviews)
}

/// A kernel; `None` chooses one by the samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KernelChoice(pub(crate) Option<Resampling>);

/// Parses a kernel by the library's name for it, or `auto`.
pub(crate) fn resampling() -> impl TypedValueParser<Value = KernelChoice> {
    // The names are checked first, so a name that does not parse is `auto`.
    PossibleValuesParser::new(["auto"].into_iter().chain(Resampling::names()))
        .map(|name| KernelChoice(name.parse().ok()))
}

/// Parses a value by the library's name for it; `help` describes each value.
pub(crate) fn named<T>(
    all: &[T],
    name: fn(T) -> &'static str,
    help: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = cogsmith::Error> + Copy + Send + Sync + 'static,
{
    let values = all.iter().map(|&value| match help(value) {
        "" => PossibleValue::new(name(value)),
        help => PossibleValue::new(name(value)).help(help),
    });
    PossibleValuesParser::new(values).try_map(|name| name.parse::<T>())
}

/// Parses a value of the library.
pub(crate) fn parsed<T: FromStr<Err = cogsmith::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: cogsmith::Error| match error.kind() {
        ErrorKind::InvalidOption { reason, .. } => reason.clone(),
        _ => error.to_string(),
    })
}

pub(crate) fn interleave_help(interleave: Interleave) -> &'static str {
    match interleave {
        Interleave::Pixel => "All bands of a pixel in one tile",
        Interleave::Band => "All tiles of one band, then all tiles of the next",
        Interleave::Tile => "For each tile position, the tiles of all bands",
        _ => "",
    }
}

pub(crate) fn big_tiff_help(variant: BigTiff) -> &'static str {
    match variant {
        BigTiff::Auto => "Only if the finished file exceeds 4 GiB",
        BigTiff::Yes => "Always",
        BigTiff::No => "Never; fail if the file would need it",
        _ => "",
    }
}

pub(crate) fn sparse_help(sparse: Sparse) -> &'static str {
    match sparse {
        Sparse::No => "None: every tile is stored",
        Sparse::Yes => "Tiles whose samples are all nodata, or 0 without nodata",
        Sparse::Masked => "Also tiles without a valid pixel in the mask, whose samples become nodata (or 0)",
        _ => "",
    }
}

pub(crate) fn mask_help(mask: MaskPolicy) -> &'static str {
    match mask {
        MaskPolicy::Auto => "The input's mask, if it has one; also nodata and alpha with a lossy codec",
        MaskPolicy::None => "No mask",
        MaskPolicy::Nodata => "Mask pixels whose bands are all nodata or NaN",
        MaskPolicy::AnyNodata => "Mask pixels with any band that is nodata or NaN",
        MaskPolicy::Alpha => {
            "Mask pixels whose alpha is 0, and leave out the alpha band; partly transparent pixels become opaque"
        }
        _ => "",
    }
}

/// Parses a number of bytes: digits alone, or with K, M, or G for powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let shift = match text.strip_prefix(digits).map(str::to_ascii_uppercase).as_deref() {
        Some("") => 0,
        Some("K") => 10,
        Some("M") => 20,
        Some("G") => 30,
        _ => u32::MAX,
    };
    let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(1u64.checked_shl(shift)?));
    value.ok_or_else(|| "expected a number of bytes, such as 1000000, 512K, 64M or 2G".into())
}

/// Parses the number of free bytes in a header.
pub(crate) fn header_room(text: &str) -> Result<u32, String> {
    let room = u32::try_from(bytes(text)?).unwrap_or(u32::MAX);
    Ok(checked(EncodeOptions::new().header_room(room))?.header_room)
}

pub(crate) fn nodata(text: &str) -> Result<NodataChoice, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(NodataChoice::None);
    }
    let value = Nodata::parse(text).ok_or("expected a number, nan, inf, -inf, or none")?;
    // Digits that underflow to 0 or overflow to infinity are not the intended value.
    let said_infinity = text.to_ascii_lowercase().contains("inf");
    let lost = value.as_f64().is_infinite() && !said_infinity;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let vanished = value.as_f64() == 0.0 && mantissa.contains(|digit: char| ('1'..='9').contains(&digit));
    if lost || vanished {
        return Err("out of range for a 64-bit float".into());
    }
    Ok(NodataChoice::Value(value))
}

pub(crate) fn bits(text: &str) -> Result<BitsChoice, String> {
    match text.to_ascii_lowercase().as_str() {
        "keep" => Ok(BitsChoice::Keep),
        "widen" => Ok(BitsChoice::Widen),
        number => match number.parse() {
            Ok(bits @ 1..=64) => Ok(BitsChoice::Number(bits)),
            _ => Err("expected keep, widen, or a number of bits".into()),
        },
    }
}

pub(crate) fn threads(text: &str) -> Result<Threads, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Threads::All);
    }
    text.parse().map(Threads::Count).map_err(|_| "expected all, or a number such as 4".into())
}

pub(crate) fn image_number(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected an image number, counting from 1".into())
}
