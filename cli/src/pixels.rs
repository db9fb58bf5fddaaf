//! Options for the choice of pixels.

use clap::Args;
use cogsmith::{BandChoice, Bounds, DataType, PaletteColors, PixelOptions, Rectangle, Resampling, Rescale};

use crate::place::{bounds, numbers};
use crate::values::{named, parsed};

/// Heading of these options in the help.
const HEADING: &str = "Pixels";

/// The input's pixels that are written, and as what.
#[derive(Debug, Args)]
pub(crate) struct PixelArguments {
    /// Bands to write, in this order: numbers counting from 1, or names [default: all]
    ///
    /// A band may appear several times; names are descriptions of bands. Examples: --bands 3,2,1, --bands B04,B03,B02
    #[arg(long, value_name = "BAND,…", value_parser = band, value_delimiter = ',', help_heading = HEADING)]
    bands: Vec<BandChoice>,

    /// Turn a global grid so that it begins at this longitude, such as -180 for a grid from 0 to 360
    ///
    /// The first column is the first one whose center is not west of it; the columns must go around the globe, 360 degrees.
    /// Example: --wrap-longitude -180
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, help_heading = HEADING)]
    wrap_longitude: Option<f64>,

    /// Rectangle of pixels to write: left column and top row, counting from 0, width and height
    ///
    /// Must be within the image. Example: --window 1024,2048,512,512
    #[arg(long, value_name = "COLUMN,ROW,WIDTH,HEIGHT", value_parser = window, help_heading = HEADING)]
    window: Option<Rectangle>,

    /// Rectangle to write, in units of the input's CRS
    ///
    /// All pixels that it touches; must be within the image. Example: --bbox 500000,4990000,510000,5000000
    #[arg(long, value_name = "LEFT,BOTTOM,RIGHT,TOP", value_parser = bounds, allow_hyphen_values = true, conflicts_with = "window", help_heading = HEADING)]
    bbox: Option<Bounds>,

    /// Colors in place of the indices of a palette image
    #[arg(long, value_parser = named(PaletteColors::ALL, PaletteColors::name, palette_help), ignore_case = true, value_name = "COLORS", help_heading = HEADING)]
    expand_palette: Option<PaletteColors>,

    /// Data type of the output, such as u8, uint8, or Byte [default: the input's]
    ///
    /// u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64. Values are rounded and limited to the type's range. Nodata pixels
    /// stay nodata; if the type cannot hold the nodata value, --nodata sets another one. Example: --dtype u8 --rescale 0,3000
    #[arg(long, value_name = "TYPE", value_parser = parsed::<DataType>, help_heading = HEADING)]
    dtype: Option<DataType>,

    /// Linear mapping of values: MIN to MAX become the range of the type, or the second MIN to MAX
    ///
    /// Once for all bands, or once per band in their order. The range of integers is that of their type, that of floats 0 to
    /// 1. Example: --rescale 0,3000,1,255
    #[arg(long, value_name = "MIN,MAX[,MIN,MAX]", value_parser = rescale, allow_hyphen_values = true, conflicts_with = "unscale", help_heading = HEADING)]
    rescale: Vec<Rescale>,

    /// Write the quantities that values stand for: value * scale + offset of the band's metadata
    ///
    /// Without --dtype, as floats.
    #[arg(long, help_heading = HEADING)]
    unscale: bool,

    /// Reduce the image to this size in pixels
    ///
    /// Example: --size 1024x768
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size, help_heading = HEADING)]
    size: Option<(u32, u32)>,

    /// Resampling kernel of --size [default: that of overviews]
    #[arg(long, value_parser = named(Resampling::ALL, Resampling::name, |_| ""), ignore_case = true, value_name = "KERNEL", requires = "size", help_heading = HEADING)]
    size_resampling: Option<Resampling>,
}

impl PixelArguments {
    /// Returns the library's options.
    pub(crate) fn options(&self) -> PixelOptions {
        let mut options = PixelOptions::new().bands(&self.bands[..]).rescale(&self.rescale[..]).unscale(self.unscale);
        if let Some(longitude) = self.wrap_longitude {
            options = options.wrap_longitude(longitude);
        }
        if let Some(window) = &self.window {
            options = options.window(window.clone());
        }
        if let Some(bounds) = self.bbox {
            options = options.bbox(bounds);
        }
        if let Some(colors) = self.expand_palette {
            options = options.expand_palette(colors);
        }
        if let Some(data_type) = self.dtype {
            options = options.data_type(data_type);
        }
        if let Some((width, height)) = self.size {
            options = options.size(width, height);
        }
        if let Some(kernel) = self.size_resampling {
            options = options.size_resampling(kernel);
        }
        options
    }
}

fn palette_help(colors: PaletteColors) -> &'static str {
    match colors {
        PaletteColors::Rgb => "Red, green, and blue; nodata pixels are masked",
        PaletteColors::Rgba => "Red, green, blue, and alpha, which is 0 for nodata pixels",
        _ => "",
    }
}

/// Parses a band: a number counting from 1, or a name.
pub(crate) fn band(text: &str) -> Result<BandChoice, String> {
    let text = text.trim();
    match text.parse::<u16>() {
        Ok(0) => Err("bands count from 1".into()),
        Ok(band) => Ok(BandChoice::Number(band - 1)),
        Err(_) if text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("expected band numbers, such as 3,2,1, or names".into())
        }
        Err(_) => Ok(BandChoice::Description(text.to_owned())),
    }
}

fn window(text: &str) -> Result<Rectangle, String> {
    let numbers: Option<Vec<u32>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let rectangle = match numbers.as_deref() {
        Some(&[column, row, width, height]) if width > 0 && height > 0 => column
            .checked_add(width)
            .zip(row.checked_add(height))
            .map(|(right, bottom)| Rectangle { columns: column..right, rows: row..bottom }),
        _ => None,
    };
    rectangle.ok_or_else(|| "expected column, row, width, and height in pixels, such as 0,0,512,512".into())
}

fn rescale(text: &str) -> Result<Rescale, String> {
    match numbers(text).as_deref() {
        Some(&[min, max]) if min != max => Ok(Rescale { from: (min, max), to: None }),
        Some(&[min, max, to_min, to_max]) if min != max => Ok(Rescale { from: (min, max), to: Some((to_min, to_max)) }),
        _ => Err("expected two different values, and optionally what they become, such as 0,3000,1,255".into()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides =
        text.split_once(['x', 'X']).and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides
        .filter(|(width, height)| *width > 0 && *height > 0)
        .ok_or_else(|| "expected a size in pixels, such as 1024x768".into())
}
