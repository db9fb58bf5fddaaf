"""GDAL in a process of its own: one JSON request per line on standard input, one answer per line on standard output.

Serves two masters: the newest wheel, and Debian's GDAL 3.6 under /usr/bin/python3. rasterio's libgdal must never
share a process with either.
"""

import contextlib
import hashlib
import io
import json
import os
import sys

os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
import numpy as np
from osgeo import gdal, osr

gdal.UseExceptions()
MESSAGES = []
gdal.PushErrorHandler(lambda kind, number, text: MESSAGES.append(text) if kind >= 2 else None)
gdal.SetCacheMax(256 << 20)

BY_NAME = {n: getattr(gdal, "GDT_" + n) for n in ("Byte", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64",
           "Float16", "Float32", "Float64", "CInt16", "CInt32", "CFloat32", "CFloat64") if hasattr(gdal, "GDT_" + n)}


def canonical(array):
    """The same bytes from every GDAL: i8 and f16 as 3.6 shows them are mapped back by the caller's dtype."""
    if array.dtype.kind == "f":
        array = array.copy()
        array[np.isnan(array)] = np.nan
        if array.dtype == np.float16:
            array = array.astype("f4")
    elif array.dtype.kind == "c":
        array = array + 0
        array[np.isnan(array)] = complex("nan")
    return np.ascontiguousarray(array)


def digest(array):
    return hashlib.sha1(canonical(array).tobytes()).hexdigest()


OLD = gdal.VersionInfo() < "3070000"


def pixel_type(band):
    """How GDAL before 3.7 says that its Byte is signed. (A later one warns when asked.)"""
    return band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE") if OLD else None


def read_band(band):
    array = band.ReadAsArray()
    if pixel_type(band) == "SIGNEDBYTE":
        array = array.view("i1")
    return array


def levels_of(band):
    return [band] + [band.GetOverview(k) for k in range(band.GetOverviewCount())]


def do_version(q):
    return {"version": gdal.__version__}


def do_validate(q):
    from osgeo_utils.samples import validate_cloud_optimized_geotiff as v
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            warnings, errors, details = v.validate(q["path"], full_check=True)
        except v.ValidateCloudOptimizedGeoTIFFException as e:
            warnings, errors = [], [str(e)]
    return {"warnings": warnings, "errors": errors}


def do_info(q):
    """gdalinfo -json, then every block of every level and of every mask, by hash."""
    trouble = None
    try:
        gdal.Info(q["path"], format="json", showMetadata=True, listMDD=True, extraMDDomains=["all"])
    except RuntimeError as e:
        trouble = str(e)
    ds = gdal.OpenEx(q["path"], gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR)
    levels = []
    for i in range(ds.RasterCount):
        band = ds.GetRasterBand(i + 1)
        for k, level in enumerate(levels_of(band)):
            if i == 0:
                levels.append({"size": [level.XSize, level.YSize], "block": level.GetBlockSize(), "bands": [], "mask": None})
                if band.GetMaskFlags() & gdal.GMF_PER_DATASET and not band.GetMaskFlags() & gdal.GMF_ALPHA:
                    levels[k]["mask"] = digest(level.GetMaskBand().ReadAsArray())
            levels[k]["bands"].append(digest(read_band(level)))
    band = ds.GetRasterBand(1)
    structure = ds.GetMetadata("IMAGE_STRUCTURE")
    return {"layout": structure.get("LAYOUT"), "interleave": structure.get("INTERLEAVE"), "bands": ds.RasterCount, "trouble": trouble,
            "levels": levels, "type": gdal.GetDataTypeName(band.DataType),
            "pixeltype": pixel_type(band), "nbits": band.GetMetadataItem("NBITS", "IMAGE_STRUCTURE")}


def do_read(q):
    """All levels as .npy files: full resolution first, bands stacked."""
    ds = gdal.OpenEx(q["path"], gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR, open_options=q.get("open", []))
    count = ds.GetRasterBand(1).GetOverviewCount() + 1 if q.get("levels", True) else 1
    files, masks = [], []
    for k in range(count):
        parts = [read_band(levels_of(ds.GetRasterBand(i + 1))[k]) for i in range(ds.RasterCount)]
        name = "%s.%d.npy" % (q["to"], k)
        np.save(name, np.stack(parts))
        files.append(name)
    band = ds.GetRasterBand(1)
    if band.GetMaskFlags() & gdal.GMF_PER_DATASET and not band.GetMaskFlags() & gdal.GMF_ALPHA:
        for k in range(count):
            name = "%s.mask%d.npy" % (q["to"], k)
            np.save(name, levels_of(band)[k].GetMaskBand().ReadAsArray())
            masks.append(name)
    return {"files": files, "masks": masks}


def do_make(q):
    """A GeoTIFF from a .npy file of bands × rows × columns."""
    array = np.load(q["array"])
    bands, height, width = array.shape
    options = ["%s=%s" % kv for kv in q.get("options", {}).items()]
    with gdal.config_options({"GDAL_TIFF_INTERNAL_MASK": "YES", "GDAL_TIFF_ENDIANNESS": "NATIVE", **q.get("config", {})}):
        ds = gdal.GetDriverByName("GTiff").Create(q["path"], width, height, bands, BY_NAME[q["type"]], options)
        if q.get("epsg"):
            s = osr.SpatialReference()
            s.ImportFromEPSG(q["epsg"])
            ds.SetSpatialRef(s)
            ds.SetGeoTransform(q.get("transform", [500000, 10, 0, 5000000, 0, -10]))
        if q.get("nodata") is not None:
            for i in range(bands):
                band = ds.GetRasterBand(i + 1)
                if q["type"] == "Int64":
                    band.SetNoDataValueAsInt64(int(q["nodata"]))
                elif q["type"] == "UInt64":
                    band.SetNoDataValueAsUInt64(int(q["nodata"]))
                else:
                    band.SetNoDataValue(float(q["nodata"]))
        if q.get("mask"):
            ds.CreateMaskBand(gdal.GMF_PER_DATASET)
        for i in range(bands):
            ds.GetRasterBand(i + 1).WriteArray(array[i])
        if q.get("mask"):
            ds.GetRasterBand(1).GetMaskBand().WriteArray(np.load(q["mask"]))
        ds.FlushCache()
        ds = None
    return {}


def do_translate(q):
    """A copy by GDAL, in another format or with creation options."""
    gdal.Translate(q["to"], q["path"], format=q["format"], creationOptions=q.get("options", []))
    return {}


def do_meta(q):
    """Everything but pixels, for a comparison of two files; `aux` reads the .aux.xml file next to it."""
    # GDAL 3.6 has no config_option() yet.
    gdal.SetConfigOption("GDAL_PAM_ENABLED", "YES" if q.get("aux") else "NO")
    try:
        return meta(q)
    finally:
        gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")


def do_set_aux(q):
    """Lets GDAL write an .aux.xml file: what is set on a file opened for reading, and statistics."""
    with gdal.config_option("GDAL_PAM_ENABLED", "YES"):
        ds = gdal.OpenEx(q["path"], gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR)
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(q["epsg"])
        ds.SetSpatialRef(crs)
        ds.SetGeoTransform(q["transform"])
        ds.SetMetadata({"WHO": "a <b> & 'c'"})
        for i in range(ds.RasterCount):
            band = ds.GetRasterBand(i + 1)
            if q.get("nodata") is not None:
                if band.DataType in (getattr(gdal, "GDT_Int64", -1), getattr(gdal, "GDT_UInt64", -1)):
                    (band.SetNoDataValueAsInt64 if band.DataType == gdal.GDT_Int64 else band.SetNoDataValueAsUInt64)(int(q["nodata"]))
                else:
                    band.SetNoDataValue(float(q["nodata"]))
            band.SetDescription("band %d of ü" % (i + 1))
            band.SetUnitType("m & s")
            band.SetScale(0.25 + i)
            band.SetOffset(-1.5)
            band.SetCategoryNames(["a", "b"])
            band.ComputeStatistics(False)
        ds = None
    return {}


def meta(q):
    ds = gdal.OpenEx(q["path"], gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR, open_options=q.get("open", []))
    out = {"size": [ds.RasterXSize, ds.RasterYSize, ds.RasterCount]}
    gt = ds.GetGeoTransform(can_return_null=True)
    out["transform"] = list(gt) if gt else None
    crs = ds.GetSpatialRef()
    out["crs"] = crs.ExportToWkt(["FORMAT=WKT2_2019"]) if crs else None
    out["epoch"] = crs.GetCoordinateEpoch() if crs else None
    out["gcps"] = [[g.GCPPixel, g.GCPLine, g.GCPX, g.GCPY, g.GCPZ] for g in ds.GetGCPs()]
    crs = ds.GetGCPSpatialRef()
    out["gcp_crs"] = crs.ExportToWkt(["FORMAT=WKT2_2019"]) if crs and ds.GetGCPCount() else None
    out["domains"] = {}
    for domain in ds.GetMetadataDomainList() or []:
        if domain in ("IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "SUBDATASETS"):
            continue
        is_text = domain.startswith(("xml:", "json:"))
        value = {"": "".join(ds.GetMetadata_List(domain) or [])} if is_text else ds.GetMetadata(domain)
        out["domains"][domain] = value or {}
    bands = []
    for i in range(ds.RasterCount):
        b = ds.GetRasterBand(i + 1)
        table = b.GetColorTable()
        bands.append({
            "type": gdal.GetDataTypeName(b.DataType), "nodata": repr(b.GetNoDataValue()), "description": b.GetDescription(),
            "color": gdal.GetColorInterpretationName(b.GetColorInterpretation()), "scale": b.GetScale(), "offset": b.GetOffset(),
            "unit": b.GetUnitType(), "metadata": b.GetMetadata() or {}, "mask": b.GetMaskFlags(),
            "table": [list(table.GetColorEntry(k)) for k in range(table.GetCount())] if table else None,
            "nbits": b.GetMetadataItem("NBITS", "IMAGE_STRUCTURE"),
            "domains": {d: b.GetMetadata(d) or {} for d in b.GetMetadataDomainList() or [] if d not in ("", "IMAGE_STRUCTURE", "DERIVED_SUBDATASETS")},
        })
    out["bands"] = bands
    return out


def do_same_crs(q):
    a, b = osr.SpatialReference(), osr.SpatialReference()
    a.SetFromUserInput(q["a"])
    b.SetFromUserInput(q["b"])
    return {"same": bool(a.IsSame(b, ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "IGNORE_COORDINATE_EPOCH=NO"]))}


def crs_in(path):
    """WKT 2 of the system in a file, and what GDAL complained of."""
    MESSAGES.clear()
    try:
        crs = gdal.Open(path).GetSpatialRef()
        wkt = crs.ExportToWkt(["FORMAT=WKT2_2019"]) if crs else None
    except RuntimeError as e:
        wkt = None
        MESSAGES.append(str(e))
    return [wkt, list(MESSAGES)]


def do_crs_of(q):
    return {"found": [crs_in(path) for path in q["paths"]]}


def do_crs_round(q):
    """What comes back of systems that GDAL writes itself."""
    out = []
    for text in q["texts"]:
        crs = osr.SpatialReference()
        try:
            crs.SetFromUserInput(text)
            ds = gdal.GetDriverByName("GTiff").Create(q["path"], 1, 1)
            ds.SetSpatialRef(crs)
            ds.SetGeoTransform([1, 1, 0, 1, 0, -1])
            ds = None
        except RuntimeError as e:
            out.append([None, [str(e)]])
            continue
        out.append(crs_in(q["path"]))
    return {"found": out}


def do_crs_same(q):
    """Whether files have the systems of texts; and whether this GDAL keeps them in files of its own (None: not known)."""
    out = []
    for path, text in q["pairs"]:
        crs = osr.SpatialReference()
        MESSAGES.clear()
        try:
            crs.SetFromUserInput(text)
            found = gdal.Open(path).GetSpatialRef()
        except RuntimeError:
            found = None
            MESSAGES.append("not found")
        # A code, or a part of it, that came after this PROJ's database.
        if any("not found" in message for message in MESSAGES):
            out.append(["unknown", None])
            continue
        options = ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT_EXCEPT_AXIS_ORDER_GEOGCRS"]
        if found is not None and found.IsSame(crs, options):
            out.append([True, None])
            continue
        own = osr.SpatialReference()
        wkt = do_crs_round({"texts": [text], "path": "/vsimem/own.tif"})["found"][0][0]
        out.append([False, bool(wkt) and own.SetFromUserInput(wkt) == 0 and bool(own.IsSame(crs, options))])
    return {"found": out}


def do_flavours(q):
    """Source files of all kinds, made by a module next to this one."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import sources
    return {"made": sources.make(q["folder"])}


def main():
    for line in sys.stdin:
        q = json.loads(line)
        MESSAGES.clear()
        try:
            answer = {"ok": True, **globals()["do_" + q["do"]](q)}
        except Exception as e:
            answer = {"ok": False, "error": "%s: %s" % (type(e).__name__, e)}
        answer["messages"] = list(MESSAGES)
        print("\x1e" + json.dumps(answer, default=str), flush=True)


main()
