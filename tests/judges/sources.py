"""Input files of every flavor, by foreign writers: GDAL, tifffile, and libtiff's tiffcp.

Runs inside a GDAL worker. `make(folder)` writes the files and tells what is expected of each:
    must      "convert", or "convert or refuse" with words (a pattern) that a refusal has to contain, or "refuse"
    tolerance maximum error of pixels: 0, except for JPEG, where decoders differ
    options   of the command
    expect    what the output must have where GDAL itself reads something else from the source
"""

import os
import subprocess

import numpy as np
import tifffile
from osgeo import gdal, osr

DTYPES = {"u8": ("u1", gdal.GDT_Byte), "i8": ("i1", gdal.GDT_Int8), "u16": ("u2", gdal.GDT_UInt16), "i16": ("i2", gdal.GDT_Int16),
          "u32": ("u4", gdal.GDT_UInt32), "i32": ("i4", gdal.GDT_Int32), "u64": ("u8", gdal.GDT_UInt64), "i64": ("i8", gdal.GDT_Int64),
          "f16": ("f2", gdal.GDT_Float16), "f32": ("f4", gdal.GDT_Float32), "f64": ("f8", gdal.GDT_Float64),
          "ci16": ("c8", gdal.GDT_CInt16), "ci32": ("c8", gdal.GDT_CInt32), "cf32": ("c8", gdal.GDT_CFloat32), "cf64": ("c16", gdal.GDT_CFloat64)}
WIDTH, HEIGHT = 157, 131

MADE = []
FOLDER = None


def texture(kind, bands=1, width=WIDTH, height=HEIGHT, bits=None):
    """Pixels that use the whole range of the type and still compress."""
    rng = np.random.default_rng(len(MADE) + 1)
    dtype = np.dtype(DTYPES[kind][0])
    y, x = np.mgrid[0:height, 0:width]
    unit = np.stack([(np.sin(x / 23 + b) * np.cos(y / 17) + 1) / 2.2 for b in range(bands)]) + rng.random((bands, height, width)) * 0.05
    if bits:
        return np.minimum(unit * ((1 << bits) - 1) + rng.integers(0, 2, unit.shape), (1 << bits) - 1).astype(dtype)
    if dtype.kind == "c":
        a = np.rint(unit * 30000) + 1j * np.rint(unit[:, ::-1] * -20000)
        return a.astype(dtype)
    if dtype.kind == "f":
        return (unit * 900 - 300).astype(dtype)
    info = np.iinfo(dtype)
    return ((unit * 0.9 * (float(info.max) - float(info.min))).astype("u8") + np.uint64(int(info.min) % 2**64)).astype(dtype)


def note(name, path, must="convert", tolerance=0, words=None, options=None, expect=None, kind=None):
    MADE.append({"name": name, "path": path, "must": must, "tolerance": tolerance, "words": words, "options": options or {},
                 "expect": expect or {}, "kind": kind})


def by_gdal(name, kind="u8", bands=1, options=(), setup=None, data=None, config=None, size=(WIDTH, HEIGHT), bits=None, mask=None,
            geo=True, after=None, command=None, **more):
    """A file by GDAL's GTiff driver."""
    path = os.path.join(FOLDER, name.replace(" ", "_").replace("/", "-") + ".tif")
    if data is None:
        data = texture(kind, bands, *size, bits=bits)
    options = list(options) + (["NBITS=%d" % bits] if bits else [])
    with gdal.config_options({"GDAL_TIFF_INTERNAL_MASK": "YES", **(config or {})}):
        ds = gdal.GetDriverByName("GTiff").Create(path, data.shape[2], data.shape[1], len(data), DTYPES[kind][1], options)
        if geo:
            crs = osr.SpatialReference()
            crs.ImportFromEPSG(32633)
            ds.SetSpatialRef(crs)
            ds.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        if setup:
            setup(ds)
        if mask is not None:
            ds.CreateMaskBand(gdal.GMF_PER_DATASET)
        for i in range(len(data)):
            ds.GetRasterBand(i + 1).WriteArray(data[i])
        if mask is not None:
            ds.GetRasterBand(1).GetMaskBand().WriteArray(mask)
        ds.FlushCache()
        if after:
            after(ds)
        ds = None
    note(name, path, kind=kind, options=command, **more)


def by_tifffile(name, image, pages=None, must="convert", words=None, options=None, expect=None, tolerance=0, kind=None, **how):
    path = os.path.join(FOLDER, name.replace(" ", "_") + ".tif")
    how.setdefault("metadata", None)
    with tifffile.TiffWriter(path, byteorder=how.pop("byteorder", "<"), bigtiff=how.pop("bigtiff", False)) as t:
        t.write(image, **how)
        for image, more in pages or ():
            t.write(image, metadata=None, **more)
    note(name, path, must, tolerance, words, options, expect, kind)


def patch(path, values):
    """Writes values of the second IFD over: for what tifffile will not write itself. They all fit their entries."""
    import layout
    f = layout.File(path)
    second = f.directories[1]
    data = bytearray(f.data)
    for k, tag in enumerate(second.tags):
        if tag in values:
            at = second.offset + 2 + k * 12 + 8
            data[at : at + 2] = values[tag].to_bytes(2, "little")
    with open(path, "wb") as out:
        out.write(data)


def circle():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.where((x - 60) ** 2 + (y - 70) ** 2 < 2500, 255, 0).astype("u1")


def storage():
    for compress in ("NONE", "LZW", "DEFLATE", "ZSTD", "PACKBITS"):
        for tiled in (False, True):
            for interleave in ("PIXEL", "BAND"):
                o = ["COMPRESS=" + compress, "INTERLEAVE=" + interleave] + (["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=32"] if tiled else ["BLOCKYSIZE=7"])
                by_gdal(f"{compress} {'tiles' if tiled else 'strips'} {interleave}", "u16", 3, o)
    for kind in DTYPES:
        for compress in ("NONE", "DEFLATE"):
            by_gdal(f"big-endian {kind} {compress}", kind, 2, ["ENDIANNESS=BIG", "COMPRESS=" + compress])
        by_gdal(f"type {kind}", kind, 1, ["COMPRESS=LZW", "TILED=YES"])
    by_gdal("BigTIFF", "u16", 2, ["BIGTIFF=YES"])
    by_gdal("BigTIFF big-endian tiles", "f32", 2, ["BIGTIFF=YES", "ENDIANNESS=BIG", "TILED=YES", "COMPRESS=ZSTD"])
    for kind in ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"):
        for order in ("LITTLE", "BIG"):
            by_gdal(f"predictor 2 {kind} {order}", kind, 3 if order == "LITTLE" else 1, ["COMPRESS=DEFLATE", "PREDICTOR=2", "ENDIANNESS=" + order])
    for kind in ("f16", "f32", "f64"):
        for order in ("LITTLE", "BIG"):
            by_gdal(f"predictor 3 {kind} {order}", kind, 1 if order == "LITTLE" else 2, ["COMPRESS=LZW", "PREDICTOR=3", "TILED=YES", "ENDIANNESS=" + order])
        by_gdal(f"predictor 2 {kind}", kind, 1, ["COMPRESS=ZSTD", "PREDICTOR=2"])
    for compress in ("NONE", "DEFLATE", "LZW", "PACKBITS"):
        by_gdal(f"tall single strip {compress}", "u16", 1, ["COMPRESS=" + compress, "BLOCKYSIZE=3001"], size=(41, 3001))
    by_gdal("one row per strip", "u8", 3, ["BLOCKYSIZE=1", "COMPRESS=LZW"])
    for w, h in ((16, 48), (48, 16), (1024, 16)):
        by_gdal(f"tiles of {w}x{h}", "u16", 2, ["TILED=YES", f"BLOCKXSIZE={w}", f"BLOCKYSIZE={h}", "COMPRESS=DEFLATE"])
    for size in ((1, 1), (1, 130), (130, 1), (2, 2), (64, 64), (65, 64)):
        by_gdal(f"size {size[0]}x{size[1]}", "u8", 1, size=size)
    by_gdal("seventy bands", "u8", 70, ["COMPRESS=DEFLATE", "TILED=YES"], size=(40, 30))
    by_tifffile("old deflate code", texture("u16")[0], compression=32946)
    by_tifffile("tifffile planar tiles", texture("u16", 3), planarconfig="separate", tile=(48, 80), photometric="rgb", compression="zlib")
    by_tifffile("tifffile big-endian predictor", texture("u32")[0], byteorder=">", tile=(64, 64), compression="lzw", predictor=2)
    by_tifffile("tifffile BigTIFF f64 predictor 3", texture("f64")[0], bigtiff=True, compression="zstd", predictor=3)
    by_tifffile("tifffile RGB strips", np.moveaxis(texture("u8", 3), 0, -1), photometric="rgb", rowsperstrip=3, compression="packbits")


def sparse():
    for nodata in (None, 7):
        for tiled in (True, False):
            path = os.path.join(FOLDER, f"sparse_{nodata}_{tiled}.tif")
            o = ["SPARSE_OK=TRUE", "COMPRESS=DEFLATE"] + (["TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32"] if tiled else ["BLOCKYSIZE=16"])
            ds = gdal.GetDriverByName("GTiff").Create(path, WIDTH, HEIGHT, 2, gdal.GDT_UInt16, o)
            if nodata is not None:
                ds.GetRasterBand(1).SetNoDataValue(nodata)
            ds.GetRasterBand(1).WriteArray(texture("u16", 1, 30, 30)[0], 34, 40)
            ds = None
            note(f"sparse {'tiles' if tiled else 'strips'} nodata {nodata}", path, kind="u16")


def bits():
    for n in list(range(1, 8)) + list(range(9, 16)) + list(range(17, 32)):
        kind = "u8" if n < 8 else "u16" if n < 16 else "u32"
        by_gdal(f"NBITS {n}", kind, 1 + n % 3, ["COMPRESS=" + ("NONE", "LZW", "DEFLATE")[n % 3]] + (["TILED=YES", "BLOCKXSIZE=48", "BLOCKYSIZE=32"] if n % 2 else []), bits=n)
    for n in (1, 4, 12, 20):  # of 24 bits in big-endian files libtiff and tifffile think differently
        kind = "u8" if n < 8 else "u16" if n < 16 else "u32"
        by_gdal(f"NBITS {n} planar big-endian", kind, 3, ["INTERLEAVE=BAND", "ENDIANNESS=BIG"], bits=n)
        by_gdal(f"NBITS {n} widened", kind, 1, ["COMPRESS=LZW"], bits=n, command={"nbits": "widen"}, expect={"free": ["nbits", "table", "color"] if n == 1 else ["nbits"]})
    # 65535 is out of range for 12 bits, so sparse tiles cannot be expressed with it.
    def only_some(ds):
        ds.GetRasterBand(1).SetNoDataValue(65535)

    by_gdal("NBITS 12 nodata 65535 and a mask", "u16", 1, setup=only_some, bits=12, mask=(texture("u8")[0] > 99).astype("u1") * 255)
    path = os.path.join(FOLDER, "nbits_12_sparse.tif")
    ds = gdal.GetDriverByName("GTiff").Create(path, 90, 70, 1, gdal.GDT_UInt16, ["NBITS=12", "SPARSE_OK=TRUE", "TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32"])
    only_some(ds)
    ds.GetRasterBand(1).WriteArray(np.full((20, 20), 7, "u2"))
    ds = None
    note("NBITS 12 nodata 65535 sparse", path, kind="u16", words=r"widened", expect={"free": ["nbits"]})
    by_gdal("float of 24 bits", "f32", 1, ["NBITS=24"], must="convert or refuse", words=r"24|bit", data=np.round(texture("f32")))
    by_tifffile("bilevel bool", texture("u8")[0] > 100, photometric="minisblack")
    path = os.path.join(FOLDER, "fill_order.tif")
    by_gdal("fill order source", "u8", 1, bits=1)
    made = subprocess.run(["tiffcp", "-f", "lsb2msb", MADE[-1]["path"], path], capture_output=True)
    assert made.returncode == 0, made.stderr
    note("fill order 2", path, "convert or refuse", words=r"(?i)fill.?order", kind="u8")


def codecs():
    rgb = texture("u8", 3)
    tiles = ["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "COMPRESS=JPEG"]
    jpeg = {"tolerance": 3}
    by_gdal("JPEG gray tiles", "u8", 1, tiles, **jpeg)
    by_gdal("JPEG gray strips", "u8", 1, ["COMPRESS=JPEG", "BLOCKYSIZE=16"], **jpeg)
    by_gdal("JPEG RGB", "u8", 3, tiles + ["PHOTOMETRIC=RGB"], data=rgb, **jpeg)
    by_gdal("JPEG YCbCr", "u8", 3, tiles + ["PHOTOMETRIC=YCBCR"], data=rgb, tolerance=6)
    by_gdal("JPEG YCbCr strips", "u8", 3, ["COMPRESS=JPEG", "PHOTOMETRIC=YCBCR"], data=rgb, tolerance=6)
    by_gdal("JPEG planar", "u8", 3, tiles + ["INTERLEAVE=BAND"], data=rgb, **jpeg)
    by_gdal("JPEG own tables", "u8", 3, tiles + ["PHOTOMETRIC=YCBCR"], data=rgb, config={"JPEG_TABLESMODE": "0"}, tolerance=6)
    by_gdal("JPEG YCbCr with mask", "u8", 3, tiles + ["PHOTOMETRIC=YCBCR"], data=rgb, mask=circle(), tolerance=6)
    by_gdal("JPEG CMYK", "u8", 4, tiles + ["PHOTOMETRIC=CMYK"], must="convert or refuse", words=r"(?i)jpeg|cmyk", tolerance=3, expect={"raw": True})
    by_gdal("JPEG four bands", "u8", 4, tiles, tolerance=3)
    either = {"must": "convert or refuse"}
    for name in ("LERC", "LERC_DEFLATE", "LERC_ZSTD"):
        by_gdal(name, "f32", 1, ["COMPRESS=" + name], words="(?i)lerc", **either)
    by_tifffile("LZMA", texture("u16")[0], compression="lzma", words="(?i)lzma", **either)
    by_gdal("WebP", "u8", 3, ["COMPRESS=WEBP", "WEBP_LOSSLESS=YES", "TILED=YES"], words="(?i)webp", **either)
    by_gdal("JPEG XL", "u8", 3, ["COMPRESS=JXL", "JXL_LOSSLESS=YES", "TILED=YES"], words="(?i)jxl|jpeg.?xl", **either) if "JXL" in gdal.GetDriverByName("GTiff").GetMetadataItem("DMD_CREATIONOPTIONLIST") else None
    for name in ("CCITTRLE", "CCITTFAX3", "CCITTFAX4"):
        by_gdal(name, "u8", 1, ["COMPRESS=" + name], bits=1, words="(?i)ccitt|fax", **either)
    by_tifffile("JPEG 2000", rgb[0], compression="jpeg2000", words=r"(?i)jpeg.?2000|3471\d|compression", must="convert or refuse")
    by_tifffile("LogLuv-like unknown codec", texture("u8")[0], compression="png", words=r"(?i)png|compression|34933", must="convert or refuse")


def colors():
    def table(n, alpha=False):
        def set_table(ds):
            t = gdal.ColorTable()
            for i in range(n):
                t.SetColorEntry(i, (i * 255 // max(1, n - 1), 255 - i * 255 // max(1, n - 1), i % 7 * 30, 255))
            ds.GetRasterBand(1).SetColorTable(t)
        return set_table
    for n in (1, 2, 4):
        by_gdal(f"palette {n} bits", "u8", 1, ["PHOTOMETRIC=PALETTE"], setup=table(1 << n), bits=n, expect={"palette": True})
    by_gdal("palette 8 bits", "u8", 1, ["COMPRESS=LZW"], setup=table(256), expect={"palette": True})
    by_gdal("palette 16 bits", "u16", 1, [], setup=table(300), data=texture("u16", bits=8), expect={"palette": True})
    def transparent(ds):
        table(256)(ds)
        ds.GetRasterBand(1).SetNoDataValue(3)
    by_gdal("palette with nodata", "u8", 1, [], setup=transparent, expect={"palette": True})
    by_gdal("palette big-endian", "u8", 1, ["ENDIANNESS=BIG"], setup=table(256), expect={"palette": True})
    for kind in ("u8", "u16"):
        by_gdal(f"MinIsWhite {kind}", kind, 1, ["PHOTOMETRIC=MINISWHITE"])
    by_gdal("MinIsWhite 1 bit", "u8", 1, ["PHOTOMETRIC=MINISWHITE"], bits=1)
    by_gdal("RGB", "u8", 3, ["PHOTOMETRIC=RGB"])
    by_gdal("RGBA", "u8", 4, ["PHOTOMETRIC=RGB", "ALPHA=YES"])
    by_gdal("RGBA premultiplied", "u8", 4, ["PHOTOMETRIC=RGB", "ALPHA=PREMULTIPLIED"])
    by_gdal("RGBA u16 planar", "u16", 4, ["PHOTOMETRIC=RGB", "ALPHA=YES", "INTERLEAVE=BAND"])
    by_gdal("gray and alpha", "u8", 2, ["ALPHA=YES"])
    by_gdal("CMYK", "u8", 4, ["PHOTOMETRIC=CMYK"], expect={"raw": True})
    by_gdal("CIELab", "u8", 3, ["PHOTOMETRIC=CIELAB"], must="convert or refuse", words=r"(?i)lab", expect={"raw": True})
    def interp(ds):
        for i, c in enumerate((gdal.GCI_BlueBand, gdal.GCI_Undefined, gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_AlphaBand)):
            ds.GetRasterBand(i + 1).SetColorInterpretation(c)
    by_gdal("colors in odd order", "u16", 5, [], setup=interp)


def masks():
    m = circle()
    for bands in (1, 3):
        for interleave in ("pixel", "band", "tile"):
            by_gdal(f"mask {bands} bands to {interleave}", "u8", bands, ["TILED=YES", "COMPRESS=DEFLATE"], mask=m, command={"interleave": interleave})
    by_gdal("mask in strips", "u16", 2, ["COMPRESS=LZW"], mask=m)
    by_gdal("mask big-endian", "u16", 1, ["ENDIANNESS=BIG"], mask=m)
    def overviews(ds):
        ds.BuildOverviews("AVERAGE", [2, 4])
    by_gdal("mask and overviews", "u8", 1, ["TILED=YES"], mask=m, after=overviews)
    by_gdal("overviews", "u16", 2, ["TILED=YES", "COMPRESS=LZW"], after=overviews)
    by_gdal("mask all void", "u8", 1, [], mask=m * 0)
    by_gdal("mask all valid", "u8", 1, [], mask=m | 255)
    by_tifffile("mask of 8 bits", texture("u8")[0], pages=[(m, {"subfiletype": 1, "photometric": "minisblack"})])
    patch(MADE[-1]["path"], {254: 4, 262: 4})
    three = np.stack([m] * 3, axis=-1)
    by_tifffile("mask of 8 bits for each of three bands", texture("u8", 3).transpose(1, 2, 0), photometric="rgb",
                pages=[(three, {"subfiletype": 1, "photometric": "rgb"})], expect={"mask": os.path.join(FOLDER, "circle.npy")})
    np.save(os.path.join(FOLDER, "circle.npy"), m)
    patch(MADE[-1]["path"], {254: 4, 262: 4})
    by_tifffile("mask of bands that differ", texture("u8", 3).transpose(1, 2, 0), photometric="rgb", must="refuse", words="differs between bands",
                pages=[(np.where([True, False, True], three, 255), {"subfiletype": 1, "photometric": "rgb"})])
    patch(MADE[-1]["path"], {254: 4, 262: 4})
    for interleave in ("PIXEL", "BAND", "TILE"):
        path = os.path.join(FOLDER, f"cog_{interleave}.tif")
        with gdal.Open([x["path"] for x in MADE if x["name"] == "mask 3 bands to pixel"][0]) as ds:
            gdal.GetDriverByName("COG").CreateCopy(path, ds, options=["BLOCKSIZE=64", "INTERLEAVE=" + interleave, "COMPRESS=ZSTD"])
        note(f"GDAL's COG {interleave}", path, kind="u8")


def several_images():
    pages = [texture("u8")[0], texture("u16", 1, 77, 55)[0], texture("f32", 1, 60, 99)[0]]
    more = [(p, {}) for p in pages[1:]]
    by_tifffile("three images", pages[0], pages=more, expect={"stderr": r"\b[23]\b"})
    by_tifffile("second of three images", pages[0], pages=more, options={"image": 2}, expect={"open": "GTIFF_DIR:2"})
    by_tifffile("third of three images", pages[0], pages=more, options={"image": 3}, expect={"open": "GTIFF_DIR:3"})
    by_tifffile("image that is not there", pages[0], pages=more, options={"image": 9}, must="refuse", words=r"\b[39]\b")
    path = os.path.join(FOLDER, "subifds.tif")
    with tifffile.TiffWriter(path) as t:
        t.write(pages[0], subifds=1, tile=(64, 64), metadata=None)
        t.write(pages[0][::2, ::2], subfiletype=1, tile=(64, 64), metadata=None)
    note("overview in a SubIFD", path)


def places():
    def transform(*t):
        return lambda ds: ds.SetGeoTransform(t)
    by_gdal("rotated", "u8", setup=transform(500000, 8, 3, 5000000, 3, -8))
    by_gdal("south-up", "u8", setup=transform(500000, 10, 0, 4990000, 0, 10))
    by_gdal("mirrored", "u8", setup=transform(500000, -10, 0, 4990000, 0, -10))
    by_gdal("pixels not square", "u8", setup=transform(-179.123456789012, 0.1, 0, 89.98765432101, 0, -0.05))
    def point(ds):
        ds.SetMetadataItem("AREA_OR_POINT", "Point")
    by_gdal("PixelIsPoint", "u8", setup=point)
    def point_rotated(ds):
        point(ds)
        ds.SetGeoTransform((500000, 8, 3, 5000000, 3, -8))
    by_gdal("PixelIsPoint rotated", "u8", setup=point_rotated)
    def gcps(n):
        def set_gcps(ds):
            crs = osr.SpatialReference()
            crs.ImportFromEPSG(4326)
            rng = np.random.default_rng(n)
            points = [gdal.GCP(float(x), float(y), float(z), float(p), float(l)) for x, y, z, p, l in rng.random((n, 5)) * (10, 50, 900, 150, 130)]
            ds.SetGCPs(points, crs)
        return set_gcps
    for n in (1, 4, 200):
        by_gdal(f"{n} GCPs", "u8", geo=False, setup=gcps(n))
    def rpc(ds):
        rng = np.random.default_rng(5)
        md = {k: repr(float(v)) for k, v in zip(("LINE_OFF", "SAMP_OFF", "LAT_OFF", "LONG_OFF", "HEIGHT_OFF", "LINE_SCALE", "SAMP_SCALE", "LAT_SCALE", "LONG_SCALE", "HEIGHT_SCALE", "ERR_BIAS", "ERR_RAND"), rng.random(12) * 1000)}
        for k in ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF"):
            md[k] = " ".join(repr(float(v)) for v in rng.random(20) * 1e-3)
        ds.SetMetadata(md, "RPC")
    by_gdal("RPC", "u16", geo=False, setup=rpc)
    by_gdal("no georeference", "u8", geo=False)
    def crs(text, epoch=None):
        def set_crs(ds):
            c = osr.SpatialReference()
            assert c.SetFromUserInput(text) == 0
            if epoch:
                c.SetCoordinateEpoch(epoch)
            ds.SetSpatialRef(c)
        return set_crs
    for name, text in (("EPSG 4326", "EPSG:4326"), ("EPSG 3857", "EPSG:3857"), ("EPSG 2056", "EPSG:2056"), ("compound", "EPSG:32633+5773"),
                       ("geographic 3D", "EPSG:4979"), ("user defined", "+proj=laea +lat_0=52.1 +lon_0=10.3 +x_0=4321000 +y_0=3210000 +ellps=bessel +units=m"),
                       ("user defined geographic", "+proj=longlat +a=6378000 +rf=300 +no_defs"), ("units of feet", "EPSG:2263"),
                       ("polar", "EPSG:3031"), ("ESRI", "ESRI:102003")):
        by_gdal("CRS " + name, "f32", setup=crs(text))
    by_gdal("CRS local", "u8", setup=crs('LOCAL_CS["drawing",UNIT["metre",1]]'))
    by_gdal("coordinate epoch", "u8", setup=crs("EPSG:9000", 2021.3))
    by_gdal("GeoTIFF 1.1", "u8", 1, ["GEOTIFF_VERSION=1.1"])
    def vertical(ds):
        crs("EPSG:32633+5773")(ds)
        ds.GetRasterBand(1).SetScale(0.25)
        ds.GetRasterBand(1).SetOffset(-7)
    by_gdal("vertical with scale", "i16", setup=vertical)
    # Sidecars: the file itself knows nothing.
    by_gdal("world file and prj", "u8", 1, ["PROFILE=BASELINE"], geo=False)
    base = MADE[-1]["path"][:-4]
    with open(base + ".tfw", "w") as f:
        f.write("10.0\n0.0\n0.0\n-10.0\n500005.0\n4999995.0\n")
    c = osr.SpatialReference()
    c.ImportFromEPSG(32633)
    with open(base + ".prj", "w") as f:
        f.write(c.ExportToWkt(["FORMAT=WKT1_ESRI"]))
    MADE[-1]["expect"] = {"transform": [500000, 10, 0, 5000000, 0, -10], "epsg": 32633, "free": ["metadata"]}
    by_gdal("world file and own georeference", "u8")
    with open(MADE[-1]["path"][:-4] + ".tfw", "w") as f:
        f.write("1.0\n0.0\n0.0\n-1.0\n5.0\n9.0\n")
    by_gdal("sidecar .ovr", "u8", expect={"stderr": r"\.ovr"})
    with gdal.Open(MADE[-1]["path"]) as ds:
        ds.BuildOverviews("NEAREST", [2])
    by_gdal("sidecar .msk", "u8", mask=circle(), config={"GDAL_TIFF_INTERNAL_MASK": "NO"})
    assert os.path.exists(MADE[-1]["path"] + ".msk") and os.path.exists(MADE[-2]["path"] + ".ovr")


def nodatas():
    def nodata(v):
        return lambda ds: [ds.GetRasterBand(i + 1).SetNoDataValue(v) for i in range(ds.RasterCount)]
    def nodata64(v, signed):
        def set_nodata(ds):
            b = ds.GetRasterBand(1)
            b.SetNoDataValueAsInt64(v) if signed else b.SetNoDataValueAsUInt64(v)
        return set_nodata
    for kind, value in (("u8", 0), ("u8", 255), ("i8", -128), ("u16", 65535), ("i16", -32768), ("u32", 4294967295), ("i32", -2147483648),
                        ("f32", float("nan")), ("f64", float("nan")), ("f16", float("nan")), ("f32", -3.4028234663852886e38), ("f64", -1.7976931348623157e308),
                        ("f32", 0.1), ("f64", 0.1), ("f32", float("-inf")), ("f64", 1e-300)):
        by_gdal(f"nodata {kind} {value}", kind, 2, setup=nodata(value))
    for v in (-(2**63), 2**63 - 1, -9007199254740993):
        by_gdal(f"nodata i64 {v}", "i64", setup=nodata64(v, True))
    for v in (2**64 - 1, 9007199254740993):
        by_gdal(f"nodata u64 {v}", "u64", setup=nodata64(v, False))
    for kind, text in (("u8", "-9999"), ("u8", "300"), ("u8", "nan"), ("u16", "1.5"), ("f32", "1e300"), ("i16", "-32769")):
        by_tifffile(f"nodata out of range {kind} {text}", texture(kind)[0], extratags=[(42113, "s", 0, text, True)], kind=kind)
    for text in ("NaN", " 5 ", "5.0000", "-0"):
        by_tifffile(f"nodata written as {text}", texture("f32")[0], extratags=[(42113, "s", 0, text, True)], kind="f32")
    by_tifffile("nodata that is not a number", texture("f32")[0], extratags=[(42113, "s", 0, "none", True)], kind="f32",
                must="convert or refuse", words=r"(?i)nodata", expect={"free": ["nodata", "mask"]})


def words():
    def all_of_it(ds):
        ds.SetMetadata({"PLAIN": "text", "ODD": "a & b < c > d \" e ' f &amp; &lt;", "UMLAUT": "Größe 漢字", "EMPTY": "", "SPACES": "  two  ",
                        "LINES": "one\ntwo", "AREA_OR_POINT": "Area", "TIFFTAG_SOFTWARE": "some software", "TIFFTAG_ARTIST": "A. Nonymous",
                        "TIFFTAG_DATETIME": "2026:01:02 03:04:05", "TIFFTAG_DOCUMENTNAME": "name", "TIFFTAG_IMAGEDESCRIPTION": "description & more",
                        "TIFFTAG_COPYRIGHT": "free", "TIFFTAG_HOSTCOMPUTER": "none", "TIFFTAG_XRESOLUTION": "72", "TIFFTAG_YRESOLUTION": "36.5",
                        "TIFFTAG_RESOLUTIONUNIT": "2 (pixels/inch)"})
        ds.SetMetadata({"KEY": "value <&>", "OTHER": "1"}, "SOME_DOMAIN")
        ds.SetMetadata(["<root><a b=\"1\">x &amp; y</a></root>"], "xml:STUFF")
        ds.SetMetadata(["{\"a\": [1, 2, \"<&>\"]}"], "json:STUFF")
        for i in range(ds.RasterCount):
            b = ds.GetRasterBand(i + 1)
            b.SetDescription(f"band {i + 1} <&> ü")
            b.SetScale(0.0001 * (i + 1))
            b.SetOffset(-0.1 * i)
            b.SetUnitType("m & s")
            b.SetMetadata({"CENTER": str(i), "STATISTICS_MINIMUM": "1"})
            b.SetMetadata({"K": f"v{i}"}, "BAND_DOMAIN")
    by_gdal("metadata of all sorts", "u16", 3, setup=all_of_it)
    by_gdal("metadata of all sorts big-endian BigTIFF", "u16", 3, ["ENDIANNESS=BIG", "BIGTIFF=YES"], setup=all_of_it)
    def xmp(ds):
        ds.SetMetadata(["<?xpacket begin='' id='x'?><x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta><?xpacket end='w'?>"], "xml:XMP")
    by_gdal("XMP", "u8", setup=xmp)


def icc():
    import base64
    body = bytes(range(256)) * 2
    # A profile of the right frame: size, version, signature; readers don't look further.
    profile = (len(body) + 128).to_bytes(4, "big") + b"none" + b"\x02\x10\x00\x00" + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 88 + body
    text = base64.b64encode(profile).decode()
    by_gdal("ICC profile", "u8", 3, ["PHOTOMETRIC=RGB", "SOURCE_ICC_PROFILE=" + text])


def make(folder):
    global FOLDER
    FOLDER = folder
    MADE.clear()
    for group in (storage, sparse, bits, codecs, colors, masks, several_images, places, nodatas, words, icc):
        group()
    return MADE
