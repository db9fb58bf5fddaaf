#!/usr/bin/env python3
"""Turns the corpus files named in sets.tsv into raw pixels that the benchmark reads: corpus.py CORPUS OUTPUT.

A raw file is a line `columns rows samples bytes-of-a-sample float(0|1)`, then pixel-interleaved little-endian samples,
at most 2048 x 2048 pixels from the middle of the raster. Needs rasterio.
"""
import csv
import pathlib
import sys

import numpy
import rasterio
from rasterio.windows import Window

corpus, output = map(pathlib.Path, sys.argv[1:3])
output.mkdir(parents=True, exist_ok=True)
for row in csv.DictReader((pathlib.Path(__file__).parent / "sets.tsv").open(), delimiter="\t"):
    if row["source"].startswith("made:"):
        continue
    with rasterio.open(corpus / row["source"]) as raster:
        width, height = min(raster.width, 2048), min(raster.height, 2048)
        window = Window((raster.width - width) // 2, (raster.height - height) // 2, width, height)
        pixels = numpy.moveaxis(raster.read(window=window), 0, -1)
    kind = pixels.dtype
    little = numpy.ascontiguousarray(pixels.astype(kind.newbyteorder("<")))
    header = f"{width} {height} {little.shape[2]} {kind.itemsize} {int(kind.kind == 'f')}\n"
    (output / f"{row['name']}.raw").write_bytes(header.encode() + little.tobytes())
    print(row["name"], header.strip(), kind)
