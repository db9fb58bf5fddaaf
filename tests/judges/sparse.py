"""`--sparse`: files without tiles of nodata. Every reader gets the pixels and masks of the file with all tiles; tiles that are
missing are those that GDAL's COG driver leaves out with SPARSE_OK; sources with and without such tiles give the same file.

    python sparse.py
    ONLY=words in the environment picks cases by name
"""

import http.server
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

os.environ["GDAL_PAM_ENABLED"] = "NO"

import numpy as np
import tifffile

import geotiff_js
from command_line import create, run
from judges import NEW, OLD, read_levels
from report import Report
from rio_cogeo.cogeo import cog_validate

report = Report("sparse")
FOLDER = tempfile.mkdtemp(prefix="cogsmith-sparse-")
WIDTH, HEIGHT = 700, 610

# GDAL's name of a type, NumPy's, nodata.
TYPES = [("Byte", "u1", None), ("Byte", "u1", 7), ("UInt16", "u2", None), ("Int16", "i2", -32768), ("Int32", "i4", 0),
         ("Float32", "f4", -9999.0), ("Float32", "f4", float("nan")), ("Float64", "f8", None), ("CFloat32", "c8", None)]


def at(name):
    return os.path.join(FOLDER, name)


def pixels(kind, nodata, bands, seed):
    """Islands in nodata, one of them across tiles, one in the first band alone, and single pixels: bands, and a mask."""
    rng = np.random.default_rng(seed)
    data = np.full((bands, HEIGHT, WIDTH), 0 if nodata is None else nodata, kind)
    mask = np.zeros((HEIGHT, WIDTH), "u1")
    for index in range(4):
        y, x = rng.integers(0, HEIGHT - 80), rng.integers(0, WIDTH - 90)
        h, w = rng.integers(1, 80, 2)
        island = rng.integers(1, 120, (bands, h, w)).astype(kind)
        data[: bands if index else 1, y:y + h, x:x + w] = island[: bands if index else 1]
        mask[y:y + h, x:x + w] = 255
    data[:, HEIGHT - 1, WIDTH - 1] = 9
    # Valid, but without data; and data under the mask.
    mask[0:64, 128:192] = 255
    data[:, 512:600, 64:200] = 3
    mask[512:600, 64:200] = 0
    return data, mask


def made(name, gdal_type, kind, nodata, bands, masked, seed):
    """A dense and a sparse source."""
    data, mask = pixels(kind, nodata, bands, seed)
    np.save(at("array.npy"), data)
    np.save(at("mask.npy"), mask)
    paths = []
    for sparse in (False, True):
        path = at(f"{name}-{'sparse' if sparse else 'dense'}.tif")
        options = {"TILED": "YES", "BLOCKXSIZE": 96, "BLOCKYSIZE": 80, "SPARSE_OK": "YES" if sparse else "NO", "COMPRESS": "LZW"}
        answer = NEW.call("make", path=path, array=at("array.npy"), type=gdal_type, options=options, epsg=32633, nodata=None if nodata is None else repr(nodata),
                          mask=at("mask.npy") if masked else None)
        assert answer["ok"], answer
        paths.append(path)
    return paths


def tiles(path):
    """For each directory, by kind and size: which tiles are missing."""
    found = {}
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            page = page.aspage()
            kind = "mask" if int(page.tags[254].value if 254 in page.tags else 0) & 4 else "image"
            across = -(-page.imagewidth // page.tilewidth)
            down = -(-page.imagelength // page.tilelength)
            offsets, counts = page.tags[324].value, page.tags[325].value
            assert [o == 0 for o in offsets] == [c == 0 for c in counts], "an offset or a count alone is 0"
            found[kind, page.imagewidth, page.imagelength] = (across, down, [count == 0 for count in counts])
    return found


def gdal_levels(worker, path):
    answer = worker.call("info", path=path)
    if not answer["ok"]:
        return answer["error"]
    return [(level["size"], level["bands"], level["mask"]) for level in answer["levels"]]


def validators(path):
    out = []
    if (r := run("validate", "--strict", "--quiet", path)).code not in (0,):
        out.append(f"cogsmith: {r}")
    answer = NEW.call("validate", path=path)
    out += [f"GDAL: {text}" for text in (answer.get("errors") or []) + (answer.get("warnings") or [])]
    is_valid, errors, _ = cog_validate(path)
    return out + ([] if is_valid else [f"rio-cogeo: {errors}"])


def tifffile_levels(path):
    with tifffile.TiffFile(path) as file:
        return [page.asarray() for page in file.pages]


def same(a, b):
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def readers(full, sparse, has_mask):
    """The sparse file has the pixels and masks of the full one, for every reader."""
    out = []
    for worker in (NEW, OLD):
        if gdal_levels(worker, full) != gdal_levels(worker, sparse):
            out.append(f"{worker.name} reads other pixels")
        if gdal_levels(worker, full) != gdal_levels(worker, remote(sparse)):
            out.append(f"{worker.name} reads other pixels from a web server")
    expected, found = read_levels(full), read_levels(sparse)
    if not all(same(a, b) for part in (0, 1) for a, b in zip(expected[part], found[part], strict=True)):
        out.append("rasterio reads other pixels")
    if has_mask and not expected[1]:
        out.append("there is no mask")
    if not all(same(a, b) for a, b in zip(tifffile_levels(full), tifffile_levels(sparse), strict=True)):
        out.append("tifffile reads other pixels")
    return out


class Files(http.server.BaseHTTPRequestHandler):
    """The files of the folder, in ranges."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = at(os.path.basename(self.path))
        content = open(name, "rb").read() if os.path.isfile(name) else b""
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        first, end = int(first), min(int(last or len(content)) + 1, len(content))
        part = content[first:end]
        self.send_response((206 if "Range" in self.headers else 200) if part else 404)
        if part and "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part if self.command == "GET" else b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
threading.Thread(target=SERVER.serve_forever, daemon=True).start()


def remote(path):
    return f"/vsicurl/http://127.0.0.1:{SERVER.server_port}/{os.path.basename(path)}"


def like_gdal(sparse, cog):
    """Tiles are missing where GDAL's are, but GDAL stores mask tiles at the right and bottom edge that have no valid pixel
    (GDAL 3.13 looks at the padding of a mask's tile too)."""
    ours, theirs, out = tiles(sparse), tiles(cog), []
    if set(ours) != set(theirs):
        return [f"levels {sorted(ours)}, GDAL has {sorted(theirs)}"]
    for key, (across, down, missing) in ours.items():
        for index, (own, other) in enumerate(zip(missing, theirs[key][2], strict=True)):
            place = index % (across * down)
            at_edge = place % across == across - 1 or place // across == down - 1
            if own != other and not (key[0] == "mask" and own and at_edge):
                out.append(f"{key}: tile {index} is {'missing' if own else 'there'}, GDAL's is not")
    return out


def case(name, gdal_type, kind, nodata, bands, masked, options, seed):
    dense, source = made(name, gdal_type, kind, nodata, bands, masked, seed)
    full, one, two = at(f"{name}-full.tif"), at(f"{name}-one.tif"), at(f"{name}-two.tif")
    options = {"blocksize": 128, "overwrite": True, "predictor": "none", **options}
    for path, target, sparse in ((dense, full, None), (dense, one, True), (source, two, True)):
        r = create(path, target, sparse=sparse, json=True, **options)
        if r.code:
            return [str(r)]
    said = json.loads(r.out)
    out = [] if open(one, "rb").read() == open(two, "rb").read() else ["a sparse source gives another file"]
    missing = [sum(levels[2]) for key, levels in tiles(one).items() if key[0] == "image"]
    if [level.get("sparse_tiles", 0) for level in said["levels"]] != missing or not missing[0]:
        out.append(f"{missing} tiles are missing, the summary says {[level.get('sparse_tiles', 0) for level in said['levels']]}")
    out += readers(full, one, masked) + validators(one)
    cog = at(f"{name}-gdal.tif")
    wanted = ["SPARSE_OK=TRUE", "BLOCKSIZE=128", "COMPRESS=DEFLATE", f"INTERLEAVE={options.get('interleave', 'pixel').upper()}",
              f"RESAMPLING={options.get('overview_resampling', 'cubic').upper()}", "PREDICTOR=NO"]
    if NEW.call("translate", path=dense, to=cog, format="COG", options=wanted)["ok"]:
        # Overviews are the same where GDAL's are right (docs/resampling.md).
        is_same = all(a[1] == b[1] for a, b in zip(gdal_levels(NEW, cog), gdal_levels(NEW, full)))
        out += like_gdal(one, cog) if is_same else []
        if is_same:
            COMPARED.append(name)
    return out


COMPARED = []


def masked_tiles():
    dense, source = made("masked", "UInt16", "u2", None, 2, True, 5)
    yes, masked = at("masked-yes.tif"), at("masked-masked.tif")
    out = []
    for target, sparse in ((yes, "yes"), (masked, "masked")):
        r = create(source, target, sparse=sparse, json=True, blocksize=64)
        if r.code:
            return [str(r)]
    said = json.loads(r.out)
    if not said.get("masked_tiles") or not any("under the mask" in text for text in said["warnings"]):
        out.append(f"the summary says nothing of masked tiles: {said}")
    (before, before_masks), (after, after_masks) = read_levels(yes), read_levels(masked)
    for a, b, mask, other in zip(before, after, before_masks, after_masks, strict=True):
        if not np.array_equal(mask, other):
            out.append("another mask")
        if not np.array_equal(a[:, mask > 0], b[:, mask > 0]):
            out.append("other valid pixels")
    fewer, more = (sum(sum(levels[2]) for levels in tiles(path).values()) for path in (yes, masked))
    if fewer >= more:
        out.append(f"{more} tiles are missing, {fewer} without masked ones")
    return out + validators(masked)


def javascript(files):
    """geotiff.js reads the samples of all images, masks among them, as from the full file."""
    folder = geotiff_js.install()
    out = []
    for full, sparse in files:
        p = subprocess.run(["node", "read.mjs", FOLDER, full, sparse], cwd=folder, capture_output=True, text=True, timeout=300)
        said = [json.loads(line) for line in p.stdout.splitlines()]
        out += [f"{line['file']}: {line['error']}" for line in said if "error" in line]
        if len(said) != 2:
            out.append(f"{p.stderr[-300:]}")
            continue
        for index in range(len(said[0]["images"])):
            raw = [open(os.path.join(FOLDER, f"{os.path.basename(path)}.{index}.raw"), "rb").read() for path in (full, sparse)
                   if os.path.exists(os.path.join(FOLDER, f"{os.path.basename(path)}.{index}.raw"))]
            if len(raw) < 2 or raw[0] != raw[1]:
                out.append(f"{os.path.basename(sparse)}, image {index}: {said[1].get('error', 'other pixels')}")
    return out


def mosaic_with_gaps():
    """Two inputs far apart: tiles between them are missing."""
    paths = []
    for index, (x, y) in enumerate(((0, 0), (1500, 900))):
        data = np.random.default_rng(index).integers(1, 99, (1, 90, 110)).astype("u2")
        np.save(at("array.npy"), data)
        path = at(f"part{index}.tif")
        assert NEW.call("make", path=path, array=at("array.npy"), type="UInt16", nodata="0", epsg=32633,
                        transform=[500000 + 10 * x, 10, 0, 5000000 - 10 * y, 0, -10])["ok"]
        paths.append(path)
    full, sparse = at("mosaic-full.tif"), at("mosaic-sparse.tif")
    out = []
    for target, words in ((full, []), (sparse, ["--sparse"])):
        r = run("mosaic", *paths, "--quiet", "--blocksize", "128", *words, "-o", target)
        if r.code:
            return [str(r)]
    missing = tiles(sparse)["image", 1610, 990][2]
    if sum(missing) != len(missing) - 3:
        out.append(f"{sum(missing)} of {len(missing)} tiles are missing")
    return out + readers(full, sparse, False) + validators(sparse)


def edited():
    """`repack` and `edit` keep what readers get from tiles without bytes, in a file with a mask from web servers too."""
    out = []
    _, source = made("repacked", "UInt16", "u2", None, 1, True, 9)
    for name in ("cogsmith", "gdal"):
        sparse, copy = at(f"{name}-repack-in.tif"), at(f"{name}-repack.tif")
        if name == "gdal":
            NEW.call("translate", path=source, to=sparse, format="COG", options=["SPARSE_OK=TRUE", "BLOCKSIZE=128"])
        else:
            create(source, sparse, sparse=True, blocksize=128, header_room="4K")
        for words in (["repack", sparse, copy, "--header-room", "4K"], ["edit", copy, "--metadata", "A=b", "--json"]):
            r = run(*words)
            out += [str(r)] if r.code else []
            for worker in (NEW, OLD):
                if not gdal_levels(worker, sparse) == gdal_levels(worker, copy) == gdal_levels(worker, remote(copy)):
                    out.append(f"{words[0]} of a file by {name}: {worker.name} reads other pixels")
        if b"\"in_place\":true" not in r.out.replace(b" ", b""):
            out.append(f"an edit of a file by {name} is not in place: {r.out}")
    dense, source = made("edited", "UInt16", "u2", 7, 1, False, 8)
    sparse, copy = at("edited.tif"), at("edited-copy.tif")
    r = create(source, sparse, sparse=True, blocksize=128)
    out += [str(r)] if r.code else []
    before = gdal_levels(NEW, sparse)
    for words in (["repack", sparse, copy], ["edit", copy, "--metadata", "A=b"], ["edit", copy, "--crs", "EPSG:32634"]):
        r = run(*words)
        if r.code:
            out.append(str(r))
        if gdal_levels(NEW, copy) != before or [t[2] for t in tiles(copy).values()] != [t[2] for t in tiles(sparse).values()]:
            out.append(f"{words[0]}: other pixels or tiles")
        out += validators(copy)
    # Readers fill the missing tiles with the new value, which the command says.
    for nodata in ("9", "none"):
        r = run("edit", copy, "--nodata", nodata)
        if r.code or "tiles without bytes" not in r.words():
            out.append(f"edit --nodata {nodata}: {r}")
    return out


def main():
    try:
        files = []
        for seed, ((gdal_type, kind, nodata), masked) in enumerate(itertools.product(TYPES, (False, True))):
            if masked and nodata is not None:
                # GDAL takes nodata for the mask then.
                continue
            bands = 1 + seed % 3
            options = [{}, {"interleave": "band"}, {"compress": "zstd", "interleave": "tile"}, {"compress": "none"},
                       {"overview_resampling": "average", "compress": "lzw"}][seed % 5]
            if kind[0] == "c":
                options = {"overview_resampling": "nearest"}
            name = f"{gdal_type}-{nodata}-{bands}-{'mask' if masked else 'plain'}"
            report.run(name, case, name, gdal_type, kind, nodata, bands, masked, options, seed)
            if kind in ("u1", "u2", "f4") and options.get("compress") != "zstd":
                files.append((at(f"{name}-full.tif"), at(f"{name}-one.tif")))
        if not report.only:
            report.check("GDAL's SPARSE_OK was compared", [] if len(COMPARED) >= 8 else [f"only for {COMPARED}"])
            report.run("geotiff.js", javascript, files)
        report.run("masked tiles", masked_tiles)
        report.run("mosaic with gaps", mosaic_with_gaps)
        report.run("edited", edited)
    finally:
        SERVER.shutdown()
        shutil.rmtree(FOLDER, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
