"""`cogsmith validate` compared with GDAL's validator and rio-cogeo's: each rule has a file that breaks it alone, and what either
of the others rejects never passes.

    python validation.py                  files broken one rule at a time, fixtures and COGs made of them
    python validation.py FOLDER…          all TIFF files below these folders too, and COGs made of them by GDAL and cogsmith
    python validation.py --write FOLDER…  writes the rules and the table into docs/validation.md

ONLY=words in the environment picks broken files by name.
"""

import collections
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

os.environ["GDAL_PAM_ENABLED"] = "NO"

PAGE = os.path.join("docs", "validation.md")
SHOWN = 60  # files of a folder, and COGs of them, that the table shows though all agree


def gdal_verdict(path):
    from osgeo import gdal
    from osgeo_utils.samples import validate_cloud_optimized_geotiff as validator
    gdal.UseExceptions()
    try:
        warnings, errors, _ = validator.validate(path, full_check=True)
    except Exception as e:  # it can't be opened, or the script fails
        return cannot_open(e), []
    return errors, warnings


def cannot_open(error):
    """A judge that is built without a codec has no verdict."""
    return [] if "missing codec" in str(error) else ["cannot open: " + str(error)[:100]]


def gdal_make(source, target):
    from osgeo import gdal
    gdal.UseExceptions()
    try:
        gdal.Translate(target, source, format="COG", creationOptions=["COMPRESS=DEFLATE", "BLOCKSIZE=256"])
    except Exception as e:
        if os.path.exists(target):
            os.remove(target)
        return [str(e)[:100]], []
    return [], []


def rio_verdict(path):
    from rio_cogeo.cogeo import cog_validate
    try:
        _, errors, warnings = cog_validate(path, strict=True, quiet=True)
    except Exception as e:
        return cannot_open(e), []
    return errors, warnings


def work(name):
    """A process for one library: a list of arguments a line in, errors and warnings a line out."""
    function = {"gdal": gdal_verdict, "make": gdal_make, "rio": rio_verdict}[name]
    out, sys.stdout = sys.stdout, sys.stderr
    if name != "rio":
        from osgeo import gdal
        gdal.PushErrorHandler("CPLQuietErrorHandler")
    for line in sys.stdin:
        print(json.dumps(function(*json.loads(line))), file=out, flush=True)


class Worker:
    def __init__(self, name):
        self.name, self.process = name, None

    def __call__(self, *arguments):
        if self.process is None:
            self.process = subprocess.Popen([sys.executable, __file__, "--work", self.name], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:  # it crashed, which is not an acceptance
            self.process = None
            return ["crashed"], []
        return json.loads(answer)


def ours(path):
    """What cogsmith says: the object of --json, and problems with how it says it."""
    from command_line import run
    result = run("validate", "--json", "--threads", "2", path, timeout=300)
    if result.crashed:
        return None, [str(result)]
    try:
        said = json.loads(result.out)
    except ValueError:
        return None, [f"no JSON: {result}"]
    expected = {"valid": 0, "invalid": 1, "unjudged": 2}[said["verdict"]]
    return said, [] if result.code == expected else [f"exit {result.code} for {said['verdict']}"]


class Row:
    """A file and what all say."""

    def __init__(self, name, group, path, judges):
        self.name, self.group = name, group
        self.said, self.problems = ours(path)
        (self.gdal_errors, _), (self.rio_errors, rio_warnings) = judges["gdal"](path), judges["rio"](path)
        self.rio_errors = self.rio_errors + rio_warnings  # --strict
        if self.said:
            self.valid = self.said["verdict"] == "valid"
            self.strict = self.valid and not self.said["warnings"]
            severe = {f["rule"]: f["severity"] for f in self.said["findings"]}
            self.errors = sorted(r for r, s in severe.items() if s == "error")
            self.warnings = sorted(r for r, s in severe.items() if s == "warning")
            self.compare()

    def compare(self):
        if self.gdal_errors and self.valid:
            self.problems.append(f"GDAL rejects it, cogsmith does not: {self.gdal_errors[:2]}")
        if self.rio_errors and self.strict:
            self.problems.append(f"rio-cogeo rejects it, cogsmith does not: {self.rio_errors[:2]}")
        if not self.valid and self.said["verdict"] == "invalid" and not self.errors:
            self.problems.append("rejected without a rule")

    def agrees(self):
        return self.valid != bool(self.gdal_errors) and self.strict != bool(self.rio_errors)

    def line(self):
        def yes(valid):
            return "valid" if valid else "**invalid**"
        verdict = yes(self.valid) if self.said["verdict"] != "unjudged" else "**unjudged**"
        rules = " ".join(f"`{r}`" for r in self.errors) + (" " if self.errors and self.warnings else "")
        rules += " ".join(f"`{r}`\N{DAGGER}" for r in self.warnings)
        return f"| {self.name} | {verdict} | {yes(self.strict)} | {yes(not self.gdal_errors)} | {yes(not self.rio_errors)} | {rules} |"


def broken_files(report, folder, judges, rows):
    import broken
    cases = [(rule, build, {rule} | also) for rule, (build, also) in broken.RULES.items()]
    cases += [(name, build, expected) for name, (build, expected) in broken.MORE.items()]
    for name, build, expected in cases:
        if not report.wants(name):
            continue
        data, length, sidecar = broken.make(build)
        path = os.path.join(folder, name.replace(": ", "-").replace(" ", "_") + ".tif")
        with open(path, "wb") as f:
            f.write(data)
            f.truncate(length)
        if sidecar:
            with open(path + ".ovr", "wb") as f:
                f.write(data)
        row = Row(name, "broken", path, judges)
        if row.said and set(row.said["counts"]) != expected:
            row.problems.append(f"found {sorted(row.said['counts'])} instead of {sorted(expected)}")
        os.remove(path)
        report.check(name, row.problems)
        rows.append(row)


def flipped_bits(report, folder, judges):
    """Files that differ from a sound COG in one bit of GDAL's structural metadata: each is found, by those rules."""
    import broken
    from command_line import run
    name = "every bit of the structural metadata"
    if not report.wants(name):
        return
    for kind, file in (("plain", broken.cog(broken.gradient(64, 64))), ("masked", broken.cog(broken.gradient(64, 64), masked=True))):
        sound, length = file.bytes(), 43 + len(file.ghost)
        paths = []
        for bit in range(8 * 8, (8 + length) * 8):
            data = bytearray(sound)
            data[bit // 8] ^= 1 << bit % 8
            paths.append(os.path.join(folder, f"flipped-{bit // 8}-{bit % 8}.tif"))
            with open(paths[-1], "wb") as f:
                f.write(data)
        problems, rejected = [], [0, 0]
        for path, line in zip(paths, run("validate", "--json", "--threads", "1", *paths, timeout=600).out.splitlines(), strict=True):
            said, (gdal, _), (rio, more) = json.loads(line), judges["gdal"](path), judges["rio"](path)
            rejected = [rejected[0] + bool(gdal), rejected[1] + bool(rio + more)]
            found = {f["rule"] for f in said["findings"] if f["severity"] != "note"}
            where = os.path.basename(path)
            if not found & {"layout-ghost-area", "layout-ghost-text", "layout-first-directory", "layout-incompatible-edition"}:
                problems.append(f"{where}: found {sorted(found)}")
            if gdal and said["verdict"] == "valid":
                problems.append(f"{where}: GDAL rejects it, cogsmith does not: {gdal[:2]}")
            os.remove(path)
        print(f"{kind}: of {len(paths)} files with one flipped bit, GDAL rejects {rejected[0]} and rio-cogeo {rejected[1]}")
        report.check(f"{name}, {kind}", problems)


def all_rules_are_broken():
    import broken
    known = {rule["id"] for rule in rules()}
    return [f"{rule} has no file that breaks it" for rule in sorted(known - set(broken.RULES))] + \
        [f"{rule} is not a rule" for rule in sorted(set(broken.RULES) - known)]


def rules():
    from command_line import run
    return json.loads(run("validate", "--rules", "--json").out)


def judged(report, name, group, path, judges, rows):
    row = Row(name, group, path, judges)
    report.check(name, row.problems)
    rows.append(row)


def with_cogs(report, source, name, folder, judges, rows):
    """A file, and COGs made of it by both."""
    from command_line import create
    judged(report, name, "files as they are", source, judges, rows)
    target = os.path.join(folder, "cog.tif")
    if create(source, target, blocksize=256, threads=2, overwrite=True).code == 0:
        judged(report, name, "COGs by cogsmith", target, judges, rows)
        os.remove(target)
    errors, _ = judges["make"](source, target)
    if not errors:
        judged(report, name, "COGs by GDAL", target, judges, rows)
    with contextlib.suppress(FileNotFoundError):
        os.remove(target)


def flavours(report, source, folder, judges, rows):
    """What a writer can be asked for: all of it has to be valid."""
    from command_line import create
    options = [dict(interleave="band"), dict(interleave="tile"), dict(bigtiff="yes"), dict(compress="none"), dict(compress="zstd"),
               dict(compress="lzw", predictor="none")]
    options += [dict(overview_resampling=k) for k in ("nearest", "average", "rms", "bilinear", "cubic", "cubicspline", "lanczos", "mode",
                                                      "gauss", "min", "max", "median")]
    options += [dict(overviews="3,7"), dict(blocksize="64", overviews="2,5,11"), dict(blocksize="128x256")]
    for number, chosen in enumerate(options):
        target = os.path.join(folder, f"flavour-{number}.tif")
        said = " ".join(f"--{k.replace('_', '-')} {v}" for k, v in chosen.items())
        result = create(source, target, **{"blocksize": "256", "verify": True, "threads": 2, **chosen})
        if result.code:
            report.check(said, [str(result)])
            continue
        row = Row(f"`create {said}`", "options", target, judges)
        if row.said and not row.valid:
            row.problems.append(f"rejected by {row.errors}")
        report.check(said, row.problems)
        rows.append(row)
        os.remove(target)


def files_below(folder):
    out = []
    for parent, _, names in os.walk(folder):
        out += [os.path.join(parent, n) for n in names if n.lower().endswith((".tif", ".tiff"))]
    return sorted(out)


def page(rows):
    """The rules and the table, between the marks of the page."""
    classes = {}
    for rule in rules():
        classes.setdefault(rule["class"], []).append(rule)
    out = io.StringIO()
    for name, members in classes.items():
        print(f"### {name}\n", file=out)
        for rule in members:
            print(f"**`{rule['id']}`** ({rule['severity']}). {rule['required']}.  \n"
                  f"Source: {rule['source']}.  \nWhat to do: {rule['remedy']}.\n", file=out)
    groups = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    table = io.StringIO()
    print("| files | number | valid | valid, `--strict` | GDAL accepts | rio-cogeo accepts | a judge rejects, cogsmith passes |\n|---|---|---|---|---|---|---|",
          file=table)
    for group, members in groups.items():
        wrong = sum(1 for r in members if (r.gdal_errors and r.valid) or (r.rio_errors and r.strict))
        print(f"| {group} | {len(members)} | {sum(r.valid for r in members)} | {sum(r.strict for r in members)} | "
              f"{sum(not r.gdal_errors for r in members)} | {sum(not r.rio_errors for r in members)} | {wrong} |", file=table)
    for group, members in groups.items():
        alone = [r for r in members if not r.valid and not r.gdal_errors and not r.rio_errors]
        shown = members
        if len(members) > 120:
            shown = members[::max(1, len(members) // SHOWN)]
            if len(alone) < SHOWN:
                shown = [r for r in members if r in shown or r in alone]
        print(f"\n### {group}\n", file=table)
        if alone:
            by = collections.Counter(rule for r in alone for rule in r.errors)
            print(f"{len(alone)} are invalid here and accepted by both judges, by the rules "
                  + ", ".join(f"`{rule}` ({number})" for rule, number in by.most_common()) + ".\n", file=table)
        if len(shown) < len(members):
            print(f"{len(shown)} of {len(members)}.\n", file=table)
        print("| file | cogsmith | `--strict` | GDAL | rio-cogeo | rules |\n|---|---|---|---|---|---|", file=table)
        print("\n".join(row.line() for row in shown), file=table)
    return out.getvalue().rstrip(), table.getvalue().rstrip()


def write(rows, root):
    path = os.path.join(root, PAGE)
    with open(path) as f:
        text = f.read()
    for mark, new in zip(("rules", "table"), page(rows)):
        begin, end = f"<!-- {mark}: written by tests/judges/validation.py -->", f"<!-- end of {mark} -->"
        before, rest = text.split(begin)
        text = before + begin + "\n" + new + "\n" + end + rest.split(end)[1]
    with open(path, "w") as f:
        f.write(text)


def page_is_current(root):
    """The rules on the page are those of the command."""
    with open(os.path.join(root, PAGE)) as f:
        text = f.read()
    return [] if page([])[0] in text else [f"the rules in {PAGE} are old: run validation.py --write"]


def main(arguments):
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    if arguments[:1] == ["--work"]:
        return work(arguments[1])
    from command_line import ROOT
    from report import Report
    rewrite = arguments[:1] == ["--write"]
    folders = arguments[1:] if rewrite else arguments
    report, rows = Report("validation"), []
    judges = {name: Worker(name) for name in ("gdal", "rio", "make")}
    with tempfile.TemporaryDirectory(prefix="cogsmith-validation-") as folder:
        report.check("every rule has a file", all_rules_are_broken())
        broken_files(report, folder, judges, rows)
        flipped_bits(report, folder, judges)
        if not report.only:
            for source in files_below(os.path.join(ROOT, "fixtures")):
                with_cogs(report, source, "fixtures/" + os.path.basename(source), folder, judges, rows)
            flavours(report, os.path.join(ROOT, "fixtures", "sentinel2_like.tif"), folder, judges, rows)
            for parent in folders:
                for source in files_below(parent):
                    with_cogs(report, source, os.path.relpath(source, parent), folder, judges, rows)
    print(f"{len(rows)} files, {sum(row.agrees() for row in rows if row.said)} verdicts equal to both judges'")
    if rewrite:
        write(rows, ROOT)
    elif not report.only:
        report.check("the page has all rules", page_is_current(ROOT))
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
