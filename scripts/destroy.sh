#!/usr/bin/env bash
# Delete a stack of scripts/deploy.sh, after confirmation.
#
#   scripts/destroy.sh [--stack NAME] [--region REGION] [--profile NAME] [--yes]
#
# This deletes the API, the function, the logs and the uploaded packages, also of a stack whose
# creation failed. docs/deploy.md lists what is kept and how to delete that too. --yes asks for no
# confirmation.
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
                --region) export AWS_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
            esac
            shift 2
            ;;
        --yes) confirmed=yes; shift ;;
        *) fail "unknown option $1. The comment at the top of this file lists the options." ;;
    esac
done

make --silent .venv/.start-installed >&2
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0
# SAM CLI and boto3 read AWS_DEFAULT_REGION only.
[ -z "${AWS_REGION-}" ] || export AWS_DEFAULT_REGION=$AWS_REGION
python -m scripts.deployment account
state=$(python -m scripts.deployment deletable "$stack")

if [ -z "$confirmed" ]; then
    printf 'Delete stack %s, with its API and its logs? Type its name: ' "$stack"
    read -r answer || answer=
    [ "$answer" = "$stack" ] || fail "nothing was deleted."
fi
if [ "$state" = REVIEW_IN_PROGRESS ]; then
    python -m scripts.deployment delete "$stack"
else
    sam delete --stack-name "$stack" --region "$(python -m scripts.deployment region)" \
        --s3-prefix "$stack" --no-prompts
fi
