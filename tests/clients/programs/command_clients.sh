#!/bin/sh
# Clients of the shell: sh command_clients.sh NAME API SMALL OTHER URL
set -eu
name=$1 shape=$2/shape small=$3 other=$4 url=$5

show() {
    printf '%s\t' "$1"
    shift
    "$@" | tr -d '\n'
    echo
}

case $name in
curl)
    show form curl -sS -F "image=@$small" -F "image=@$other" -F "url=$url" "$shape"
    show file curl -sS -F "image=@$small" "$shape"
    show url curl -sS --data-urlencode "url=$url" "$shape"
    show array curl -sS -F "image[]=@$small" -F "image[]=@$other" "$shape"
    show base64 curl -sS -F "image=@$small;encoder=base64" "$shape"
    show raw curl -sS --data-binary "@$small" -H 'Content-Type: image/jpeg' "$shape"
    gzip -c "$small" | show gzip curl -sS --data-binary @- -H 'Content-Type: image/jpeg' \
        -H 'Content-Encoding: gzip' "$shape"
    ;;
wget)
    show raw wget -qO- --header 'Content-Type: image/jpeg' --post-file "$small" "$shape"
    show url wget -qO- --post-data "url=$url" "$shape"
    ;;
httpie)
    show form http --ignore-stdin -b --pretty=none -f "$shape" "image@$small" "image@$other" "url=$url"
    show file http --ignore-stdin -b --pretty=none -f "$shape" "image@$small"
    show url http --ignore-stdin -b --pretty=none -f "$shape" "url=$url"
    show json http --ignore-stdin -b --pretty=none "$shape" "url=$url"
    show array http --ignore-stdin -b --pretty=none -f "$shape" "image[]@$small" "image[]@$other"
    ;;
esac
