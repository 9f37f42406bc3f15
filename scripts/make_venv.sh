#!/bin/sh
# Makes the virtual environment that every `make` target runs in, or brings it up to date.
#
#   scripts/make_venv.sh DIRECTORY REQUIREMENTS [PYTHON]
#
# PYTHON is taken if given; otherwise the first of python3, python3.13, python3.12, python3.11
# that is a supported version (the default python3 of a machine is often older or newer).
# pip's own settings (PIP_INDEX_URL, pip.conf, proxies) apply as everywhere.
set -eu

directory=$1
requirements=$2
wanted=${3:-}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

fail() {
    printf 'make: %s\n' "$@" >&2
    exit 1
}

find_python() {
    for candidate in ${wanted:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null 2>&1 && supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    found=$("${wanted:-python3}" --version 2>&1) || found="no ${wanted:-python3}"
    fail "Matchvec needs Python 3.11, 3.12 or 3.13; found: $found." \
        "Install one (https://www.python.org/downloads/) or name it: make PYTHON=/path/to/python3.12"
}

if [ ! -x "$directory/bin/python" ] || ! supported "$directory/bin/python"; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "$python cannot make virtual environments." \
        "On Debian and Ubuntu: sudo apt-get install python3-venv"
    echo "Making $directory with $("$python" --version) ($python)"
    "$python" -m venv --clear "$directory"
fi

echo "Installing $requirements into $directory (once, and again when it changes)"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" || fail \
    "pip could not install $requirements; its message is above." \
    "It needs a package index: without internet, set PIP_INDEX_URL or PIP_FIND_LINKS."
