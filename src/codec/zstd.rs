//! ZSTD: the encoder in Rust, or the C library.

/// The reason if this build has no encoder.
pub(super) const UNAVAILABLE: Option<&str> = if cfg!(any(feature = "zstd", feature = "zstd-c")) {
    None
} else {
    Some("this build has no ZSTD encoder; turn on the feature 'zstd'")
};

/// Appends a Zstandard frame (RFC 8878) like libtiff's: with the content size, without a checksum.
///
/// The encoder's state is created for every tile: it cannot move between threads, and creating it costs little compared
/// with the search.
#[cfg(all(feature = "zstd", not(feature = "zstd-c")))]
#[expect(clippy::unnecessary_wraps, reason = "the C library can fail")]
pub(super) fn compress(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    use structured_zstd::encoding::{CompressionLevel, FrameCompressor};
    let mut compressor: FrameCompressor = FrameCompressor::new(CompressionLevel::from_level(level.into()));
    compressor.set_content_checksum(false);
    out.extend_from_slice(&compressor.compress_independent_frame(bytes));
    Ok(())
}

/// Fails: the codec table calls ZSTD unavailable in builds without an encoder.
#[cfg(not(any(feature = "zstd", feature = "zstd-c")))]
pub(super) fn compress(_level: u8, _bytes: &[u8], _out: &mut Vec<u8>) -> Result<(), String> {
    Err("this build has no ZSTD encoder".to_owned())
}

/// Appends a frame made by the C library.
#[cfg(feature = "zstd-c")]
pub(super) fn compress(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let frame = through_c(level, bytes).map_err(|error| format!("ZSTD: {error}"))?;
    out.extend_from_slice(&frame);
    Ok(())
}

/// Compresses with the C library, using the level's own parameters except for classes.
///
/// In classified data, matches are long, and short ones cost more than they save, but from level 5 on the library would
/// look for matches of four or five bytes. Without them, land cover and palettes take 1 to 4 % less. Levels 8 to 10
/// trade most of that for a search half as deep.
#[cfg(any(test, feature = "zstd-c"))]
fn through_c(level: u8, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    use ::zstd::zstd_safe::CParameter;
    /// Up to this size, the library uses a parameter table whose `search_log` is the value assumed here.
    const SMALL: usize = 256 << 10;
    let mut compressor = ::zstd::bulk::Compressor::new(level.into())?;
    if (5..=10).contains(&level) && are_classes(bytes) {
        compressor.set_parameter(CParameter::MinMatch(6))?;
        if level >= 8 && bytes.len() <= SMALL {
            let search_log = u32::from(level) - 5;
            compressor.set_parameter(CParameter::SearchLog(search_log))?;
        }
    }
    compressor.compress(bytes)
}

/// Returns whether the bytes are samples with few distinct values: about as many at even as at odd positions. Wider
/// samples have theirs at some positions only.
#[cfg(any(test, feature = "zstd-c"))]
fn are_classes(bytes: &[u8]) -> bool {
    const MOST: usize = 64;
    let mut seen = [[false; 256]; 2];
    for &[even, odd] in bytes.as_chunks::<2>().0 {
        seen[0][usize::from(even)] = true;
        seen[1][usize::from(odd)] = true;
    }
    let [even, odd] = seen.map(|values| values.iter().filter(|seen| **seen).count());
    even.max(odd) <= MOST && even.max(odd) <= 2 * even.min(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patches of classes, like those of a land cover map.
    fn classes() -> Vec<u8> {
        let mut state = 1u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        let mut rows: Vec<Vec<u8>> = vec![(0..512).map(|column: u32| (column / 40) as u8).collect()];
        while rows.len() < 512 {
            let mut row = rows[rows.len() - 1].clone();
            for _ in 0..20 {
                let at = random(500) as usize;
                row[at..at + 9].fill(random(11) as u8);
            }
            rows.push(row);
        }
        rows.concat()
    }

    #[test]
    fn classes_take_about_the_bytes_of_the_parameters_of_the_library() {
        let classes = classes();
        assert!(are_classes(&classes));
        for level in 1..=12 {
            let frame = through_c(level, &classes).unwrap();
            assert!(::zstd::bulk::decompress(&frame, classes.len()).unwrap() == classes);
            let plain = ::zstd::bulk::compress(&classes, level.into()).unwrap();
            assert!(
                100 * frame.len() <= 101 * plain.len(),
                "level {level}: {} instead of {}",
                frame.len(),
                plain.len()
            );
            assert_eq!(frame == plain, !(5..=10).contains(&level), "level {level}");
        }
    }

    #[test]
    fn wide_samples_and_many_values_are_no_classes() {
        assert!(!are_classes(&(0..=255).cycle().take(4096).collect::<Vec<u8>>()));
        let wide: Vec<u8> = classes().iter().flat_map(|&class| u16::from(class).to_le_bytes()).collect();
        assert!(!are_classes(&wide));
    }
}
