#!/usr/bin/env bash
# Test a real deployment in your AWS account, and delete it again.
#
#   scripts/verify_aws.sh --region REGION [--profile NAME] [--stack NAME]
#   scripts/verify_aws.sh --plan
#
#   --region REGION   AWS region of the test
#   --profile NAME    profile of your AWS credentials
#   --stack NAME      name of the test's own stack (matchvec-verify); it must not exist
#   --plan            print the steps, without any request to AWS
#
# It takes about an hour and costs less than a dollar. It needs the AWS CLI. The stack and its
# buckets are deleted at the end, also after a failed step or Ctrl-C. The exit status is 0 if every
# step passed and nothing is left.
set -euo pipefail
cd "$(dirname "$0")/.."

make --silent .venv/.start-installed >&2
# The steps call these scripts by name.
export PATH="$PATH:$PWD/scripts"
exec .venv/bin/python -m scripts.verification "$@"
