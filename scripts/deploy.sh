#!/usr/bin/env bash
# Build the function, deploy the stack of template.yaml, and post a picture to it.
#
#   scripts/deploy.sh [OPTIONS] [--parameter-overrides NAME=VALUE ...]
#
#   --stack NAME      name of the stack (matchvec)
#   --region REGION   AWS region (AWS_REGION, or that of your profile)
#   --profile NAME    profile of your AWS credentials
#   --arch ARCH       processor of the function, arm64 (default) or x86_64
#   --role-arn ARN    role that CloudFormation uses instead of your own permissions
#   --tags KEY=VALUE ...   tags of the stack and its resources
#   --dry-run         check and build everything, without any request to AWS
#   --guided          let SAM CLI ask for each parameter
#   --no-build        deploy the last build
#   --no-check        post no picture afterwards
#
# docs/parameters.md describes the parameters. Parameters that you do not name keep their values. Run
# the script again to update the stack. It never deletes a stack: scripts/destroy.sh does. If a
# deployment fails, CloudFormation rolls back and the old version keeps serving.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'deploy.sh: %s\n' "$@" >&2
    exit 1
}

usage() {
    sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /d; p;}' "$0"
}

stack=matchvec
architecture=arm64
dry_run=
guided=
build=yes
check=yes
overrides=()
tags=()
role=()
while [ $# -gt 0 ]; do
    case $1 in
        --stack | --region | --profile | --arch | --role-arn)
            [ $# -ge 2 ] || fail "$1 needs a value."
            case $1 in
                --stack) stack=$2 ;;
                --region) export AWS_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
                --arch) architecture=$2 ;;
                --role-arn) role=(--role-arn "$2") ;;
            esac
            shift 2
            ;;
        --parameter-overrides)
            shift
            while [ $# -gt 0 ] && [[ $1 != --* ]]; do overrides+=("$1"); shift; done
            ;;
        --tags)
            shift
            while [ $# -gt 0 ] && [[ $1 != --* ]]; do
                [[ $1 == ?*=* ]] || fail "--tags takes KEY=VALUE, not $1."
                tags+=("$1")
                shift
            done
            ;;
        --dry-run) dry_run=yes; shift ;;
        --guided) guided=yes; shift ;;
        --no-build) build=; shift ;;
        --no-check) check=; shift ;;
        --help | -h) usage; exit ;;
        *) fail "unknown option $1. Run scripts/deploy.sh --help for the list." ;;
    esac
done

# The longest name that derives from it, CodeDeployHook_NAME, may have 64 characters.
[[ $stack =~ ^[A-Za-z][A-Za-z0-9-]{0,48}$ ]] ||
    fail "the stack's name '$stack' must be at most 49 letters, digits and hyphens, starting with a letter."
[[ $architecture =~ ^(arm64|x86_64)$ ]] || fail "--arch must be arm64 or x86_64, not $architecture."
for tool in make curl; do
    command -v "$tool" >/dev/null || fail "$tool is not installed. Install it and retry."
done

make --silent .venv/.start-installed >&2
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0 ARCH=$architecture
# SAM CLI and boto3 read AWS_DEFAULT_REGION only.
[ -z "${AWS_REGION-}" ] || export AWS_DEFAULT_REGION=$AWS_REGION
built=.aws-sam/deploy
deployment=(python -m scripts.deployment)

# Before minutes of building: the parameters, the credentials and the state of the stack.
overrides=("Architecture=$architecture" ${overrides[0]+"${overrides[@]}"})
"${deployment[@]}" names "${overrides[@]}"
if [ -z "$dry_run" ]; then
    "${deployment[@]}" account
    "${deployment[@]}" deployable "$stack"
fi

if [ -n "$build" ]; then
    echo "== Build for $architecture"
    mkdir -p .aws-sam
    sam build --build-in-source --build-dir "$built" \
        --parameter-overrides "Architecture=$architecture" >"$built.log" 2>&1 ||
        { cat "$built.log" >&2; fail "the build failed. Its output is above."; }
fi
[ -f "$built/template.yaml" ] || fail "there is no build in $built. Run again without --no-build."
"${deployment[@]}" size "$built/MatchvecFunction"

if [ -n "$dry_run" ]; then
    listing=$("${deployment[@]}" parameters --offline "$stack" "$built" "${overrides[@]}")
    echo "== Validate"
    # SAM CLI looks for credentials even here, on the network if it has none.
    env -u AWS_PROFILE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none \
        sam validate --lint --template "$built/template.yaml" --region "${AWS_REGION:-us-east-1}"
    echo "== Dry run: this would deploy stack $stack with"
    printf '%s\n' "$listing"
    exit
fi

listing=$("${deployment[@]}" parameters "$stack" "$built" "${overrides[@]}")
parameters=()
while read -r parameter; do
    parameters+=("$parameter")
    # The check after the deployment needs the key.
    [[ $parameter != ApiKeySecret=* ]] || export API_KEY_SECRET=${parameter#*=}
done <<<"$listing"
[ "${API_KEY_SECRET-}" != '""' ] || unset API_KEY_SECRET

echo "== Deploy stack $stack"
confirm=(--no-confirm-changeset)
[ -z "$guided" ] || confirm=(--guided)
sam deploy --template-file "$built/template.yaml" --stack-name "$stack" \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --resolve-s3 --s3-prefix "$stack" \
    "${confirm[@]}" --no-fail-on-empty-changeset --no-progressbar \
    ${role[0]+"${role[@]}"} ${tags[0]+--tags "${tags[@]}"} \
    --parameter-overrides "${parameters[@]}"

url=$("${deployment[@]}" url "$stack")
if [ -n "$check" ]; then
    echo "== Post a picture to $url"
    "${deployment[@]}" post "$stack" samples/car.jpg
fi
cat <<END

Deployed. Try:

  curl -F image=@samples/street.jpg '$url'
END
