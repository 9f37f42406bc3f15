#!/usr/bin/env bash
# Builds the function, deploys the stack of template.yaml, and posts a picture to it.
#
#   scripts/deploy.sh [OPTIONS] [--parameter-overrides NAME=VALUE ...]
#
#   --stack NAME      the stack's name (matchvec)
#   --region REGION   the AWS region (that of your profile)
#   --profile NAME    the profile of your AWS credentials
#   --arch ARCH       the function's processor, arm64 (default) or x86_64
#   --dry-run         check and build everything, but ask AWS for nothing and change nothing
#   --guided          have SAM CLI ask for each parameter
#   --no-build        deploy what the last run built
#   --no-check        post no picture afterwards
#
# docs/deploy.md describes the parameters; those not named keep their values. Run again, it changes
# what has changed. It never deletes: scripts/destroy.sh does. A deployment that fails leaves the
# old version serving, as CloudFormation rolls back.
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
while [ $# -gt 0 ]; do
    case $1 in
        --stack | --region | --profile | --arch)
            [ $# -ge 2 ] || fail "$1 needs a value."
            case $1 in
                --stack) stack=$2 ;;
                --region) export AWS_REGION=$2 AWS_DEFAULT_REGION=$2 ;;
                --profile) export AWS_PROFILE=$2 ;;
                --arch) architecture=$2 ;;
            esac
            shift 2
            ;;
        --parameter-overrides)
            shift
            while [ $# -gt 0 ] && [[ $1 != --* ]]; do overrides+=("$1"); shift; done
            ;;
        --dry-run) dry_run=yes; shift ;;
        --guided) guided=yes; shift ;;
        --no-build) build=; shift ;;
        --no-check) check=; shift ;;
        --help | -h) usage; exit ;;
        *) fail "there is no option $1; --help lists them." ;;
    esac
done

# The longest name that derives from it, CodeDeployHook_NAME, may have 64 characters.
[[ $stack =~ ^[A-Za-z][A-Za-z0-9-]{0,48}$ ]] ||
    fail "the stack's name '$stack' must be letters, digits and hyphens, at most 49, a letter first."
[[ $architecture =~ ^(arm64|x86_64)$ ]] || fail "--arch must be arm64 or x86_64, not $architecture."
for tool in make curl; do
    command -v "$tool" >/dev/null || fail "$tool is not installed, and needed."
done

make --silent .venv/.start-installed
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0 ARCH=$architecture
built=.aws-sam/deploy
deployment=(python -m scripts.deployment)

# Before minutes of building: what the user wrote, and who AWS says they are.
overrides=("Architecture=$architecture" ${overrides[0]+"${overrides[@]}"})
"${deployment[@]}" names "${overrides[@]}"
[ -n "$dry_run" ] || "${deployment[@]}" account

if [ -n "$build" ]; then
    echo "== Build for $architecture"
    mkdir -p .aws-sam
    sam build --build-in-source --build-dir "$built" \
        --parameter-overrides "Architecture=$architecture" >"$built.log" 2>&1 ||
        { cat "$built.log" >&2; fail "the build failed; its output is above."; }
fi
[ -f "$built/template.yaml" ] || fail "there is no build in $built; leave --no-build out."
"${deployment[@]}" size "$built/MatchvecFunction"

if [ -n "$dry_run" ]; then
    echo "== Validate"
    # SAM CLI looks for credentials even here, on the network if it has none.
    env -u AWS_PROFILE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none \
        sam validate --lint --template "$built/template.yaml" --region "${AWS_REGION:-us-east-1}"
    echo "== Dry run: this would deploy stack $stack with"
    "${deployment[@]}" parameters --offline "$stack" "$built" "${overrides[@]}"
    exit
fi

listing=$("${deployment[@]}" parameters "$stack" "$built" "${overrides[@]}")
parameters=()
while read -r parameter; do parameters+=("$parameter"); done <<<"$listing"

echo "== Deploy stack $stack"
confirm=(--no-confirm-changeset)
[ -z "$guided" ] || confirm=(--guided)
sam deploy --template-file "$built/template.yaml" --stack-name "$stack" \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --resolve-s3 --s3-prefix "$stack" \
    "${confirm[@]}" --no-fail-on-empty-changeset --no-progressbar \
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
