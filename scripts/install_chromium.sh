#!/bin/sh
# Installs Debian's chromium for `make test-browser`, unless a browser is installed. Playwright's own
# builds are not used, because the system updates its package. The script never fails: without a
# browser the tests are skipped with a reason.
set -eu

for name in "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(uname)" != Linux ] || ! command -v apt-get >/dev/null 2>&1; then
    exit 0
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root='sudo -n'
    sudo -n true 2>/dev/null || exit 0
fi
echo "Installing Debian's chromium"
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium; } \
    >/dev/null 2>&1 || echo "apt-get could not install chromium" >&2
