# To be sourced: finds a Python that the newest GDAL wheels support.

find_python() {
    local name candidate
    for name in python3.13 python3.14 python3.12; do
        candidate=$(command -v "$name" 2>/dev/null) && "$candidate" -c 'import venv' 2>/dev/null && { echo "$candidate"; return; }
    done
    if command -v pyenv >/dev/null; then
        for candidate in "$(pyenv root)"/versions/3.13*/bin/python "$(pyenv root)"/versions/3.12*/bin/python; do
            [ -x "$candidate" ] && { echo "$candidate"; return; }
        done
    fi
    echo "Python 3.12 or later not found; the newest GDAL wheels need it" >&2
    return 1
}

# The oldest installed Python that the package supports, or any other: the wheel is the same for all.
find_oldest_python() {
    local candidate
    for candidate in python3.10 python3.11; do
        candidate=$(command -v "$candidate" 2>/dev/null) && "$candidate" -c 'import ensurepip, venv' 2>/dev/null && { echo "$candidate"; return; }
    done
    if command -v pyenv >/dev/null; then
        for candidate in "$(pyenv root)"/versions/3.10*/bin/python "$(pyenv root)"/versions/3.11*/bin/python; do
            [ -x "$candidate" ] && { echo "$candidate"; return; }
        done
    fi
    find_python
}
