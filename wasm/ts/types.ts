/** A compression codec. */
export type CodecName = 'none' | 'lzw' | 'packbits' | 'deflate' | 'zstd' | 'jpeg' | 'webp' | 'lerc' | 'lerc_deflate' | 'lerc_zstd';

/** Options of an encoding. Names, values, and defaults are those of the command `cogsmith create`, in camel case. */
export interface CreateOptions {
  /** Compression codec. Those that the module contains are in `codecs()`; JPEG, WebP, and LERC are in `cogsmith/full`. Default: `deflate`. */
  compress?: CodecName;
  /** Compression level: 1 (fastest) to 9 for deflate (default 6), 1 to 22 for zstd (default 9). */
  level?: number;
  /** Quality of jpeg: 1 (smallest) to 100. Default: 75. */
  quality?: number;
  /** Lossless webp, the only one that is written; the same as a quality of 100. Default: false. */
  lossless?: boolean;
  /** Largest error of lerc in any sample. Default: 0. */
  maxZError?: number;
  /** Chroma subsampling of jpeg. Default: `auto`, 4:2:0 for red, green, and blue, none for other bands. */
  jpegSubsampling?: 'auto' | '420' | '444';
  /** Color space in which jpeg stores three bands. Default: `auto`, YCbCr for red, green, and blue; `ycbcr` for any three bands. */
  photometric?: 'auto' | 'ycbcr';
  /** Transform applied to samples before compression. Default: `auto`, chosen by data type and, for integers, by trial. */
  predictor?: 'auto' | 'none' | 'horizontal' | 'float';
  /** Tile size in pixels: one side, or width and height; multiples of 16. Default: 512. */
  blocksize?: number | [number, number];
  /**
   * Order of the bands: `pixel` (all bands of a pixel in one tile), `band` (all tiles of one band, then the next), or `tile`
   * (for each tile position, the tiles of all bands). Default: `pixel`.
   */
  interleave?: 'pixel' | 'band' | 'tile';
  /** Write a BigTIFF. Default: `auto`, only if the finished file exceeds 4 GiB. */
  bigtiff?: 'auto' | 'yes' | 'no';
  /** Overviews: `auto` (halves until one tile covers the image), `none`, or ascending reduction factors. Default: `auto`. */
  overviews?: 'auto' | 'none' | number[];
  /** Number of overviews, each half the size of the level before it. Default: as many as `auto` makes. */
  overviewCount?: number;
  /** Resampling kernel for overviews, or one per band. Default: cubic; nearest for palettes and complex samples. */
  overviewResampling?: 'auto' | Resampling | Resampling[];
  /** Tile size of overviews, in the same form as `blocksize`. Default: that of `blocksize`. */
  overviewBlocksize?: number | [number, number];
  /** Codec of overviews. Default: that of `compress`. */
  overviewCompress?: CodecName;
  /** Compression level of overviews. Default: that of `level` if the codec is the same. */
  overviewLevel?: number;
  /** Quality of overviews. Default: that of `quality` if the codec is the same. */
  overviewQuality?: number;
  /** Largest error of lerc in overviews. Default: that of `maxZError` if the codec is the same. */
  overviewMaxZError?: number;
  /** Predictor of overviews. Default: that of `predictor`. */
  overviewPredictor?: 'auto' | 'none' | 'horizontal' | 'float';
  /** Image to read from a file with several, counting from 1. Default: the first at full resolution. Files only. */
  image?: number;
  /** Value that marks pixels without data, or `none`. Default: the input's. Files only. */
  nodata?: Nodata | 'none';
  /** Source of the output's mask. Default: `auto`, the input's mask, if it has one; with jpeg also nodata and alpha. */
  mask?: 'auto' | 'none' | 'nodata' | 'any-nodata' | 'alpha';
  /** Keep or widen samples of unusual width, such as 12 bits. Default: `keep`. Files only. */
  nbits?: 'keep' | 'widen';
  /** Coordinate reference system: a code, WKT, PROJJSON, or a PROJ string; does not reproject. Default: the input's. Files only. */
  crs?: string | number;
  /** If GeoKeys cannot express `crs`, store WKT in the citation (GDAL reads it) instead of failing. Default: `false`. */
  crsWkt?: boolean;
  /** Affine transform in GDAL's order: x of the upper left corner, x per column, x per row, y, y per column, y per row. */
  transform?: Transform;
  /** Outer edges of the image, north up: left, bottom, right, top. */
  bounds?: [number, number, number, number];
  /** Ground control points: column, row, x, y, and optionally z. */
  gcp?: ([number, number, number, number] | [number, number, number, number, number])[];
  /** Raster type: whether a pixel is an area or a point; the raster stays in place. Default: the input's. */
  pixelIs?: 'area' | 'point';
  /** Description of each band. Default: the input's. */
  bandDescription?: string[];
  /** Scale factor recorded in the metadata, for all bands or for each; pixel values are unchanged. Default: the input's. */
  bandScale?: number | number[];
  /** Offset recorded in the metadata, added after scaling, for all bands or for each. Default: the input's. */
  bandOffset?: number | number[];
  /** Unit of the scaled values, for all bands or for each; empty text removes it. Default: the input's. */
  bandUnit?: string | string[];
  /** Color interpretation of each band, such as `['nir', 'red', 'green']`. Default: the input's. */
  colorInterpretation?: string[];
  /** Compute statistics of every band in the same pass and store them in the metadata. Default: `false`. */
  stats?: boolean;
  /** Metadata items by `KEY` or `DOMAIN:KEY`. */
  metadata?: Record<string, string>;
  /** Leave out metadata, except scale, offset, unit, description, and color interpretation of bands. Default: `false`. */
  stripMetadata?: boolean;
  /**
   * Rectangle of pixels to write: column, row, width, height. This option and those below that choose or convert pixels are
   * in `cogsmith/full`, for files only.
   */
  window?: [number, number, number, number];
  /** Likewise, the pixels that these bounds touch: left, bottom, right, top in units of the CRS. */
  bbox?: [number, number, number, number];
  /** Bands to write, in this order: numbers, counted from 1, or descriptions. Default: all. */
  bands?: number | string | (number | string)[];
  /** Replaces palette indices by their colors. */
  expandPalette?: 'rgb' | 'rgba';
  /** Replaces values by the quantities that they stand for: value times scale plus offset. Default: `false`. */
  unscale?: boolean;
  /** Maps values linearly: minimum and maximum, and the values that they become; one mapping for all bands, or one for each. */
  rescale?: RescaleRange | RescaleRange[];
  /** Data type to write, such as `u8`. Values are rounded and clamped, as in GDAL. Default: the input's. */
  dtype?: DataType | string;
  /** Columns and rows to reduce the image to. */
  size?: [number, number];
  /** Kernel for `size`. Default: that of overviews. */
  sizeResampling?: Resampling;
  /** Longitude that a global grid begins at, such as -180 for one from 0 to 360. */
  wrapLongitude?: number;
  /** Maximum number of workers. Default: `all`, one per core. */
  threads?: 'all' | number;
}

/** Minimum and maximum, and optionally the two values that they become. */
export type RescaleRange = [number, number] | [number, number, number, number];

/** A codec that files can be written with. */
export interface Codec {
  /** The value of the option `compress`. */
  name: NonNullable<CreateOptions['compress']>;
  /** True for the default of `compress`. */
  isDefault: boolean;
  /** The option with its parameter, and the integers it takes; `null` if it has none. */
  parameter: { name: 'level' | 'quality'; min: number; max: number; default: number } | null;
  /** True if a `predictor` can precede it. */
  takesPredictor: boolean;
  /** Readers that cannot decode it; empty if every reader can. */
  missingIn: string[];
}

/** Resampling kernels for overviews. */
export type Resampling =
  | 'nearest' | 'average' | 'rms' | 'bilinear' | 'cubic' | 'cubicspline' | 'lanczos' | 'mode' | 'gauss' | 'min' | 'max' | 'median';

/** Affine transform: six numbers in GDAL's order. */
export type Transform = [number, number, number, number, number, number];

/** A nodata value: a number, or a `bigint` or text for exact 64-bit integers. */
export type Nodata = number | bigint | string;

/** Data types of samples; `ci16` and the like are complex, real part first. */
export type DataType =
  | 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f16' | 'f32' | 'f64' | 'ci16' | 'ci32' | 'cf32' | 'cf64';

/** The description of an array. */
export interface ImageDescription {
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
  /** Bands. Default: 1. */
  bands?: number;
  /** Data type of the samples. Default: that of the array. A `Uint8Array` can hold the little-endian bytes of any other type. */
  dtype?: DataType;
  /** Coordinate reference system: a code such as `EPSG:32633` or its number, WKT, PROJJSON, or a PROJ string. Default: none. */
  crs?: string | number | null;
  /** Affine transform, in GDAL's order. Default: none. */
  transform?: Transform | null;
  /** Value that marks pixels without data. Default: none. */
  nodata?: Nodata | null;
  /** `pixel`: (row, column, band); `band`: (band, row, column). Default: `pixel`. */
  layout?: 'pixel' | 'band';
  /** Photometric interpretation. Default: `rgb` for three or four bands of `u8` or `u16`, otherwise `minisblack`. */
  photometric?: 'minisblack' | 'miniswhite' | 'rgb';
  /** Alpha in the last band, if any. Default: `none`. Three bands of `u8` before it are RGB. */
  alpha?: 'none' | 'associated' | 'unassociated';
  /** One byte per pixel; 0 is invalid. Default: all pixels are valid. */
  mask?: Uint8Array;
}

/** Arrays that can be encoded. */
export type TypedArray =
  | Uint8Array | Uint8ClampedArray | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
  | Float32Array | Float64Array | BigUint64Array | BigInt64Array;

/** Progress of an encoding. */
export interface Progress {
  /** Full-resolution rows read so far. */
  rowsDone: number;
  /** All full-resolution rows. */
  rows: number;
}

/** Callbacks of an encoding, and a signal to stop it. */
export interface Watch {
  /** Called repeatedly with the progress. */
  progress?: (progress: Progress) => void;
  /** Called with each warning about the input or the output. Default: `console.warn`. */
  warning?: (text: string) => void;
  /** Called once at the end. */
  summary?: (summary: Summary) => void;
  /** Stops the encoding, with a `CogError` of kind `Cancelled`. */
  signal?: AbortSignal;
}

/** The summary of a finished file. */
export interface Summary {
  bytes: number;
  uncompressedBytes: number;
  bigTiff: boolean;
  compression: string;
  /** The predictor used, also if the option was `auto`. */
  predictor: 'none' | 'horizontal' | 'float';
  overviewResampling: string;
  /** Full resolution first. */
  levels: { width: number; height: number }[];
  /** Statistics of each band, with the option `stats`. */
  statistics?: { minimum: number; maximum: number; mean: number; standardDeviation: number; validPercent: number }[];
}

/** The description of a TIFF: the fields of `cogsmith info --json` (docs/command.md), in camel case. */
export interface Info {
  bytes: number;
  bigTiff: boolean;
  byteOrder: 'little' | 'big';
  gdalLayout: boolean;
  width: number;
  height: number;
  bands: number;
  dataType: string;
  bits: number;
  color: string;
  alphaBand: number | null;
  interleave: 'pixel' | 'band' | 'tile';
  nodata: string | null;
  mask: boolean;
  levels: LevelInfo[];
  otherImages: number;
  crs: string | null;
  crsName: string | null;
  crsKind: string | null;
  verticalCrs: string | null;
  /** x = 0 · column + 1 · row + 2, y = 3 · column + 4 · row + 5. */
  transform: Transform | null;
  pixelIsPoint: boolean;
  controlPoints: number;
  /** Left, bottom, right, top. */
  bounds: [number, number, number, number] | null;
  metadata: { name: string; domain: string; band: number | null; role: string; value: string }[];
  open: Requests;
  wholeView: Requests;
  detailView: Requests;
}

/** A level of a TIFF. */
export interface LevelInfo {
  directory: number;
  width: number;
  height: number;
  tiled: boolean;
  tileWidth: number;
  tileHeight: number;
  tiles: number;
  sparseTiles: number;
  compression: string;
  predictor: 'none' | 'horizontal' | 'float';
  bytes: number;
  maskBytes: number;
  uncompressedBytes: number;
  /** `uncompressedBytes` / `bytes`, to three decimals; `null` without tiles. */
  ratio: number | null;
}

/** The cost of reading over HTTP, in chunks of 16 KiB. */
export interface Requests {
  requests: number;
  bytes: number;
  tiles: number;
}

/** Options of a validation. */
export interface ValidateOptions {
  /** Treat warnings as errors. Default: `false`. */
  strict?: boolean;
  /** Decode about a dozen tiles of each directory instead of all. Default: `false`. */
  quick?: boolean;
}

/** The verdict: the fields of `cogsmith validate --json` (docs/command.md), in camel case. */
export interface Report {
  valid: boolean;
  strict: boolean;
  quick: boolean;
  errors: number;
  warnings: number;
  notes: number;
  directories: number;
  tiles: number;
  tilesDecoded: number;
  cellsCompared: number;
  /** For each class of rules, whether the file meets all of them. */
  classes: Record<string, boolean>;
  /** The number of violations of each rule. */
  counts: Record<string, number>;
  findings: Finding[];
}

/** A violation of a rule, or a note. */
export interface Finding {
  rule: string;
  severity: 'note' | 'warning' | 'error';
  class: string;
  directory: number | null;
  tile: number | null;
  byte: number | null;
  message: string;
  required: string;
  source: string;
  remedy: string;
}

/** A level as RGBA pixels. */
export interface Preview {
  level: number;
  width: number;
  height: number;
  /** Red, green, blue, and alpha of each pixel, as in `ImageData`. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The values shown as black and white. */
  range: [number, number];
}
