//! Options that say where the raster lies.

use clap::{Args, ValueEnum};
use cogsmith::geo::Overrides;
use cogsmith::{Bounds, Gcp, PixelIs, Transform};

/// Heading of these options in the help.
const HEADING: &str = "Georeferencing";

/// Where the raster lies, in place of what the input says.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Affine transform in GDAL's order: x of the outer corner, x per column, x per row, y of the corner, y per column, y
    /// per row
    #[arg(long, value_name = "X,DX,RX,Y,RY,DY", value_parser = transform, allow_hyphen_values = true, help_heading = HEADING)]
    transform: Option<Transform>,

    /// Outer edges of the image, north up
    #[arg(long, value_name = "LEFT,BOTTOM,RIGHT,TOP", value_parser = bounds, allow_hyphen_values = true, help_heading = HEADING)]
    bounds: Option<Bounds>,

    /// Ground control point: columns and rows from the upper left corner, then x, y and perhaps z; once for each point
    #[arg(long, value_name = "COLUMN,ROW,X,Y[,Z]", value_parser = gcp, allow_hyphen_values = true, help_heading = HEADING)]
    gcp: Vec<Gcp>,

    /// Whether pixels are areas or points, such as heights on a grid; the raster stays in its place [default: the input's]
    #[arg(long, value_enum, ignore_case = true, value_name = "KIND", help_heading = HEADING)]
    pixel_is: Option<PixelChoice>,
}

/// The value of `--pixel-is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PixelChoice {
    Area,
    Point,
}

impl PlaceArguments {
    /// Adds what the options say to the overrides.
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

/// Finite numbers with commas between them.
fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|number| number.trim().parse().ok().filter(|number: &f64| number.is_finite())).collect()
}

fn transform(text: &str) -> Result<Transform, String> {
    let six = numbers(text).and_then(|numbers| <[f64; 6]>::try_from(numbers).ok());
    let six = six.ok_or("expected six numbers in GDAL's order, such as 500000,10,0,5000000,0,-10")?;
    Transform::from_gdal(six)
        .map_err(|_| "pixels would have no area; the order is GDAL's, such as 500000,10,0,5000000,0,-10".into())
}

fn bounds(text: &str) -> Result<Bounds, String> {
    match numbers(text).as_deref() {
        Some(&[left, bottom, right, top]) if left < right && bottom < top => Ok(Bounds { left, bottom, right, top }),
        _ => Err("expected left, bottom, right, top, such as -180,-90,180,90".into()),
    }
}

fn gcp(text: &str) -> Result<Gcp, String> {
    match numbers(text).as_deref() {
        Some(&[column, row, x, y]) => Ok(Gcp { column, row, x, y, z: 0.0 }),
        Some(&[column, row, x, y, z]) => Ok(Gcp { column, row, x, y, z }),
        _ => Err("expected column, row, x, y and perhaps z, such as 0.5,0.5,13.4,52.5".into()),
    }
}
