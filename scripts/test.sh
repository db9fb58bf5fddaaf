#!/usr/bin/env bash
# Installs what the tests need and runs them all: the README's second command.
#
#   scripts/test.sh            everything that has to pass before a change lands
#   scripts/test.sh --full     also the grid of oracle cases in all combinations (hours)
#   scripts/test.sh STAGE…     only these stages (see the list below)
#
# Needs Rust and, if the oracles are not installed yet, Debian's apt and Python 3.12 or later.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

FULL=
STAGES=()
for word in "$@"; do
    case "$word" in
        --full) FULL=--full ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) STAGES+=("$word") ;;
    esac
done

# The tests of a package build it first.
[[ " ${STAGES[*]} " != *" stores "* ]] || STAGES+=(store-build)
for name in wasm python; do
    [[ " ${STAGES[*]} " != *" $name "* ]] || STAGES+=("$name-build")
done

export CARGO_TERM_COLOR=never PYTHONDONTWRITEBYTECODE=1 GDAL_PAM_ENABLED=NO
# In a fresh clone, nothing is built twice, so incremental builds only cost time.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
TARGET=${CARGO_TARGET_DIR:-target}
VENV=$TARGET/judges-venv
PEERS_VENV=$TARGET/python-venv
LOGS=$TARGET/test-logs
PINNED="gdal-wheel==3.13.3 rasterio==1.5.2 rio-cogeo==7.0.4 tifffile==2026.11.8 imagecodecs==2026.10.10 pyproj==3.8.0"
# The minimum Rust version, which the crates in the lock file are chosen for.
RUST_VERSION=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# Crates that build or bind C: none may be in the default build.
C_CRATES='^(cc|cmake|bindgen|pkg-config|vcpkg|.*-sys) v'
# Bindings to the kernel and C library that every system has, which compile nothing.
NO_C='^(linux-raw-sys|windows-sys|js-sys|web-sys|redox_syscall|hermit-abi|core-foundation-sys|security-framework-sys) v'
# What the packages are built for. Crates for other systems, such as Haiku, may compile C there.
SHIPPED="x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin x86_64-pc-windows-msvc"
STORES=$TARGET/stores
MOTO="moto[server]==5.2.5"
AZURITE=azurite@3.37.0
mkdir -p "$LOGS"

# One line per finished stage: name, seconds, seconds of CPU time, ok or FAILED.
RESULTS=$LOGS/results
: >"$RESULTS"

# wanted STAGE…: succeeds if one of these is to run
wanted() {
    local name
    [ ${#STAGES[@]} -gt 0 ] || return 0
    for name in "$@"; do [[ " ${STAGES[*]} " != *" $name "* ]] || return 0; done
    return 1
}

# cpu_seconds: sets CPU to the time that the commands of this shell have used so far
cpu_seconds() {
    local file=$LOGS/times.$BASHPID
    times >"$file"
    CPU=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$file")
    rm "$file"
}

# stage NAME COMMAND…: runs it with its output in a log; shows totals, and the log on failure
stage() {
    local name=$1 began=$SECONDS cpu log outcome
    shift
    wanted "$name" || return 0
    log=$LOGS/$name.log
    cpu_seconds
    cpu=$CPU
    if "$@" >"$log" 2>&1; then outcome=ok; else outcome=FAILED; fi
    cpu_seconds
    (
        # Lanes take turns printing.
        flock 8
        echo "$name $((SECONDS - began)) $((CPU - cpu)) $outcome" >>"$RESULTS"
        echo "== $name"
        if [ "$outcome" = ok ]; then
            grep -E '^(test result:|running [0-9]+ tests?$|[0-9]+ passed|judge |cases|FAIL |module: |package: )' "$log" || true
        else
            tail -c 60000 "$log"
            echo "== $name FAILED"
        fi
    ) 8>"$LOGS/print.lock"
}

. "$(dirname "${BASH_SOURCE[0]}")/python.sh"

# apt_install PACKAGE…: one apt at a time
apt_install() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    (
        flock 9
        $sudo apt-get update -qq &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    ) 9>"$LOGS/apt.lock"
}

install_old_gdal() {
    # One by one: 'command -v' succeeds if any of several exists.
    /usr/bin/python3 -c 'from osgeo import gdal' 2>/dev/null && command -v gdalinfo >/dev/null &&
        command -v tiffcp >/dev/null && return
    apt_install gdal-bin python3-gdal python3-numpy libtiff-tools
}

install_new_judges() {
    local python stamp=$VENV/installed
    [ "$(cat "$stamp" 2>/dev/null)" = "$PINNED" ] && return
    python=$(find_python) || return 1
    rm -rf "$VENV"
    "$python" -m venv "$VENV" &&
        "$VENV/bin/pip" install -q --disable-pip-version-check --only-binary :all: $PINNED &&
        echo "$PINNED" >"$stamp"
}

# A compiler for WebAssembly if rustup has none, and a browser.
install_wasm() {
    local packages=
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] && ! { command -v wasm-ld-22 && [ -d /usr/lib/rustlib/src/rust/library ]; }; then
        packages="rustc-web cargo-web rust-web-src lld-22"
    fi
    command -v chromium || command -v chromium-browser || command -v google-chrome || packages="$packages chromium"
    [ -z "$packages" ] || apt_install $packages
}

# The peers and test tools of the Python package.
install_python_peers() {
    local python stamp=$PEERS_VENV/installed wanted=python/tests/requirements.txt
    cmp -s "$wanted" "$stamp" && return
    python=$(find_python) || return 1
    rm -rf "$PEERS_VENV"
    "$python" -m venv "$PEERS_VENV" &&
        "$PEERS_VENV/bin/pip" install -q --disable-pip-version-check --only-binary :all: -r "$wanted" &&
        cp "$wanted" "$stamp"
}

# Servers with the interfaces of S3 and Azure.
install_stores() {
    local python
    command -v npm >/dev/null || apt_install nodejs npm || return 1
    if [ "$(cat "$STORES/installed" 2>/dev/null)" != "$MOTO $AZURITE" ]; then
        python=$(find_python) || return 1
        rm -rf "$STORES/venv" "$STORES/azurite"
        mkdir -p "$STORES/azurite"
        "$python" -m venv "$STORES/venv" &&
            "$STORES/venv/bin/pip" install -q --disable-pip-version-check "$MOTO" &&
            npm install --silent --no-audit --no-fund --prefix "$STORES/azurite" "$AZURITE" &&
            echo "$MOTO $AZURITE" >"$STORES/installed"
    fi
}

# The oracles are installed while cargo builds, unless no stage needs them.
APT='' PIP='' APT_WASM='' PEERS=''
if wanted judges main-job command faults flavours auxiliary georeference grid kernels lossy mosaic vrt pictures preview explain recipes nodata geotiff-js crs validation edit patch sparse lerc warp pixels stores wasm examples fixtures python; then
    install_old_gdal >"$LOGS/apt.log" 2>&1 &
    APT=$!
    install_new_judges >"$LOGS/pip.log" 2>&1 &
    PIP=$!
fi
SERVERS=
if wanted stores python; then
    install_stores >"$LOGS/stores-install.log" 2>&1 &
    SERVERS=$!
fi
if wanted wasm-build wasm; then
    install_wasm >"$LOGS/apt-wasm.log" 2>&1 &
    APT_WASM=$!
fi
if wanted python-build python; then
    install_python_peers >"$LOGS/peers.log" 2>&1 &
    PEERS=$!
fi

# installed NAME PID LOG: waits for an installation; a failure fails the run
installed() {
    [ -z "$2" ] || wait "$2" || { cat "$LOGS/$3.log"; echo "could not install $1"; return 1; }
}

judges_ready() {
    installed "GDAL and libtiff from Debian" "$APT" apt || return 1
    installed "the Python oracles" "$PIP" pip || return 1
    installed "the compiler for WebAssembly, or a browser" "$APT_WASM" apt-wasm || return 1
    installed "the packages that the Python package is compared with" "$PEERS" peers || return 1
    [ -z "$PIP" ] || "$VENV/bin/python" tests/judges/versions.py
}

no_c_in_default_build() {
    local found
    found=$(cargo tree -e normal,build --target all -p cogsmith --prefix none --locked) || return 1
    echo "$found"
    found=$(echo "$found" | sed 's/ (.*//' | sort -u | grep -E "$C_CRATES" | grep -vE "$NO_C")
    [ -z "$found" ] || { echo "the default features of the library compile C through:"; echo "$found"; return 1; }
    local target
    for target in $SHIPPED; do
        found=$(cargo tree -e normal,build --target "$target" -p cogsmith-cli --features store --prefix none --locked) || return 1
        found=$(echo "$found" | sed 's/ (.*//' | sort -u | grep -E "$C_CRATES" | grep -vE "$NO_C")
        [ -z "$found" ] || { echo "the feature 'store' of the command compiles C for $target through:"; echo "$found"; return 1; }
    done
}

# The command with the feature 'store' is another one than that of the other stages.
store_build() {
    mkdir -p "$STORES"
    cargo clippy -p cogsmith-cli --features store --all-targets --locked -- -D warnings &&
        cargo clippy -p cogsmith-store --all-targets --locked -- -D warnings &&
        cargo build -p cogsmith-cli --features store --locked && cp "$TARGET/debug/cogsmith" "$STORES/cogsmith"
    local status=$?
    cargo build -q -p cogsmith-cli --locked || status=1
    return $status
}

stores() { installed "moto and Azurite" "$SERVERS" stores-install && STORES=$STORES COGSMITH=$STORES/cogsmith judge stores; }

features() {
    local feature
    cargo check -q --locked -p cogsmith --no-default-features || return 1
    for feature in $(cargo metadata --format-version 1 --no-deps --locked |
        python3 -c 'import json,sys; print(*[f for p in json.load(sys.stdin)["packages"] if p["name"] == "cogsmith" for f in p["features"] if f != "default"])'); do
        echo "feature $feature alone"
        cargo check -q --locked -p cogsmith --no-default-features --features "$feature" || return 1
    done
    cargo check -q --locked -p cogsmith --all-features
}

# Each example gets a file to write, which has to be a sound COG; the corpus example gets a folder to read.
examples() {
    local example out status=0
    out=$(mktemp -d)
    for example in examples/*.rs; do
        [ -e "$example" ] || { echo "no examples"; status=1; break; }
        example=$(basename "$example" .rs)
        echo "example $example"
        case "$example" in
            corpus) cargo run -q --locked --example corpus -- fixtures || status=1 ;;
            many_crs) printf '%s\tEPSG:32633\n' "$out/$example.tif" | cargo run -q --locked --example "$example" | grep -q '^ok 32633' || status=1 ;;
            *)
                cargo run -q --locked --example "$example" -- "$out/$example.tif" &&
                    "$VENV/bin/python" tests/judges/layout.py "$out/$example.tif" || status=1
                ;;
        esac
    done
    rm -rf "$out"
    return $status
}

main_job() {
    local out
    out=$(mktemp -d)
    cargo run -q --locked -- create fixtures/sentinel2_like.tif "$out/out.tif" && "$VENV/bin/python" tests/judges/layout.py "$out/out.tif"
    local status=$?
    rm -rf "$out"
    return $status
}

fixtures_same() {
    local out status=0 f
    out=$(mktemp -d)
    "$VENV/bin/python" fixtures/make.py "$out" || status=1
    for f in fixtures/*.tif; do cmp "$f" "$out/$(basename "$f")" || status=1; done
    rm -rf "$out"
    return $status
}

# The compiler in use is not older than the minimum version, and no locked crate requires a newer one than that.
rust_version() {
    local used
    used=$(rustc --version | cut -d' ' -f2)
    echo "minimum $RUST_VERSION, in use $used"
    [ "$(printf '%s\n' "$RUST_VERSION" "$used" | sort -V | head -n 1)" = "$RUST_VERSION" ] || { echo "the compiler is older than rust-version in Cargo.toml"; return 1; }
    cargo metadata --format-version 1 --locked | python3 -c '
import json, sys
promised = tuple(map(int, sys.argv[1].split(".")))
newer = [(p["name"], p["rust_version"]) for p in json.load(sys.stdin)["packages"] if p["rust_version"] and tuple(map(int, p["rust_version"].split(".")))[:2] > promised]
print("crates that want a newer compiler:", newer or "none")
sys.exit(bool(newer))' "$RUST_VERSION"
}

# Node, geotiff.js, and Chromium use the npm package and the page; Node runs the embedding example.
wasm() { judge wasm && judge wasm_embed; }

judge() { "$VENV/bin/python" "tests/judges/$1.py" "${@:2}"; }

# Two halves in parallel: the oracles wait for each other's processes much of the time.
grid() {
    local first status=0
    judge grid --part 1/2 $FULL >"$LOGS/grid-1.log" 2>&1 &
    first=$!
    judge grid --part 2/2 $FULL || status=1
    wait "$first" || status=1
    cat "$LOGS/grid-1.log"
    return $status
}

# The table of EPSG codes matches the oracle's database.
mosaic() { judge mosaic && judge mosaic_large; }

crs() { "$VENV/bin/python" scripts/epsg_table.py --check && judge crs $FULL; }

# Coordinates and grids need the examples of their crate.
warp() { cargo build -q -p cogsmith-warp --examples --locked && judge warp_coordinates && judge warp; }

# The wheel is built once, and tried in an environment with only numpy, using the oldest installed Python.
python_build() {
    local wheel alone=$TARGET/python-alone target
    target=$(cd "$TARGET" && pwd)
    cargo fmt --manifest-path python/Cargo.toml --check -- --color never || return 1
    rm -rf "$TARGET/wheels" "$alone"
    (cd python && CARGO_TARGET_DIR=$target "$target/python-venv/bin/maturin" build --profile dev --locked --out "$target/wheels") || return 1
    wheel=$(ls "$target"/wheels/cogsmith-*.whl) || return 1
    "$(find_oldest_python)" -m venv "$alone" && "$alone/bin/pip" install -q --disable-pip-version-check "$wheel" || return 1
    "$alone/bin/python" -c 'import cogsmith, numpy, sys; print("alone with Python", sys.version.split()[0], "and numpy", numpy.__version__); assert cogsmith.write(numpy.zeros((4, 4)), ":mem:")[:2] == b"II"'
}

# The wheel among its peers. Files that the tests wrote are read once more by oracles outside the peers' environment.
python_package() {
    local wheel written status=0
    wheel=$(realpath "$TARGET"/wheels/cogsmith-*.whl) || return 1
    "$PEERS_VENV/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "$wheel" || return 1
    written=$(mktemp -d)
    COGSMITH_JUDGED=$written COGSMITH_WHEEL=$wheel "$PEERS_VENV/bin/python" -m pytest -q -n auto -p no:cacheprovider --color=no --durations=10 -c python/pyproject.toml python/tests || status=1
    judge python_files "$written" || status=1
    installed "moto and Azurite" "$SERVERS" stores-install &&
        STORES=$STORES "$PEERS_VENV/bin/python" tests/judges/dask_stores.py || status=1
    rm -rf "$written"
    return $status
}

# Two parallel lanes, because linking and many oracles keep only one core busy: stages that compile, and stages that use the
# binary.
compilers() {
    stage clippy cargo clippy --workspace --all-targets --locked -- -D warnings
    stage doc env RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps -p cogsmith -p cogsmith-lerc -p cogsmith-store -p cogsmith-warp --locked
    stage features features
    stage package scripts/package.sh check
    stage python-build python_build
    stage wasm-build wasm/scripts/build.sh page
}

oracles() {
    stage fmt cargo fmt --all --check -- --color never
    stage no-c no_c_in_default_build
    stage rust-version rust_version
    stage command judge command
    stage faults judge faults
    stage flavours judge flavours
    stage pixels judge pixels
    stage auxiliary judge auxiliary
    stage georeference judge georeference
    stage grid grid
    stage kernels judge kernels $FULL
    stage lossy judge lossy
    stage mosaic mosaic
    stage vrt judge vrt
    stage pictures judge pictures
    stage preview judge preview
    stage explain judge explain
    stage recipes judge recipes
    stage nodata judge nodata
    stage geotiff-js judge geotiff_js
    stage crs crs
    stage validation judge validation
    stage edit judge edit
    stage patch judge patch
    stage sparse judge sparse
    stage lerc judge lerc
    stage warp warp
    stage stores stores
    stage fixtures fixtures_same
}

stage build cargo build --workspace --all-targets --locked
stage store-build store_build
stage unit cargo test --workspace --locked
stage judges judges_ready
# Other stages need the oracles, too.
wanted judges || judges_ready >"$LOGS/judges.log" 2>&1 || { cat "$LOGS/judges.log"; exit 1; }
stage main-job main_job
stage examples examples
compilers &
LANE=$!
oracles
wait $LANE
# These measure time, or stop processes at some moment: nothing else runs meanwhile.
stage wasm wasm
stage python python_package

NAMES='' FAILED=0
while read -r name _ _ outcome; do
    NAMES="$NAMES $name "
    [ "$outcome" = ok ] || FAILED=1
done <"$RESULTS"
for name in "${STAGES[@]}"; do
    [[ "$NAMES" == *" $name "* ]] || { echo "unknown stage '$name'"; FAILED=1; }
done

wait
echo
echo "stage        seconds     CPU"
awk '{ printf "%-12s %7d %7d  %s\n", $1, $2, $3, $4 }' "$RESULTS"
printf '%-12s %7d\n' all "$SECONDS"
exit $FAILED
