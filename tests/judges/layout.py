"""An independent reader of the bytes of a COG, and the list of all that is wrong with their arrangement.

Knows nothing of the product's code. `problems(path, …)` follows a cursor through the whole file: every byte must
belong to exactly one thing, at the place where it has to be.

    python layout.py FILE…      prints what is wrong with the files
"""

import re
import struct
import sys

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
SHORT, LONG, LONG8 = 3, 4, 16

# As `resampling`: overviews that were finished before, of which the writer does not know how they were made.
UNKNOWN = "unknown"
COMPRESSIONS = {"none": 1, "lzw": 5, "deflate": 8, "zstd": 50000}
MASK_TAGS = [254, 256, 257, 258, 259, 262, 277, 284, 317, 322, 323, 324, 325, 339]
OVERVIEW_TAGS = {254, 256, 257, 258, 259, 262, 277, 284, 317, 320, 322, 323, 324, 325, 338, 339, 42113}
REQUIRED_TAGS = {256, 257, 258, 259, 262, 277, 284, 322, 323, 324, 325, 339}


class Broken(Exception):
    """The file can't be walked any further."""


class Entry:
    __slots__ = ("tag", "type", "count", "inline", "offset", "length", "raw", "values")


class Directory:
    """One IFD, with what the checks need by name."""

    def get(self, tag, default=None):
        e = self.entries.get(tag)
        return default if e is None else e.values

    def one(self, tag, default=None):
        v = self.get(tag)
        return default if v is None else v[0]


class File:
    """A little-endian TIFF read whole."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        d = self.data
        if d[:2] != b"II":
            raise Broken(f"starts with {d[:2]!r}, not with 'II'")
        magic = struct.unpack("<H", d[2:4])[0]
        self.big = magic == 43
        if magic == 42:
            self.header = 8
            self.first = struct.unpack("<I", d[4:8])[0]
        elif magic == 43:
            self.header = 16
            width, zero, self.first = struct.unpack("<HHQ", d[4:16])
            if (width, zero) != (8, 0):
                raise Broken("BigTIFF header without the constants 8 and 0")
        else:
            raise Broken(f"magic number {magic}")
        self.directories = []
        seen = set()
        at = self.first
        while at:
            if at in seen:
                raise Broken("the chain of IFDs bites its tail")
            seen.add(at)
            ifd = self._directory(at)
            self.directories.append(ifd)
            at = ifd.next
        if not self.directories:
            raise Broken("no IFD")

    def _directory(self, at):
        d, big = self.data, self.big
        ifd = Directory()
        ifd.offset = at
        head, size, tail = (8, 20, 8) if big else (2, 12, 4)
        if at + head > len(d):
            raise Broken(f"IFD at {at} lies beyond the end of the file")
        n = struct.unpack("<Q" if big else "<H", d[at : at + head])[0]
        ifd.end = at + head + n * size + tail
        if ifd.end > len(d):
            raise Broken(f"IFD at {at} with {n} entries reaches beyond the end of the file")
        ifd.tags = []
        ifd.entries = {}
        for k in range(n):
            b = d[at + head + k * size : at + head + (k + 1) * size]
            e = Entry()
            e.tag, e.type = struct.unpack("<HH", b[:4])
            e.count = struct.unpack("<Q" if big else "<I", b[4 : 12 if big else 8])[0]
            field = b[12:] if big else b[8:]
            if e.type not in SIZES:
                raise Broken(f"tag {e.tag} has the unknown type {e.type}")
            e.length = SIZES[e.type] * e.count
            e.inline = e.length <= len(field)
            if e.inline:
                e.offset = None
                e.raw = field[: e.length]
                if field[e.length :].strip(b"\0"):
                    raise Broken(f"tag {e.tag}: bytes behind an inline value are not zero")
            else:
                e.offset = struct.unpack("<Q" if big else "<I", field)[0]
                e.raw = d[e.offset : e.offset + e.length]
                if len(e.raw) < e.length:
                    raise Broken(f"tag {e.tag}: value reaches beyond the end of the file")
            if e.type in CODES:
                e.values = struct.unpack("<%d%s" % (e.count, CODES[e.type]), e.raw)
            elif e.type in (5, 10):
                v = struct.unpack("<%d%s" % (2 * e.count, "I" if e.type == 5 else "i"), e.raw)
                e.values = tuple(zip(v[::2], v[1::2]))
            else:
                e.values = e.raw
            ifd.tags.append(e.tag)
            ifd.entries.setdefault(e.tag, e)
        ifd.next = struct.unpack("<Q" if big else "<I", d[ifd.end - tail : ifd.end])[0]
        ifd.subfile = ifd.one(254, 0)
        ifd.is_mask = bool(ifd.subfile & 4)
        ifd.is_overview = bool(ifd.subfile & 1)
        ifd.width, ifd.height = ifd.one(256, 0), ifd.one(257, 0)
        ifd.bands = ifd.one(277, 1)
        ifd.planar = ifd.one(284, 1)
        ifd.compression = ifd.one(259, 1)
        ifd.tile = (ifd.one(322, 0), ifd.one(323, 0))
        ifd.bits = ifd.get(258, (1,))
        ifd.offsets = ifd.get(324, ())
        ifd.counts = ifd.get(325, ())
        return ifd

    def metadata(self):
        """The text of GDAL_METADATA."""
        e = self.directories[0].get(42112)
        return "" if e is None else e.rstrip(b"\0").decode("utf-8")

    def nodata(self, ifd=0):
        e = self.directories[ifd].get(42113)
        return None if e is None else e.rstrip(b"\0").decode("ascii").strip()

    def images(self):
        return [i for i in self.directories if not i.is_mask]

    def masks(self):
        return [i for i in self.directories if i.is_mask]


def ghost_text(bands, interleave, mask):
    """The block that GDAL looks for behind the header."""
    body = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    body += "BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"
    if bands > 1 and interleave != "pixel":
        body += "INTERLEAVE=BAND\n"
    body += "KNOWN_INCOMPATIBLE_EDITION=NO\n "
    if mask and interleave == "pixel":
        body += "MASK_INTERLEAVED_WITH_IMAGERY=YES\n"
    return ("GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(body) + body).encode()


def raw_tile_bytes(ifd):
    """Size of one tile of this IFD before compression; rows are packed and padded to bytes."""
    w, h = ifd.tile
    samples = w * (ifd.bands if ifd.planar == 1 else 1)
    return (samples * ifd.bits[0] + 7) // 8 * h


def count_type(big, n, raw, compression):
    """The type GDAL gives to TileByteCounts."""
    if n == 1:
        return LONG8 if big else LONG
    small, medium = (65535, 0xFFFFFFFF) if compression == 1 else (6552, 0xFFFFFFFF // 10 - 1)
    if raw <= small:
        return SHORT
    return LONG8 if big and raw > medium else LONG


def problems(path, interleave="pixel", mask=False, sizes=None, tile=None, overview_tile=None, compression=None,
             predictor=None, bits=None, big=None, resampling=None, nodata="any"):
    """All that is wrong with the file as a list of sentences; empty if all is well.

    `sizes`: of the overviews; `nodata`: the text that GDAL_NODATA must have, None if there must be none.
    """
    out = []
    try:
        f = File(path)
    except Broken as e:
        return [str(e)]
    try:
        _check(f, out, interleave, mask, sizes, tile, overview_tile, compression, predictor, bits, big, resampling, nodata)
    except Broken as e:
        out.append(str(e))
    return out


def _check(f, out, interleave, mask, sizes, tile, overview_tile, compression, predictor, bits, big, resampling, nodata):
    d = f.data
    ifds = f.directories
    main = ifds[0]
    say = out.append

    # Variant, ghost area, first IFD.
    if big is not None and f.big != big:
        say("BigTIFF expected" if big else "classic TIFF expected")
    ghost = ghost_text(main.bands, interleave, mask)
    got = d[f.header : f.header + len(ghost)]
    if got != ghost:
        say(f"ghost area is {got!r}, expected {ghost!r}")
    cursor = f.header + len(ghost)
    if f.first != cursor + cursor % 2:
        say(f"first IFD at {f.first}, expected {cursor + cursor % 2}")
    if f.first >= 300:
        say(f"first IFD at {f.first}, must be below 300")

    # Order and kind of the IFDs.
    kinds = [("m" if i.is_mask else "i") + ("o" if i.is_overview else "") for i in ifds]
    n = kinds.count("io")
    want = ["i"] + (["m"] if mask else []) + ["io"] * n + (["mo"] * n if mask else [])
    if kinds != want:
        say(f"IFDs are {kinds}, expected {want}")
        raise Broken("the checks that follow need that order")
    images, masks = f.images(), f.masks()
    if 254 in main.entries and main.one(254) != 0:
        say("the main IFD calls itself a subfile")
    for i, ifd in enumerate(images[1:]):
        a = images[i]
        if not (ifd.width <= a.width and ifd.height <= a.height and ifd.width * ifd.height < a.width * a.height):
            say(f"overview {ifd.width}×{ifd.height} is not smaller than {a.width}×{a.height}")
    if sizes is not None:
        got = [(i.width, i.height) for i in images[1:]]
        if got != list(sizes):
            say(f"overviews are {got}, expected {list(sizes)}")
    for image, m in zip(images, masks):
        if (m.width, m.height, m.tile) != (image.width, image.height, image.tile):
            say(f"mask {m.width}×{m.height} in tiles {m.tile} with an image {image.width}×{image.height} in tiles {image.tile}")

    # Tags.
    for k, ifd in enumerate(ifds):
        name = f"IFD {k}"
        if ifd.offset % 2:
            say(f"{name} at the odd offset {ifd.offset}")
        if len(set(ifd.tags)) != len(ifd.tags):
            say(f"{name}: a tag occurs twice: {ifd.tags}")
        if ifd.tags != sorted(ifd.tags):
            say(f"{name}: tags are not in order: {ifd.tags}")
        missing = REQUIRED_TAGS - set(ifd.tags)
        if missing:
            say(f"{name}: tags {sorted(missing)} are missing")
            raise Broken("the checks that follow need them")
        extra = set(ifd.tags) - OVERVIEW_TAGS if k else set()
        if extra:
            say(f"{name}: tags {sorted(extra)} belong on the main IFD alone")
        for tag, value in ((256, ifd.width), (257, ifd.height)):
            if ifd.entries[tag].type != (SHORT if value <= 65535 else LONG):
                say(f"{name}: tag {tag} = {value} has type {ifd.entries[tag].type}")
        for tag in (258, 259, 262, 277, 284, 317, 322, 323, 338, 339):
            if tag in ifd.entries and ifd.entries[tag].type != SHORT:
                say(f"{name}: tag {tag} has type {ifd.entries[tag].type}, not SHORT")
        if 254 in ifd.entries and ifd.entries[254].type != LONG:
            say(f"{name}: NewSubfileType is not LONG")
        for tag in (258, 339):
            v = ifd.get(tag)
            if len(v) != ifd.bands or len(set(v)) != 1:
                say(f"{name}: tag {tag} is {v} for {ifd.bands} bands")
        if any(t % 16 or not t for t in ifd.tile):
            say(f"{name}: tile {ifd.tile} is not a multiple of 16")
        if ifd.is_mask:
            if ifd.tags != MASK_TAGS:
                say(f"{name}: a mask has the tags {MASK_TAGS}, this one {ifd.tags}")
            got = [ifd.one(t) for t in (258, 259, 262, 277, 284, 317, 339)]
            if got != [1, 8, 4, 1, 1, 1, 1]:
                say(f"{name}: mask's tags 258, 259, 262, 277, 284, 317, 339 are {got}")
            continue
        want_tile = tile if not ifd.is_overview else (overview_tile or tile)
        if want_tile and ifd.tile != tuple(want_tile):
            say(f"{name}: tile {ifd.tile}, expected {want_tile}")
        for tag in (258, 262, 277, 320, 338, 339, 259, 317):
            if ifd.get(tag) != main.get(tag):
                say(f"{name}: tag {tag} differs from the main IFD's")
        if compression and ifd.compression != COMPRESSIONS[compression]:
            say(f"{name}: compression {ifd.compression}, expected {compression}")
        if (317 in ifd.entries) != (ifd.compression != 1):
            say(f"{name}: Predictor must stand with a compression, and only there")
        # Several may be right where the pixels decide.
        allowed = predictor if isinstance(predictor, tuple) else (predictor,)
        if predictor is not None and ifd.one(317, 1) not in allowed:
            say(f"{name}: predictor {ifd.one(317, 1)}, expected {predictor}")
        if bits and ifd.bits[0] != bits:
            say(f"{name}: {ifd.bits[0]} bits per sample, expected {bits}")
        want_planar = {1} if interleave == "pixel" else {2} if ifd.bands > 1 else {1, 2}
        if ifd.planar not in want_planar:
            say(f"{name}: PlanarConfiguration {ifd.planar} with interleave {interleave}")
        if nodata != "any" and f.nodata(k) != nodata:
            say(f"{name}: GDAL_NODATA is {f.nodata(k)!r}, expected {nodata!r}")
    item = re.search(r'<Item name="OVERVIEW_RESAMPLING" domain="IMAGE_STRUCTURE">([\w,]+)</Item>', f.metadata())
    if resampling == UNKNOWN:
        if item or not n:
            say("overviews that were finished before say nothing of how they were made, and there must be some")
    elif bool(item) != (n > 0):
        say("item OVERVIEW_RESAMPLING must stand in GDAL_METADATA when there are overviews, and only then")
    elif item and resampling and item.group(1) != resampling.upper():
        say(f"OVERVIEW_RESAMPLING is {item.group(1)}, expected {resampling.upper()}")
    tiled = '<Item name="INTERLEAVE" domain="IMAGE_STRUCTURE">TILE</Item>' in f.metadata()
    if tiled != (interleave == "tile"):
        say(f"item INTERLEAVE=TILE is {'' if tiled else 'not '}in GDAL_METADATA with interleave {interleave}")

    # IFDs and their values, without gaps other than a zero byte before an even offset.
    def gap(at, what):
        nonlocal cursor
        if at == cursor:
            return
        if at == cursor + 1 and at % 2 == 0 and d[cursor : cursor + 1] == b"\0":
            cursor = at
            return
        say(f"{what} at {at}, expected at {cursor}")
        cursor = at

    for k, ifd in enumerate(ifds):
        gap(ifd.offset, f"IFD {k}")
        cursor = ifd.end
        values = sorted((e.offset, e.length, e.tag) for e in ifd.entries.values() if not e.inline and e.tag not in (324, 325))
        for at, length, tag in values:
            if at % 2:
                say(f"IFD {k}: value of tag {tag} at the odd offset {at}")
            gap(at, f"IFD {k}: value of tag {tag}")
            cursor = at + length

    # Arrays behind all IFDs: main, main mask, then per overview: image, mask. The first may be aligned to an even offset
    # (TIFF asks for it, GDAL doesn't do it).
    order = [images[0]] + masks[:1]
    for k in range(1, len(images)):
        order += [images[k]] + masks[k : k + 1]
    names = {id(i): f"IFD {k}" for k, i in enumerate(ifds)}
    for ifd in order:
        name = names[id(ifd)]
        across, down = -(-ifd.width // ifd.tile[0]), -(-ifd.height // ifd.tile[1])
        tiles = across * down * (ifd.bands if ifd.planar == 2 else 1)
        if len(ifd.offsets) != tiles or len(ifd.counts) != tiles:
            say(f"{name}: {len(ifd.offsets)} offsets and {len(ifd.counts)} counts for {tiles} tiles")
            raise Broken("the checks that follow need them")
        if ifd.entries[324].type != (LONG8 if f.big else LONG):
            say(f"{name}: TileOffsets have type {ifd.entries[324].type}")
        want_type = count_type(f.big, tiles, raw_tile_bytes(ifd), ifd.compression)
        if ifd.entries[325].type != want_type:
            say(f"{name}: TileByteCounts have type {ifd.entries[325].type}, GDAL writes {want_type} "
                f"for {tiles} tiles of {raw_tile_bytes(ifd)} bytes")
        for tag in (324, 325):
            e = ifd.entries[tag]
            if not e.inline:
                gap(e.offset, f"{name}: array of tag {tag}")
                cursor = e.offset + e.length

    # Tiles: smallest overview first, row by row, each framed.
    wrong = 0
    for ifd, index, label in tile_order(images, masks, interleave):
        offset, size = ifd.offsets[index], ifd.counts[index]
        trouble = None
        if size == 0:
            trouble = "is empty"
        elif offset != cursor + 4:
            trouble = f"at {offset}, expected at {cursor + 4}"
        elif offset + size + 4 > len(d):
            trouble = "reaches beyond the end of the file"
        elif struct.unpack("<I", d[offset - 4 : offset])[0] != size:
            trouble = f"leader says {struct.unpack('<I', d[offset - 4 : offset])[0]}, TileByteCounts {size}"
        elif d[offset + size : offset + size + 4] != d[max(offset, offset + size - 4) : offset + size].ljust(4, b"\0"):
            trouble = "trailer does not repeat its last bytes"
        elif ifd.compression == 1 and size != raw_tile_bytes(ifd):
            trouble = f"has {size} bytes, uncompressed it should have {raw_tile_bytes(ifd)}"
        if trouble:
            wrong += 1
            if wrong <= 3:
                say(f"{names[id(ifd)]} {label}: {trouble}")
        cursor = offset + size + 4
    if wrong > 3:
        say(f"{wrong} tiles are wrong")
    if cursor != len(d):
        say(f"the file has {len(d)} bytes, its last tile ends at {cursor}")


def tile_order(images, masks, interleave):
    """(IFD, index, words) of every tile in the order in which they have to lie in the file."""
    for k in range(len(images) - 1, -1, -1):
        image = images[k]
        mask = masks[k] if masks else None
        n = -(-image.width // image.tile[0]) * -(-image.height // image.tile[1])
        planes = image.bands if image.planar == 2 else 1
        if interleave == "band":
            for i in range(n * planes):
                yield image, i, f"tile {i}"
            for i in range(n if mask else 0):
                yield mask, i, f"mask tile {i}"
        else:
            for i in range(n):
                for b in range(planes):
                    yield image, b * n + i, f"tile {b * n + i}"
                if mask:
                    yield mask, i, f"mask tile {i}"


def guess(path):
    """Interleave and mask as the file itself declares them: for use on files of unknown options."""
    f = File(path)
    interleave = "pixel" if f.directories[0].planar == 1 else "band"
    if 'name="INTERLEAVE" domain="IMAGE_STRUCTURE">TILE<' in f.metadata():
        interleave = "tile"
    return dict(interleave=interleave, mask=bool(f.masks()))


if __name__ == "__main__":
    status = 0
    for name in sys.argv[1:]:
        found = problems(name, **guess(name))
        print(name + ":", "; ".join(found) or "in order")
        status |= bool(found)
    sys.exit(status)
