#!/usr/bin/env bash
# Deletes a stack that scripts/deploy.sh made, after asking.
#
#   scripts/destroy.sh [--stack NAME] [--region REGION] [--profile NAME] [--yes]
#
# Its API, function, logs and packages go; what stays, and how to remove that too, is in
# docs/deploy.md. --yes is for scripts: nothing is asked.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'destroy.sh: %s\n' "$@" >&2
    exit 1
}

stack=matchvec
confirmed=
while [ $# -gt 0 ]; do
    case $1 in
        --stack | --region | --profile)
            [ $# -ge 2 ] || fail "$1 needs a value."
            case $1 in
                --stack) stack=$2 ;;
                --region) export AWS_REGION=$2 AWS_DEFAULT_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
            esac
            shift 2
            ;;
        --yes) confirmed=yes; shift ;;
        *) fail "there is no option $1; the head of this file lists them." ;;
    esac
done

make --silent .venv/.start-installed
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0
python -m scripts.deployment account
python -m scripts.deployment url "$stack" >/dev/null

if [ -z "$confirmed" ]; then
    printf 'Delete stack %s, with its API and its logs? Type its name: ' "$stack"
    read -r answer || answer=
    [ "$answer" = "$stack" ] || fail "nothing was deleted."
fi
sam delete --stack-name "$stack" --region "$(python -m scripts.deployment region)" \
    --s3-prefix "$stack" --no-prompts
