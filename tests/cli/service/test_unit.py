"""The unit for systemd is one that systemd takes, and says what the command line understands."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_arseg.cli.service import notify

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "deploy/edge-arseg.service"


def service() -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return dict(parser["Service"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_unit(tmp_path):
    there = tmp_path / "edge-arseg"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    text = UNIT.read_text()
    copy = tmp_path / "edge-arseg.service"
    copy.write_text(text.replace("/opt/edge-arseg/bin/edge-arseg", str(there)))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    copy.write_text(text.replace("/opt/edge-arseg/bin/edge-arseg", str(there)).replace("Type=notify", "Type=notifies"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    assert "Failed to parse service type" in done.stderr  # the check can fail


def test_what_it_starts_is_understood(edge_arseg, fake_bundle, monkeypatch):
    _, *arguments = shlex.split(service()["ExecStart"])
    monkeypatch.setenv("EDGE_ARSEG_SOURCE", "test://street?frames=2")
    answer = edge_arseg(*arguments, "--print-config")
    assert answer.code == 0, answer.err
    assert 'serve = "127.0.0.1:8008"' in answer.out
    assert "wait = true" in answer.out


def test_more_time_to_finish_files_is_asked_for_before_the_limit_for_stopping_is_over():
    assert float(service()["TimeoutStopSec"]) > 2 * notify._TOLD_EVERY_S


def test_the_container_has_the_page_and_ends_in_order():
    for name in ("x86", "l4t"):
        text = (ROOT / f"deploy/{name}.Dockerfile").read_text()
        assert "[serve" in text
        assert "STOPSIGNAL SIGTERM" in text
        assert 'ENTRYPOINT ["edge-arseg"]' in text
