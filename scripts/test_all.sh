#!/bin/sh
# Runs what `make test` leaves out: the slow tests, and the other Pythons of this machine.
#
#   scripts/test_all.sh VENV
#
# VENV is the environment that `make` keeps; the other interpreters get one of their own beside it.
# The Python that the function runs on at AWS has every other test too, a third one those of the
# function itself. A version that is not installed is named and left out: CI has all three. The browser tests
# are no different on another Python: `make test-browser` runs them once.
set -eu

main=$1
runtime=3.13
of_the_function="tests/gateway tests/inference tests/service tests/trust"
main_version=$("$main/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
failed=

# Prints the interpreter of a version: on the PATH, or installed by pyenv without being active.
interpreter() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

make --no-print-directory .venv-checkov/.requirements-installed ||
    echo "== checkov can't be installed here; its test is left out"

for version in 3.11 3.12 3.13; do
    if [ "$version" = "$main_version" ]; then
        environment=$main
    elif python=$(interpreter "$version"); then
        environment=.venv-$version
        make --no-print-directory "$environment/.requirements-installed" \
            VENV="$environment" PYTHON="$python"
    else
        echo "== Python $version: not on this machine, left out"
        continue
    fi
    if [ "$version" = "$main_version" ]; then
        echo "== Python $version: the slow tests"
        "$environment/bin/python" -m pytest -q -m 'slow and not browser' || failed="$failed $version"
    elif [ "$version" = "$runtime" ]; then
        echo "== Python $version, the runtime's: the package, and every test but the slow ones"
        "$environment/bin/python" -m pytest -q -m 'not slow and not browser' ||
            failed="$failed $version"
        # They import what the package brings, and so can't run on another Python.
        "$environment/bin/python" -m pytest -q -m slow tests/package || failed="$failed $version"
    else
        echo "== Python $version: the tests of the function"
        # shellcheck disable=SC2086  # several paths
        "$environment/bin/python" -m pytest -q -m 'not slow' $of_the_function ||
            failed="$failed $version"
    fi
done

if [ -n "$failed" ]; then
    echo "make test-all: failed on Python$failed" >&2
    exit 1
fi
