#!/bin/sh
# Makes src/gen from the server's own definition of the protocol. It needs protoc.
set -eu
cd "$(dirname "$0")/.."
protoc -I ../../ride/ridepb \
  --plugin=protoc-gen-es="$(command -v protoc-gen-es)" \
  --es_out=src/gen --es_opt=target=ts,import_extension=js \
  --plugin=protoc-gen-messages=scripts/protoc-gen-messages.mjs \
  --messages_out=src/gen --messages_opt=target=ts \
  hexhail.proto
