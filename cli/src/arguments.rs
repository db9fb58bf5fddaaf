//! The command line: options, their values, and the combinations that are rejected.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use cogsmith::Overrides;
use cogsmith::{
    BigTiff, Crs, DEFAULT_TILE_SIDE, EncodeOptions, ErrorKind, FileOptions, Interleave, MaskPolicy, Nodata, Overviews,
    ReadOptions, Sparse, TileSize,
};

use crate::compression::CompressionArguments;
use crate::describe::DescribeArguments;
use crate::edit::EditArguments;
use crate::explain::ExplainArguments;
use crate::flags;
use crate::info::InfoArguments;
use crate::patch::PatchArguments;
use crate::pixels::PixelArguments;
use crate::place::PlaceArguments;
use crate::preview::PreviewArguments;
use crate::remote::Remote;
use crate::repack::RepackArguments;
use crate::several::{MosaicArguments, Several, StackArguments};
use crate::store::StoreArguments;
use crate::validate::ValidateArguments;
use crate::values::{
    KernelChoice, big_tiff_help, bits, bytes, header_room, image_number, interleave_help, mask_help, named, nodata,
    overviews, resampling, sparse_help, threads, tile_size,
};
use crate::warp::WarpArguments;

const EXAMPLES: &str = "\
Examples:
  cogsmith create scene.tif scene-cog.tif
  cogsmith create --compress zstd --level 15 --threads 4 scene.tif scene-cog.tif
  cogsmith create --overview-resampling mode --nodata 0 landcover.tif landcover-cog.tif
  cogsmith create --overwrite scene.tif scene.tif
  cogsmith create scene.tif s3://bucket/scene.tif
  cogsmith create https://example.com/scene.tif scene-cog.tif
  cogsmith create --quiet scene.tif - | upload-somewhere";

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure (no output file is left behind), 2 usage error.";

/// Create, validate, and describe Cloud Optimized GeoTIFFs (COGs).
#[derive(Debug, Parser)]
#[command(name = "cogsmith", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Box<CreateCommand>),
    Mosaic(Box<MosaicArguments>),
    Stack(Box<StackArguments>),
    Edit(Box<EditArguments>),
    Patch(PatchArguments),
    Repack(RepackArguments),
    Preview(PreviewArguments),
    Explain(ExplainArguments),
    Validate(ValidateArguments),
    Info(InfoArguments),
    /// Print a shell completion script
    Completions {
        /// Shell to generate the script for
        shell: Shell,
    },
}

impl Command {
    /// Returns the command as it is written on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Mosaic(_) => "mosaic",
            Self::Stack(_) => "stack",
            Self::Edit(_) => "edit",
            Self::Patch(_) => "patch",
            Self::Repack(_) => "repack",
            Self::Preview(_) => "preview",
            Self::Explain(_) => "explain",
            Self::Validate(_) => "validate",
            Self::Info(_) => "info",
            Self::Completions { .. } => "completions",
        }
    }
}

/// Convert a GeoTIFF to a Cloud Optimized GeoTIFF (COG)
///
/// The output appears whole or not at all: it is written next to OUTPUT under a hidden name and renamed at the end.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct CreateCommand {
    /// GeoTIFF, VRT, PNG, or JPEG to read: a file, an object such as s3://bucket/key, or a GeoTIFF at a URL
    ///
    /// Objects are named as those of OUTPUT; URLs are https:// and http://, with or without GDAL's /vsicurl/. They need the
    /// feature 'store'. Standard input cannot be used, because the directory of a TIFF may be at its end.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,

    /// COG to write: a file, an object such as s3://bucket/key, or - for standard output
    ///
    /// Objects are s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY, or GDAL's /vsis3/, /vsigs/, and /vsiaz/. They need the
    /// feature 'store'.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) create: CreateArguments,
}

/// The options of a conversion, which all commands that write a COG share. The commands set the fields without an option.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The input; empty if there are several.
    #[arg(skip)]
    pub(crate) input: PathBuf,

    #[arg(skip)]
    pub(crate) several: Option<Several>,

    #[arg(skip)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    compression: CompressionArguments,

    /// Tile size in pixels: one side, or WIDTHxHEIGHT; multiples of 16 [default: 512]
    ///
    /// Each side is at most 65520 pixels. With --tiling-scheme, 256 by default. Examples: --blocksize 256, --blocksize 512x256
    #[arg(long, value_name = "N|WxH", value_parser = tile_size, help_heading = "Layout")]
    pub(crate) blocksize: Option<TileSize>,

    /// Order of the bands in the file
    #[arg(long, value_parser = named(Interleave::ALL, Interleave::name, interleave_help), ignore_case = true,
          default_value_t = Interleave::Pixel, help_heading = "Layout")]
    interleave: Interleave,

    /// Write a BigTIFF, which can exceed 4 GiB but is not read by very old software
    #[arg(long, value_parser = named(BigTiff::ALL, BigTiff::name, big_tiff_help), ignore_case = true, value_name = "WHEN",
          default_value_t = BigTiff::Auto, help_heading = "Layout")]
    bigtiff: BigTiff,

    /// Leave out tiles that readers fill with the same pixels: those of nodata alone, or of 0 without nodata
    ///
    /// Applies to all levels and to mask tiles without a valid pixel. Some readers do not support such files. Examples:
    /// --sparse, --sparse=masked
    #[arg(long, value_parser = named(Sparse::ALL, Sparse::name, sparse_help), ignore_case = true, value_name = "TILES",
          num_args = 0..=1, require_equals = true, default_value_t = Sparse::No, default_missing_value = "yes",
          help_heading = "Layout")]
    sparse: Sparse,

    /// Free bytes after the directories, in which later changes by 'edit' fit
    ///
    /// Bytes, or a number with the suffix K or M (powers of 1024), at most 16M. Example: --header-room 16K
    #[arg(long, value_parser = header_room, value_name = "SIZE", default_value = "0", help_heading = "Layout")]
    header_room: u32,

    /// Overviews: auto, none, existing, or reduction factors such as 2,4,8
    ///
    /// With auto, each overview is half the size of the level before it (rounded down), until both sides fit one
    /// full-resolution tile. With existing, those of these levels that the input or its .ovr file has are taken from there,
    /// and the others are computed. Factors are relative to full resolution, in ascending order and at least 2; sizes are
    /// rounded up. Example: --overviews 4,16,64
    #[arg(long, value_name = "auto|none|existing|LIST", value_parser = overviews, default_value = "auto", help_heading = "Overviews")]
    overviews: Overviews,

    /// Number of overviews, each half the size of the level before it [default: as many as auto makes]
    #[arg(long, value_name = "N", help_heading = "Overviews")]
    overview_count: Option<u32>,

    /// Resampling kernel for overviews, or one per band [default: cubic; nearest for palettes and complex samples]
    ///
    /// Full resolution is never resampled. Examples: --overview-resampling average, --overview-resampling
    /// cubic,cubic,mode
    #[arg(long, value_parser = resampling(), ignore_case = true, value_name = "KERNEL|LIST", value_delimiter = ',', action = ArgAction::Set,
          num_args = 1, help_heading = "Overviews")]
    overview_resampling: Option<Vec<KernelChoice>>,

    /// Tile size of overviews in pixels, in the same form as --blocksize [default: that of --blocksize]
    #[arg(long, value_name = "N|WxH", value_parser = tile_size, help_heading = "Overviews")]
    overview_blocksize: Option<TileSize>,

    /// Image to read from a file with several, counting from 1 [default: the first at full resolution]
    #[arg(long, value_name = "N", value_parser = image_number, help_heading = "Input")]
    pub(crate) image: Option<NonZeroUsize>,

    /// Ignore INPUT.aux.xml, GDAL's auxiliary metadata file
    ///
    /// By default, its metadata takes precedence over that in INPUT, as in GDAL.
    #[arg(long, help_heading = "Input")]
    pub(crate) ignore_aux: bool,

    /// Folder or address below which the files named in a VRT file or a list may be [default: the folder of that file]
    ///
    /// By default, names must be relative to the folder of the file and lead to files below it, since a VRT may come from
    /// anywhere. An address permits those that start with it. Example: --vrt-root s3://bucket/tiles
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Input")]
    pub(crate) vrt_root: Option<PathBuf>,

    /// Value that marks pixels without data, or none [default: the input's]
    ///
    /// A number (64-bit integers are exact), nan, inf, or -inf. Pixel values are unchanged; statistics in the input's
    /// metadata are dropped. Example: --nodata -9999
    #[arg(long, value_name = "VALUE|none", value_parser = nodata, allow_hyphen_values = true, help_heading = "Input")]
    pub(crate) nodata: Option<NodataChoice>,

    /// Coordinate reference system (CRS), such as EPSG:32633; does not reproject [default: the input's]
    ///
    /// An EPSG code (EPSG:32633, or EPSG:32633+5773 with heights, or EPSG:9000@2021.3 with a coordinate epoch),
    /// OGC:CRS84, WKT 1 or 2, PROJJSON, or a PROJ string. Pixels stay where they are.
    #[arg(long, value_name = "CRS", allow_hyphen_values = true, help_heading = "Georeferencing")]
    crs: Option<String>,

    /// If GeoKeys cannot express --crs, store WKT in the citation instead of failing
    ///
    /// GDAL reads this WKT; readers that only look at GeoKeys do not.
    #[arg(long, help_heading = "Georeferencing")]
    crs_wkt: bool,

    /// Source of the output's mask
    ///
    /// nodata, any-nodata, and alpha add to the input's mask, if it has one. With a lossy codec, auto makes the mask from
    /// nodata and alpha, because the codec would change them; the nodata tag and the alpha band are then left out.
    #[arg(long, value_parser = named(MaskPolicy::ALL, MaskPolicy::name, mask_help), ignore_case = true, value_name = "SOURCE",
          default_value_t = MaskPolicy::Auto, help_heading = "Input")]
    pub(crate) mask: MaskPolicy,

    /// Bits per sample: keep or widen an unusual width of the input, such as 12, or set one [default: keep]
    ///
    /// widen makes samples as wide as their type. A number is fewer bits than the type has; larger values become the largest
    /// one. 16 stores f32 as f16. Examples: --nbits widen, --nbits 12
    #[arg(long, value_name = "keep|widen|N", value_parser = bits, help_heading = "Input")]
    pub(crate) nbits: Option<BitsChoice>,

    #[command(flatten)]
    pub(crate) pixels: PixelArguments,

    #[command(flatten)]
    pub(crate) warp: WarpArguments,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    #[command(flatten)]
    pub(crate) describe: DescribeArguments,

    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// Number of threads (1 to 1024), or all for one per core
    ///
    /// The output is the same, byte for byte, for any number of threads.
    #[arg(long, value_name = "N|all", value_parser = threads, default_value = "all", help_heading = "Running")]
    pub(crate) threads: Threads,

    /// Memory limit for compressed tiles; the rest spills to a temporary file [default: 16M]
    ///
    /// Bytes, or a number with the suffix K, M, or G (powers of 1024). Not used with --compress none if OUTPUT is a
    /// file without a mask: tiles are then written in place. Example: --tile-memory 1G
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Running")]
    pub(crate) tile_memory: Option<u64>,

    /// Memory for pixels that are read at once; at least one row of tiles [default: 16M]
    ///
    /// Bytes, or a number with the suffix K, M, or G (powers of 1024). More pixels at once keep more threads busy.
    /// Example: --row-memory 64M
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Running")]
    pub(crate) row_memory: Option<u64>,

    /// Directory for compressed tiles beyond --tile-memory [default: that of OUTPUT; the system's for -]
    ///
    /// Needs at most as much space as the output. The default for devices and FIFOs is the system's temporary
    /// directory, as for standard output.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Running")]
    pub(crate) temp_dir: Option<PathBuf>,

    /// Wait until the output is safely on disk; slower
    #[arg(long, help_heading = "Running")]
    pub(crate) sync: bool,

    /// Read the output back and compare the pixels of every tile with those that were encoded
    ///
    /// This happens before the output appears: if a tile differs, the command fails and leaves no output. Takes about
    /// as long as decoding the file, and 8 bytes of memory per tile.
    #[arg(long, help_heading = "Running")]
    pub(crate) verify: bool,

    /// Replace OUTPUT if it exists; it may be the same file as INPUT
    #[arg(long, help_heading = "Running")]
    pub(crate) overwrite: bool,

    /// Print no progress, warnings, or summary
    ///
    /// --json still prints its object.
    #[arg(long, short, help_heading = "Messages")]
    pub(crate) quiet: bool,

    /// Print the summary as one JSON object
    ///
    /// To standard output, or to standard error if OUTPUT is -.
    #[arg(long, help_heading = "Messages")]
    pub(crate) json: bool,
}

/// The value of `--nbits`, for samples with fewer bits than their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BitsChoice {
    Keep,
    Widen,
    Number(u16),
}

/// The value of `--nodata`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NodataChoice {
    None,
    Value(Nodata),
}

/// The value of `--threads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    All,
    Count(NonZeroUsize),
}

impl CreateArguments {
    /// Returns whether the COG goes to standard output.
    pub(crate) fn to_standard_output(&self) -> bool {
        self.output == Path::new("-")
    }

    /// Returns the inputs, and the place of those that lists and VRT files name.
    pub(crate) fn sources(&self) -> Vec<&Path> {
        let several = self.several.iter().flat_map(Several::inputs);
        several.chain([self.input.as_path()]).chain(self.vrt_root.as_deref()).collect()
    }

    /// Makes the library's checks that need no input, and rejects what the command cannot do.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.overrides().check().map_err(usage)?;
        self.pixels.options().validate().map_err(usage)?;
        self.warp.check(self.blocksize)?;
        if self.input == Path::new("-") || self.several.as_ref().is_some_and(Several::has_standard_input) {
            return Err(
                "INPUT cannot be '-' (standard input): the directory of a TIFF may be at its end; save the input to a \
                        file first"
                    .into(),
            );
        }
        self.store.check(&self.sources(), &self.output, self.sync)?;
        if self.to_standard_output() {
            self.file_options().check_for_stream().map_err(usage)?;
        }
        self.encode_options().and_then(|options| options.validate()).map_err(usage)?;
        // Before the input is opened: a CRS that cannot be written fails without reading anything.
        self.crs().and_then(|crs| crs.map(|crs| crs.geo_keys()).transpose()).map_err(usage)?;
        if let Some(kernels @ [_, _, ..]) = self.overview_resampling.as_deref()
            && kernels.iter().any(|kernel| kernel.0.is_none())
        {
            return Err("--overview-resampling auto cannot be in a list; name a kernel for each band".into());
        }
        Ok(())
    }

    /// Returns the CRS of `--crs`.
    pub(crate) fn crs(&self) -> Result<Option<Crs>, cogsmith::Error> {
        Crs::parse_option(self.crs.as_deref(), self.crs_wkt)
    }

    /// Returns the georeferencing and metadata that replace the input's.
    pub(crate) fn overrides(&self) -> Overrides {
        let mut overrides = self.placing();
        self.describe.add_to(&mut overrides);
        overrides
    }

    /// Returns the georeferencing that replaces the input's.
    pub(crate) fn placing(&self) -> Overrides {
        let mut overrides = Overrides::default();
        self.place.add_to(&mut overrides);
        overrides
    }

    /// Returns what replaces the georeferencing and metadata of the pixels that are written: of a warp, no georeferencing.
    pub(crate) fn output_overrides(&self) -> Overrides {
        if !self.warp.is_given() {
            return self.overrides();
        }
        let mut overrides = Overrides::default();
        self.describe.add_to(&mut overrides);
        overrides
    }

    /// Returns whether the number of overviews is the command's choice.
    pub(crate) fn has_automatic_overviews(&self) -> bool {
        self.overviews == Overviews::Auto && self.overview_count.is_none()
    }

    /// Returns the options of the output file.
    pub(crate) fn file_options(&self) -> FileOptions {
        FileOptions::new().overwrite(self.overwrite).sync(self.sync)
    }

    /// Returns the library's options for reading an input.
    pub(crate) fn read_options(&self, remote: &Remote) -> ReadOptions {
        // People count images from 1, the library from 0.
        let image = self.image.map(|image| image.get() - 1);
        ReadOptions::new()
            .image(image)
            .ignore_aux(self.ignore_aux)
            .vrt_root(self.vrt_root.clone())
            .addresses(remote.addresses())
    }

    /// Returns the library's encoding options.
    pub(crate) fn encode_options(&self) -> Result<EncodeOptions, cogsmith::Error> {
        let compression = self.compression.codec()?;
        Ok(EncodeOptions::new()
            .tile_size(self.blocksize.unwrap_or(TileSize::square(DEFAULT_TILE_SIDE)))
            .overview_tile_size(self.overview_blocksize)
            .compression(compression)
            .overview_compression(self.compression.of_overviews(compression)?)
            .predictor(self.compression.predictor)
            .overview_predictor(self.compression.overview_predictor)
            .mask(self.mask)
            .interleave(self.interleave)
            .overviews(match self.overview_count {
                None => self.overviews.clone(),
                Some(count) => self.overviews.clone().with_count(count)?,
            })
            .resampling(match self.overview_resampling.as_deref() {
                Some([one]) => one.0,
                _ => None,
            })
            .band_resampling(match self.overview_resampling.as_deref() {
                None | Some([_]) => Vec::new(),
                Some(several) => several.iter().filter_map(|kernel| kernel.0).collect(),
            })
            .big_tiff(self.bigtiff)
            .sparse(self.sparse)
            .header_room(self.header_room)
            .statistics(self.describe.computes_statistics()))
    }
}

/// Words a library error about an option for the command line.
pub(crate) fn usage(error: cogsmith::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidOption { option, other, reason } => flags::message(*option, *other, reason),
        _ => error.to_string(),
    }
}
