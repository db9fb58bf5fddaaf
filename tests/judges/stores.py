"""Object stores: what the command writes to real servers is the local file, whole or not at all.

    python stores.py                     ONLY=words in the environment picks cases by name
    python stores.py --long              also 2 GiB and 8 GiB of pixels, with memory and temporary files
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import rasterio

import store_servers
from report import Report

COGSMITH = os.environ.get("COGSMITH", "target/debug/cogsmith")
FOLDER = tempfile.mkdtemp(prefix="cogsmith-stores-")
BUCKET = "bucket"


def path(name):
    return os.path.join(FOLDER, name)


def clean_environment(more):
    """The environment without any credentials of this machine."""
    drop = ("AWS_", "GOOGLE_", "AZURE_", "GS_", "CPL_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    return {**env, "HOME": FOLDER, "GDAL_PAM_ENABLED": "NO", **more}


def command(*words, env, code=0):
    """Runs the command; returns what it printed."""
    run = subprocess.run([COGSMITH, *words], env=clean_environment(env), capture_output=True, text=True, timeout=600)
    said = run.stdout + run.stderr
    assert run.returncode == code, f"exit code {run.returncode}: {said}"
    found = store_servers.secrets_in(said)
    assert not found, f"{found} in {said}"
    return said


def image(name, rows, columns, bands=1, seed=1):
    """A GeoTIFF of noise, which hardly compresses."""
    noise = np.random.default_rng(seed).integers(0, 4096, (bands, rows, columns), dtype="u2")
    profile = {"driver": "GTiff", "width": columns, "height": rows, "count": bands, "dtype": "uint16", "crs": "EPSG:32633",
               "transform": rasterio.Affine(10, 0, 500000, 0, -10, 5000000), "nodata": 0}
    with rasterio.open(path(name), "w", **profile) as dataset:
        dataset.write(noise)
    return path(name)


def local(source, *options):
    """The bytes of the local file."""
    command("create", "--overwrite", *options, source, path("local.tif"), env={})
    with open(path("local.tif"), "rb") as file:
        return file.read()


def compare(server, key, expected):
    found = server.get(BUCKET, key)
    if found is None:
        return ["there is no object"]
    problems = [] if found == expected else [f"{len(found)} bytes differ from the {len(expected)} of the local file"]
    kind = {name.lower(): value for name, value in server.headers.items()}.get("content-type")
    if kind != "image/tiff; application=geotiff; profile=cloud-optimized":
        problems.append(f"Content-Type {kind}")
    return problems + ([f"{server.uploads(BUCKET)} uploads are open"] if server.uploads(BUCKET) else [])


def same_bytes(server, source, key, *options):
    encoding = [option for option in options if option != "--contiguous-parts"]
    expected = local(source, *encoding)
    said = command("create", *options, source, server.target(BUCKET, key), env=server.env)
    return compare(server, key, expected) + ([] if server.target(BUCKET, key) in said else [f"the summary is {said}"])


def overwriting(server, source, other):
    key = f"folder/overwritten-{os.path.basename(source)}"
    target = server.target(BUCKET, key)
    command("create", source, target, env=server.env)
    said = command("create", other, target, env=server.env, code=1)
    problems = compare(server, key, local(source))
    if "already exists" not in said or "--overwrite" not in said:
        problems.append(said)
    command("create", "--overwrite", other, target, env=server.env)
    return problems + compare(server, key, local(other))


def missing_bucket(server, source):
    said = command("create", source, server.target("missing", "a.tif"), env=server.env, code=1)
    wrong = [] if "the bucket does not exist" in said and "hint: create the bucket first" in said else [said]
    return wrong + ([] if said.count("\n") == 2 else ["the message is not one line with a hint"])


def interrupted(server, source, how):
    """The upload is stopped after it has begun."""
    key = f"interrupted-{how}.tif"
    words = [COGSMITH, "create", "--quiet", "--compress", "zstd", "--level", "19", "--threads", "1", source, server.target(BUCKET, key)]
    process = subprocess.Popen(words, env=clean_environment(server.env), stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if isinstance(server, store_servers.Azure):
            # Blocks that are not committed cannot be listed.
            time.sleep(0.5)
            break
        if server.uploads(BUCKET):
            break
        time.sleep(0.05)
    if process.poll() is not None:
        return [f"it was too fast: {process.stderr.read()}"]
    process.send_signal(how)
    said = process.stderr.read()
    code = process.wait(60)
    problems = [] if code == 1 and "cancelled" in said else [f"exit code {code}: {said}"]
    if server.get(BUCKET, key) is not None:
        problems.append("there is an object")
    return problems + ([f"{server.uploads(BUCKET)} uploads are open"] if server.uploads(BUCKET) else [])


def two_writers(server, one, other):
    """Each in a process of its own; the object is one of the two files."""
    files = [local(source) for source in (one, other)]
    key = "raced.tif"
    words = [[COGSMITH, "create", "--quiet", source, server.target(BUCKET, key)] for source in (one, other)]
    runs = [subprocess.Popen(each, env=clean_environment(server.env), stderr=subprocess.PIPE, text=True) for each in words]
    codes = [(run.wait(120), run.stderr.read()) for run in runs]
    found = server.get(BUCKET, key)
    problems = [] if found in files else ["the object is neither of the two files"]
    failed = [said for code, said in codes if code]
    if len(failed) == 2 or any("already exists" not in said for said in failed):
        problems.append(f"{codes}")
    return problems + ([f"{server.uploads(BUCKET)} uploads are open"] if server.uploads(BUCKET) else [])


GDAL = """
import sys
from osgeo import gdal
gdal.UseExceptions()
for pair in sys.argv[2:]:
    gdal.SetConfigOption(*pair.split("=", 1))
dataset = gdal.Open(sys.argv[1])
print(dataset.RasterXSize, dataset.RasterYSize, dataset.GetRasterBand(1).GetOverviewCount(), dataset.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE"))
print(*(dataset.GetRasterBand(1).Checksum(), dataset.GetRasterBand(1).GetOverview(0).Checksum()))
"""


RASTERIO = """
import sys
import rasterio
print(*{(rasterio.open(sys.argv[1]).read() == rasterio.open(sys.argv[2]).read()).all()})
"""


def readers(server, source, key):
    """GDAL and rasterio read what was written, over the same server."""
    expected = local(source)
    command("create", "--overwrite", source, server.target(BUCKET, key), env=server.env)
    name, options = server.gdal(BUCKET, key)
    pairs = [f"{option}={value}" for option, value in options.items() if option.isupper()]
    asked = [subprocess.run([sys.executable, "-c", GDAL, *words], capture_output=True, text=True, env=clean_environment({}))
             for words in ([name, *pairs], [path("local.tif")])]
    problems = [] if asked[0].stdout == asked[1].stdout and "COG" in asked[0].stdout else [f"GDAL: {[(run.stdout, run.stderr) for run in asked]}"]
    read = subprocess.run([sys.executable, "-c", RASTERIO, name, path("local.tif")], env=clean_environment(options), capture_output=True, text=True)
    if read.stdout.strip() != "True":
        problems.append(f"rasterio: {read}")
    return problems + compare(server, key, expected)


def facts(name, *words, env=None):
    """The JSON that a command prints, without what depends on the place."""
    told = json.loads(command(*words, "--json", name, env=env or {}))
    read = told.pop("read", None)
    for key in ("file", "seconds", "output"):
        told.pop(key, None)
    return told, read


def described(address, env, copy, most):
    """`info` and `validate` of an address, compared with those of a local copy."""
    problems = []
    size = os.path.getsize(copy)
    for words, requests, received in (
        (["info"], most, size),
        (["validate", "--quick"], most + 4, 300_000 + 256 * 1024),
        # Levels are read one after the other, in requests of up to 4 MiB.
        (["validate"], most + 3 * (size // 2**22 + 8), size + 200_000),
    ):
        (there, read), (here, _) = facts(address, *words, env=env), facts(copy, *words)
        if words == ["validate", "--quick"]:
            # A sample of the tiles, without the comparison of overviews.
            for told in (there, here):
                for key in ("tiles_decoded", "cells_compared", "quick"):
                    told.pop(key)
        if there != here:
            problems.append(f"{words}: {there} is not {here}")
        if not read or read["requests"] > requests or read["bytes"] > received:
            problems.append(f"{words}: {read}, expected at most {requests} requests and {received} bytes")
    return problems


def converted(address, env, copy, target):
    """An address converted to an object or a file, compared with the conversion of a local copy."""
    expected = local(copy, "--compress", "zstd", "--blocksize", "256")
    told = json.loads(command("create", "--overwrite", "--quiet", "--json", "--compress", "zstd", "--blocksize", "256", address, target, env=env))
    size = os.path.getsize(copy)
    read, problems = told["read"], []
    if read["requests"] > 3 + 2 * (size // 2**22 + 1) or not size * 0.5 < read["bytes"] < size + 200_000:
        problems.append(f"{read} for {size} bytes")
    return expected, problems


def reading(server, source):
    """An object as the input: description, validation, and conversion within the store."""
    copy = path("copy.tif")
    with open(copy, "wb") as file:
        file.write(local(source))
    command("create", "--overwrite", source, server.target(BUCKET, "folder/input b.tif"), env=server.env)
    address = server.target(BUCKET, "folder/input b.tif")
    problems = described(address, server.env, copy, 2)
    expected, more = converted(address, server.env, copy, server.target(BUCKET, "converted.tif"))
    problems += more + compare(server, "converted.tif", expected)
    for key, words in (("missing.tif", "the object does not exist"), ):
        said = command("info", server.target(BUCKET, key), env=server.env, code=1)
        problems += [] if words in said and said.count("\n") == 2 else [said]
    said = command("info", server.target("missing", "a.tif"), env=server.env, code=1)
    return problems + ([] if "does not exist" in said else [said])


def reading_web(source, tiles):
    """Files on a plain web server, with passwords and signatures that nothing shows."""
    copy, folder = path("copy.tif"), path("web")
    os.makedirs(f"{folder}/tiles", exist_ok=True)
    with open(copy, "wb") as file:
        file.write(local(source))
    for name, original in (("a b.tif", copy), ("strips.tif", source), ("tiles/B1.tif", tiles[0]), ("tiles/B2.tif", tiles[1])):
        with open(original, "rb") as old, open(f"{folder}/{name}", "wb") as new:
            new.write(old.read())
    server = store_servers.Web(folder)
    signed = f"http://{server.host}/a%20b.tif?sig=SECRET-KEY"
    problems = []
    for address in (signed, f"/vsicurl/{signed}", f"http://me:SECRET-KEY@{server.host}/a b.tif"):
        problems += described(address, {}, copy, 1)
        expected, more = converted(address, {}, copy, path("converted.tif"))
        with open(path("converted.tif"), "rb") as file:
            problems += more + ([] if file.read() == expected else ["other bytes than from a local file"])
    expected, more = converted(f"http://{server.host}/strips.tif?sig=SECRET-KEY", {}, source, path("converted.tif"))
    with open(path("converted.tif"), "rb") as file:
        problems += more + ([] if file.read() == expected else ["other bytes than from local strips"])
    # Several inputs, and a list that may name addresses below one.
    addresses = [f"http://{server.host}/tiles/B{band}.tif?sig=SECRET-KEY" for band in (1, 2)]
    with open(path("list.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(addresses))
    command("stack", *tiles, "-o", path("stack.tif"), "--overwrite", env={})
    with open(path("stack.tif"), "rb") as file:
        expected = file.read()
    for inputs in (addresses, [f"@{path('list.txt')}", "--vrt-root", f"http://{server.host}/tiles"]):
        server.log.clear()
        told = json.loads(command("stack", *inputs, "-o", path("stack.tif"), "--overwrite", "--json", "--quiet", env={}))
        with open(path("stack.tif"), "rb") as file:
            found = file.read()
        if found != expected or b"SECRET-KEY" in found:
            problems.append(f"{inputs[0]}: other bytes than from local files")
        if told["read"]["requests"] != len(server.log):
            problems.append(f"{told['read']}, but {len(server.log)} requests arrived")
    for words, code, expected in (
        (["info", f"http://{server.host}/none.tif?sig=SECRET-KEY"], 1, "no such file"),
        (["info", f"http://{server.host}/a%20b.tif?sig=SECRET"], 1, "access is denied"),
        (["validate", f"http://me:SECRET-KEY@{server.host}/none.tif"], 2, "no such file"),
        (["stack", f"@{path('list.txt')}", "-o", path("no.tif")], 1, "is a web address"),
        (["stack", f"@{path('list.txt')}", "-o", path("no.tif"), "--vrt-root", f"http://{server.host}/til"], 1, "not below the address"),
        (["info", "ftp://me:SECRET-KEY@host/a.tif"], 1, "a web address, not the path"),
        (["info", "--region", "eu-west-1", signed], 2, "--region has no effect"),
        (["info", "--store-option", "regoin=SECRET-KEY", signed], 1, "option 'regoin' is unknown"),
    ):
        said = command(*words, env={}, code=code)
        problems += [] if expected in said else [f"{words}: {said}"]
    return problems


def options_without_effect():
    """Store options with a file, and addresses that are not of an object."""
    problems = []
    for words, expected in (
        (["--region", "eu-west-1", "in.tif", "out.tif"], "--region has no effect"),
        (["in.tif", "s3://bucket"], "without a key"),
        (["in.tif", "s3://bucket/folder/"], "names a folder"),
        (["in.tif", "s3://user:SECRET-KEY@bucket/a.tif"], "user information"),
        (["in.tif", "s3://bucket/a.tif?X-Amz-Signature=SECRET-KEY"], "query"),
        (["--sync", "in.tif", "s3://bucket/a.tif"], "--sync has no effect"),
        (["--store-option", "nothing", "in.tif", "s3://bucket/a.tif"], "expected NAME=VALUE"),
    ):
        run = subprocess.run([COGSMITH, "create", *words], env=clean_environment({}), capture_output=True, text=True)
        if run.returncode != 2 or expected not in run.stderr or "SECRET-KEY" in run.stderr:
            problems.append(f"{words}: {run.returncode} {run.stderr}")
    return problems


def connections(server, source):
    """Profiles, unknown options, and a server that is down."""
    os.makedirs(path(".aws"), exist_ok=True)
    with open(path(".aws/credentials"), "w", encoding="utf-8") as file:
        file.write("[work]\naws_access_key_id = key\naws_secret_access_key = SECRET-KEY\n")
    with open(path(".aws/config"), "w", encoding="utf-8") as file:
        file.write(f"[profile work]\nregion = eu-west-1\nendpoint_url = {server.url}\n[profile role]\nrole_arn = arn:aws:iam::1:role/x\n")
    problems = []
    command("create", "--aws-profile", "work", source, server.target(BUCKET, "profile.tif"), env={})
    for words, env, expected in (
        (["--aws-profile", "none"], {}, "there is no profile 'none'"),
        (["--aws-profile", "role"], {}, "profile 'role' has a role_arn, but no source_profile or credential_source"),
        (["--store-option", "acces_key=SECRET-KEY"], server.env, "option 'acces_key' of S3 is unknown"),
        (["--endpoint", "http://127.0.0.1:9", "--store-option", "max_retries=1"], server.env, "the server cannot be reached"),
    ):
        said = command("create", *words, source, server.target(BUCKET, "x.tif"), env=env, code=1)
        if expected not in said:
            problems.append(f"{words}: {said}")
    command("create", "--no-sign-request", "--endpoint", server.url, source, server.target(BUCKET, "anonymous.tif"), env={})
    command("create", source, server.target(BUCKET, "gdal.tif"), env=server.gdal(BUCKET, "")[1])
    for key in ("profile.tif", "anonymous.tif", "gdal.tif"):
        problems += [f"{key}: {problem}" for problem in compare(server, key, local(source))]
    return problems


def large(server, rows):
    """Memory and temporary files of an image of 32768 columns; the upload begins before the last row is read."""
    source = path("large.tif")
    subprocess.run([sys.executable, "-c", LARGE, source, str(rows)], check=True)
    temporary = path("temporary")
    os.makedirs(temporary, exist_ok=True)
    words = [COGSMITH, "create", "--json", "--quiet", "--temp-dir", temporary, source, server.target(BUCKET, "large.tif")]
    process = subprocess.Popen(words, env=clean_environment(server.env), stdout=subprocess.PIPE, text=True)
    peak, first = 0, None
    began = time.time()
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                peak = max(peak, *(int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
        except (OSError, TypeError, ValueError):
            pass
        if first is None and server.uploads(BUCKET):
            first = time.time() - began
        time.sleep(0.2)
    summary = process.stdout.read()
    told = json.loads(summary)
    print(f"{rows} rows: {told['bytes'] / 2**20:.0f} MiB in {told['seconds']} s, peak {peak / 1024:.0f} MiB, upload after {first} s, "
          f"temporary {told['spooled_bytes']} bytes", flush=True)
    problems = [] if peak < 400 * 1024 else [f"peak {peak} KiB"]
    if told["spooled_bytes"] or os.listdir(temporary):
        problems.append("there was a temporary file")
    found = server.get(BUCKET, "large.tif")
    command("create", "--overwrite", source, path("local.tif"), env={})
    with open(path("local.tif"), "rb") as file:
        return problems + ([] if file.read() == found else ["other bytes than locally"])


LARGE = """
import sys
import numpy as np
import rasterio
from rasterio.windows import Window
rows = int(sys.argv[2])
profile = {"driver": "GTiff", "width": 32768, "height": rows, "count": 1, "dtype": "uint16", "tiled": True, "blockxsize": 512, "blockysize": 512, "BIGTIFF": "YES"}
random = np.random.default_rng(5)
with rasterio.open(sys.argv[1], "w", **profile) as dataset:
    for row in range(0, rows, 512):
        dataset.write(random.integers(0, 4096, (512, 32768), dtype="u2"), 1, window=Window(0, row, 32768, 512))
"""


def main():
    report = Report("stores")
    source, other = image("source.tif", 3500, 3400), image("other.tif", 3500, 3400, seed=2)
    bands, small = image("bands.tif", 1500, 1400, bands=4), image("small.tif", 300, 200)
    report.run("options without effect", options_without_effect)
    report.run("web server: reading", reading_web, source, [image(f"B{band}.tif", 700, 800, seed=band) for band in (1, 2)])
    for name, make in (("S3", store_servers.S3), ("Google", store_servers.Google), ("Azure", store_servers.Azure)):
        server = make()
        server.make(BUCKET)
        report.run(f"{name}: large", same_bytes, server, source, "large.tif")
        report.run(f"{name}: small, in a folder with blanks", same_bytes, server, small, "a b/small.tif")
        report.run(f"{name}: bands one after the other", same_bytes, server, bands, "bands.tif", "--interleave", "band", "--mask", "nodata")
        report.run(f"{name}: contiguous", same_bytes, server, source, "contiguous.tif", "--contiguous-parts")
        report.run(f"{name}: overwriting", overwriting, server, source, other)
        report.run(f"{name}: small, overwriting", overwriting, server, small, other)
        report.run(f"{name}: missing bucket", missing_bucket, server, source)
        report.run(f"{name}: interrupted", interrupted, server, source, signal.SIGINT)
        report.run(f"{name}: terminated", interrupted, server, source, signal.SIGTERM)
        report.run(f"{name}: two writers", two_writers, server, source, other)
        report.run(f"{name}: readers", readers, server, source, "read.tif")
        report.run(f"{name}: reading", reading, server, source)
        if name == "S3":
            report.run("S3: connections", connections, server, small)
            for rows in (32768, 131072) if "--long" in sys.argv else ():
                report.run(f"S3: {rows} rows", large, server, rows)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
