//! Sizes of the pyramid's levels.

use crate::error::{Error, OptionField, Result};
use crate::grid::Level;
use crate::options::{EncodeOptions, Overviews, READS_OVERVIEWS};
use crate::spec::ImageSpec;

/// Returns all levels, full resolution first; each is smaller than the previous one.
pub(super) fn levels(spec: &ImageSpec, options: &EncodeOptions) -> Result<Vec<Level>> {
    let tile_size = options.tile_size;
    let base = (spec.width, spec.height);
    let one_tile = |&(width, height): &(u32, u32)| width <= tile_size.width && height <= tile_size.height;
    let sizes: Vec<(u32, u32)> = match &options.overviews {
        Overviews::None => Vec::new(),
        Overviews::Auto => {
            let larger_than_a_tile = sizes_from(base).take_while(|size| !one_tile(size)).count();
            sizes_from(base).skip(1).take(larger_than_a_tile).collect()
        }
        Overviews::Count(count) => sizes_from(base).skip(1).zip(0..*count).map(|(size, _)| size).collect(),
        Overviews::Factors(factors) => {
            let mut sizes: Vec<_> = factors
                .iter()
                .map(|&factor| (spec.width.div_ceil(factor), spec.height.div_ceil(factor)))
                .filter(|&size| size != base)
                .collect();
            sizes.dedup();
            sizes
        }
        Overviews::Finished(sizes) => {
            check_sizes(base, sizes)?;
            sizes.clone()
        }
        Overviews::Existing if !READS_OVERVIEWS => {
            return Err(Error::option(OptionField::Overviews, "the overviews of a file are not read in WebAssembly"));
        }
        Overviews::Existing => existing(spec, one_tile),
    };
    let full = Level { index: 0, width: spec.width, height: spec.height, tile_size };
    let overview_tile_size = options.overview_tile_size.unwrap_or(tile_size);
    let overviews = sizes.into_iter().zip(1..).map(|((width, height), index)| Level {
        index,
        width,
        height,
        tile_size: overview_tile_size,
    });
    Ok(std::iter::once(full).chain(overviews).collect())
}

/// Returns the sizes of the overviews with those of the source where they are a power of two smaller than full resolution,
/// rounded down or up.
fn existing(spec: &ImageSpec, one_tile: impl Fn(&(u32, u32)) -> bool) -> Vec<(u32, u32)> {
    let mut sizes = Vec::new();
    let mut last = (spec.width, spec.height);
    let halved = sizes_from(last).skip(1).zip(1u32..);
    for ((width, height), power) in halved {
        if one_tile(&last) {
            break;
        }
        let fits = |side: u32, full: u32, down: u32| side == down || side == full.div_ceil(1 << power.min(31));
        let stored = spec.overviews.iter().find(|&&(columns, rows)| {
            fits(columns, spec.width, width) && fits(rows, spec.height, height) && (columns, rows) != last
        });
        last = stored.copied().unwrap_or((width, height));
        sizes.push(last);
    }
    sizes
}

/// Checks that every overview is smaller than the previous level.
fn check_sizes(base: (u32, u32), sizes: &[(u32, u32)]) -> Result<()> {
    if sizes.is_empty() {
        return Err(Error::option(OptionField::Overviews, "the list of sizes is empty; use 'none' for no overviews"));
    }
    let mut last = base;
    for &(width, height) in sizes {
        if width == 0 || height == 0 || width > last.0 || height > last.1 || (width, height) == last {
            return Err(Error::option(
                OptionField::Overviews,
                format!("an overview of {width}x{height} after {}x{}: each must be smaller", last.0, last.1),
            ));
        }
        last = (width, height);
    }
    Ok(())
}

/// Returns `base`, followed by sizes that are each half the previous one, rounded down, at least 1, down to 1x1.
fn sizes_from(base: (u32, u32)) -> impl Iterator<Item = (u32, u32)> {
    std::iter::successors(Some(base), |&(width, height)| {
        (width > 1 || height > 1).then(|| ((width / 2).max(1), (height / 2).max(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::TileSize;
    use crate::sample::DataType;

    fn sizes(width: u32, height: u32, overviews: Overviews) -> Vec<(u32, u32)> {
        let spec = ImageSpec::new(width, height, 1, DataType::U8);
        let options = EncodeOptions { overviews, tile_size: TileSize::square(512), ..EncodeOptions::default() };
        levels(&spec, &options).unwrap().iter().map(|level| (level.width, level.height)).collect()
    }

    #[test]
    fn automatic_levels_halve_with_floor_until_one_tile_holds_all() {
        assert_eq!(sizes(512, 512, Overviews::Auto), [(512, 512)]);
        assert_eq!(sizes(513, 512, Overviews::Auto), [(513, 512), (256, 256)]);
        assert_eq!(sizes(1, 2049, Overviews::Auto), [(1, 2049), (1, 1024), (1, 512)]);
        assert_eq!(sizes(1300, 1100, Overviews::Auto), [(1300, 1100), (650, 550), (325, 275)]);
    }

    #[test]
    fn a_count_stops_at_one_pixel() {
        assert_eq!(sizes(5, 3, Overviews::Count(9)), [(5, 3), (2, 1), (1, 1)]);
        assert_eq!(sizes(4000, 4000, Overviews::Count(1)), [(4000, 4000), (2000, 2000)]);
    }

    #[test]
    fn factors_round_up_and_leave_out_levels_that_would_not_shrink() {
        let factors = Overviews::Factors(vec![2, 4, 8, 16]);
        assert_eq!(sizes(5, 3, factors.clone()), [(5, 3), (3, 2), (2, 1), (1, 1)]);
        assert_eq!(sizes(1, 1, factors), [(1, 1)]);
        assert_eq!(sizes(100, 100, Overviews::None), [(100, 100)]);
    }

    #[test]
    fn existing_overviews_replace_computed_ones_of_about_the_same_size() {
        let spec = |overviews: &[(u32, u32)]| ImageSpec::new(2001, 1501, 1, DataType::U8).overviews(overviews);
        let options = EncodeOptions { overviews: Overviews::Existing, ..EncodeOptions::default() };
        let sizes = |overviews: &[(u32, u32)]| {
            let levels = levels(&spec(overviews), &options).unwrap();
            levels.iter().skip(1).map(|level| (level.width, level.height)).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[]), [(1000, 750), (500, 375)]);
        assert_eq!(sizes(&[(1001, 751), (501, 376)]), [(1001, 751), (501, 376)]);
        // A third of the size, and a file of other levels, are of no use.
        assert_eq!(sizes(&[(667, 501), (500, 375), (17, 4)]), [(1000, 750), (500, 375)]);
    }

    #[test]
    fn finished_overviews_have_any_sizes_that_shrink() {
        assert_eq!(sizes(5, 3, Overviews::Finished(vec![(5, 2), (1, 1)])), [(5, 3), (5, 2), (1, 1)]);
        let spec = ImageSpec::new(5, 3, 1, DataType::U8);
        for wrong in [vec![], vec![(5, 3)], vec![(6, 1)], vec![(2, 4)], vec![(2, 0)], vec![(2, 2), (2, 2)]] {
            let options = EncodeOptions { overviews: Overviews::Finished(wrong.clone()), ..EncodeOptions::default() };
            assert!(levels(&spec, &options).is_err(), "{wrong:?}");
        }
    }
}
