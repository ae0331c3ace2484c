#!/usr/bin/env bash
# Builds a release from the tag that is checked out: deploy/release.sh DIRECTORY
#
# The directory gets, for linux/amd64 and linux/arm64, an archive with the program and the systemd units, and a
# bill of materials (CycloneDX); that of the web app's packages; the Helm chart; and SHA256SUMS. The same tag,
# Go and compilers make the same bytes. It needs Go, git, npm 10, jq and both of Debian's compilers:
#
#   apt-get install gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross      # on amd64
#
# H3 is a C library, so the programs need a glibc that is not older than the one here.
set -euo pipefail

readonly cyclonedx=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

fail() {
  echo "release: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'usage: deploy/release.sh DIRECTORY'
mkdir -p "$1"
out=$(cd "$1" && pwd)
[ -z "$(ls -A "$out")" ] || fail "$out is not empty"
cd "$(dirname "$0")/.."

tag=$(git describe --exact-match --tags --match 'v[0-9]*' HEAD 2>/dev/null) ||
  fail 'the commit that is checked out has no tag such as v1.2.3'
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "$tag is no version such as v1.2.3"
[ -z "$(git status --porcelain)" ] || fail 'there are changes that are not committed'
revision=$(git rev-parse HEAD)
epoch=$(git log -1 --format=%ct)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pack FILE FOLDER... packs folders of $work in the same way each time.
pack() {
  local file=$1
  shift
  tar --directory "$work" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode='u+rw,go+r-w' \
    --create "$@" | gzip --no-name --best >"$out/$file"
}

# bill FILE stores a bill of materials without what differs each time.
bill() {
  jq 'del(.serialNumber, .metadata.timestamp)' >"$out/$1"
}

# program ARCHITECTURE COMPILER
program() {
  local arch=$1 name=hexhail-$tag-linux-$1
  mkdir -p "$work/$name/systemd"
  # -buildvcs puts the tag and the commit into the program; the rest leaves out what depends on this machine.
  env CGO_ENABLED=1 GOOS=linux GOARCH="$arch" CC="$2" GOFLAGS=-mod=readonly \
    go build -trimpath -buildvcs=true -ldflags='-s -w -buildid=' -o "$work/$name/hexhail" ./cmd/hexhail
  go version -m "$work/$name/hexhail" >"$work/$arch.info"
  for line in "vcs.revision=$revision" vcs.modified=false "GOARCH=$arch"; do
    grep -q -- "$line\$" "$work/$arch.info" || fail "the program for $arch lacks $line"
  done
  grep -qE "mod[[:space:]]+github.com/hexhail/hexhail[[:space:]]+$tag([[:space:]]|\$)" "$work/$arch.info" ||
    fail "the program for $arch is not of version $tag"
  cp LICENSE NOTICE CHANGELOG.md "$work/$name/"
  cp deploy/systemd/*.service "$work/$name/systemd/"
  pack "$name.tar.gz" "$name"
  GOFLAGS='' go run "$cyclonedx" bin -json -std -noserial -version "$tag" "$work/$name/hexhail" | bill "$name.cdx.json"
}

# The two compilers' names are the same wherever Debian runs.
program amd64 x86_64-linux-gnu-gcc
program arm64 aarch64-linux-gnu-gcc

# What the embedded web app was built from. npm needs versions, which the packages do not have.
mkdir "$work/hexhail-web"
(
  cd web
  cp --parents package-lock.json package.json ./*/package.json "$work/hexhail-web"
  cd "$work/hexhail-web"
  for file in package.json */package.json; do jq --arg v "${tag#v}" '.version = $v' "$file" >new && mv new "$file"; done
  npm sbom --sbom-format=cyclonedx --package-lock-only --omit=dev
) | bill "hexhail-$tag-web.cdx.json"

mkdir -p "$work/chart"
cp -R deploy/helm/hexhail "$work/chart/hexhail"
sed -i -e "s/^version: .*/version: ${tag#v}/" -e "s/^appVersion: .*/appVersion: \"$tag\"/" "$work/chart/hexhail/Chart.yaml"
pack "hexhail-chart-${tag#v}.tgz" --directory chart hexhail

(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
echo "release: $tag of $revision is in $out"
