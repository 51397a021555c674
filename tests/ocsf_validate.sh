#!/bin/bash
# Runs a full OCSF validator over files of events, version by version as each event says, warnings counting as errors.
#   tests/ocsf_validate.sh [FILE...]      default: the golden events
# The validator is a program of its own: $ROLLCALL_OCSF_VALIDATOR.
# Without one nothing is checked and the exit status is 77 (skipped); the project's own check in src/map/ocsf_check.c
# runs with the unit tests in any case.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
validator=${ROLLCALL_OCSF_VALIDATOR:-}
if [ ! -f "$validator" ]; then
    echo "ocsf_validate.sh: no validator at $validator (set ROLLCALL_OCSF_VALIDATOR): not checked" >&2
    exit 77
fi
[ $# -gt 0 ] || set -- "$root"/tests/golden/ocsf-*.jsonl
exec python3 "$validator" --version auto --strict "$@"
