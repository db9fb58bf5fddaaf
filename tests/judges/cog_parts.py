"""COGs put together from parts, so that any part can be wrong: a model of directories and tiles, and their bytes.

Shares no code with the writer. The order is GDAL's unless a file says otherwise.
"""

import struct
import zlib

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, DOUBLE, LONG8 = 1, 2, 3, 4, 5, 12, 16
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 11: 4, 12: 8, 13: 4, 16: 8}
CODES = {1: "B", 3: "H", 4: "I", 5: "I", 12: "d", 13: "I", 16: "Q"}
GHOST = ("LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
         "BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ")
MASK_LINE = "MASK_INTERLEAVED_WITH_IMAGERY=YES\n"
GEO = {33550: (DOUBLE, [10.0, 10.0, 0.0]), 33922: (DOUBLE, [0.0, 0.0, 0.0, 500000.0, 6000000.0, 0.0]),
       34735: (SHORT, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633])}


def packed(kind, values):
    if isinstance(values, (bytes, bytearray)):
        return bytes(values)
    if isinstance(values, str):
        return values.encode() + b"\0"
    return struct.pack(f"<{len(values)}{CODES[kind]}", *values)


class Directory:
    """Tags as {number: (type, values)}, `extra` entries as (tag, type, count, bytes of the value), and tiles."""

    def __init__(self, tags, tiles):
        self.tags, self.tiles, self.extra = dict(tags), list(tiles), []

    def set(self, tag, kind, values):
        self.tags[tag] = (kind, values)

    def drop(self, *tags):
        for tag in tags:
            self.tags.pop(tag, None)


class File:
    def __init__(self, directories):
        self.directories = directories
        self.big, self.ghost, self.frames = False, GHOST, True
        self.size_text = None  # of the structural metadata
        self.pad_first = 0  # bytes before the first directory
        self.odd = None  # number of a directory that starts at an odd offset
        self.last_directories = []  # numbers of directories that stand at the end of the file
        self.last_values = []  # (directory, tag) of values that stand at the end of the file
        self.physical = None  # order of directories in the file, if not that of the chain
        self.data = None  # order of (directory, tile), if not GDAL's
        self.next_of_last = 0
        self.sub_directories = []  # numbers of directories that stand in SubIFDs of the first, not in the chain
        self.truncate = 0

    def order(self):
        """Smallest level first; tiles of masks behind those of images where they are interleaved."""
        if self.data is not None:
            return self.data
        kinds = [d.tags.get(254, (LONG, [0]))[1][0] for d in self.directories]
        images = [i for i, kind in enumerate(kinds) if not kind & 4]
        masks = {self.size(i): i for i, kind in enumerate(kinds) if kind & 4}
        out = []
        for i in sorted(images, key=lambda i: self.size(i)[0] * self.size(i)[1]):
            mask = masks.pop(self.size(i), None)
            for tile in range(len(self.directories[i].tiles)):
                out.append((i, tile))
                if mask is not None and MASK_LINE in (self.ghost or ""):
                    out.append((mask, tile))
            if mask is not None and MASK_LINE not in (self.ghost or ""):
                out += [(mask, tile) for tile in range(len(self.directories[mask].tiles))]
        for mask in masks.values():
            out += [(mask, tile) for tile in range(len(self.directories[mask].tiles))]
        return out

    def size(self, i):
        tags = self.directories[i].tags
        return tuple(tags.get(tag, (LONG, [0]))[1][0] for tag in (256, 257))

    def bytes(self):
        """The file; `self.at` then knows where directories, values and tiles stand."""
        self.at = {}
        width, head, entry = (8, 16, 20) if self.big else (4, 8, 12)
        out = bytearray(head)
        if self.ghost is not None:
            size = self.size_text or f"{len(self.ghost):06d}"
            out += f"GDAL_STRUCTURAL_METADATA_SIZE={size} bytes\n{self.ghost}".encode()
        out += bytes(self.pad_first)
        count = len(self.directories)
        place_of = {}
        later = []

        def place(i, at_end):
            if len(out) % 2 != (1 if self.odd == i else 0):
                out.append(0)
            directory = self.directories[i]
            place_of[i] = len(out)
            items = []
            for tag, (kind, values) in directory.tags.items():
                items.append([tag, kind, len(values) if not isinstance(values, str) else len(values) + 1, packed(kind, values)])
                if kind == RATIONAL:
                    items[-1][2] //= 2
            tiled = 322 in directory.tags
            kind = LONG8 if self.big else LONG
            if directory.tiles:
                blank = [0] * len(directory.tiles)
                items.append([324 if tiled else 273, kind, len(blank), packed(kind, blank)])
                items.append([325 if tiled else 279, LONG, len(blank), packed(LONG, blank)])
            items += [list(item) for item in directory.extra]
            items.sort(key=lambda item: item[0])
            start = len(out)
            out.extend(struct.pack("<Q" if self.big else "<H", len(items)))
            slots = []
            for tag, kind, number, value in items:
                out.extend(struct.pack("<HHQ" if self.big else "<HHI", tag, kind, number))
                slots.append(len(out))
                # An extra entry may give an offset instead of a value.
                out.extend(value.to_bytes(width, "little") if isinstance(value, int) else value[:width].ljust(width, b"\0"))
            self.at["next", i] = len(out)
            out.extend(bytes(width))
            for (tag, kind, number, value), slot in zip(items, slots):
                self.at["entry", i, tag] = slot - 4 - width
                if isinstance(value, int):
                    continue
                self.at["value", i, tag] = slot
                if len(value) > width:
                    if tag in (324, 325, 273, 279) or (i, tag) in self.last_values:
                        later.append((slot, i, tag, value, (i, tag) in self.last_values))
                    else:
                        value_at(slot, i, tag, value)
            self.at["directory", i] = start

        def value_at(slot, i, tag, value):
            if len(out) % 2:
                out.append(0)
            out[slot:slot + width] = len(out).to_bytes(width, "little")
            self.at["value", i, tag] = len(out)
            out.extend(value)

        physical = self.physical or list(range(count))
        for i in physical:
            if i not in self.last_directories:
                place(i, False)
        for slot, i, tag, value, last in [item for item in later if not item[4]]:
            value_at(slot, i, tag, value)
        done = [item for item in later if not item[4]]
        later[:] = [item for item in later if item not in done]
        offsets = {}
        for i, tile in self.order():
            payload = self.directories[i].tiles[tile]
            if payload is None:
                continue
            if self.frames:
                out.extend(struct.pack("<I", len(payload)))
            offsets[i, tile] = (len(out), len(payload))
            out.extend(payload)
            if self.frames:
                out.extend(payload[-4:].ljust(4, b"\0"))
        for i in self.last_directories:
            place(i, True)
        for slot, i, tag, value, _ in later:
            value_at(slot, i, tag, value)
        # What is known at the end: offsets and sizes of tiles, and the chain.
        for (i, tile), (offset, size) in offsets.items():
            tiled = 322 in self.directories[i].tags
            a, b = self.at["value", i, 324 if tiled else 273], self.at["value", i, 325 if tiled else 279]
            out[a + tile * width:a + (tile + 1) * width] = offset.to_bytes(width, "little")
            out[b + tile * 4:b + (tile + 1) * 4] = size.to_bytes(4, "little")
            self.at["tile", i, tile] = offset
        for n, i in enumerate(self.sub_directories):
            at = self.at["value", 0, 330] + 4 * n
            out[at:at + 4] = place_of[i].to_bytes(4, "little")
        chain = [i for i in range(count) if i not in self.sub_directories]
        for i, after in zip(chain, chain[1:] + [None]):
            following = self.next_of_last if after is None else place_of[after]
            if callable(following):
                following = following(self, len(out))
            out[self.at["next", i]:self.at["next", i] + width] = following.to_bytes(width, "little")
        first = place_of[0]
        if self.big:
            out[:16] = b"II" + struct.pack("<HHHQ", 43, 8, 0, first)
        else:
            out[:8] = b"II" + struct.pack("<HI", 42, first)
        return bytes(out[:len(out) - self.truncate] if self.truncate else out)


def compress(data, compression):
    if compression == 8:
        return zlib.compress(data, 6)
    if compression == 34925:
        import lzma
        return lzma.compress(data, lzma.FORMAT_XZ)
    return data


def directory(pixels, tile=(256, 256), compression=8, subfile=0, photometric=None, nodata=None, mask=False, strips=False):
    """A directory of an image of rows, columns, bands; its tiles are padded with their last pixels."""
    pixels = np.atleast_3d(pixels)
    height, width, bands = pixels.shape
    if photometric is None:
        photometric = 2 if bands >= 3 else 1
    bits = 1 if mask else pixels.dtype.itemsize * 8
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[pixels.dtype.kind]
    tags = {256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [bits] * bands), 259: (SHORT, [compression]),
            262: (SHORT, [4 if mask else photometric]), 277: (SHORT, [bands]), 284: (SHORT, [1]), 317: (SHORT, [1]),
            339: (SHORT, [kind] * bands)}
    subfile |= 4 if mask else 0
    if subfile:
        tags[254] = (LONG, [subfile])
    if nodata is not None:
        tags[42113] = (ASCII, nodata)
    tile_width, tile_height = tile
    if strips:
        tags[278] = (SHORT, [tile_height])
        tile_width = width
    else:
        tags[322], tags[323] = (SHORT, [tile_width]), (SHORT, [tile_height])
    tiles = []
    for top in range(0, height, tile_height):
        for left in range(0, width, tile_width):
            part = pixels[top:top + tile_height, left:left + tile_width]
            if not strips:
                part = np.pad(part, [(0, tile_height - part.shape[0]), (0, tile_width - part.shape[1]), (0, 0)], mode="edge")
            if compression == 7:
                import imagecodecs
                tiles.append(imagecodecs.jpeg_encode(np.ascontiguousarray(part.squeeze(2)), level=75))
                continue
            data = np.packbits(part[:, :, 0] != 0, axis=1).tobytes() if mask else np.ascontiguousarray(part).tobytes()
            tiles.append(compress(data, compression))
    return Directory(tags, tiles)


def reduced(pixels, width, height):
    """Another size, by the nearest pixel: any kernel would do."""
    rows = (np.arange(height) * pixels.shape[0] / height + 0.5).astype(int).clip(0, pixels.shape[0] - 1)
    columns = (np.arange(width) * pixels.shape[1] / width + 0.5).astype(int).clip(0, pixels.shape[1] - 1)
    return pixels[rows][:, columns]


def cog(pixels, sizes=None, masked=False, **kwargs):
    """A sound COG; `sizes` are those of its overviews, otherwise halves until one tile holds all."""
    height, width = pixels.shape[:2]
    tile = kwargs.get("tile", (256, 256))
    if sizes is None:
        sizes = []
        w, h = width, height
        while w > tile[0] or h > tile[1]:
            w, h = max(1, w // 2), max(1, h // 2)
            sizes.append((w, h))
    images = [pixels] + [reduced(pixels, w, h) for w, h in sizes]
    directories = [directory(image, subfile=1 if i else 0, **kwargs) for i, image in enumerate(images)]
    directories[0].tags.update(GEO)
    if masked:
        masks = []
        for i, image in enumerate(images):
            valid = np.ones(image.shape[:2], bool)
            valid[:, :image.shape[1] // 4] = False
            masks.append(directory(valid.astype(np.uint8), tile=tile, subfile=1 if i else 0, mask=True))
        directories = [directories[0], masks[0]] + directories[1:] + masks[1:]
    file = File(directories)
    if masked:
        file.ghost = GHOST + MASK_LINE
    return file


def gradient(width=700, height=600, bands=1, dtype=np.uint8):
    """A smooth image in which no two far places are alike."""
    x, y = np.meshgrid(np.linspace(0, 90, width), np.linspace(0, 90, height))
    planes = [(10 + x + y + 10 * band) for band in range(bands)]
    return np.stack(planes, axis=2).round().astype(dtype)
