//! Options of warps: other CRSs, and the grids of tiling schemes.

use clap::Args;
use cogsmith::{EncodeOptions, Error, Executor, OverriddenSource, RasterSource, TileSize};
use serde::Serialize;

use crate::arguments::CreateArguments;

#[cfg(feature = "warp")]
pub(crate) use with::WarpArguments;
#[cfg(not(feature = "warp"))]
pub(crate) use without::WarpArguments;

/// The warp in the summary.
#[derive(Debug, Serialize)]
pub(crate) struct Warp {
    crs: String,
    resampling: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiling_scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zoom_level: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aligned_levels: Option<u32>,
    /// Pixels beyond the bounds of the image, in per cent of those within.
    added_percent: f64,
}

#[cfg(feature = "warp")]
mod with {
    use cogsmith::{AlignedLevels, Bounds, Overviews, Resampling, TilingScheme, WarpOptions, ZoomStrategy};

    use super::{
        Args, CreateArguments, EncodeOptions, Error, Executor, OverriddenSource, RasterSource, TileSize, Warp,
    };
    use crate::arguments::usage;
    use crate::place::{bounds, numbers};
    use crate::values::named;

    /// Heading of these options in the help.
    const HEADING: &str = "Warp";

    /// The target of a warp.
    #[derive(Debug, Args)]
    pub(crate) struct WarpArguments {
        /// Warp to the grid of a tiling scheme, so that tiles are map tiles: GoogleMapsCompatible and others
        ///
        /// GoogleMapsCompatible (or WebMercatorQuad), WorldCRS84Quad, WorldMercatorWGS84Quad, GoogleCRS84Quad,
        /// PseudoTMS_GlobalMercator, LINZAntarticaMapTileGrid, or MapML_APSTILE: the names of GDAL's COG driver. Pixels
        /// outside of the input are nodata or masked.
        #[arg(long, value_name = "NAME", value_parser = scheme, help_heading = HEADING)]
        tiling_scheme: Option<TilingScheme>,

        /// Zoom level of full resolution [default: the closest to the input's resolution]
        #[arg(long, value_name = "N", help_heading = HEADING)]
        zoom_level: Option<u32>,

        /// Zoom level if the resolution is between two: auto (the closer one), lower, or upper
        #[arg(long, value_name = "RULE", value_parser = strategy, default_value = "auto", hide_possible_values = true, help_heading = HEADING)]
        zoom_level_strategy: ZoomStrategy,

        /// Number of levels whose tiles are map tiles, counting full resolution, or all [default: all]
        ///
        /// With all, overviews end with the first that has at most two tiles across and down. Fewer levels are aligned if the
        /// image would become more than four times as large. A number is that of GDAL: at most 10, and at most the zoom level.
        #[arg(long, value_name = "N|all", value_parser = aligned, default_value = "all", hide_default_value = true, help_heading = HEADING)]
        aligned_levels: AlignedLevels,

        /// Warp to a coordinate reference system (CRS), such as EPSG:3035
        ///
        /// In the same forms as --crs, which is the CRS of the input.
        #[arg(long, value_name = "CRS", allow_hyphen_values = true, help_heading = HEADING)]
        dst_crs: Option<String>,

        /// Pixel size in units of --dst-crs: one number, or X,Y [default: about that of the input]
        #[arg(long, value_name = "N|X,Y", value_parser = resolution, help_heading = HEADING)]
        resolution: Option<(f64, f64)>,

        /// Outer edges of the output in units of --dst-crs [default: those of the input]
        #[arg(long, value_name = "LEFT,BOTTOM,RIGHT,TOP", value_parser = bounds, allow_hyphen_values = true, help_heading = HEADING)]
        extent: Option<Bounds>,

        /// Resampling kernel of the warp [default: cubic; nearest for palettes]
        ///
        /// All kernels of overviews except rms and gauss.
        #[arg(long, value_parser = named(Resampling::ALL, Resampling::name, |_| ""), ignore_case = true, value_name = "KERNEL",
              hide_possible_values = true, help_heading = HEADING)]
        warp_resampling: Option<Resampling>,
    }

    impl WarpArguments {
        /// Returns whether there is a target, or an option that needs one.
        pub(crate) fn is_given(&self) -> bool {
            self.options() != WarpOptions::new()
        }

        /// Makes the checks that need no input.
        pub(crate) fn check(&self, tile_size: Option<TileSize>) -> Result<(), String> {
            if !self.is_given() {
                return Ok(());
            }
            self.options().validate().map_err(usage)?;
            match tile_size {
                Some(tile) if self.tiling_scheme.is_some() && tile.width != tile.height => Err(format!(
                    "--blocksize: tiles of {}x{} pixels are not square, as those of the scheme are",
                    tile.width, tile.height
                )),
                _ => Ok(()),
            }
        }

        /// Warps a source, and adapts the layout of the file.
        pub(crate) fn apply(
            &self,
            source: OverriddenSource<Box<dyn RasterSource>>,
            arguments: &CreateArguments,
            encode: &mut EncodeOptions,
            executor: &Executor,
        ) -> Result<(Box<dyn RasterSource>, Option<Warp>), Error> {
            let mut options = self.options();
            if let Some(tile) = arguments.blocksize.filter(|_| self.tiling_scheme.is_some()) {
                options = options.tile_size(tile.width);
            }
            let warped = options.apply(source, executor)?;
            let report = warped.report();
            if let Some(side) = report.tile_size {
                *encode = std::mem::take(encode).tile_size(TileSize::square(side));
            }
            if let Some(count) = report.overviews.filter(|_| arguments.has_automatic_overviews()) {
                *encode = std::mem::take(encode).overviews(if count == 0 {
                    Overviews::None
                } else {
                    Overviews::Count(count)
                });
            }
            let warp = Warp {
                crs: report.crs.clone(),
                resampling: report.resampling.name().to_owned(),
                tiling_scheme: report.tiling_scheme.map(str::to_owned),
                zoom_level: report.zoom_level,
                aligned_levels: report.aligned_levels,
                added_percent: (report.added_percent * 10.0).round() / 10.0,
            };
            Ok((Box::new(warped), Some(warp)))
        }

        /// Returns the library's options.
        fn options(&self) -> WarpOptions {
            let mut options =
                WarpOptions::new().zoom_strategy(self.zoom_level_strategy).aligned_levels(self.aligned_levels);
            if let Some(scheme) = self.tiling_scheme {
                options = options.tiling_scheme(scheme);
            }
            if let Some(level) = self.zoom_level {
                options = options.zoom_level(level);
            }
            if let Some(crs) = &self.dst_crs {
                options = options.crs(crs);
            }
            if let Some((width, height)) = self.resolution {
                options = options.resolution(width, height);
            }
            if let Some(extent) = self.extent {
                options = options.extent(extent);
            }
            if let Some(kernel) = self.warp_resampling {
                options = options.resampling(kernel);
            }
            options
        }
    }

    fn scheme(text: &str) -> Result<TilingScheme, String> {
        let names = || TilingScheme::ALL.iter().map(|scheme| scheme.name()).collect::<Vec<_>>().join(", ");
        TilingScheme::find(text).ok_or_else(|| format!("not one of {}", names()))
    }

    fn strategy(text: &str) -> Result<ZoomStrategy, String> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(ZoomStrategy::Auto),
            "lower" => Ok(ZoomStrategy::Lower),
            "upper" => Ok(ZoomStrategy::Upper),
            _ => Err("expected auto, lower, or upper".into()),
        }
    }

    fn aligned(text: &str) -> Result<AlignedLevels, String> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(AlignedLevels::All);
        }
        text.parse().map(AlignedLevels::Count).map_err(|_| "expected a number of levels, or all".into())
    }

    fn resolution(text: &str) -> Result<(f64, f64), String> {
        match numbers(text).as_deref() {
            Some(&[size]) => Ok((size, size)),
            Some(&[width, height]) => Ok((width, height)),
            _ => Err("expected a pixel size, or its width and height, such as 10 or 10,20".into()),
        }
    }
}

#[cfg(not(feature = "warp"))]
mod without {
    use super::{
        Args, CreateArguments, EncodeOptions, Error, Executor, OverriddenSource, RasterSource, TileSize, Warp,
    };

    /// No options: this build has no warp.
    #[derive(Debug, Args)]
    pub(crate) struct WarpArguments {}

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with the feature")]
    impl WarpArguments {
        pub(crate) fn is_given(&self) -> bool {
            false
        }

        pub(crate) fn check(&self, _: Option<TileSize>) -> Result<(), String> {
            Ok(())
        }

        pub(crate) fn apply(
            &self,
            source: OverriddenSource<Box<dyn RasterSource>>,
            _: &CreateArguments,
            _: &mut EncodeOptions,
            _: &Executor,
        ) -> Result<(Box<dyn RasterSource>, Option<Warp>), Error> {
            Ok((Box::new(source), None))
        }
    }
}
