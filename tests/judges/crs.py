"""Coordinate reference systems: written by us, read by GDAL, compared by PROJ.

    python crs.py [--full] [--table FILE]      ONLY=words in the environment picks cases by name

Every valid EPSG code that is geographic, geocentric, projected or compound, and some hundred definitions with methods,
parameters, datums and units of their own, in WKT 1 of GDAL and Esri, WKT 2:2015 and 2019, PROJJSON and as PROJ strings:
equal after the way through the file, or refused. --full adds what GDAL makes of every code with a GeoTIFF of its own, and
all codes through Debian's GDAL; --table writes the table between the marks in docs/crs.md.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

import pyproj
from pyproj.database import query_crs_info
from pyproj.enums import PJType

import judges
from report import Report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
PROGRAM = os.path.join(TARGET, "debug", "examples", "many_crs")
KINDS = {"projected": PJType.PROJECTED_CRS, "geographic 2D": PJType.GEOGRAPHIC_2D_CRS, "geographic 3D": PJType.GEOGRAPHIC_3D_CRS,
         "geocentric": PJType.GEOCENTRIC_CRS, "compound": PJType.COMPOUND_CRS, "vertical": PJType.VERTICAL_CRS}
FORMATS = ("WKT1_GDAL", "WKT1_ESRI", "WKT2_2015", "WKT2_2019", "PROJJSON")

# Codes that can't come back equal, whoever writes the file, and why.
REASONS = {
    4266: "GDAL reads the datum as `M_poraloko`",
    5012: "in GeoTIFF 1.0, this vertical code meant another ellipsoid, and GDAL reads it as that; if the code is written alone, as in GeoTIFF 1.1, GDAL reads it without heights",
}
# Why GDAL's own files differ where ours don't.
GDAL_REASONS = {"geocentric": "GDAL writes only some of the parts; cogsmith writes the code"}


def ours(folder, texts, prefix=""):
    """Writes each of the texts; the paths, and what the program said: (code or None, kind), or the reason of a refusal."""
    if not texts:
        return [], []
    lines, paths = [], []
    for number, text in enumerate(texts):
        paths.append(os.path.join(folder, f"{number}.tif") if folder else "-")
        lines.append(prefix + paths[-1] + "\t" + " ".join(text.split("\n")) + "\n")
    ran = subprocess.run([PROGRAM], input="".join(lines), capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"{PROGRAM}: {ran.stderr}")
    answers = ran.stdout.rstrip("\n").split("\n")
    assert len(answers) == len(lines)
    said = []
    for answer in answers:
        word, rest = answer.split(" ", 1)
        if word == "ok":
            code, kind = rest.split(" ", 1)
            said.append((int(code) if code != "-" else None, kind))
        else:
            said.append(rest)
    return paths, said


def read(worker, paths, step=500):
    """What a GDAL finds in the files: WKT 2 (or None) and what it complained of."""
    out = []
    for start in range(0, len(paths), step):
        answer = worker.call("crs_of", paths=paths[start:start + step])
        if not answer["ok"]:
            raise SystemExit(f"{worker.name}: {answer['error']}")
        out += answer["found"]
    return out


def by_gdal(texts, folder, step=200):
    """What GDAL finds in GeoTIFFs that it wrote itself."""
    out = []
    for start in range(0, len(texts), step):
        answer = judges.NEW.call("crs_round", texts=texts[start:start + step], path=os.path.join(folder, "gdal.tif"))
        if not answer["ok"]:
            raise SystemExit(answer["error"])
        out += answer["found"]
    return out


def same(crs, wkt):
    try:
        if wkt is None:
            return False
        found = pyproj.CRS(wkt)
        if found.equals(crs, ignore_axis_order=True):
            return True
        # PROJ takes an ensemble and its realization for the same in a system, but not in the parts of a compound one.
        parts, others = found.sub_crs_list if found.is_compound else [], crs.sub_crs_list if crs.is_compound else []
        return bool(parts) and len(parts) == len(others) and all(same(b, a.to_wkt()) for a, b in zip(parts, others))
    except pyproj.exceptions.CRSError:
        return False


def normalised(crs):
    """The same with axes in the order and with the names that a GeoTIFF gives them: x first."""
    tree = crs.to_json_dict()

    def walk(tree):
        system = tree.get("coordinate_system")
        if tree.get("type") == "ProjectedCRS" and system and {axis["direction"] for axis in system["axis"]} == {"east", "north"}:
            system["axis"].sort(key=lambda axis: axis["direction"])
        for part in tree.get("components", []) + [tree[key] for key in ("source_crs",) if key in tree]:
            walk(part)

    walk(tree)
    return pyproj.CRS.from_json_dict(tree)


def same_but_for_order(crs, wkt):
    """GDAL gives a system that it knows by its name the axes of EPSG, north first or not."""
    return same(crs, wkt) or wkt is not None and same(normalised(crs), normalised(pyproj.CRS(wkt)).to_wkt())


def every_code(report, folder, full):
    """The table: kind, number, equal by us, equal by GDAL's own writing, and each code that is not."""
    rows, failures = [], []
    for kind, type_ in KINDS.items():
        # Some codes are listed once for each of their areas.
        codes = sorted({int(info.code) for info in query_crs_info("EPSG", type_)})
        if not report.wants(kind):
            continue
        paths, said = ours(folder, [f"EPSG:{code}" for code in codes])
        if kind == "vertical":
            for code, answer in zip(codes, said):
                report.check(f"EPSG:{code} alone", [] if isinstance(answer, str) and "compound" in answer else [f"not refused: {answer}"])
            continue
        for code, answer in zip(codes, said):
            if isinstance(answer, str):
                report.check(f"EPSG:{code}", [f"refused: {answer}"])
        found = read(judges.NEW, [path for path, answer in zip(paths, said) if not isinstance(answer, str)])
        kept = [code for code, answer in zip(codes, said) if not isinstance(answer, str)]
        bad = {}
        for code, (wkt, messages) in zip(kept, found):
            crs = pyproj.CRS.from_epsg(code)
            if messages:
                bad[code] = f"GDAL says: {messages[0]}"
            elif not same(crs, wkt):
                bad[code] = f"read as {wkt and pyproj.CRS(wkt).name}"
        own = by_gdal([f"EPSG:{code}" for code in (codes if full else sorted(bad))], folder)
        own_equal = {code: same(pyproj.CRS.from_epsg(code), wkt) for code, (wkt, _) in zip(codes if full else sorted(bad), own)}
        for code in codes:
            problems = []
            if code in bad and (own_equal[code] or code not in REASONS):
                problems = [bad[code], f"GDAL's own file is {'equal' if own_equal[code] else 'not equal either'}"]
            if code in REASONS and code not in bad:
                problems = ["this code works now: take it off the list"]
            report.check(f"EPSG:{code} ({kind})", problems)
        rows.append((kind, len(codes), len(kept) - len(bad), sum(own_equal.values()) if full else None))
        failures += [(code, kind, bad.get(code, "equal"), own_equal.get(code)) for code in codes if code in bad or own_equal.get(code) is False]
        sample = list(zip(kept, (path for path, answer in zip(paths, said) if not isinstance(answer, str))))
        sample = sample if full else sample[::25]
        # Debian's PROJ knows fewer codes, and some by other names: compared with what it makes of the code itself.
        answer = judges.OLD.call("crs_same", pairs=[[path, f"EPSG:{code}"] for code, path in sample])
        assert answer["ok"], answer
        for (code, _), (outcome, own) in zip(sample, answer["found"]):
            report.check(f"EPSG:{code} by Debian's GDAL", [] if outcome or own is False else ["not the same"])
        print(f"cases {kind} by Debian's GDAL: {len(sample)}, not in its database {sum(outcome == 'unknown' for outcome, _ in answer['found'])}")
    return rows, failures


def every_definition_of_a_code(report):
    """WKT and PROJJSON of every code are taken for the code."""
    for kind in ("projected", "geographic 2D", "geographic 3D", "geocentric"):
        codes = sorted({int(info.code) for info in query_crs_info("EPSG", KINDS[kind])})
        if not report.wants(f"definitions {kind}"):
            continue
        for form in ("WKT2_2019", "PROJJSON", "WKT1_GDAL"):
            texts, kept = [], []
            for code in codes:
                crs = pyproj.CRS.from_epsg(code)
                try:
                    texts.append(crs.to_json() if form == "PROJJSON" else crs.to_wkt(form))
                    kept.append(code)
                except pyproj.exceptions.CRSError:
                    pass
            _, said = ours(None, texts)
            wrong = [(code, answer) for code, answer in zip(kept, said) if isinstance(answer, str) or answer[0] != code]
            report.check(f"definitions {kind} {form} ({len(kept)})", [f"{code}: {answer}" for code, answer in wrong[:8]] +
                         ([f"{len(wrong)} in all"] if wrong else []))


METHODS = {
    "tmerc": "+proj=tmerc +lat_0=1.5 +lon_0=-72.25 +k=0.9999 +x_0=200000 +y_0=750000.5",
    "utm": "+proj=utm +zone=31", "utm south": "+proj=utm +zone=55 +south",
    "lcc 1sp": "+proj=lcc +lat_1=46.5 +lat_0=46.5 +lon_0=3 +k_0=0.99987742 +x_0=600000 +y_0=2200000",
    "lcc 2sp": "+proj=lcc +lat_1=33.5 +lat_2=45.25 +lat_0=23 +lon_0=-96 +x_0=1 +y_0=2",
    "albers": "+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=37.5 +lon_0=-96 +x_0=10 +y_0=20",
    "polar b": "+proj=stere +lat_0=90 +lat_ts=71 +lon_0=-39", "polar b south": "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=5 +x_0=6 +y_0=7",
    "polar a": "+proj=stere +lat_0=90 +k=0.994 +lon_0=10 +x_0=2000000 +y_0=2000000", "polar a south": "+proj=stere +lat_0=-90 +k=0.994 +lon_0=0",
    "stere": "+proj=stere +lat_0=40 +k=0.9996 +lon_0=-45 +x_0=5", "sterea": "+proj=sterea +lat_0=52.15 +lon_0=5.38 +k=0.9999 +x_0=155000 +y_0=463000",
    "laea": "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000", "laea pole": "+proj=laea +lat_0=-90 +lon_0=7",
    "merc a": "+proj=merc +lon_0=150 +k=0.997 +x_0=3900000 +y_0=900000", "merc b": "+proj=merc +lon_0=51 +lat_ts=42",
    "omerc b": "+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3158 +gamma=53.1301 +k=0.99984 +x_0=590476.87 +y_0=442857.65",
    "omerc a": "+proj=omerc +no_uoff +lat_0=4 +lonc=102.25 +alpha=323.0257 +gamma=323.1301 +k=0.99984 +x_0=804671",
    "somerc": "+proj=somerc +lat_0=46.95 +lon_0=7.44 +k_0=1 +x_0=600000 +y_0=200000",
    "sinu": "+proj=sinu +lon_0=3 +x_0=4", "eqc": "+proj=eqc +lat_ts=10 +lat_0=3 +lon_0=3", "cass": "+proj=cass +lat_0=10.44 +lon_0=-61.33 +x_0=86501 +y_0=65379",
    "gnom": "+proj=gnom +lat_0=3 +lon_0=4", "mill": "+proj=mill +lon_0=3", "ortho": "+proj=ortho +lat_0=3 +lon_0=4",
    "poly": "+proj=poly +lat_0=0 +lon_0=-54 +x_0=5000000 +y_0=10000000", "robin": "+proj=robin +lon_0=3", "vandg": "+proj=vandg +lon_0=3",
    "nzmg": "+proj=nzmg +lat_0=-41 +lon_0=173 +x_0=2510000 +y_0=6023150", "cea": "+proj=cea +lat_ts=30 +lon_0=3",
    "aeqd": "+proj=aeqd +lat_0=13.5 +lon_0=144.7 +x_0=100000 +y_0=200000", "eqdc": "+proj=eqdc +lat_1=40 +lat_2=45 +lat_0=41 +lon_0=3",
    "tmerc south": "+proj=tmerc +axis=wsu +lat_0=0 +lon_0=29 +k=1", "web": "+proj=webmerc",
    # What GeoKeys have no words for.
    "moll": "+proj=moll +lon_0=3", "krovak": "+proj=krovak +lat_0=49.5 +lon_0=24.83 +alpha=30.28 +k=0.9999", "eqearth": "+proj=eqearth +lon_0=3",
    "omerc 2 points": "+proj=omerc +lat_0=4 +lat_1=1 +lon_1=2 +lat_2=3 +lon_2=4", "goode": "+proj=igh", "geos": "+proj=geos +h=35785831 +lon_0=3",
    "bonne": "+proj=bonne +lat_1=40 +lon_0=3", "tpeqd": "+proj=tpeqd +lat_1=1 +lon_1=2 +lat_2=3 +lon_2=4",
    "longlat": "+proj=longlat", "geocent": "+proj=geocent",
}
DATUMS = {"wgs84": "+datum=WGS84", "nad83 ftUS": "+datum=NAD83 +units=us-ft", "nad27": "+datum=NAD27", "grs80 ft": "+ellps=GRS80 +units=ft",
          "bessel": "+ellps=bessel", "sphere": "+R=6371007.181", "own": "+a=6378000 +rf=300 +units=km", "towgs84": "+ellps=intl +towgs84=1,2,3",
          "towgs84 7": "+ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7", "paris": "+ellps=intl +pm=paris", "meridian": "+ellps=intl +pm=7.5",
          "own unit": "+datum=WGS84 +to_meter=0.4"}


def texts_of(crs, proj=None):
    forms = {"PROJ": proj} if proj else {}
    for form in FORMATS:
        try:
            text = crs.to_json() if form == "PROJJSON" else crs.to_wkt(form)
        except pyproj.exceptions.CRSError:
            text = None
        if text:
            forms[form] = text
    return forms


def definitions(full):
    """Names with texts and what each of them means to PROJ."""
    out = []
    for number, (method, text) in enumerate(METHODS.items()):
        for place, (datum, words) in enumerate(DATUMS.items()):
            # Each method with WGS 84, and with two others that change from method to method.
            if not full and place and (place - number) % 11 not in (0, 5):
                continue
            if method in ("longlat", "geocent"):
                words = " ".join(word for word in words.split() if method == "geocent" and "km" not in word or not word.startswith(("+units", "+to_meter")))
            proj = f"{text} {words}"
            try:
                crs = pyproj.CRS(proj)
            except pyproj.exceptions.CRSError:
                continue
            for form, written in texts_of(crs, proj).items():
                out.append((f"{method}, {datum}, {form}", written))
    # Parts of EPSG's with parameters of our own; some keep a code that they no longer deserve.
    for code, keep in [(32633, True), (32633, False), (2154, True), (2154, False), (3035, True), (27700, False), (31467, True), (2225, True), (3031, True),
                       (3031, False), (5641, False), (28992, True), (29903, False), (2193, True), (27572, False), (27572, True), (2056, True), (21781, False),
                       (3375, True), (29101, False), (5880, True), (102, False), (3571, False), (3832, True), (3395, True), (2065, False), (5514, False),
                       (22275, False), (4087, False), (4326, False), (4807, False), (4979, False), (4978, False), (6326, False), (4258, False)]:
        try:
            tree = pyproj.CRS.from_epsg(code).to_json_dict()
        except pyproj.exceptions.CRSError:
            continue
        if not keep:
            tree.pop("id")
        for parameter in tree.get("conversion", {}).get("parameters", []):
            if parameter["name"].startswith(("False", "Easting", "Northing")):
                parameter["value"] += 1000
            elif parameter["name"].startswith("Long"):
                parameter["value"] += 0.125
        crs = pyproj.CRS.from_json_dict(tree)
        out += [(f"EPSG:{code} changed{', with its code' if keep else ''}, {form}", text) for form, text in texts_of(crs).items()]
    for horizontal in (32633, 4326, 2225, 3035):
        for vertical in (5773, 5703, 6360, 5701, 8228, 5715):
            h, v = pyproj.CRS(horizontal), pyproj.CRS(vertical)
            crs = pyproj.crs.CompoundCRS(f"{h.name} + {v.name}", [h, v])
            out += [(f"EPSG:{horizontal}+{vertical}, {form}", text) for form, text in texts_of(crs).items()]
    v = pyproj.CRS(5703).to_json_dict()
    v.pop("id")
    v["name"] = "mine"
    for unit in ("metre", {"type": "LinearUnit", "name": "US survey foot", "conversion_factor": 0.304800609601219}):
        v["coordinate_system"]["axis"][0]["unit"] = unit
        crs = pyproj.crs.CompoundCRS("both", [pyproj.CRS(32633), pyproj.CRS.from_json_dict(v)])
        out += [(f"vertical of our own in {unit if isinstance(unit, str) else unit['name']}, {form}", text) for form, text in texts_of(crs).items()]
    return out


def user_defined(report, folder, full):
    cases = [case for case in definitions(full) if report.wants(case[0])]
    paths, said = ours(folder, [text for _, text in cases])
    written = [(case, path, answer) for case, path, answer in zip(cases, paths, said) if not isinstance(answer, str)]
    found = read(judges.NEW, [path for _, path, _ in written])
    refused = collections.Counter(answer.split(":", 1)[1][:60] for answer in said if isinstance(answer, str))
    doubtful = []
    for (case, _, answer), (wkt, messages) in zip(written, found):
        crs = pyproj.CRS(case[1])
        if messages:
            report.check(case[0], [f"GDAL says: {messages[0]}"])
        elif same_but_for_order(crs, wkt):
            report.check(case[0], [])
        else:
            doubtful.append((case, answer, wkt))
    own = by_gdal([case[1] for case, _, _ in doubtful], folder)
    for (case, answer, wkt), (gdal, _) in zip(doubtful, own):
        # PROJ's reading of Esri's text has other names than its own text: what GDAL makes of it is the measure.
        if gdal is not None and wkt is not None and pyproj.CRS(gdal).equals(pyproj.CRS(wkt), ignore_axis_order=True):
            report.check(case[0], [])
            continue
        report.check(case[0], [f"written as {answer}, read as {wkt}", f"is {pyproj.CRS(case[1]).to_wkt()}",
                               f"GDAL's own file is {'equal' if same(pyproj.CRS(case[1]), gdal) else 'not equal either'}"])
    print(f"cases of definitions: {len(cases)}, written {len(written)}, not equal at first sight {len(doubtful)}, refused {len(cases) - len(written)}")
    for reason, count in refused.most_common():
        print(f"     {count} refused:{reason}")
    # When WKT in the citation is allowed, GDAL reads what keys can't say.
    rest = [case for case, answer in zip(cases, said) if isinstance(answer, str) and ", PROJ" != case[0][-6:]]
    paths, said = ours(folder, [text for _, text in rest], prefix="wkt:")
    written = [(case, path) for case, path, answer in zip(rest, paths, said) if not isinstance(answer, str)]
    for (case, _), (wkt, messages) in zip(written, read(judges.NEW, [path for _, path in written])):
        crs = pyproj.CRS(case[1])
        equal = same_but_for_order(crs, wkt)
        report.check(f"{case[0]}, as WKT", messages[:1] + ([] if equal else [f"read as {wkt}", f"is {crs.to_wkt()}"]))
    print(f"cases of WKT in the citation: {len(written)} of {len(rest)}")


def write_table(path, rows, failures):
    version = pyproj.database.get_database_metadata("EPSG.VERSION")
    lines = [f"EPSG {version}, GDAL {judges.NEW.call('version')['version']}, PROJ {pyproj.proj_version_str}:", "",
             "| kind | codes | equal, written by cogsmith | equal, written by GDAL |", "|---|---|---|---|"]
    lines += [f"| {kind} | {count} | {equal} | {own} |" for kind, count, equal, own in rows]
    lines += ["", "| code | kind | written by cogsmith | written by GDAL | why not equal |", "|---|---|---|---|---|"]
    lines += [f"| {code} | {kind} | {'not equal' if outcome != 'equal' else outcome} | {'equal' if own else 'not equal'} | "
              f"{REASONS.get(code, GDAL_REASONS.get(kind, ''))} |" for code, kind, outcome, own in failures]
    with open(path) as file:
        before, rest = file.read().split("<!-- codes -->\n")
        after = rest.split("<!-- end of codes -->\n")[1]
    with open(path, "w") as file:
        file.write(before + "<!-- codes -->\n" + "\n".join(lines) + "\n<!-- end of codes -->\n" + after)


def main():
    full = "--full" in sys.argv
    report = Report("crs")
    with tempfile.TemporaryDirectory() as folder:
        rows, failures = every_code(report, folder, full)
        every_definition_of_a_code(report)
        user_defined(report, folder, full)
    for kind, count, equal, own in rows:
        print(f"cases {kind}: {equal} of {count} equal" + (f", {own} written by GDAL" if own is not None else ""))
    if "--table" in sys.argv:
        write_table(sys.argv[sys.argv.index("--table") + 1], rows, failures)
    judges.NEW.close()
    judges.OLD.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
