//! The inputs of a conversion: one, or several as one (`cogsmith mosaic` and `cogsmith stack`).

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use cogsmith::{Error, Executor, InputFiles, InputOptions, MosaicOptions, OptionField, Overlap, RasterSource};

use crate::arguments::{BitsChoice, CreateArguments, CreateCommand, NodataChoice};
use crate::remote::Remote;
use crate::values::named;

const EXAMPLES: &str = "\
Examples:
  cogsmith mosaic tiles/ -o mosaic.tif
  cogsmith mosaic 'tiles/**/*_B04.tif' -o b04.tif --compress zstd
  cogsmith mosaic @tiles.txt -o mosaic.tif --overlap max --nodata 0";

const STACK_EXAMPLES: &str = "\
Examples:
  cogsmith stack B02.tif B03.tif B04.tif -o bands.tif
  cogsmith stack 'scene/*_B*.tif' -o scene.tif --interleave band";

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure (no output file is left behind), 2 usage error.";

/// Join GeoTIFFs on one grid into one Cloud Optimized GeoTIFF (COG)
///
/// Inputs have the same bands, data type, nodata value, CRS, and pixel size, and their pixels are aligned. If they differ,
/// options such as --bands, --dtype, --nodata, --crs, and --expand-palette change each input so that they fit. Pixels of no
/// input are nodata or masked. All options of 'cogsmith create' apply.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct MosaicArguments {
    /// GeoTIFFs, folders of them, patterns such as 'tiles/*.tif', addresses, or @LIST
    ///
    /// A folder means the .tif and .tiff files in it and in its subfolders, sorted by path. In a pattern, * and ? stand for
    /// letters, [abc] for one of them, and ** for any folders. Addresses are objects and URLs, as for 'cogsmith create'. @LIST
    /// is a text file with one path per line, relative to its folder and below it, or below --vrt-root.
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    inputs: Vec<PathBuf>,

    /// COG to write, or - for standard output
    #[arg(short, long, value_name = "OUTPUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// Rule for pixels that several inputs have
    ///
    /// Pixels that are nodata, masked, transparent, or NaN never count.
    #[arg(long, value_parser = named(Overlap::ALL, Overlap::name, overlap_help), ignore_case = true, value_name = "RULE",
          default_value_t = Overlap::Last, help_heading = "Input")]
    overlap: Overlap,

    #[command(flatten)]
    create: CreateArguments,
}

impl MosaicArguments {
    /// Returns the arguments of the conversion.
    pub(crate) fn into_create(self) -> CreateArguments {
        let kind = Kind::Mosaic(MosaicOptions::new().overlap(self.overlap));
        let several = Several { inputs: self.inputs, kind };
        let mut create = self.create;
        (create.several, create.output) = (Some(several), self.output);
        create
    }
}

/// Put the bands of GeoTIFFs into one Cloud Optimized GeoTIFF (COG)
///
/// Inputs have the same size, place, data type, nodata value, and CRS. Bands are in the order of the inputs; a band without
/// a description gets the name of its file. Options that choose or convert pixels apply to each input, and --bands selects
/// bands of each. All options of 'cogsmith create' apply.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{STACK_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct StackArguments {
    /// GeoTIFFs, folders of them, patterns such as 'scene/*.tif', addresses, or @LIST
    ///
    /// As in 'cogsmith mosaic'.
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    inputs: Vec<PathBuf>,

    /// COG to write, or - for standard output
    #[arg(short, long, value_name = "OUTPUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    #[command(flatten)]
    create: CreateArguments,
}

impl StackArguments {
    /// Returns the arguments of the conversion.
    pub(crate) fn into_create(self) -> CreateArguments {
        let several = Several { inputs: self.inputs, kind: Kind::Stack };
        let mut create = self.create;
        (create.several, create.output) = (Some(several), self.output);
        create
    }
}

impl CreateCommand {
    /// Returns the arguments of the conversion.
    pub(crate) fn into_create(self) -> CreateArguments {
        let mut create = self.create;
        (create.input, create.output) = (self.input, self.output);
        create
    }
}

/// The inputs of a mosaic or a stack.
#[derive(Debug, Clone)]
pub(crate) struct Several {
    inputs: Vec<PathBuf>,
    kind: Kind,
}

/// The way in which several inputs become one.
#[derive(Debug, Clone)]
enum Kind {
    Mosaic(MosaicOptions),
    Stack,
}

impl Several {
    /// Returns the inputs.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().map(PathBuf::as_path)
    }

    /// Returns whether an input would be standard input.
    pub(crate) fn has_standard_input(&self) -> bool {
        self.inputs.iter().any(|input| input == Path::new("-"))
    }

    /// Opens the inputs as one image.
    pub(crate) fn open(
        &self,
        arguments: &CreateArguments,
        executor: &Executor,
        remote: &Remote,
    ) -> Result<Box<dyn RasterSource>, Error> {
        let files = InputFiles::find(&self.inputs, arguments.vrt_root.as_deref())?;
        if !arguments.to_standard_output() {
            files.check_output(&arguments.output)?;
        }
        let mut options = InputOptions::new()
            .read_options(arguments.read_options(remote))
            .widen(arguments.nbits == Some(BitsChoice::Widen))
            .pixels(arguments.pixels.options())
            .overrides(arguments.overrides());
        match arguments.nodata {
            None => {}
            Some(NodataChoice::None) => options = options.nodata(None),
            Some(NodataChoice::Value(value)) => options = options.nodata(Some(value)),
        }
        if let Some(BitsChoice::Number(bits)) = arguments.nbits {
            options = options.bits(bits);
        }
        if let Some(crs) = arguments.crs()? {
            options = options.crs(crs);
        }
        match &self.kind {
            Kind::Mosaic(mosaic) => options.mosaic(&files, mosaic, executor),
            Kind::Stack => options.stack(&files, executor),
        }
    }
}

fn overlap_help(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Last => "The last input that has data, as in gdalbuildvrt",
        Overlap::First => "The first input that has data",
        Overlap::Min => "The smallest value",
        Overlap::Max => "The largest value",
        Overlap::Mean => "The mean of all values",
        Overlap::Sum => "The sum of all values; fails if the data type cannot hold one",
        Overlap::Count => "The number of inputs that have data",
        _ => "",
    }
}

/// Returns the option that makes inputs that differ fit together.
pub(crate) fn hint(option: OptionField) -> Option<&'static str> {
    Some(match option {
        OptionField::DataType => "--dtype TYPE converts all inputs",
        OptionField::Bands => "--bands LIST selects the same bands of all inputs",
        OptionField::Nodata => "--nodata VALUE makes one nodata value of all",
        OptionField::Crs => {
            "if it is the same CRS, --crs CRS sets it for all inputs; otherwise 'cogsmith create --dst-crs CRS' warps them first"
        }
        OptionField::ExpandPalette => "--expand-palette rgb replaces indices by colors",
        OptionField::BitsPerSample => "--nbits widen makes samples of all inputs as wide as their type",
        OptionField::Scale | OptionField::Offset => {
            "--unscale converts values to quantities; --band-scale and --band-offset set scale and offset for all inputs"
        }
        OptionField::Mask => "gdal_translate -mask none drops the mask of a file",
        OptionField::Unit => "--band-unit UNIT sets the unit of all inputs",
        OptionField::ColorInterpretation => "--color-interpretation LIST sets the colors of all inputs",
        _ => return None,
    })
}
