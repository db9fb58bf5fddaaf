"""examples/wasm-embed in Node: no imports, the bytes of the command, and no trap on damaged input.

    python wasm_embed.py        needs the module that wasm/scripts/compile.sh made, and node
"""

import json
import os
import subprocess
import sys
import tempfile

from command_line import ROOT, create
from report import Report

FIXTURES = sorted(name for name in os.listdir(os.path.join(ROOT, "fixtures")) if name.endswith(".tif"))


def main():
    report = Report("wasm_embed")
    target = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))
    module = os.path.join(target, "wasm", "wasm32-unknown-unknown", "release", "wasm_embed.wasm")
    inputs = [os.path.join(ROOT, "fixtures", name) for name in FIXTURES]
    with tempfile.TemporaryDirectory(prefix="cogsmith-embed-") as folder:
        p = subprocess.run(["node", os.path.join(ROOT, "wasm", "tests", "embed.mjs"), module, folder, *inputs],
                           capture_output=True, text=True, timeout=600)
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        report.check("node", [f"exit {p.returncode}: {p.stderr[-500:]}"] if p.returncode else [])
        report.check("imports", [f"the module imports {name}" for name in lines[0]["imports"]] if lines else ["no output"])
        results = {line["file"]: line for line in lines[1:]}

        def same_bytes(name):
            native = os.path.join(folder, f"native-{name}")
            r = create(os.path.join(ROOT, "fixtures", name), native, quiet=True)
            with open(native, "rb") as a, open(os.path.join(folder, name), "rb") as b:
                return [] if r.code == 0 and a.read() == b.read() else ["not the bytes of the command"]

        def damaged(name):
            result = results[name]
            tried = result["converted"] + result["refused"]
            return result["traps"] + ([] if result["refused"] >= 10 else [f"only {result['refused']} of {tried} damaged copies were refused"])

        for name in FIXTURES:
            report.run(f"bytes of {name}", same_bytes, name)
            report.run(f"damaged {name}", damaged, name)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
