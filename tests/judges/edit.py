"""`cogsmith repack` and `cogsmith edit` on files of GDAL, rio-cogeo, and tifffile: the output is a COG for GDAL, its validator,
rio-cogeo's, and cogsmith's own; every tile keeps its bytes, every pixel its value, and every tag that no option concerns its
value, as tifffile reads it.

    python edit.py                 files made here
    python edit.py FOLDER…         the tiles and tags of all TIFF files below these folders too
    ONLY=words in the environment picks cases by name
"""

import hashlib
import json
import os
import shutil
import sys

os.environ["GDAL_PAM_ENABLED"] = "NO"

import numpy as np
import tifffile
from osgeo import gdal, osr
from osgeo_utils.samples import validate_cloud_optimized_geotiff as validator
from rio_cogeo.cogeo import cog_validate

from command_line import run
from edit_inputs import FOLDER, at, made_by_gdal, made_by_gtiff, made_by_rio, made_by_tifffile, raster, sparse
from report import Report

report = Report("edit")
# Tags that the layout sets.
LAYOUT = {254, 255, 273, 278, 279, 284, 288, 289, 324, 325, 330, 34665, 34853, 42113}
ONLY_FULL = {33550, 33922, 34264, 34735, 34736, 34737, 42112, 50844}


def images(path):
    """All directories as tifffile reads them, SubIFDs too: (is a mask, width, height) to the page."""
    with tifffile.TiffFile(path) as file:
        found = {}
        for page in file.pages:
            pages = [page, *(page.pages or [])] if 330 in page.tags else [page]
            for one in pages:
                one = one.aspage() if hasattr(one, "aspage") else one
                kind = one.tags[254].value if 254 in one.tags else 0
                tiles = []
                offsets = one.dataoffsets
                for offset, count in zip(offsets, one.databytecounts):
                    if count and offset:
                        file.filehandle.seek(offset)
                        tiles.append(hashlib.sha1(file.filehandle.read(count)).hexdigest())
                    else:
                        tiles.append(None)
                tags = {tag.code: tag.value for tag in one.tags.values()}
                found.setdefault((bool(int(kind) & 4), one.imagewidth, one.imagelength), (tiles, tags))
        return found


def same(a, b):
    if isinstance(a, (bytes, str)) or isinstance(b, (bytes, str)):
        strip = lambda text: (text if isinstance(text, bytes) else str(text).encode()).rstrip(b"\0")
        return strip(a) == strip(b)
    return np.array_equal(np.asarray(a, dtype=object), np.asarray(b, dtype=object)) or repr(a) == repr(b)


def compare_tiles(source, target, companion=None, changed=(), left_out=False):
    """Tiles and tags of the output against those of the input."""
    before, after, out = images(source), images(target), []
    full = next(iter(before))
    if companion:
        before = {**images(companion), **before}
    if not set(after) <= set(before) or (set(before) != set(after) and not left_out):
        out.append(f"images {sorted(after)}, expected {sorted(before)}")
    for key, (tiles, tags) in after.items():
        if key not in before:
            continue
        old_tiles, old_tags = before[key]
        if tiles != old_tiles:
            out.append(f"{key}: {sum(a != b for a, b in zip(tiles, old_tiles))} of {len(tiles)} tiles differ")
        skipped = LAYOUT | set(changed) | (ONLY_FULL if key != full else set())
        for code in (set(tags) | set(old_tags)) - skipped:
            if code not in tags or code not in old_tags or not same(tags[code], old_tags[code]):
                out.append(f"{key}: tag {code} is {str(tags.get(code))[:80]}, was {str(old_tags.get(code))[:80]}")
    return out


def verdicts(target, lenient=False):
    """What GDAL, both validators, and cogsmith say of a file."""
    out = []
    file = gdal.Open(target)
    if file.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") != "COG":
        out.append("GDAL does not say LAYOUT=COG")
    file = None
    _, errors, _ = validator.validate(target, full_check=True)
    out += [f"GDAL's validator: {error}" for error in errors]
    valid, errors, _ = cog_validate(target, quiet=True)
    out += [] if valid else [f"rio-cogeo: {error}" for error in errors]
    done = run("validate", "--json", target, timeout=300)
    said = json.loads(done.out)
    bad = [finding["message"] for finding in said["findings"] if finding["severity"] == "error"]
    out += [] if lenient else [f"cogsmith validate: {message}" for message in bad[:3]]
    return out


def pixels(path):
    """Pixels and masks of all levels, and the description of the raster, as GDAL reads them."""
    file = gdal.Open(path)
    if file.RasterXSize * file.RasterYSize * file.RasterCount > 4096 * 4096 * 4:
        return None
    out = [file.GetGeoTransform(), file.GetProjection(), file.GetMetadata()]
    out[2].pop("OVR_RESAMPLING_ALG", None)
    for number in range(1, file.RasterCount + 1):
        band = file.GetRasterBand(number)
        out += [band.GetDescription(), repr(band.GetNoDataValue()), band.GetScale(), band.GetOffset(), band.GetUnitType(), band.GetColorInterpretation()]
        levels = [band] + [band.GetOverview(index) for index in range(band.GetOverviewCount())]
        for level in levels:
            out.append(hashlib.sha1(level.ReadAsArray().tobytes()).hexdigest())
            out.append(hashlib.sha1(level.GetMaskBand().ReadAsArray().tobytes()).hexdigest())
    return out


def repacked(source, *options, companion=None):
    def case():
        target = at("repacked.tif")
        done = run("repack", "--overwrite", *options, source, target)
        if done.code:
            return [str(done)]
        out = verdicts(target) + compare_tiles(source, target, companion)
        before, after = pixels(source), pixels(target)
        if before != after:
            out.append(f"GDAL reads something else: {[(a, b) for a, b in zip(before, after) if a != b][:3]}"[:400])
        # A file in the layout is its own copy.
        again = at("again.tif")
        done = run("repack", "--overwrite", *options, target, again)
        if done.code or open(target, "rb").read() != open(again, "rb").read():
            out.append(f"repacking the output again gives other bytes: {done}")
        return out
    return case


def refused(source, *words):
    def case():
        target = at("refused.tif")
        if os.path.exists(target):
            os.remove(target)
        done = run("repack", source, target)
        out = [] if done.code == 1 and not done.crashed else [str(done)]
        out += [f"the message lacks {word!r}: {done.words()}" for word in words if word not in done.words()]
        return out + (["there is an output"] if os.path.exists(target) else [])
    return case


def edited(source, options, expect, changed, same_pixels=True):
    """Edits a copy; `expect` gets GDAL's dataset and returns problems, `changed` are the tags that may differ."""
    def case():
        target = at("edited.tif")
        shutil.copy(source, target)
        dry = run("edit", "--dry-run", *options, target)
        out = [] if open(source, "rb").read() == open(target, "rb").read() else ["--dry-run changes the file"]
        done = run("edit", *options, target)
        if done.code:
            return [str(done)]
        if dry.out.splitlines()[:-1] != done.out.splitlines()[:-1]:
            out.append(f"--dry-run says {dry.out!r}, the edit {done.out!r}")
        out += verdicts(target) + compare_tiles(source, target, changed=changed)
        file = gdal.Open(target)
        out += [problem for problem in expect(file) if problem]
        file = None
        bytes_before = open(target, "rb").read()
        again = run("edit", *[word for word in options], target)
        if again.code == 0 and bytes_before != open(target, "rb").read():
            out.append("the same edit again changes the file")
        return out
    return case


def unless(ok, problem):
    return None if ok else problem


def epsg(file):
    reference = file.GetSpatialRef()
    return reference and reference.GetAuthorityCode(None)


def identity():
    """A COG of `create` is what repack makes of it, and edit makes what `create` makes with the same options."""
    out = []
    plain = raster("identity-source.tif", bands=3, kind=gdal.GDT_Byte, overviews=(), mask=False)
    masked = raster("identity-masked.tif", bands=1, overviews=(), mask=True)
    for source in (plain, masked, "fixtures/rgb_jpeg_mask.tif", "fixtures/landcover_palette.tif", "fixtures/dem_f32.tif"):
        for options in ([], ["--interleave", "band"], ["--interleave", "tile"], ["--bigtiff", "yes"], ["--compress", "none"], ["--compress", "lerc"], ["--stats"]):
            one, two = at("one.tif"), at("two.tif")
            done = run("create", "--overwrite", "--blocksize", "64", *options, source, one)
            if done.code:
                continue  # such as LERC of a palette
            if source == masked and "--interleave" in options:
                continue  # the tags of one band do not tell the interleave, which places the mask
            words = ["--bigtiff", "yes"] if "--bigtiff" in options else []
            done = run("repack", "--overwrite", *words, one, two)
            if done.code or open(one, "rb").read() != open(two, "rb").read():
                out.append(f"{source} {options}: repack gives other bytes: {done}")
    # Not nodata: create pads tiles with it.
    for options in (["--crs", "EPSG:3857"], ["--transform", "1,2,0,3,0,-2"], ["--band-description", "1=x & y", "--band-unit", "1=m"],
                    ["--metadata", "KEY=value", "--metadata", "TIFFTAG_SOFTWARE=test"], ["--pixel-is", "point"], ["--color-interpretation", "red,green,blue"]):
        base, one, two = at("base.tif"), at("one.tif"), at("two.tif")
        run("create", "--overwrite", "--blocksize", "64", "--overview-resampling", "nearest", plain, base)
        run("create", "--overwrite", "--blocksize", "64", "--overview-resampling", "nearest", *options, plain, one)
        shutil.copy(base, two)
        done = run("edit", *options, two)
        if done.code or open(one, "rb").read() != open(two, "rb").read():
            out.append(f"edit {options} gives other bytes than create: {done}")
    return out


def repacks():
    plain = raster("gdaladdo.tif")
    report.run("repack: gdaladdo", repacked(plain))
    report.run("repack: gdaladdo, BigTIFF", repacked(plain, "--bigtiff", "yes"))
    big = raster("big.tif", options=["BIGTIFF=YES"])
    report.run("repack: a BigTIFF becomes classic", repacked(big))
    report.run("repack: nodata", repacked(raster("nodata.tif", nodata=20)))
    report.run("repack: mask", repacked(raster("mask.tif", mask=True)))
    report.run("repack: three bands and mask", repacked(raster("mask3.tif", bands=3, mask=True)))
    for codec in ("DEFLATE", "LZW", "ZSTD", "LERC", "LERC_ZSTD", "PACKBITS"):
        report.run(f"repack: {codec}", repacked(raster(f"{codec}.tif", options=[f"COMPRESS={codec}"])))
    report.run("repack: floats with predictor", repacked(raster("float.tif", kind=gdal.GDT_Float32, options=["COMPRESS=DEFLATE", "PREDICTOR=3"])))
    jpeg = raster("jpeg.tif", bands=3, kind=gdal.GDT_Byte, options=["COMPRESS=JPEG", "PHOTOMETRIC=YCBCR"])
    report.run("repack: JPEG", repacked(jpeg))
    masked = raster("jpeg-mask.tif", bands=3, kind=gdal.GDT_Byte, mask=True, options=["COMPRESS=JPEG", "PHOTOMETRIC=YCBCR"])
    report.run("repack: JPEG and mask", repacked(masked))
    report.run("repack: WebP", repacked(raster("webp.tif", bands=3, kind=gdal.GDT_Byte, options=["COMPRESS=WEBP", "WEBP_LOSSLESS=YES"])))
    report.run("repack: bands in planes", repacked(raster("planes.tif", bands=3, options=["INTERLEAVE=BAND"])))
    report.run("repack: bands in planes and mask", repacked(raster("planes-mask.tif", bands=3, mask=True, options=["INTERLEAVE=BAND"])))
    report.run("repack: palette", repacked(raster("palette.tif", kind=gdal.GDT_Byte, colors=True)))
    report.run("repack: sparse tiles", repacked(sparse()))
    report.run("repack: shared tiles", shared())
    report.run("repack: COPY_SRC_OVERVIEWS", repacked(made_by_gtiff(plain, "copied.tif")))
    for interleave in ("PIXEL", "BAND", "TILE"):
        source = made_by_gdal(raster("source.tif", bands=2), f"cog-{interleave}.tif", INTERLEAVE=interleave, BLOCKSIZE=128)
        report.run(f"repack: GDAL's COG, {interleave}", repacked(source))
    report.run("repack: rio-cogeo", repacked(made_by_rio(plain, "rio.tif")))
    report.run("repack: rio-cogeo, JPEG and mask", repacked(made_by_rio(masked, "rio-jpeg.tif", "jpeg", add_mask=True)))
    for subifds in (False, True):
        for bigtiff in (False, True):
            source = made_by_tifffile(f"tifffile-{subifds}-{bigtiff}.tif", subifds, bigtiff=bigtiff)
            report.run(f"repack: tifffile, SubIFDs {subifds}, BigTIFF {bigtiff}", lambda source=source: pyramid(source))
    source = made_by_tifffile("big-endian-8.tif", False, "u1", ">")
    report.run("repack: big-endian bytes", lambda: pyramid(source))
    external = raster("external.tif", overviews=())
    file = gdal.Open(external)
    file.BuildOverviews("NEAREST", [2, 4])
    file = None
    report.run("repack: overviews next to the file", repacked(external, companion=external + ".ovr"))
    report.run("repack: no overviews", repacked(raster("none.tif", overviews=())))
    report.run("refused: big-endian numbers", refused(made_by_tifffile("big-endian-16.tif", False, "u2", ">"), "big-endian", "create"))
    strips = gdal.Translate(at("strips.tif"), plain, format="GTiff", creationOptions=["TILED=NO"])
    strips = None
    report.run("refused: strips", refused(at("strips.tif"), "strips", "create"))
    with tifffile.TiffWriter(at("pages.tif")) as writer:
        for _ in range(2):
            writer.write(np.zeros((64, 64), "u1"), tile=(32, 32), metadata=None)
    report.run("refused: several images", refused(at("pages.tif"), "2 full-resolution images", "create"))
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO")
    outside = raster("outside.tif", mask=True, overviews=())
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
    report.run("refused: a mask next to the file", refused(outside, "outside.tif.msk", "create"))


def pyramid(source):
    """tifffile's pyramids: GDAL does not read SubIFDs as overviews, so that only tiles and verdicts are compared."""
    target = at("pyramid.tif")
    done = run("repack", "--overwrite", source, target)
    if done.code:
        return [str(done)]
    file = gdal.Open(target)
    count = file.GetRasterBand(1).GetOverviewCount()
    file = None
    out = verdicts(target) + compare_tiles(source, target) + ([] if count == 2 else [f"{count} overviews"])
    with tifffile.TiffFile(source) as a, tifffile.TiffFile(target) as b:
        if not np.array_equal(a.pages[0].asarray(), b.pages[0].asarray()):
            out.append("pixels differ")
    return out


def shared():
    """All entries point to one tile."""
    path = at("shared.tif")
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.full((128, 128), 9, "u1"), tile=(64, 64), metadata=None, compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        page = file.pages[0]
        page.tags[324].overwrite([page.dataoffsets[0]] * 4)
        page.tags[325].overwrite([page.databytecounts[0]] * 4)
    return repacked(path)


def edits():
    sources = {
        "COG of GDAL": made_by_gdal(raster("edit-source.tif", bands=3, kind=gdal.GDT_Byte), "edit-gdal.tif", BLOCKSIZE=128),
        "COG with mask": made_by_gdal(raster("edit-masked.tif", mask=True), "edit-mask.tif", BLOCKSIZE=128),
        "gdaladdo": raster("edit-addo.tif", bands=3),
        "rio-cogeo": made_by_rio(raster("edit-for-rio.tif", bands=3), "edit-rio.tif"),
    }
    ours = at("edit-ours.tif")
    run("create", "--overwrite", "--blocksize", "64", sources["gdaladdo"], ours)
    sources["cogsmith"] = ours
    report.run("edit: copied", copied)
    report.run("edit: in place", in_place)
    report.run("edit: statistics", statistics)
    report.run("edit: interrupted", interrupted)
    for name, source in sources.items():
        file = gdal.Open(source)
        bands, file = file.RasterCount, None
        report.run(f"edit: {name}: nodata", edited(source, ["--nodata", "13"], lambda f: [
            unless(f.GetRasterBand(1).GetNoDataValue() == 13, "nodata"),
            *[unless(f.GetRasterBand(1).GetOverview(i).GetNoDataValue() == 13, "nodata of an overview") for i in range(f.GetRasterBand(1).GetOverviewCount())]], {42112}))
        report.run(f"edit: {name}: CRS", edited(source, ["--crs", "EPSG:3857"], lambda f: [unless(epsg(f) == "3857", f"CRS {epsg(f)}")], {34735, 34736, 34737}))
        report.run(f"edit: {name}: transform", edited(source, ["--transform", "10,2,0,20,0,-2"], lambda f: [
            unless(f.GetGeoTransform() == (10, 2, 0, 20, 0, -2), str(f.GetGeoTransform()))], {33550, 33922, 34264}))
        report.run(f"edit: {name}: rotated", edited(source, ["--transform", "10,2,1,20,1,-2"], lambda f: [
            unless(f.GetGeoTransform() == (10, 2, 1, 20, 1, -2), str(f.GetGeoTransform()))], {33550, 33922, 34264}))
        report.run(f"edit: {name}: bands", edited(source, ["--band-description", "1=first", "--band-scale", "0.5", "--band-offset", "3", "--band-unit", "m"], lambda f: [
            unless((b := f.GetRasterBand(1)).GetDescription() == "first" and (b.GetScale(), b.GetOffset(), b.GetUnitType()) == (0.5, 3, "m"), "band")], {42112, 33550, 33922}))
        report.run(f"edit: {name}: items", edited(source, ["--metadata", "KEY=a < b", "--metadata", "D:X=1", "--metadata", "TIFFTAG_SOFTWARE=me", "--remove-metadata", "AREA"][:6], lambda f: [
            unless(f.GetMetadataItem("KEY") == "a < b" and f.GetMetadataItem("X", "D") == "1" and f.GetMetadataItem("TIFFTAG_SOFTWARE") == "me", "items")], {42112, 305}))
        report.run(f"edit: {name}: removal", lambda source=source: removal(source))
        if bands == 3:
            report.run(f"edit: {name}: colors", edited(source, ["--color-interpretation", "nir,red,green"], lambda f: [
                unless(f.GetRasterBand(1).GetColorInterpretation() == gdal.GCI_NIRBand, "color")], {42112, 262, 338}))


def copied():
    """`--from`: CRS, transform, nodata, and metadata of another file, as GDAL reads both; tiles stay."""
    other, out = raster("described.tif", 2, overviews=(), nodata=77), []
    target = at("copied.tif")
    file = gdal.Open(other, gdal.GA_Update)
    file.SetGeoTransform((100, 3, 1, 200, -1, -3))
    file.SetMetadataItem("SENSOR", "two words")
    file.SetMetadataItem("AREA_OR_POINT", "Point")
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(3035)
    file.SetSpatialRef(reference)
    file.GetRasterBand(2).SetScale(0.5)
    file = None
    made_by_gdal(raster("bare.tif", 2, overviews=()), "copied.tif", BLOCKSIZE=128)
    before = images(target)
    done = run("edit", "--json", "--from", other, "--copy", "crs,transform,nodata,metadata", target)
    if done.code:
        return [str(done.words())]
    one, two = gdal.Open(other), gdal.Open(target)
    out.append(unless(two.GetSpatialRef().IsSame(one.GetSpatialRef()), "the CRS differs"))
    out.append(unless(two.GetGeoTransform() == one.GetGeoTransform(), f"the transform is {two.GetGeoTransform()}"))
    out.append(unless(two.GetRasterBand(1).GetNoDataValue() == 77, "nodata differs"))
    out.append(unless(two.GetMetadataItem("SENSOR") == "two words" and two.GetRasterBand(2).GetScale() == 0.5, "metadata differ"))
    out += verdicts(target)
    out.append(unless([tiles for tiles, _ in images(target).values()] == [tiles for tiles, _ in before.values()], "tiles differ"))
    one = two = None
    again = run("edit", "--json", "--from", other, "--copy", "crs,transform,nodata,metadata", target)
    out.append(unless(not json.loads(again.out)["changes"], f"a second copy changes {again.out[:200]!r}"))
    small = raster("small.tif", 1, size=(64, 64), overviews=())
    for words, parts in (("64x64", "transform"), ("1 and 2 bands", "metadata")):
        done = run("edit", "--from", small, "--copy", parts, target)
        out.append(unless(done.code == 2 and words in done.words(), f"{parts}: {done.words()}"))
    return [problem for problem in out if problem]


def in_place():
    """Edits of a file with room: nothing moves, all readers see the change, and room runs out without harm."""
    target, out = at("room.tif"), []
    done = run("create", "--overwrite", "--blocksize", "64", "--header-room", "8K", at("edit-addo.tif"), target)
    if done.code:
        return [str(done)]
    out += verdicts(target)
    before = open(target, "rb").read()
    original = at("room-before.tif")
    shutil.copy(target, original)
    for options, changed in ((["--nodata", "13"], {42112}), (["--crs", "EPSG:3857"], {34735, 34736, 34737}), (["--metadata", "KEY=" + "x" * 1000], {42112}),
                             (["--remove", "crs"], ONLY_FULL), (["--nodata", "none"], {42112})):
        done = run("edit", "--json", *options, target)
        if done.code or not json.loads(done.out)["in_place"]:
            return [f"{options}: {done} {done.out[:200]!r}"]
        after = open(target, "rb").read()
        out += verdicts(target, lenient=True)
        same_end = len(after) == len(before) and after[-len(before) // 2:] == before[-len(before) // 2:]
        out += [] if same_end else [f"{options}: tiles have moved"]
    out += compare_tiles(original, target, changed=ONLY_FULL)
    done = run("edit", "--json", "--metadata", "KEY=" + "x" * 9000, target)
    if done.code or json.loads(done.out)["in_place"]:
        out.append(f"9000 bytes fit: {done}")
    return out + verdicts(target, lenient=True)


def statistics():
    """Those of an edit are those of `create`, and GDAL's up to rounding."""
    out = []
    for source in (at("edit-masked.tif"), at("edit-addo.tif"), "fixtures/dem_f32.tif", "fixtures/landcover_palette.tif"):
        one, two = at("one.tif"), at("two.tif")
        run("create", "--overwrite", "--blocksize", "64", "--stats", source, one)
        run("create", "--overwrite", "--blocksize", "64", "--stats=no", source, two)
        done = run("edit", "--stats", two)
        if done.code:
            return [f"{source}: {done}"]
        out += verdicts(two)
        ours, theirs = gdal.Open(two), gdal.Open(one)
        for number in range(1, ours.RasterCount + 1):
            said, wanted = ours.GetRasterBand(number).GetMetadata(), theirs.GetRasterBand(number).GetMetadata()
            if said != wanted or "STATISTICS_MEAN" not in said:
                out.append(f"{source}: band {number} has {said}, create says {wanted}")
            computed = ours.GetRasterBand(number).ComputeStatistics(False)
            if not np.allclose(computed, [float(said[f"STATISTICS_{name}"]) for name in ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV")], rtol=1e-6):
                out.append(f"{source}: band {number} has {said}, GDAL computes {computed}")
        ours = theirs = None
    return out


def interrupted():
    """A file whose header points to the copy of the directories, as after a kill: GDAL reads it, and the next edit completes it."""
    target = at("interrupted.tif")
    run("create", "--overwrite", "--blocksize", "64", "--header-room", "8K", "--nodata", "5", at("edit-addo.tif"), target)
    sound = open(target, "rb").read()
    with tifffile.TiffFile(target) as file:
        first = file.pages[0].offset
        end = min(page.tags[324].valueoffset for page in file.pages if page.tags[324].count > 1)
    # The copy: the same directories, moved by a constant.
    length = next(index for index in range(end, first, -1) if sound[index - 1]) + 1 - first
    length += length % 2
    place = (end - length) & ~1
    copy = bytearray(sound[first:first + length])
    moved = place - first

    def move(at, size=4):
        value = int.from_bytes(copy[at:at + size], "little")
        if first <= value < first + length:
            copy[at:at + size] = (value + moved).to_bytes(size, "little")

    position = 0
    while position is not None:
        count = int.from_bytes(copy[position:position + 2], "little")
        for entry in range(position + 2, position + 2 + 12 * count, 12):
            kind, items = int.from_bytes(copy[entry + 2:entry + 4], "little"), int.from_bytes(copy[entry + 4:entry + 8], "little")
            if {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8}[kind] * items > 4:
                move(entry + 8)
        link = position + 2 + 12 * count
        following = int.from_bytes(copy[link:link + 4], "little")
        move(link)
        position = following - first if following else None
    torn = bytearray(sound)
    torn[place:place + length] = copy
    torn[4:8] = place.to_bytes(4, "little")
    torn[first:first + length // 2] = b"\xff" * (length // 2)
    open(target, "wb").write(torn)
    out = []
    file = gdal.Open(target)
    out += [] if file.GetRasterBand(1).GetNoDataValue() == 5 and file.GetRasterBand(1).GetOverviewCount() == 3 else ["GDAL does not read the copy"]
    file = None
    done = run("edit", "--json", target)
    if done.code or not json.loads(done.out)["in_place"]:
        return out + [f"the next edit: {done} {done.out!r}"]
    out += verdicts(target)
    if open(target, "rb").read() != sound:
        out.append("the next edit gives other bytes than before")
    return out


def removal(source):
    target = at("removal.tif")
    shutil.copy(source, target)
    done = run("edit", "--remove", "crs,transform", "--remove-metadata", "AREA", "--nodata", "none", target)
    if done.code:
        return [str(done)]
    file = gdal.Open(target)
    out = [unless(not file.GetProjection() and file.GetGeoTransform(can_return_null=True) is None, "georeference is there"),
           unless(file.GetMetadataItem("AREA") is None, "the item is there"), unless(file.GetRasterBand(1).GetNoDataValue() is None, "nodata is there")]
    file = None
    out += verdicts(target, lenient=True) + compare_tiles(source, target, changed=ONLY_FULL)
    again = run("edit", "--remove-metadata", "AREA", target)
    out.append(unless(again.code == 2 and b"AREA" in again.err, f"removing it again: {again}"))
    return [problem for problem in out if problem]


def corpus(folders):
    """Repacks and edits all files that are tiled; others are refused without a crash."""
    counts = {"repacked": 0, "refused": 0, "not TIFF or damaged": 0, "edited": 0}
    for folder in folders:
        for root, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                path = os.path.join(root, name)
                if not name.lower().endswith((".tif", ".tiff")) or not report.wants(name):
                    continue
                target = at("corpus.tif")
                done = run("repack", "--overwrite", path, target, timeout=600)
                if done.crashed:
                    report.check(path, [str(done)])
                    continue
                if done.code:
                    counts["refused" if b"not supported" in done.err else "not TIFF or damaged"] += 1
                    print(f"refused {os.path.relpath(path, folder)}: {done.words()[:160]}")
                    continue
                counts["repacked"] += 1
                problems = []
                try:
                    companion = path + ".ovr"
                    problems = verdicts(target, lenient=True) + compare_tiles(path, target, companion if os.path.exists(companion) else None, left_out=b"is left out" in done.err)
                except Exception as error:
                    # An oracle that is built without a codec has no verdict.
                    problems += [] if "missing codec" in str(error) else [f"{type(error).__name__}: {error}"]
                shutil.copy(target, at("corpus-edit.tif"))
                done = run("edit", "--metadata", "EDITED=yes", at("corpus-edit.tif"), timeout=600)
                if done.crashed:
                    problems.append(str(done))
                elif done.code:
                    print(f"not edited {os.path.relpath(path, folder)}: {done.words()[:160]}")
                else:
                    counts["edited"] += 1
                    problems += [f"edit: {p}" for p in verdicts(at("corpus-edit.tif"), lenient=True) + compare_tiles(target, at("corpus-edit.tif"), changed={42112})]
                report.check(os.path.relpath(path, folder), problems)
    if folders:
        print(counts)


if __name__ == "__main__":
    report.run("identity with create", identity)
    repacks()
    edits()
    corpus(sys.argv[1:])
    shutil.rmtree(FOLDER)
    sys.exit(report.close())
