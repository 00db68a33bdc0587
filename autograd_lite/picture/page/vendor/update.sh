#!/bin/sh
# Fetches another version of the layout library: ./update.sh 1.29.2
# Afterwards: look whether its licences changed, and run tests/test_page.py.
set -eu
version=${1:?which version of @hpcc-js/wasm-graphviz?}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
tar xzf "$(npm pack --silent "@hpcc-js/wasm-graphviz@$version")"
cp package/dist/index.js "$here/graphviz.js"
cp package/LICENSE "$here/LICENSE.wasm-graphviz"
cd "$here"
echo "$version" > VERSION
sha256sum graphviz.js LICENSE.graphviz LICENSE.wasm-graphviz VERSION > SHA256SUMS
