#!/usr/bin/env bash
# Process the pictures of a bucket with a stack that was deployed with ArchiveBucket.
#
#   scripts/bulk.sh start --prefix 2024/        every picture under a prefix ("" for all) without a result
#   scripts/bulk.sh start --inventory s3://...  every picture in a list from S3 Inventory (its manifest.json)
#   scripts/bulk.sh start --manifest FILE       every picture in a list of keys, in a local file or in S3
#   scripts/bulk.sh status [--run NAME]         progress and cost of the last run
#   scripts/bulk.sh results [--output FILE]     number of results, and all of them in a file
#   scripts/bulk.sh watch                       process new objects as they arrive (needs Arrivals=true)
#   scripts/bulk.sh unwatch                     stop that
#
#   --stack NAME, --region REGION, --profile NAME, as for scripts/deploy.sh
#   --route predict|object_detection (start, results), --batch 100, --dry-run (start),
#   --follow (status), --resume, --overwrite (results; FILE is CSV if its name ends in .csv, else JSON lines)
#
# docs/scale.md has the details. The client has the same commands, except watch and unwatch, as
# `matchvec bulk`.
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --region | --profile)
            [ $# -ge 2 ] || { echo "bulk.sh: $1 needs a value." >&2; exit 1; }
            case $1 in
                --region) export AWS_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
            esac
            shift 2
            ;;
        --help | -h) sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /d; p;}' "$0"; exit ;;
        *) arguments+=("$1"); shift ;;
    esac
done
# boto3 reads AWS_DEFAULT_REGION only.
[ -z "${AWS_REGION-}" ] || export AWS_DEFAULT_REGION=$AWS_REGION
make --silent .venv/.start-installed >&2
PYTHONPATH=client exec .venv/bin/python -m scripts.bulk ${arguments[0]+"${arguments[@]}"}
