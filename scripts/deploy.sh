#!/usr/bin/env bash
# Builds the function and deploys the stack of template.yaml.
#
#   scripts/deploy.sh [--stack NAME] [--arch arm64|x86_64] [SAM DEPLOY OPTIONS]
#
# Everything else goes to `sam deploy`, such as --region eu-west-1, --profile NAME, --guided or
# --parameter-overrides DetectionThreshold=0.5. Run again, it changes what has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "deploy.sh: $1" >&2
    exit 1
}

stack=matchvec
architecture=arm64
overrides=()
options=()
while [ $# -gt 0 ]; do
    case $1 in
        --stack) stack=${2:?--stack needs a name}; shift 2 ;;
        --arch) architecture=${2:?--arch needs arm64 or x86_64}; shift 2 ;;
        --parameter-overrides)
            shift
            while [ $# -gt 0 ] && [[ $1 != --* ]]; do overrides+=("$1"); shift; done
            ;;
        *) options+=("$1"); shift ;;
    esac
done

make --no-print-directory .venv/.requirements-installed
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0

echo "== Build for $architecture"
ARCH=$architecture sam build --build-in-source \
    --parameter-overrides "Architecture=$architecture"

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
limit=262144000
size=$(python -c 'import pathlib, sys
files = pathlib.Path(sys.argv[1]).rglob("*")
print(sum(file.stat().st_size for file in files if file.is_file()))' .aws-sam/build/MatchvecFunction)
echo "Package: $size bytes of the $limit that Lambda takes"
[ "$size" -le "$limit" ] || fail "the package for $architecture is too large; try --arch arm64."

echo "== Deploy stack $stack"
sam deploy --template-file .aws-sam/build/template.yaml --stack-name "$stack" \
    --capabilities CAPABILITY_IAM --resolve-s3 \
    --no-confirm-changeset --no-fail-on-empty-changeset \
    --parameter-overrides "Architecture=$architecture" ${overrides[0]+"${overrides[@]}"} \
    ${options[0]+"${options[@]}"}
