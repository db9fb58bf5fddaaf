"""Files that the tests of the Python package wrote, as GDAL's full check and the reader of bytes see them.

    python python_files.py FOLDER
"""

import os
import sys

import judges
import layout
from report import Report

# Said of a file that is larger than a tile and was asked to have no overviews.
NO_OVERVIEWS = "recommended to include internal overviews"


def problems(path):
    expected = layout.guess(path)
    if path.endswith(".finished.tif"):
        expected["resampling"] = layout.UNKNOWN
    # Edited and repacked files have room in the header, or metadata of another program.
    out = [] if path.endswith(".edited.tif") else layout.problems(path, **expected)
    images = [ifd for ifd in layout.File(path).directories if not ifd.one(254, 0) & 4]
    for gdal in (judges.NEW, judges.OLD):
        answer = gdal.call("validate", path=path)
        if not answer["ok"] or answer["errors"]:
            out.append(f"{gdal.name}: {answer}"[:600])
            continue
        out += [f"{gdal.name}: {said}" for said in answer["warnings"] if not (len(images) == 1 and NO_OVERVIEWS in said)]
    return out


def main(arguments):
    report = Report("python")
    folder = arguments[0]
    for name in sorted(os.listdir(folder)):
        report.run(name, problems, os.path.join(folder, name))
    judges.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
