"""What the whole network takes at the size it was trained for."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json
from pathlib import Path
import torch
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS

network = Network(VARIANTS["camvid-psp18"]).eval()
frame = torch.randint(0, 256, (720, 960, 3), dtype=torch.uint8)
with torch.inference_mode():
    hr = network.hr(network.image_from_frame(frame))
    lr = network.lr(network.lr_image_from_frame(frame, 0.5))
    fused = network.fuse(hr, torch.randn(180, 240, 2), lr, 720)
    logits = network.lr_head(fused, None, (720, 960))
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) * 1024  # ru_maxrss counts what the parent had when it started this
print(json.dumps({"shape": list(logits.shape), "finite": bool(torch.isfinite(logits).all()), "peak": peak}))
"""


@pytest.mark.slow
def test_psp18_at_720x960_stays_under_2_gb():
    process = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    found = json.loads(process.stdout)
    assert found["shape"] == [1, 12, 720, 960]
    assert found["finite"]
    assert found["peak"] < 2e9, f"{found['peak'] / 1e9:.2f} GB"
