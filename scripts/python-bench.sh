#!/usr/bin/env bash
# Compares the Python package with its peers:  scripts/python-bench.sh large_array|cluster [OPTIONS] [WRITER…]
#
# Builds the wheel with --release and installs it, along with the peers, in an environment of its own. COGSMITH_WHEEL names a
# wheel to use instead, COGSMITH_PYTHON a Python where everything is already installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/python.sh

name=${1:?large_array or cluster}
shift
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
python=${COGSMITH_PYTHON:-}
if [ -z "$python" ]; then
    venv=$target/python-bench-venv
    python=$venv/bin/python
    if ! cat python/tests/requirements.txt benches/python/requirements.txt | cmp -s - "$venv/installed"; then
        rm -rf "$venv"
        "$(find_python)" -m venv "$venv"
        "$venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: -r python/tests/requirements.txt -r benches/python/requirements.txt
        cat python/tests/requirements.txt benches/python/requirements.txt >"$venv/installed"
    fi
    wheel=${COGSMITH_WHEEL:-}
    if [ -z "$wheel" ]; then
        rm -rf "$target/wheels-release"
        (cd python && CARGO_TARGET_DIR=$target "$venv/bin/maturin" build --release --locked --out "$target/wheels-release")
        wheel=$(ls "$target"/wheels-release/cogsmith-*.whl)
    fi
    echo "wheel of $(stat -c %s "$wheel") bytes"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "$wheel"
fi
exec "$python" "benches/python/$name.py" "$@"
