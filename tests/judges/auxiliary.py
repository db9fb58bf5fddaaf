"""`.aux.xml` files next to a raster: what GDAL sees of the source with its file, it sees of the COG alone.

    python auxiliary.py                  ONLY=words in the environment picks cases by name
"""

import itertools
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.rpc import RPC
from rasterio.transform import Affine

import command_line
import flavours
import judges
import layout
from report import Report

FOLDER = tempfile.mkdtemp(prefix="cogsmith-auxiliary-")
WKT = {code: CRS.from_epsg(code).to_wkt(version="WKT1_GDAL") for code in (3035, 4326, 32633)}
LOCAL = 'LOCAL_CS["unnamed",UNIT["metre",1]]'
COEFFICIENTS = [k / 8 for k in range(20)]


def path(name):
    return os.path.join(FOLDER, name)


def text(value):
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def source(own, bands=1, dtype="u1"):
    """A GeoTIFF that says of itself what `own` names."""
    name = path("source.tif")
    for leftover in (name, name + ".aux.xml"):
        if os.path.exists(leftover):
            os.remove(leftover)
    rows, columns = np.mgrid[:48, :40]
    array = np.stack([(rows * 3 + columns * 7 + band * 11) % 200 for band in range(bands)]).astype(dtype)
    profile = {"driver": "GTiff", "width": 40, "height": 48, "count": bands, "dtype": array.dtype, "photometric": "MINISBLACK"}
    if "rgb" in own:
        profile["photometric"] = "RGB"
    if "crs" in own:
        profile["crs"] = "EPSG:3035"
    if "transform" in own:
        profile["transform"] = Affine(2, 0, 1, 0, -4, 3)
    if "nodata" in own:
        profile["nodata"] = 7
    if "rpc" in own:
        profile["rpcs"] = RPC(height_off=5, height_scale=10, lat_off=3, lat_scale=8, line_den_coeff=COEFFICIENTS, line_num_coeff=COEFFICIENTS,
                              line_off=70, line_scale=6, long_off=4, long_scale=9, samp_den_coeff=COEFFICIENTS, samp_num_coeff=COEFFICIENTS,
                              samp_off=2, samp_scale=7, err_bias=-1, err_rand=-1)
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), rasterio.open(name, "w", **profile) as ds:
        if "gcps" in own:
            ds.gcps = ([GroundControlPoint(row=r, col=c, x=x, y=y, z=z) for r, c, x, y, z in ((2, 1, 3, 4, 5), (9, 8, 7, 6, 5))], "EPSG:3035")
        if "point" in own:
            ds.update_tags(AREA_OR_POINT="Point")
        if "palette" in own:
            ds.write_colormap(1, {0: (1, 2, 3), 1: (4, 5, 6), 255: (7, 8, 9)})
        if "words" in own:
            ds.update_tags(A="file", F="file", TIFFTAG_SOFTWARE="file")
            ds.update_tags(ns="DOM", A="file", X="file")
            for band in range(1, bands + 1):
                ds.set_band_description(band, f"file {band}")
                ds.update_tags(band, A="file", F="file", STATISTICS_MEAN="1", STATISTICS_MINIMUM="0")
            ds.scales, ds.offsets, ds.units = (2.0,) * bands, (3.0,) * bands, ("file",) * bands
        if "document" in own:
            ds.update_tags(ns="xml:OWN", doc="<own/>")
        ds.write(array)
    return name


def rpc_items(line):
    numbers = dict(LINE_OFF=line, SAMP_OFF=2, LAT_OFF=3, LONG_OFF=4, HEIGHT_OFF=5, LINE_SCALE=6, SAMP_SCALE=7, LAT_SCALE=8, LONG_SCALE=9, HEIGHT_SCALE=10)
    lists = {f"{k}_COEFF": " ".join(f"{c:g}" for c in COEFFICIENTS) for k in ("LINE_NUM", "LINE_DEN", "SAMP_NUM", "SAMP_DEN")}
    # GDAL writes these two of a tag, whoever leaves them out.
    return "".join(f'<MDI key="{k}">{v}</MDI>' for k, v in {**numbers, **lists, "ERR_BIAS": -1, "ERR_RAND": -1}.items())


def band(inner, number=1):
    return f'<PAMRasterBand band="{number}">{inner}</PAMRasterBand>'


SRS = f'<SRS dataAxisToSRSAxisMapping="1,2">{text(WKT[32633])}</SRS>'
TRANSFORM = "<GeoTransform>  5.0000000000000000e+05,  1.0000000000000000e+01,  0.0,  5.1e+06,  0.0, -2.5e+01</GeoTransform>"
POINTS = ('<GCP Id="1" Pixel="0.5" Line="0.5" X="10" Y="20" Z="1"/><GCP Id="2" Pixel="37" Line="0" X="11" Y="20.5"/>'
          '<GCP Id="3" Pixel="0" Line="45" X="10" Y="19"/>')
GCPS = f'<GCPList Projection="{text(WKT[4326])}" dataAxisToSRSAxisMapping="2,1">{POINTS}</GCPList>'
RGBA = "".join(band(f"<ColorInterp>{c}</ColorInterp>", i + 1) for i, c in enumerate(("Red", "Green", "Blue", "Alpha")))
TABLE = '<ColorTable><Entry c1="9" c2="8" c3="7" c4="255"/><Entry c1="90" c2="80" c3="70" c4="255"/></ColorTable>'
METADATA = ('<Metadata><MDI key="a">pam</MDI><MDI key="P">x &lt; y &amp;amp; z</MDI><MDI key="EMPTY"></MDI><MDI key="S">\n  kept </MDI></Metadata>'
            '<Metadata domain="DOM"><MDI key="A">pam</MDI><MDI key="Y">pam</MDI></Metadata>'
            '<Metadata domain="IMAGE_STRUCTURE"><MDI key="INTERLEAVE">BAND</MDI></Metadata>')
DOCUMENTS = ('<Metadata domain="xml:NEW" format="xml"><z a="1"><b/>t</z></Metadata><Metadata domain="xml:OWN" format="xml"><other/></Metadata>'
             '<Metadata domain="json:J" format="json">{"a": [1, 2]}</Metadata>')
ESRI = f'<GeodataXform><SpatialReference><WKT>{text(CRS.from_epsg(32633).to_wkt(version="WKT1_ESRI"))}</WKT></SpatialReference></GeodataXform>'

PLACES = {
    "CRS": SRS, "transform": TRANSFORM, "CRS and transform": SRS + TRANSFORM, "GCPs": GCPS, "GCPs without CRS": f"<GCPList>{POINTS}</GCPList>",
    "GCPs and CRS": GCPS + SRS, "south-up": TRANSFORM.replace("-2.5", "2.5"), "rotated": "<GeoTransform>5,8,3,6,3,-8</GeoTransform>",
    "five numbers": "<GeoTransform>5,8,3,6,3</GeoTransform>",
    "epoch": f'<SRS dataAxisToSRSAxisMapping="2,1" coordinateEpoch="2021.3">{text(CRS.from_epsg(9000).to_wkt(version="WKT2_2019"))}</SRS>',
    "code": "<SRS>EPSG:32633</SRS>", "no points": "<GCPList></GCPList>", "one point": f'<GCPList Projection="EPSG:4326">{POINTS.split("/>")[0]}/></GCPList>',
    "ArcGIS": f'<Metadata domain="xml:ESRI" format="xml">{ESRI}</Metadata>',
}
OWNS = {"nothing": (), "CRS": ("crs",), "transform": ("transform",), "both": ("crs", "transform"), "GCPs": ("gcps",), "points": ("crs", "transform", "point")}

# Name: what the file says itself, what the other says, bands and type, words of the warning.
FIELDS = {
    "nodata": ((), band("<NoDataValue>9</NoDataValue>"), {}, None),
    "nodata over nodata": (("nodata", "words"), band("<NoDataValue>9</NoDataValue>"), {}, r"nodata \(7 with 9\)"),
    "nodata out of range": ((), band("<NoDataValue>300</NoDataValue>"), {}, None),
    "nodata NaN": ((), band("<NoDataValue>nan</NoDataValue>"), {"dtype": "f4"}, None),
    "nodata exact": ((), band('<NoDataValue le_hex_equiv="000000E0FFFFEFC7">-3.40282346638529E+38</NoDataValue>'), {"dtype": "f4"}, None),
    "nodata of 64 bits": ((), band("<NoDataValue>-9007199254740993</NoDataValue>"), {"dtype": "i8"}, None),
    "nodata of 64 bits, unsigned": ((), band("<NoDataValue>18446744073709551615</NoDataValue>"), {"dtype": "u8"}, None),
    "nodata of all bands": ((), band("<NoDataValue>9</NoDataValue>") + band("<NoDataValue>9</NoDataValue>", 2), {"bands": 2}, None),
    "description": (("words",), band("<Description>é &amp; &lt;x&gt;</Description>"), {}, r"description \(band 1\)"),
    "empty description": (("words",), band("<Description></Description>"), {}, None),
    "scale": (("words",), band("<Scale>5</Scale>"), {}, r"scale and offset \(band 1\)"),
    "offset": ((), band("<Offset>6e-7</Offset>"), {}, None),
    "scale and offset": (("words",), band("<Offset>0</Offset><Scale>1</Scale>", 2), {"bands": 2}, r"scale and offset \(band 2\)"),
    "unit": (("words",), band("<UnitType>m &amp; s</UnitType>"), {}, r"unit \(band 1\)"),
    "empty unit": (("words",), band("<UnitType></UnitType>"), {}, None),
    "color": ((), band("<ColorInterp>Red</ColorInterp>"), {}, None),
    "colors": ((), RGBA, {"bands": 4}, None),
    "colors of floats": ((), RGBA, {"bands": 4, "dtype": "f4"}, None),
    "colors over colors": (("rgb",), band("<ColorInterp>Gray</ColorInterp>") + band("<ColorInterp>NIR</ColorInterp>", 2), {"bands": 3}, "color interpretation"),
    "no color": (("rgb",), band("<ColorInterp>Undefined</ColorInterp>"), {"bands": 3}, None),
    "color table": ((), band("<ColorInterp>Palette</ColorInterp>" + TABLE), {}, None),
    "color table alone": ((), band(TABLE), {}, None),
    "color table over one": (("palette",), band(TABLE), {}, "color table"),
    "color table of 16 bits": ((), band(TABLE), {"dtype": "u2"}, None),
    "metadata": (("words",), METADATA, {}, r"says: a; A"),
    "metadata of a band": (("words",), band(METADATA, 2), {"bands": 2}, r"a \(band 2\)"),
    "documents": (("document",), DOCUMENTS, {}, "xml:OWN, which the file itself has"),
    "statistics": (("words",), band('<Metadata><MDI key="STATISTICS_MEAN">5</MDI><MDI key="STATISTICS_STDDEV">0.5</MDI></Metadata>'), {}, "STATISTICS_MEAN"),
    "texts of tags": (("words",), '<Metadata><MDI key="TIFFTAG_SOFTWARE">pam</MDI><MDI key="TIFFTAG_COPYRIGHT">pam</MDI></Metadata>', {}, "TIFFTAG_SOFTWARE"),
    "RPC": ((), f'<Metadata domain="RPC">{rpc_items(33)}</Metadata>', {}, None),
    "RPC over RPC": (("rpc",), f'<Metadata domain="RPC">{rpc_items(33)}</Metadata>', {}, None),
    "XMP": ((), '<Metadata domain="xml:XMP" format="xml"><x:xmpmeta xmlns:x="adobe:ns:meta/"/></Metadata>', {}, None),
    "two of a band": (("words",), band("<Description>a</Description>") + band("<Scale>3</Scale>"), {}, r"scale and offset \(band 1\)"),
    "a band too many": ((), band("<Description>a</Description>", 2), {}, "band '2', of 1"),
}

# Texts as they are; what GDAL makes of them, and words of the warning.
TEXTS = {
    "damaged": ("<PAMDataset><SRS>", "ignored: "),
    "empty": ("", "ignored: "),
    "not XML": ("hello", "ignored: "),
    "entities": ('<!DOCTYPE x [<!ENTITY e "f">]><PAMDataset><Metadata><MDI key="P">&e;</MDI></Metadata></PAMDataset>', "ignored: "),
    "declaration": (f"<?xml version='1.0'?><PAMDataset>{TRANSFORM}</PAMDataset>", "GDAL ignores it too"),
    "comment in front": (f"<!-- c --><PAMDataset>{TRANSFORM}</PAMDataset>", "GDAL ignores it too"),
    "byte order mark": (f"\ufeff<PAMDataset>{TRANSFORM}</PAMDataset>", None),
    "lower case": ("<pamdataset><metadata><mdi key='P'>p</mdi></metadata></pamdataset>", None),
    "ArcGIS 9": (ESRI, None),
    "ArcGIS 9 with a declaration": (f'<?xml version="1.0"?>\n{ESRI}', None),
}


def without_space(value):
    """Documents of XML without the white space that GDAL adds."""
    if not value.get("", "").lstrip().startswith("<"):
        return value
    return {"": ET.canonicalize(value[""], strip_text=True)}


def seen(name, aux):
    answer = judges.NEW.call("meta", path=name, aux=aux)
    if not answer["ok"]:
        raise RuntimeError(answer["error"])
    # Whether GDAL tells it depends on what was asked before, where a CRS comes from an .aux.xml file.
    for domains in [answer["domains"]]:
        domains.get("", {}).pop("AREA_OR_POINT", None)
        answer["domains"] = {d: without_space(v) for d, v in domains.items()}
    for b in answer["bands"]:
        b["domains"] = {d: v for d, v in b["domains"].items() if not d.startswith(("xml:", "json:"))}
    return answer


def compared(name, words=None, options=(), expected=None, free=()):
    """Converts a source with its .aux.xml file; what GDAL sees of both, or problems."""
    target = path("out.tif")
    for leftover in (target, target + ".aux.xml"):
        if os.path.exists(leftover):
            os.remove(leftover)
    r = command_line.run("create", "--blocksize=32", *options, name, target)
    if r.code:
        return [str(r)]
    out = []
    if words and not re.search(words, r.words()):
        out.append(f"no warning with {words!r}: {r.words()!r}")
    if words is None and "warning" in r.words():
        out.append(f"a warning: {r.words()!r}")
    a, b = expected or seen(name, True), seen(target, False)
    out += flavours.metadata_problems(a, b, {"free": list(free)})
    return out + layout.problems(target, **layout.guess(target))


def place_case(own, words):
    name = source(OWNS[own])
    with open(name + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{PLACES[words]}</PAMDataset>")
    expected = seen(name, True)
    has = {"crs": "crs" in OWNS[own] or "gcps" in OWNS[own], "transform": "transform" in OWNS[own], "ground control points": "gcps" in OWNS[own]}
    gone = {"crs": "CRS" if has["crs"] and words not in ("transform", "south-up", "rotated", "five numbers", "no points") else None,
            "place": next((w for w in ("transform", "ground control points") if has[w] and words not in ("CRS", "epoch", "code", "five numbers", "no points", "ArcGIS")), None)}
    warning = "says: " + ".*".join(w for w in gone.values() if w) if any(gone.values()) else "not six numbers" if words == "five numbers" else None
    if words == "GCPs without CRS" and own == "points":
        # GDAL takes keys that say nothing but the raster type for a local CRS.
        expected["gcp_crs"] = LOCAL
    if expected["gcps"] and expected["transform"]:
        # A GeoTIFF holds one of the two.
        expected["gcps"], expected["crs"], expected["gcp_crs"] = [], expected["gcp_crs"], None
    return compared(name, warning, expected=expected)


def field_case(name):
    own, words, kind, warning = FIELDS[name]
    made = source(own, **kind)
    with open(made + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{words}</PAMDataset>")
    expected = seen(made, True)
    if name == "nodata over nodata":
        # They counted other pixels.
        for key in ("STATISTICS_MEAN", "STATISTICS_MINIMUM"):
            del expected["bands"][0]["metadata"][key]
    if expected["bands"][0]["table"]:
        # TIFF has a color for every value.
        entries = 65536 if kind.get("dtype") == "u2" else 256
        for b in expected["bands"]:
            b["table"] = b["table"] and (b["table"] + [[0, 0, 0, 255]] * entries)[:entries]
    return compared(made, warning, expected=expected)


def text_case(name):
    out = []
    for own in ((), ("crs", "transform")):
        made = source(own)
        with open(made + ".aux.xml", "w") as f:
            f.write(TEXTS[name][0])
        warning = TEXTS[name][1] or ("CRS" if own and "ArcGIS" in name else "transform" if own and "mark" in name else None)
        out += compared(made, warning)
    return out


def by_gdal(dtype, nodata):
    """A file that GDAL writes; the statistics that it computed are those of the pixels that are written."""
    made = source(("crs", "transform", "words"), bands=2, dtype=dtype)
    answer = judges.NEW.call("set_aux", path=made, epsg=32633, transform=[500000, 10, 0, 5100000, 0, -25.5], nodata=nodata)
    if not answer["ok"] or not os.path.exists(made + ".aux.xml"):
        return [f"GDAL wrote no file: {answer}"]
    expected = seen(made, True)
    # GDAL writes the nodata value of all bands for the first one alone, and does not find it for the others.
    for key in ("nodata", "mask"):
        expected["bands"][1][key] = expected["bands"][0][key]
    return compared(made, "says: CRS; transform.*left out: category names", expected=expected)


def nodata_of_bands():
    out = []
    for own, words, kept in (((), band("<NoDataValue>3</NoDataValue>") + band("<NoDataValue>4</NoDataValue>", 2), "3.0"),
                             ((), band("<NoDataValue>4</NoDataValue>", 2), "None"), (("nodata",), band("<NoDataValue>4</NoDataValue>", 2), "7.0")):
        made = source(own, bands=2)
        with open(made + ".aux.xml", "w") as f:
            f.write(f"<PAMDataset>{words}</PAMDataset>")
        expected = seen(made, True)
        for b in expected["bands"]:
            b["nodata"], b["mask"] = kept, 1 if kept == "None" else 8
        out += compared(made, r"nodata value 4 \(band 2\)", expected=expected)
    return out


def left_out():
    """--ignore-aux, and names that GDAL does not look for."""
    made = source(("crs", "transform"))
    with open(made + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{SRS}{TRANSFORM}</PAMDataset>")
    expected = seen(made, False)
    out = compared(made, options=["--ignore-aux"], expected=expected)
    os.rename(made + ".aux.xml", made.replace(".tif", ".aux.xml"))
    out += compared(made, r"not read: 'source\.aux\.xml'", expected=expected)
    os.remove(made.replace(".tif", ".aux.xml"))
    return out


def options_win():
    """What is asked for wins over both."""
    made = source(("crs", "transform"))
    with open(made + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{SRS}{TRANSFORM}{band('<NoDataValue>9</NoDataValue>')}</PAMDataset>")
    r = command_line.run("create", "--blocksize=32", "--crs=EPSG:4326", "--transform=1,2,0,3,0,-2", "--nodata=5", "--overwrite", made, path("out.tif"))
    if r.code:
        return [str(r)]
    got = seen(path("out.tif"), False)
    found = (got["transform"], "WGS 84" in got["crs"].split(",")[0], got["bands"][0]["nodata"])
    return [] if found == ([1, 2, 0, 3, 0, -2], True, "5.0") else [f"{found}"]


def beside_the_output():
    """A file that is there already is named: GDAL would take it for that of the output."""
    made = source(("crs", "transform"))
    with open(made + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{SRS}</PAMDataset>")
    r = command_line.run("create", "--blocksize=32", "--overwrite", made, made)
    return [] if r.code == 0 and "is older than the output" in r.words() else [str(r)]


def sparse():
    """Blocks that are left out are nodata, also where the nodata value is that of the other file."""
    made = path("source.tif")
    source(())
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), rasterio.open(made, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8", tiled=True, blockxsize=32, blockysize=32, SPARSE_OK=True) as ds:
        ds.write(np.full((1, 32, 32), 5, "u1"), window=rasterio.windows.Window(0, 0, 32, 32))
    with open(made + ".aux.xml", "w") as f:
        f.write(f"<PAMDataset>{band('<NoDataValue>9</NoDataValue>')}</PAMDataset>")
    out = compared(made)
    with rasterio.Env(GDAL_PAM_ENABLED="YES"), rasterio.open(path("out.tif")) as ds, rasterio.open(made) as want:
        if not np.array_equal(ds.read(), want.read()) or int((want.read() == 9).sum()) != 3 * 32 * 32:
            out.append("pixels of blocks that are left out differ")
    return out


def main():
    report = Report("auxiliary")
    try:
        for own, words in itertools.product(OWNS, PLACES):
            report.run(f"place: {words} over {own}", place_case, own, words)
        for name in FIELDS:
            report.run(f"field: {name}", field_case, name)
        for name in TEXTS:
            report.run(f"text: {name}", text_case, name)
        for dtype, nodata in (("u1", "9"), ("i2", "-5"), ("f4", "-3.4028234663852886e+38"), ("f8", "nan"), ("i8", "-9007199254740993")):
            report.run(f"by GDAL: {dtype}", by_gdal, dtype, nodata)
        report.run("nodata values of bands", nodata_of_bands)
        report.run("left out", left_out)
        report.run("options win", options_win)
        report.run("beside the output", beside_the_output)
        report.run("sparse", sparse)
    finally:
        judges.close()
        shutil.rmtree(FOLDER, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
