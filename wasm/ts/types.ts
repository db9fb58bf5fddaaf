/** Options of an encoding. Names, values and defaults are those of the command `cogsmith create`, in camel case. */
export interface CreateOptions {
  /** Codec; all are lossless. Default: `deflate`. */
  compress?: 'none' | 'lzw' | 'deflate' | 'zstd';
  /** Effort: 1 (fastest) to 9 for deflate (default 6), 1 to 22 for zstd (default 9). */
  level?: number;
  /** Arithmetic before compression. Default: `auto`. */
  predictor?: 'auto' | 'none' | 'horizontal' | 'float';
  /** Size of tiles in pixels: one side, or columns and rows; multiples of 16. Default: 512. */
  blocksize?: number | [number, number];
  /** Order of bands: together in a tile, one after the other, or tile by tile. Default: `pixel`. */
  interleave?: 'pixel' | 'band' | 'tile';
  /** Whether the file is a BigTIFF. Default: `auto`, only if its finished size needs it (over 4 GiB). */
  bigtiff?: 'auto' | 'yes' | 'no';
  /** `auto`: halves until one tile holds all; or growing factors of full resolution. Default: `auto`. */
  overviews?: 'auto' | 'none' | number[];
  /** Number of overviews, each half of the one before, instead of as many as `auto` makes. */
  overviewCount?: number;
  /** How overviews are computed: one kernel, or one for each band. Default: cubic; nearest for palettes and complex samples. */
  overviewResampling?: 'auto' | Resampling | Resampling[];
  /** Size of the overviews' tiles, as `blocksize`. Default: that of `blocksize`. */
  overviewBlocksize?: number | [number, number];
  /** Which image of a file with several to read, first = 1. Default: the first of full resolution. Files only. */
  image?: number;
  /** Value of pixels without data, instead of what the input says; `none`: no such value. Files only. */
  nodata?: Nodata | 'none';
  /** Where the mask of the output comes from. Default: `auto`, the input's, if it has one. */
  mask?: 'auto' | 'none' | 'nodata' | 'alpha';
  /** Samples of unusual width, such as 12 bits. Default: `keep`. Files only. */
  nbits?: 'keep' | 'widen';
  /** Coordinate reference system, instead of what the input says: a code, WKT, PROJJSON or a PROJ string. Files only. */
  crs?: string | number;
  /** Write what GeoKeys can't say of `crs` as WKT into their citation, which GDAL reads, instead of refusing it. Default: no. */
  crsWkt?: boolean;
  /** Affine transform in GDAL's order: x of the outer corner, x per column, x per row, y, y per column, y per row. */
  transform?: Transform;
  /** Outer edges of the image, north up: left, bottom, right, top. */
  bounds?: [number, number, number, number];
  /** Ground control points: column, row, x, y and perhaps z. */
  gcp?: ([number, number, number, number] | [number, number, number, number, number])[];
  /** Whether pixels are areas or points; the raster stays in its place. Default: the input's. */
  pixelIs?: 'area' | 'point';
  /** Name of each band. */
  bandDescription?: string[];
  /** By what samples are multiplied to become quantities, of all bands or of each; pixels stay as they are. */
  scale?: number | number[];
  /** What is added to samples once they are multiplied, of all bands or of each. */
  offset?: number | number[];
  /** Unit of the quantities, of all bands or of each; no text: no unit. */
  unit?: string | string[];
  /** What bands are shown as, one for each, such as `['nir', 'red', 'green']`. */
  colorInterpretation?: string[];
  /** Compute statistics of every band in the same pass. Default: no. */
  stats?: boolean;
  /** Items of metadata by `KEY` or `DOMAIN:KEY`. */
  metadata?: Record<string, string>;
  /** Leave out the input's metadata but for what pixels mean. Default: no. */
  stripMetadata?: boolean;
  /** Number of workers at most. Default: `all`, one for each core. */
  threads?: 'all' | number;
}

/** Kernels of overviews. */
export type Resampling =
  | 'nearest' | 'average' | 'rms' | 'bilinear' | 'cubic' | 'cubicspline' | 'lanczos' | 'mode' | 'gauss' | 'min' | 'max' | 'median';

/** Six numbers in GDAL's order. */
export type Transform = [number, number, number, number, number, number];

/** A value of pixels without data: a number; a `bigint` or text where 64 bits are to be exact. */
export type Nodata = number | bigint | string;

/** Types of samples; `ci16` and the like are complex, real part first. */
export type DataType =
  | 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f16' | 'f32' | 'f64' | 'ci16' | 'ci32' | 'cf32' | 'cf64';

/** What an array holds. */
export interface ImageDescription {
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
  /** Bands. Default: 1. */
  bands?: number;
  /** Type of samples. Default: that of the array. Bytes (`Uint8Array`) of any other type are little-endian. */
  dtype?: DataType;
  /** Coordinate reference system: a code such as `EPSG:32633`, or its number; WKT, PROJJSON or a PROJ string. Default: none. */
  crs?: string | number | null;
  /** Where the pixels lie, in GDAL's order. Default: nowhere. */
  transform?: Transform | null;
  /** Value of pixels without data. Default: none. */
  nodata?: Nodata | null;
  /** `pixel`: (row, column, band); `band`: (band, row, column). Default: `pixel`. */
  layout?: 'pixel' | 'band';
  /** How bands are shown. Default: `rgb` for three or four bands of `u8` or `u16`, else `minisblack`. */
  photometric?: 'minisblack' | 'miniswhite' | 'rgb';
  /** Whether the last band is alpha. Default: `none`. Three bands of `u8` before it are RGB. */
  alpha?: 'none' | 'associated' | 'unassociated';
  /** One byte for each pixel, 0 = invalid. Default: all are valid. */
  mask?: Uint8Array;
}

/** Arrays that can be encoded. */
export type TypedArray =
  | Uint8Array | Uint8ClampedArray | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
  | Float32Array | Float64Array | BigUint64Array | BigInt64Array;

/** How far an encoding is. */
export interface Progress {
  /** Rows of full resolution that are read. */
  rowsDone: number;
  /** Rows of full resolution. */
  rows: number;
}

/** What an encoding tells on its way. */
export interface Watch {
  /** Called again and again. */
  progress?: (progress: Progress) => void;
  /** Called with what was doubtful about the input, or left out. Default: `console.warn`. */
  warning?: (text: string) => void;
  /** Called once at the end. */
  summary?: (summary: Summary) => void;
  /** Stops the encoding, with a `CogError` of kind `Cancelled`. */
  signal?: AbortSignal;
}

/** What was written. */
export interface Summary {
  bytes: number;
  uncompressedBytes: number;
  bigTiff: boolean;
  compression: string;
  /** What `auto` came to. */
  predictor: 'none' | 'horizontal' | 'float';
  overviewResampling: string;
  /** Full resolution first. */
  levels: { width: number; height: number }[];
  /** Of each band, where they were asked for. */
  statistics?: { minimum: number; maximum: number; mean: number; standardDeviation: number; validPercent: number }[];
}

/** What a TIFF is: the fields of `cogsmith info --json` (docs/command.md), in camel case. */
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
  /** left, bottom, right, top. */
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
}

/** What reading costs over HTTP, in pieces of 16 KiB. */
export interface Requests {
  requests: number;
  bytes: number;
  tiles: number;
}

/** How a file is judged. */
export interface ValidateOptions {
  /** Whether warnings fail it too. Default: no. */
  strict?: boolean;
  /** Whether about a dozen tiles of each directory are enough. Default: no. */
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
  /** Whether the file meets all rules of a class. */
  classes: Record<string, boolean>;
  /** How often each rule was broken. */
  counts: Record<string, number>;
  findings: Finding[];
}

/** One thing that is wrong, or worth knowing. */
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

/** A level as a picture. */
export interface Preview {
  level: number;
  width: number;
  height: number;
  /** Red, green, blue and alpha of each pixel, as `ImageData` has them. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The values that are black and white. */
  range: [number, number];
}
