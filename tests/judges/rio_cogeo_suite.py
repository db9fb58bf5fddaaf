"""rio-cogeo's own tests with `cog_translate` replaced by ours. Tests that fail are listed here with the reason; any other
failure is one, and so is a test of the list that passes.

    python rio_cogeo_suite.py FOLDER        the sources of rio-cogeo 7.0.4; needs pytest, rio-cogeo, cogdumper, and cogsmith
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from report import Report

WARP = "warps to a web grid"
ALL_VALID = "expects a mask band although every pixel is valid"
LOSSLESS = "writes lossy WebP, which needs the feature webp-c"
IN_GDAL = "writes to GDAL's memory, /vsimem"
EXPECTED = {
    "test_cog_translate_valid": ALL_VALID,
    "test_cog_values[image_rgb.tif]": ALL_VALID,
    "test_cog_values[image_missing_nodata.tif]": ALL_VALID,
    "test_cog_values[image_171px.tif]": ALL_VALID,
    "test_cog_translate_NodataLossyWarning": "expects a warning that lossy codecs damage nodata; here it is exact",
    "test_cog_translate_NodataMask": "expects that the nodata value is left out if there is a mask",
    "test_cog_translate_validAlpha": LOSSLESS,
    "test_cog_translate_valiEnv": "expects a mask that GDAL's configuration asks for next to the file",
    "test_cog_translate_to_memfile": IN_GDAL,
    "test_output_size": IN_GDAL,
    "test_cog_translate_oneBandJpeg": "expects a warning although quiet is set",
    "test_cog_translate_forward_cmap": "expects an exception of rio-cogeo's own type",
    "test_gdal_cog_web_mask": WARP,
    "test_gdal_cog_compareWeb": WARP,
    "test_cog_translate_forward_ns_metadata": "reads metadata of a satellite from GDAL's readers of XML files",
    "test_cog_translate_gcps": WARP,
    "test_nodata_alpha_incompatible": "expects a warning although quiet is set",
    "test_cog_translate_webZooms": WARP,
    "test_cog_translate_web": WARP,
    "test_cog_translate_Internal": WARP,
    "test_cog_translate_web_align": WARP,
    "test_cog_translate_web_geos": WARP,
    "test_web_align_cogeo_gdal": WARP,
    "test_gdal_zoom_options": WARP,
    "test_gdal_zoom_level_options": WARP,
    "test_web_optimized_arg_warning": WARP,
}
FILES = ["test_cogeo.py", "test_profile.py", "test_web.py", "test_validate.py"]


def outcomes(folder):
    """Names of tests, and whether each passed. Parameters that are paths are shown without folders."""
    p = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rA", "--color=no", "-p", "no:cacheprovider", *(f"tests/{name}" for name in FILES)],
                       cwd=folder, capture_output=True, text=True)
    lines = re.findall(r"^(PASSED|FAILED|ERROR) tests/\w+\.py::(\S+)", p.stdout, re.MULTILINE)
    return {re.sub(r"\[.*/(.*)\]", r"[\1]", name): outcome == "PASSED" for outcome, name in lines}, p.stdout


source = sys.argv[1]
report = Report("rio_cogeo_suite")
with tempfile.TemporaryDirectory() as folder:
    shutil.copytree(os.path.join(source, "tests"), os.path.join(folder, "tests"))
    for name in FILES:
        path = os.path.join(folder, "tests", name)
        with open(path) as file:
            text = file.read()
        text = re.sub(r"^(from rio_cogeo\.cogeo import .*?)(, cog_translate|cog_translate, )(.*)$", r"\1\3\nfrom cogsmith import cog_translate", text, flags=re.MULTILINE)
        text = re.sub(r"^from rio_cogeo\.cogeo import cog_translate$", "from cogsmith import cog_translate", text, flags=re.MULTILINE)
        with open(path, "w") as file:
            file.write(text)
    found, output = outcomes(folder)
    # A file that the sources do not contain.
    found = {name: passed for name, passed in found.items() if name != "test_cog_validate_valid"}
report.check("the tests run", [] if len(found) > 60 else [output[-2000:]])
for name, passed in found.items():
    wanted = name not in EXPECTED
    report.check(name, [] if passed == wanted else [f"{'passes' if passed else 'fails'}; expected: {EXPECTED.get(name, 'to pass')}"])
print(f"{sum(found.values())} of {len(found)} tests of rio-cogeo pass, {len(EXPECTED)} are listed")
raise SystemExit(report.close())
