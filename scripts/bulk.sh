#!/usr/bin/env bash
# Answers the pictures of a bucket, by a stack that was deployed with ArchiveBucket.
#
#   scripts/bulk.sh start --prefix 2024/        everything below a prefix ("" for all) that has no row yet
#   scripts/bulk.sh start --inventory s3://...  everything of a list by S3 Inventory, by its manifest.json
#   scripts/bulk.sh start --manifest FILE       everything of a list of keys, here or in S3
#   scripts/bulk.sh status [--run NAME]         how far the last run is, and what it cost so far
#   scripts/bulk.sh results [--output FILE]     how many rows there are, and all of them in a file
#   scripts/bulk.sh watch                       answer new objects as they arrive (needs Arrivals=true)
#   scripts/bulk.sh unwatch                     no longer
#
#   --stack NAME, --region REGION, --profile NAME, as for scripts/deploy.sh
#   --route predict|object_detection (start, results), --batch 100, --dry-run (start),
#   --follow (status), --resume, --overwrite (results, whose FILE is JSON lines, or CSV if it ends in .csv)
#
# docs/scale.md tells more. All but watch and unwatch is `matchvec bulk` too, for who has only the client.
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --region | --profile)
            [ $# -ge 2 ] || { echo "bulk.sh: $1 needs a value." >&2; exit 1; }
            case $1 in
                --region) export AWS_REGION=$2 AWS_DEFAULT_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
            esac
            shift 2
            ;;
        --help | -h) sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /d; p;}' "$0"; exit ;;
        *) arguments+=("$1"); shift ;;
    esac
done
make --silent .venv/.start-installed
PYTHONPATH=client exec .venv/bin/python -m scripts.bulk ${arguments[0]+"${arguments[@]}"}
