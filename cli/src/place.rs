//! Options for the georeferencing of the output.

use clap::{Args, ValueEnum};
use cogsmith::Overrides;
use cogsmith::{Bounds, Gcp, PixelIs, Transform};

use crate::flags;

/// Heading of these options in the help.
const HEADING: &str = "Georeferencing";

/// Georeferencing that replaces the input's.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Affine transform in GDAL's order [default: the input's]
    ///
    /// In units of the CRS: x of the image's upper left corner, x per column, x per row, y of the corner, y per column,
    /// y per row. Example (north up, pixels of 10 by 10): --transform 500000,10,0,5000000,0,-10
    #[arg(long, value_name = "X,DX,RX,Y,RY,DY", value_parser = transform, allow_hyphen_values = true, help_heading = HEADING)]
    transform: Option<Transform>,

    /// Outer edges of the image, north up [default: the input's]
    ///
    /// In units of the CRS. Example: --bounds -180,-90,180,90
    #[arg(long, value_name = "LEFT,BOTTOM,RIGHT,TOP", value_parser = bounds, allow_hyphen_values = true, help_heading = HEADING)]
    bounds: Option<Bounds>,

    /// Ground control point (repeatable): pixel column and row, and the coordinates there
    ///
    /// Columns and rows count from the image's upper left corner; x, y, and the optional z are coordinates in the CRS. At
    /// most 10922 points. Example: --gcp 0.5,0.5,13.4,52.5
    #[arg(long, value_name = "COLUMN,ROW,X,Y[,Z]", value_parser = gcp, allow_hyphen_values = true, help_heading = HEADING)]
    gcp: Vec<Gcp>,

    /// Raster type: whether a pixel is an area or a point [default: the input's]
    ///
    /// The raster stays in place: --transform, --bounds, and --gcp always count from the outer corner of the first
    /// pixel.
    #[arg(long, value_enum, ignore_case = true, value_name = "KIND", help_heading = HEADING)]
    pixel_is: Option<PixelChoice>,
}

/// The value of `--pixel-is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PixelChoice {
    /// Coordinates in the file are those of pixel corners
    Area,
    /// Coordinates in the file are those of pixel centers, as for heights on a grid
    Point,
}

impl PlaceArguments {
    /// Adds the options to the overrides.
    pub(crate) fn add_to(&self, overrides: &mut Overrides) {
        overrides.transform = self.transform;
        overrides.bounds = self.bounds;
        overrides.gcps.clone_from(&self.gcp);
        overrides.pixel_is = self.pixel_is.map(|kind| match kind {
            PixelChoice::Area => PixelIs::Area,
            PixelChoice::Point => PixelIs::Point,
        });
    }
}

/// Parses finite numbers separated by commas.
pub(crate) fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|number| number.trim().parse().ok().filter(|number: &f64| number.is_finite())).collect()
}

fn transform(text: &str) -> Result<Transform, String> {
    let six = numbers(text).and_then(|numbers| <[f64; 6]>::try_from(numbers).ok());
    let six = six.ok_or("expected six numbers in GDAL's order, such as 500000,10,0,5000000,0,-10")?;
    Transform::from_gdal(six).map_err(|error| flags::reason(&error))
}

pub(crate) fn bounds(text: &str) -> Result<Bounds, String> {
    match numbers(text).as_deref() {
        Some(&[left, bottom, right, top]) => Ok(Bounds { left, bottom, right, top }),
        _ => Err("expected left, bottom, right, top, such as -180,-90,180,90".into()),
    }
}

fn gcp(text: &str) -> Result<Gcp, String> {
    match numbers(text).as_deref() {
        Some(&[column, row, x, y]) => Ok(Gcp { column, row, x, y, z: 0.0 }),
        Some(&[column, row, x, y, z]) => Ok(Gcp { column, row, x, y, z }),
        _ => Err("expected column, row, x, y, and optionally z, such as 0.5,0.5,13.4,52.5".into()),
    }
}
