#!/bin/sh
# Makes the CA of the Compose profile "cluster" if there is none, and a new certificate for each node:
# certificates.sh NODE... The CA stays in /ca; each node gets its own key and certificate in /certs/NODE.
# Tests set ROOT to run it elsewhere.
set -eu
umask 077
root=${ROOT:-}
account=65532 # of the image

if [ ! -e "$root/ca/ca.pem" ]; then
  hexhail cluster certs init --dir="$root/ca" --permit="$(echo "$*" | tr ' ' ,)"
fi
for node in "$@"; do
  hexhail cluster certs node "$node" --dir="$root/ca" --force
  to=$root/certs/$node
  # The new files first, then their names: a node that reads now sees whole files.
  cp "$root/ca/$node.key" "$to/node.key.new"
  cp "$root/ca/$node.pem" "$to/node.pem.new"
  cp "$root/ca/ca.pem" "$to/ca.pem.new"
  if [ "$(id -u)" -eq 0 ]; then chown "$account:$account" "$to"/*.new; fi
  for file in node.key node.pem ca.pem; do mv "$to/$file.new" "$to/$file"; done
done
