#!/bin/sh
# Pin every requirement with its hashes, and without the address of an index: that is for the machine to know.
set -eu
export UV_CUSTOM_COMPILE_COMMAND="make lock"
compile() {
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
		--no-emit-index-url --no-annotate "$@"
}
compile --group pyproject.toml:build --extra tracing --output-file requirements.txt
compile --group pyproject.toml:build --extra embedded --extra tracing --output-file requirements-embedded.txt
compile --group pyproject.toml:build --extra embedded --extra tracing --group pyproject.toml:dev --output-file requirements-dev.txt
