"""One file for each rule of `cogsmith validate` that breaks this rule, and no other."""

import struct
import zlib

import numpy as np

from cog_parts import (ASCII, BYTE, DOUBLE, GHOST, LONG, MASK_LINE, SHORT, Directory, File, cog, directory, gradient, reduced)


def plain(**kwargs):
    return cog(gradient(), **kwargs)


def patched(file, at, value, kind="<I"):
    data = bytearray(file.bytes())
    struct.pack_into(kind, data, at(file) if callable(at) else at, value)
    return bytes(data)


def with_tag(tag, kind, values, which=(0,), **kwargs):
    file = plain(**kwargs)
    for i in which:
        file.directories[i].set(tag, kind, values)
    return file


def without(*tags):
    file = plain()
    file.directories[0].drop(*tags)
    return file


def with_extra(*entry, index=0):
    file = plain()
    file.directories[index].extra.append(entry)
    return file


def big():
    file = plain()
    file.big = True
    return file


def keys(*items, **tags):
    """GeoKeys as (key, location, count, value)."""
    flat = [n for item in items for n in item]
    file = with_tag(34735, SHORT, [1, 1, 0, len(items)] + flat)
    for tag, (kind, values) in tags.items():
        file.directories[0].set(int(tag[1:]), kind, values)
    return file


MODEL, RASTER, UTM = (1024, 0, 1, 1), (1025, 0, 1, 1), (3072, 0, 1, 32633)


def ghost(text=GHOST, size=None):
    file = plain()
    file.ghost, file.size_text = text, size
    return file


def changed(**attributes):
    file = plain()
    for name, value in attributes.items():
        setattr(file, name, value)
    return file


def tag_order():
    file = plain()
    data = bytearray(file.bytes())
    a, b = file.at["entry", 1, 257], file.at["entry", 1, 258]
    data[a:a + 12], data[b:b + 12] = data[b:b + 12], data[a:a + 12]
    return bytes(data)


def value_overlap():
    file = plain()
    file.directories[0].set(42112, ASCII, "<GDALMetadata>\n</GDALMetadata>\n")
    file.bytes()
    inside = file.at["value", 0, 42112] + 4
    file.directories[0].extra.append((305, ASCII, 10, inside))
    # The new entry moves values by its own length.
    file.bytes()
    file.directories[0].extra[-1] = (305, ASCII, 10, file.at["value", 0, 42112] + 4)
    return file


def of_bits(bits):
    file = cog(gradient(bands=3))
    file.directories[0].set(258, SHORT, bits)
    return file


def palette(count):
    file = cog(gradient(), photometric=3)
    for d in file.directories:
        d.set(320, SHORT, [n * 257 % 65536 for n in range(count)])
    return file


def one_size_twice():
    file = cog(gradient(), sizes=[(350, 300), (175, 150), (175, 150)])
    file.data = [(3, 0), (2, 0)] + [(1, t) for t in range(4)] + [(0, t) for t in range(9)]
    return file


def chain():
    file = plain()
    page = directory(gradient(64, 64))
    page.tags.update({t: v for t, v in file.directories[0].tags.items() if t in (33550, 33922, 34735)})
    file.directories.insert(1, page)
    file.data = [(3, 0)] + [(2, t) for t in range(4)] + [(0, t) for t in range(9)] + [(1, 0)]
    return file


def masked(**kwargs):
    return cog(gradient(), masked=True, **kwargs)


def mask_after_images():
    file = masked()
    with_mask = file.ghost
    file.ghost = GHOST
    order = file.order()
    file.ghost, file.data = with_mask, order
    return file


def mask_of_other_size():
    file = masked()
    file.ghost = GHOST
    file.directories[1] = directory(np.ones((300, 300), np.uint8), tile=(256, 256), mask=True)
    return file


def mask_of_bytes():
    file = masked()
    for i in (1, 4, 5):
        width, height = file.size(i)
        d = directory(np.full((height, width), 255, np.uint8), tile=(256, 256), photometric=4)
        d.set(254, LONG, [file.directories[i].tags[254][1][0]])
        file.directories[i] = d
    return file


def masks_by_another_codec():
    file = masked()
    for i in (1, 4, 5):
        width, height = file.size(i)
        kind = file.directories[i].tags[254]
        file.directories[i] = directory(np.ones((height, width), np.uint8), mask=True, compression=34925)
        file.directories[i].tags[254] = kind
    return file


def no_overview_masks():
    file = masked()
    del file.directories[4:]
    return file


def masks_last():
    file = masked()
    file.ghost = GHOST
    order = [0, 2, 3, 1, 4, 5]
    file.directories = [file.directories[i] for i in order]
    return file


def tiles_swapped():
    file = plain()
    order = file.order()
    a, b = order.index((0, 1)), order.index((0, 2))
    order[a], order[b] = order[b], order[a]
    file.data = order
    return file


def levels_swapped():
    file = plain()
    file.data = [(1, t) for t in range(4)] + [(2, 0)] + [(0, t) for t in range(9)]
    return file


def sparse():
    file = plain()
    file.directories[0].tiles[4] = None
    return file


def no_size():
    file = plain()
    return patched(file, lambda f: f.at["value", 0, 325] + 16, 0)


def overlapping():
    file = cog(gradient(), compression=1)
    file.ghost, file.frames = None, False
    return patched(file, lambda f: f.at["value", 0, 324] + 4, file_offset(file, 0, 0) + 16)


def file_offset(file, i, tile):
    file.bytes()
    return file.at["tile", i, tile]


def damaged():
    file = plain()
    data = bytearray(file.bytes())
    at = file.at["tile", 0, 4]
    data[at + 40:at + 60] = bytes(20)
    return bytes(data)


def short_tile():
    file = plain()
    raw = zlib.decompress(file.directories[0].tiles[-1])
    file.directories[0].tiles[-1] = zlib.compress(raw[:256 * (600 - 512)])
    return file


def other_overviews(value=220):
    file = plain()
    for i in (1, 2):
        width, height = file.size(i)
        file.directories[i].tiles = directory(np.full((height, width), value, np.uint8)).tiles
    return file


def blank_tile():
    file = plain()
    file.directories[1].tiles[3] = directory(np.zeros((256, 256), np.uint8)).tiles[0]
    return file


def overview_of_16_bits():
    file = plain()
    other = directory(reduced(gradient(), 175, 150).astype(np.uint16), subfile=1)
    file.directories[2] = other
    return file


def nodata(*values):
    file = plain(nodata=values[0])
    for i, value in enumerate(values):
        if value is None:
            file.directories[i].drop(42113)
        else:
            file.directories[i].set(42113, ASCII, value)
    return file


def huge():
    """A classic TIFF over 4 GiB, with a hole after the last tile."""
    return plain(), 2**32 + 4096


def transform(tag, values):
    return with_tag(tag, DOUBLE, values)


def narrow():
    return cog(gradient(1, 2000), sizes=[(1, 1000), (1, 500), (1, 250)])


def strip_overview():
    file = plain()
    file.directories[2] = directory(reduced(gradient(), 175, 150), strips=True, tile=(256, 50), subfile=1)
    return file


def far_behind(file, end):
    return end + 1000


def sub_directories():
    file = with_tag(330, LONG, [0, 0])
    file.sub_directories = [1, 2]
    return file


def empty_directory():
    file = plain()
    file.directories.append(Directory({}, []))
    return file


def other_tiles():
    file = plain(sizes=[(350, 300), (175, 150)])
    file.directories[2] = directory(reduced(gradient(), 175, 150), tile=(512, 512), subfile=1)
    return file


MATRIX = [10.0, 0, 0, 500000, 0, -10.0, 0, 6000000, 0, 0, 0, 0, 0, 0, 0, 1]
# id: (how the file is made, what else is bound to be found)
RULES = {
    "tiff-header": (lambda: patched(big(), 4, 4, "<H"), {"ogc-classic-tiff"}),
    "tiff-directory-bounds": (lambda: changed(next_of_last=far_behind), set()),
    "tiff-directory-empty": (empty_directory, set()),
    "tiff-directory-cycle": (lambda: changed(next_of_last=lambda f, end: f.at["directory", 0]), set()),
    "tiff-directory-count": (lambda: changed(next_of_last=lambda f, end: f.at["tile", 0, 0] + 8), set()),
    "tiff-tag-order": (tag_order, set()),
    "tiff-tag-unique": (lambda: with_extra(284, SHORT, 1, struct.pack("<H", 1)), set()),
    "tiff-field-type": (lambda: with_extra(60000, 99, 1, b"\1"), set()),
    "tiff-tag-type": (lambda: with_tag(274, BYTE, [1]), set()),
    "tiff-tag-count": (lambda: with_tag(274, SHORT, [1, 1]), set()),
    "tiff-samples-count": (lambda: of_bits([8]), set()),
    "tiff-value-bounds": (lambda: with_extra(305, ASCII, 1000, 2**31), set()),
    "tiff-value-overlap": (value_overlap, set()),
    "tiff-required-tag": (lambda: without(262), set()),
    "tiff-dimensions": (lambda: with_tag(256, LONG, [0], which=(2,)), set()),
    "tiff-tile-size": (lambda: with_tag(322, SHORT, [250], which=(2,)), set()),
    "tiff-sample-type": (lambda: of_bits([8, 8, 16]), set()),
    "tiff-predictor": (lambda: with_tag(317, SHORT, [7]), set()),
    "tiff-planar-configuration": (lambda: with_tag(284, SHORT, [3]), set()),
    "tiff-color-map": (lambda: palette(300), set()),
    "tiff-extra-samples": (lambda: cog(gradient(bands=4)), set()),
    "tiff-subfile-type": (lambda: with_tag(254, LONG, [9], which=(2,)), set()),
    "tiff-word-boundary": (lambda: changed(odd=2), set()),
    "geotiff-key-directory": (lambda: with_tag(34735, SHORT, [1, 1, 0, 9, 1024, 0, 1, 1]), set()),
    "geotiff-key-order": (lambda: keys(MODEL, UTM, RASTER), set()),
    "geotiff-key-value": (lambda: keys(MODEL, RASTER, (1026, 34737, 20, 0), UTM, t34737=(ASCII, "short|")), set()),
    "geotiff-model-type": (lambda: keys((1024, 0, 1, 9), RASTER, UTM), set()),
    "geotiff-raster-type": (lambda: keys(MODEL, UTM), set()),
    "geotiff-crs": (lambda: keys(MODEL, RASTER), set()),
    "geotiff-transform": (lambda: transform(33550, [10.0, 0.0, 0.0]), set()),
    "geotiff-transform-conflict": (lambda: transform(34264, MATRIX), set()),
    "layout-ghost-area": (lambda: ghost(size="nn0140"), set()),
    "layout-ghost-text": (lambda: ghost(GHOST.replace("SIZE_AS_UINT4", "SIZE_AS_UINT6")), set()),
    "layout-incompatible-edition": (lambda: ghost(GHOST.replace("EDITION=NO\n ", "EDITION=YES\n")), set()),
    "layout-first-directory": (lambda: changed(pad_first=20), set()),
    "layout-first-directory-near": (lambda: ghost(GHOST + "X" * 151 + "\n"), {"layout-ghost-text"}),
    "layout-external-overviews": (lambda: (plain(), "ovr"), set()),
    "layout-tile-as-wide-as-image": (lambda: cog(gradient(1040, 600), tile=(1040, 1040), sizes=[(520, 300)]), {"ogc-tile-viewport", "ogc-tile-power"}),
    "layout-rio-tile-width": (lambda: cog(gradient(512, 600), tile=(512, 512)), set()),
    "layout-directory-order": (lambda: changed(physical=[0, 2, 1]), set()),
    "layout-data-after-directories": (lambda: changed(last_directories=[2]), set()),
    "layout-metadata-after-data": (lambda: changed(last_values=[(0, 34735)]), set()),
    "layout-level-order": (levels_swapped, set()),
    "layout-tile-order": (tiles_swapped, set()),
    "layout-tile-leader": (lambda: patched(plain(), lambda f: f.at["tile", 0, 4] - 4, 7), set()),
    "layout-tile-trailer": (lambda: patched(plain(), lambda f: f.at["tile", 0, 5] - 8, 7), set()),
    "layout-mask-interleave": (mask_after_images, set()),
    "layout-overviews-missing": (lambda: plain(sizes=[]), set()),
    "layout-decimation": (lambda: plain(sizes=[(600, 514), (300, 257), (150, 128)]), set()),
    "layout-rio-decimation": (narrow, set()),
    "ogc-big-tiff": (huge, set()),
    "ogc-classic-tiff": (big, set()),
    "ogc-tiling": (strip_overview, set()),
    "ogc-compression": (lambda: plain(compression=1), set()),
    "ogc-full-resolution": (lambda: with_tag(254, LONG, [1]), set()),
    "ogc-overview-size": (one_size_twice, set()),
    "ogc-overview-chain": (chain, set()),
    "ogc-sub-directories": (sub_directories, set()),
    "ogc-directory-order": (masks_last, set()),
    "ogc-georeference": (lambda: without(33550, 33922, 34735), set()),
    "ogc-overview-georeference": (lambda: with_tag(33550, DOUBLE, [20.0, 20.0, 0.0], which=(1,)), set()),
    "ogc-square-tiles": (lambda: plain(tile=(256, 128)), set()),
    "ogc-tile-viewport": (lambda: plain(tile=(2048, 2048), sizes=[(350, 300)]), set()),
    "ogc-decimation": (lambda: plain(sizes=[(50, 43)]), {"ogc-halving"}),
    "ogc-last-level": (lambda: plain(sizes=[(350, 300)]), set()),
    "ogc-tile-power": (lambda: plain(tile=(240, 240)), set()),
    "ogc-tile-equal": (other_tiles, set()),
    "ogc-halving": (lambda: plain(sizes=[(233, 200)]), set()),
    "tile-bounds": (lambda: changed(truncate=20), set()),
    "tile-empty": (no_size, set()),
    "tile-sparse": (sparse, set()),
    "tile-overlap": (overlapping, {"ogc-compression"}),
    "tile-decode": (damaged, set()),
    "tile-short": (short_tile, set()),
    "tile-unjudged": (lambda: plain(compression=34925), set()),
    "nodata-value": (lambda: nodata("abc", "abc", "abc"), set()),
    "nodata-missing": (lambda: nodata("0", "0", None), set()),
    "nodata-differs": (lambda: nodata("0", "0", "255"), set()),
    "nodata-lossy": (lambda: plain(compression=7, nodata="0"), set()),
    "metadata-text": (lambda: with_tag(42112, ASCII, "<GDALMetadata>\n  <Item"), set()),
    "level-samples": (overview_of_16_bits, set()),
    "level-colors": (lambda: with_tag(262, SHORT, [0], which=(1, 2)), set()),
    "mask-size": (mask_of_other_size, set()),
    "mask-format": (mask_of_bytes, set()),
    "mask-levels": (no_overview_masks, set()),
    "overview-content": (other_overviews, set()),
    "overview-unjudged": (masks_by_another_codec, {"tile-unjudged"}),
}
# More ways to break a rule, and files that break none.
MORE = {
    "overview-content: one blank tile": (blank_tile, {"overview-content"}),
    "overview-content: empty": (lambda: other_overviews(0), {"overview-content"}),
    "tile-bounds: half of the file": (lambda: changed(truncate=9000), {"tile-bounds"}),
    "tiff-directory-count: SubIFDs that are none": (lambda: with_tag(330, LONG, [8]), {"ogc-sub-directories", "tiff-directory-count"}),
    "layout-ghost-text: one byte more than the text": (lambda: ghost(size="000141"), {"layout-ghost-text"}),
    "layout-ghost-text: no final space": (lambda: ghost(GHOST[:-1]), {"layout-ghost-text"}),
    "layout-ghost-text: another key": (lambda: ghost(GHOST + "KEY=VALUE\n"), {"layout-ghost-text"}),
    "layout-ghost-text: another order": (lambda: ghost(GHOST.replace("BLOCK_ORDER=ROW_MAJOR\n", "") + "BLOCK_ORDER=ROW_MAJOR\n"), {"layout-ghost-text"}),
    "layout-ghost-text: bands together": (lambda: ghost(GHOST.replace("KNOWN", "INTERLEAVE=BAND\nKNOWN")), {"layout-ghost-text"}),
    "sound: plain": (plain, set()),
    "sound: masked": (masked, set()),
    "sound: RGB": (lambda: cog(gradient(bands=3)), set()),
    "sound: palette": (lambda: palette(768), set()),
    "sound: float": (lambda: cog(gradient(dtype=np.float32)), set()),
    "sound: without structural metadata": (lambda: changed(ghost=None, frames=False), set()),
    "sound: nodata": (lambda: nodata("0", "0", "0"), set()),
}


def make(build):
    """The bytes of a file, its length with a hole at the end, and whether there is an .ovr file next to it."""
    made, option = build(), None
    if isinstance(made, tuple):
        made, option = made
    data = made.bytes() if isinstance(made, File) else made
    return data, option if isinstance(option, int) else len(data), option == "ovr"
