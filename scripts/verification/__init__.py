"""The steps of scripts/verify_aws.sh."""
