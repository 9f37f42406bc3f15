#!/bin/sh
# Serves the API with plain `sam local start-api`. The function runs in AWS's container image, built
# for this machine's processor. `make start DOCKER=1` calls this script.
#
#   scripts/start_docker.sh [--host HOST] [--port PORT]
#
# The container serves the build in .aws-sam. After a change, start it again.
set -eu
cd "$(dirname "$0")/.."

if ! docker info >/dev/null 2>&1; then
    echo "make start DOCKER=1: Docker is not running. Start it, or omit DOCKER=1." >&2
    exit 1
fi
case $(uname -m) in
    arm64 | aarch64) architecture=arm64 ;;
    *) architecture=x86_64 ;;
esac

ARCH=$architecture sam build --build-in-source --parameter-overrides "Architecture=$architecture"
exec sam local start-api --template .aws-sam/build/template.yaml \
    --parameter-overrides "Architecture=$architecture" --warm-containers EAGER "$@"
