#!/bin/bash
# check.sh [--soak] [PART...]: installs what it needs, builds, runs every test; ends with "N passed, N failed".
# Parts and their budgets are the table in tests/run.py.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
scripts/setup.sh test
exec /usr/bin/python3 tests/run.py "$@"
