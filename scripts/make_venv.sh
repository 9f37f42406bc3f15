#!/bin/sh
# Creates the virtual environment that the `make` targets use, or updates it.
#
#   scripts/make_venv.sh DIRECTORY GROUP [PYTHON]
#
# GROUP is a dependency group of pyproject.toml. Without PYTHON, the first supported version of
# python3, python3.13, python3.12 and python3.11 is used. pip reads its own settings
# (PIP_INDEX_URL, pip.conf, proxies) as usual.
set -eu

directory=$1
group=$2
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
        "$python cannot create virtual environments." \
        "On Debian and Ubuntu: sudo apt-get install python3-venv"
    echo "Creating $directory with $("$python" --version) ($python)"
    "$python" -m venv --clear "$directory"
fi

case $group in
    start) cost="about a minute, 700 MB" ;;
    test) cost="about a minute, 500 MB more" ;;
    browser) cost="half a minute, 340 MB more" ;;
    *) cost="about a minute" ;;
esac
set -- --group "$group"
if [ "$group" != checkov ]; then
    set -- "$@" --requirement requirements.txt --constraint constraints.txt
fi

pip() {
    "$directory/bin/python" -m pip --quiet --disable-pip-version-check install "$@"
}

echo "Installing the $group dependencies into $directory ($cost)"
# --group needs pip 25.1, which is newer than the pip that Python 3.11 to 3.13 bring.
{ pip 'pip==26.3' && pip "$@"; } || fail \
    "pip could not install the $group dependencies; its message is above." \
    "It needs a package index. Without internet access, set PIP_INDEX_URL or PIP_FIND_LINKS."
touch "$directory/.$group-installed"
