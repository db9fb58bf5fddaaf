"""PNG and JPEG files as sources: pixels, bands, colors, nodata, masks, texts, and place are those of GDAL's drivers; hostile
and unsupported files are refused without harm.

    python pictures.py        VERBOSE=1 in the environment prints all cases
"""

import os
import struct
import tempfile
import zlib

import numpy as np
from osgeo import gdal, osr

from command_line import run
from report import Report

gdal.UseExceptions()
# The tests of other judges turn auxiliary files off.
gdal.SetConfigOption("GDAL_PAM_ENABLED", "YES")

FOLDER = tempfile.mkdtemp(prefix="cogsmith-pictures-")
TARGET = os.path.join(FOLDER, "out.tif")
WIDTH, HEIGHT = 77, 53
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
random = np.random.default_rng(3)
report = Report("pictures")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def packed(pixels, bits):
    """Rows of samples (row, column, channel) as PNG stores them, each with a filter: none, sub, up in turn."""
    rows, before = [], None
    for number, row in enumerate(pixels.reshape(len(pixels), -1)):
        if bits == 16:
            data = row.astype(">u2").tobytes()
        elif bits == 8:
            data = row.astype("u1").tobytes()
        else:
            places = np.zeros(-(-len(row) * bits // 8) * 8 // bits, "u1")
            places[: len(row)] = row
            data = np.packbits(np.unpackbits(places[:, None], axis=1)[:, 8 - bits :].reshape(-1)).tobytes()
        current = np.frombuffer(data, "u1")
        step = max(1, pixels.shape[2] * bits // 8)
        kind = number % 3
        if kind == 1:
            left = np.concatenate([np.zeros(step, "u1"), current[:-step]]) if len(current) > step else np.zeros(len(current), "u1")
            rows.append(b"\x01" + (current - left).astype("u1").tobytes())
        elif kind == 2 and before is not None:
            rows.append(b"\x02" + (current - before).astype("u1").tobytes())
        else:
            rows.append(b"\x00" + data)
        before = current
    return b"".join(rows)


def png(name, color, bits, pixels=None, palette=None, transparent=None, chunks=(), interlaced=False, size=(WIDTH, HEIGHT), end=True):
    width, height = size
    if pixels is None:
        pixels = random.integers(0, 1 << bits, (height, width, CHANNELS[color]))
        if palette is not None:
            pixels %= len(palette)
        pixels[10:20, 10:30] = 1
    data = b""
    if interlaced:
        for row, column, down, across in ADAM7:
            part = pixels[row::down, column::across]
            data += packed(part, bits) if part.size else b""
    else:
        data = packed(pixels, bits)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced))
    file += b"".join(chunk(kind, content) for kind, content in chunks)
    if palette is not None:
        file += chunk(b"PLTE", bytes(np.array(palette, "u1").reshape(-1)))
    if transparent is not None:
        file += chunk(b"tRNS", transparent)
    file += chunk(b"IDAT", zlib.compress(data)) + (chunk(b"IEND", b"") if end else b"")
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as out:
        out.write(file)
    return path


def jpeg(name, bands, **options):
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([(rows * 3 + columns * (band + 1)) % 256 for band in range(bands)]).astype("u1")
    memory = gdal.GetDriverByName("MEM").Create("", WIDTH, HEIGHT, bands, gdal.GDT_Byte)
    memory.WriteArray(pixels if bands > 1 else pixels[0])
    path = os.path.join(FOLDER, name)
    gdal.GetDriverByName("JPEG").CreateCopy(path, memory, options=[f"{key}={value}" for key, value in options.items()])
    if os.path.exists(path + ".aux.xml"):
        os.remove(path + ".aux.xml")
    return path


def compare(name, path, warned=None, tags=()):
    """Compares what we make of a file with what GDAL reads from it."""
    with report.case(name):
        result = run("create", path, TARGET, "--overwrite", "--overviews", "none")
        assert result.code == 0, result.words()
        theirs, ours = gdal.Open(path), gdal.Open(TARGET)
        assert ours.RasterCount == theirs.RasterCount and ours.RasterXSize == theirs.RasterXSize
        assert ours.GetGeoTransform(can_return_null=True) == theirs.GetGeoTransform(can_return_null=True)
        srs = theirs.GetSpatialRef()
        assert srs is None or srs.IsSame(ours.GetSpatialRef())
        for number in range(1, theirs.RasterCount + 1):
            one, other = theirs.GetRasterBand(number), ours.GetRasterBand(number)
            assert one.DataType == other.DataType
            # GDAL reads bilevel gray TIFFs as palettes of black and white.
            is_bilevel = one.GetMetadata("IMAGE_STRUCTURE").get("NBITS") == "1"
            assert is_bilevel or one.GetColorInterpretation() == other.GetColorInterpretation(), number
            assert np.array_equal(one.ReadAsArray(), other.ReadAsArray()), f"pixels of band {number}"
            assert np.array_equal(one.GetMaskBand().ReadAsArray(), other.GetMaskBand().ReadAsArray()), f"mask of band {number}"
            assert one.GetMetadata("IMAGE_STRUCTURE").get("NBITS") == other.GetMetadata("IMAGE_STRUCTURE").get("NBITS")
            if one.GetColorTable() is not None:
                count = one.GetColorTable().GetCount()
                assert all(one.GetColorTable().GetColorEntry(i)[:3] == other.GetColorTable().GetColorEntry(i)[:3] for i in range(count))
        for tag in tags:
            assert theirs.GetMetadataItem(tag) == ours.GetMetadataItem(tag) is not None, tag
        assert (warned is None) == ("warning" not in result.words().lower()) and (warned or "") in result.words(), result.words()
        ours = theirs = None
        assert run("validate", TARGET).code == 0


def refused(name, path, words, timeout=60):
    with report.case(name):
        if os.path.exists(TARGET):
            os.remove(TARGET)
        result = run("create", path, TARGET, timeout=timeout, memory=2 << 30)
        assert result.code == 1 and words in result.words(), (result.code, result.words())
        assert not os.path.exists(TARGET)


def beside(path, ending, text):
    with open(os.path.splitext(path)[0] + ending if ending.startswith(".") else path + ending[1:], "w") as out:
        out.write(text)
    return path


COLORS = [(17 * i % 256, 31 * i % 256, 53 * i % 256) for i in range(256)]
WORLD = "10.5\n0.0\n0.0\n-10.5\n500005.25\n5999994.75\n"
UTM = osr.SpatialReference()
UTM.ImportFromEPSG(32633)

for interlaced in (False, True):
    how = " interlaced" if interlaced else ""
    for color, bits in [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)]:
        compare(f"png color {color} bits {bits}{how}", png("a.png", color, bits, interlaced=interlaced))
    for bits in (1, 2, 4, 8):
        compare(f"png palette bits {bits}{how}", png("a.png", 3, bits, palette=COLORS[: 1 << bits], interlaced=interlaced))
compare("png one pixel", png("a.png", 2, 8, size=(1, 1)))
compare("png one pixel interlaced", png("a.png", 0, 1, size=(1, 1), interlaced=True))
compare("png short palette", png("a.png", 3, 8, palette=COLORS[:5]))
compare("png gray nodata", png("a.png", 0, 8, transparent=struct.pack(">H", 1)))
compare("png gray nodata of 16 bits", png("a.png", 0, 16, transparent=struct.pack(">H", 1)))
compare("png rgb transparent", png("a.png", 2, 8, transparent=struct.pack(">HHH", 1, 1, 1)))
compare("png rgb transparent of 16 bits", png("a.png", 2, 16, transparent=struct.pack(">HHH", 1, 1, 1)))
compare("png palette nodata", png("a.png", 3, 8, palette=COLORS[:9], transparent=bytes([255, 0])))
compare("png palette partly transparent", png("a.png", 3, 8, palette=COLORS[:9], transparent=bytes([255, 9])), "partly transparent")
TEXT = (b"tEXt", b"Title\0A map"), (b"zTXt", b"Long Name\0\0" + zlib.compress(b"more " * 9)), (b"iTXt", "Author\0\0\0\0\0Zoë".encode())
compare("png text", png("a.png", 0, 8, chunks=TEXT), tags=("Title", "Long_Name", "Author"))
for bands, options in [(1, {}), (3, {}), (3, {"PROGRESSIVE": "YES"}), (3, {"QUALITY": 95}), (1, {"PROGRESSIVE": "YES", "QUALITY": 20})]:
    compare(f"jpeg {bands} {options}", jpeg("a.jpg", bands, **options))
compare("jpeg comment", jpeg("a.jpg", 1, COMMENT="a comment"), tags=("COMMENT",))

for make, name, endings in ((lambda name: png(name, 0, 8), "b.png", (".pgw", ".pngw", ".wld")),
                            (lambda name: jpeg(name, 3), "b.jpg", (".jgw", ".jpgw", ".wld"))):
    for ending in endings:
        path = beside(make(name), ending, WORLD)
        compare(f"{name} world file {ending}", path)
        os.remove(os.path.splitext(path)[0] + ending)
    path = beside(make(name), "+.aux.xml", f"<PAMDataset><SRS>{UTM.ExportToWkt()}</SRS><GeoTransform>5, 2, 0, 9, 0, -3</GeoTransform></PAMDataset>")
    compare(f"{name} auxiliary file", path)
    os.remove(path + ".aux.xml")
with report.case("world and prj"):
    path = beside(beside(png("c.png", 2, 8), ".pgw", WORLD), ".prj", UTM.ExportToWkt(["FORMAT=WKT1_ESRI"]))
    assert run("create", path, TARGET, "--overwrite").code == 0
    assert UTM.IsSame(gdal.Open(TARGET).GetSpatialRef())
with report.case("mosaics of pictures"):
    parts = [beside(png(f"m{i}.png", 2, 8), ".pgw", f"10\n0\n0\n-10\n{500005 + 770 * i}\n5999995\n") for i in range(3)]
    assert run("mosaic", *parts, "-o", TARGET, "--overwrite", "--crs", "EPSG:32633").code == 0
    vrt = gdal.BuildVRT("", parts)
    assert np.array_equal(vrt.ReadAsArray(), gdal.Open(TARGET).ReadAsArray())
    saved = os.path.join(FOLDER, "m.vrt")
    gdal.BuildVRT(saved, parts).FlushCache()
    assert run("create", saved, TARGET, "--overwrite").code == 0
    assert np.array_equal(vrt.ReadAsArray(), gdal.Open(TARGET).ReadAsArray())
with report.case("a window from the middle"):
    path = png("a.png", 2, 16)
    assert run("create", path, TARGET, "--overwrite", "--window", "5,20,40,30", "--bands", "3,1").code == 0
    expected = gdal.Open(path).ReadAsArray(5, 20, 40, 30)[[2, 0]]
    assert np.array_equal(expected, gdal.Open(TARGET).ReadAsArray())

HUGE = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 1))
with open(png("huge.png", 0, 8), "r+b") as out:
    out.seek(8)
    out.write(HUGE)
refused("a false size", os.path.join(FOLDER, "huge.png"), "a row takes more than")
path = png("cut.png", 0, 8, end=False)
os.truncate(path, os.path.getsize(path) - 900)
refused("a cut png", path, "PNG")
path = jpeg("cut.jpg", 3)
os.truncate(path, os.path.getsize(path) // 2)
refused("a cut jpeg", path, "JPEG")
memory = gdal.GetDriverByName("MEM").Create("", WIDTH, HEIGHT, 4, gdal.GDT_Byte)
path = os.path.join(FOLDER, "cmyk.jpg")
gdal.GetDriverByName("JPEG").CreateCopy(path, memory)
refused("cmyk", path, "CMYK")
with report.case("no second image"):
    result = run("create", png("a.png", 0, 8), TARGET, "--image", "2")
    assert result.code == 2 and "no such image" in result.words(), result.words()
source = open(png("fuzz.png", 3, 4, palette=COLORS[:16], chunks=TEXT, interlaced=True), "rb").read()
pictures = [source, open(jpeg("fuzz.jpg", 3, PROGRESSIVE="YES"), "rb").read()]
with report.case("damaged bytes are an error or other pixels"):
    for number in range(60):
        data = bytearray(pictures[number % 2])
        for _ in range(4):
            data[random.integers(2, len(data))] = random.integers(0, 256)
        path = os.path.join(FOLDER, "damaged.bin")
        open(path, "wb").write(data)
        result = run("create", path, TARGET, "--overwrite", memory=2 << 30)
        assert result.code in (0, 1), (number, result.code, result.words())
raise SystemExit(report.close())
