#!/bin/sh
# Runs what `make test` leaves out: the slow tests, and the tests on other Python versions.
#
#   scripts/test_all.sh VENV
#
# VENV is the environment that `make` keeps. Every other Python version gets its own environment.
# AWS runs the function on Python 3.13, so that version runs every test but the slow ones, and the
# slow tests of the package. The third version runs the tests of the function. Versions that are
# not installed are skipped; CI has all three. Browser tests do not depend on the Python version.
set -eu

main=$1
runtime=3.13
function_tests="tests/gateway tests/inference tests/service tests/trust"
main_version=$("$main/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
failed=

# Prints the path of an interpreter: on the PATH, or installed by pyenv and not active.
interpreter() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Runs tests with an environment's Python, and notes the version if one fails.
run_tests() {
    "$environment/bin/python" -m pytest -q "$@" || failed="$failed $version"
}

make --no-print-directory .venv-checkov/.checkov-installed ||
    echo "== checkov cannot be installed here; its test is skipped"

for version in 3.11 3.12 3.13; do
    if [ "$version" = "$main_version" ]; then
        environment=$main
    elif python=$(interpreter "$version"); then
        environment=.venv-$version
        make --no-print-directory "$environment/.test-installed" VENV="$environment" PYTHON="$python"
    else
        echo "== Python $version is not installed, skipped"
        continue
    fi
    if [ "$version" = "$main_version" ]; then
        echo "== Python $version: the slow tests"
        run_tests -m 'slow and not browser'
    elif [ "$version" = "$runtime" ]; then
        echo "== Python $version, as on AWS: every test but the slow ones, and the package"
        run_tests -m 'not slow and not browser' -n auto --dist loadfile
        # These tests import the package's libraries, which are built for this version.
        run_tests -m slow tests/package
    else
        echo "== Python $version: the tests of the function"
        # shellcheck disable=SC2086  # several paths
        run_tests -m 'not slow' -n auto --dist loadfile $function_tests
    fi
done

if [ -n "$failed" ]; then
    echo "make test-all: failed on Python$failed" >&2
    exit 1
fi
