#!/usr/bin/env bash
# OpenVINO 2026.4.1 with openvino-telemetry 2025.2.0: `import openvino` alone writes an identifier and a counter of uses
# into the home folder and hands an event to the sender of its telemetry, before any graph is read.
#
# Its __init__ imports the converter of models, which no inference needs. Left out, the import writes nothing and the
# process holds a quarter less memory (41 MB in place of 56). The documentation tells of telemetry in the conversion
# tools. Here nothing leaves the machine: the proxy that is named below does not exist.
# edge_arseg runs graphs by OpenVINO's C interface, and imports the package, without the converter, to time layers alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check openvino==2026.4.1 openvino-telemetry==2025.2.0 numpy==2.4.6
mkdir "$folder/plain" "$folder/without"
export CI=false https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9
cat > "$folder/show.py" <<'PYTHON'
import sys
from pathlib import Path
import numpy
if sys.argv[1] == "without":
    sys.modules["openvino.tools.ovc"] = None
import openvino
resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
files = sorted(str(path.relative_to(Path.home())) for path in Path.home().rglob("*") if path.is_file())
print(openvino.__version__.split("-")[0], "telemetry imported:", "openvino_telemetry" in sys.modules, "files:", files)
print(f"{resident:.0f} MB", file=sys.stderr)
PYTHON
plain=$(HOME="$folder/plain" "$folder/venv/bin/python" "$folder/show.py" plain)
without=$(HOME="$folder/without" "$folder/venv/bin/python" "$folder/show.py" without)
echo "plain:   $plain"
echo "without: $without"
[[ "$plain" == *"telemetry imported: True files: ['intel/openvino_ga_cid', 'intel/stats']" ]]
[[ "$without" == *"telemetry imported: False files: []" ]]
