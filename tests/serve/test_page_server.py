"""The page's server: what viewers get, who may look, and that nobody holds the run up."""

import http.client
import io
import json
import logging
import socket
import threading
import time

import av
import numpy as np
import pytest
from support.clips.watching import next_shot, results, viewer

from edge_arseg.spec.frame import Branch
from edge_arseg.video.sinks.base import SinkError

text_string_to_metric_families = pytest.importorskip("prometheus_client.parser").text_string_to_metric_families
ConnectionClosed = pytest.importorskip("websockets.exceptions").ConnectionClosed
TOKEN = "0123456789abcdef-token"


def asked(server, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port, timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def until(asks, seconds=10.0):
    end = time.monotonic() + seconds
    while not asks():
        assert time.monotonic() < end
        time.sleep(0.01)


def all_of(socket):
    while True:
        socket.recv(5)


def take_slowly(server, made, ended):
    """Show results again and again, as a run does."""
    while not ended.is_set():
        for result in made:
            server.take(result)
            ended.wait(0.01)


def test_a_viewer_gets_the_picture_the_classes_and_the_figures(page):
    made = results(3)
    with viewer(page) as socket:
        greeting = json.loads(socket.recv(10))
        assert (greeting["source"], greeting["label"]) == ("drive.mp4", "ar, fake")
        assert greeting["classes"][0] == {"name": "sky", "color": greeting["classes"][0]["color"]}
        assert len(greeting["classes"]) == 11
        page.take(made[0])
        head, jpeg, class_map = next_shot(socket)
    assert (head["serial"], head["index"], head["branch"], head["distance"], head["latency_ms"]) == (
        1,
        0,
        "hr",
        0,
        4.57,
    )
    assert head["map"] == [48, 64]
    assert np.array_equal(np.frombuffer(class_map, np.uint8).reshape(48, 64), made[0].class_map)
    picture = next(av.open(io.BytesIO(jpeg)).decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(picture.astype(int) - made[0].frame.rgb).mean() < 4
    shares = np.bincount(made[0].class_map.ravel(), minlength=11)[:11] / made[0].class_map.size
    assert np.allclose(head["areas"], shares, atol=1e-5)
    assert (head["state"], head["frames"], head["viewers"], head["watts"]) == ("running", 1, 1, None)
    assert head["rows"] == [[1, 4.6, None, 0]]


def test_a_viewer_hears_of_every_result_and_sees_the_newest(page):
    with viewer(page) as socket:
        json.loads(socket.recv(10))
        for result in results(40):
            page.take(result)
            time.sleep(0.002)
        seen, rows = [], []
        while len(rows) < 40:
            message = socket.recv(10)
            if isinstance(message, str):
                rows += json.loads(message)["rows"]
                continue
            head = json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])
            rows += head["rows"]
            seen.append(head["serial"])
            socket.send("shown")
    assert seen == sorted(set(seen))
    assert [row[0] for row in rows] == [int(index % 12 == 0) for index in range(40)]


def test_a_stalled_viewer_slows_neither_the_run_nor_others(page):
    """It is sent two shots and no more, however long it shows nothing; and the newest when it is back."""
    made, ended = results(4, (360, 640), seed=3), threading.Event()
    with viewer(page) as stalled, viewer(page) as good:
        json.loads(good.recv(10))
        until(lambda: page._viewers.count == 2)
        run = threading.Thread(target=take_slowly, args=(page, made, ended))
        run.start()
        last = 0
        try:
            for _ in range(40):  # a stalled viewer whom somebody waits for would end this after a few
                head, *_ = next_shot(good)
                good.send("shown")
                assert head["serial"] > last
                last = head["serial"]
            sent = [next_shot(stalled)[0]["serial"] for _ in range(2)]
            with pytest.raises(TimeoutError):
                next_shot(stalled, 0.3)
            assert max(sent) < last
            stalled.send("shown")
            assert next_shot(stalled)[0]["serial"] >= last
        finally:
            ended.set()
            run.join()
    assert page.figures.live.frames >= 40


def test_taking_a_result_never_waits_while_the_encoder_hangs(page, monkeypatch):
    """The encoder is held for good; the run goes on, and so do the figures."""
    held = threading.Event()
    monkeypatch.setattr(page._newest._jpeg, "encode", lambda _: held.wait(20) and b"")
    with viewer(page) as socket:
        socket.recv(10)
        start = time.perf_counter()
        for result in results(500):
            page.take(result)
        took = time.perf_counter() - start
        held.set()
    assert took < 2.0
    assert page.figures.live.frames == 500


def test_a_fault_of_the_encoder_is_said_where_results_come_from(page, monkeypatch):
    from edge_arseg.serve.sink import PageSink

    monkeypatch.setattr(page._newest._jpeg, "encode", lambda _: 1 / 0)
    sink = PageSink(page)
    with viewer(page) as socket:
        socket.recv(10)
        sink.write(results(1)[0])
        until(lambda: page.fault)
        with pytest.raises(SinkError, match=r"cannot be encoded \(ZeroDivisionError"):
            sink.write(results(1)[0])
    assert asked(page, "/healthz")[0] == 503


def test_health_says_whether_results_come(page, monkeypatch):
    assert (asked(page, "/healthz")[0], json.loads(asked(page, "/healthz")[2])) == (503, {"status": "waiting"})
    page.take(results(1)[0])
    assert (asked(page, "/healthz")[0], json.loads(asked(page, "/healthz")[2])) == (200, {"status": "running"})
    monkeypatch.setattr("edge_arseg.serve.figures.STALLED_S", 0.0)
    page.figures.waiting(False)
    assert json.loads(asked(page, "/healthz")[2]) == {"status": "stalled"}


def test_prometheus_own_parser_reads_the_metrics(page):
    for result in results(13):
        page.take(result)
    until(lambda: page._newest.areas)
    status, headers, body = asked(page, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    values = {
        (sample.name, *sample.labels.values()): sample.value for one in families.values() for sample in one.samples
    }
    assert values["edge_arseg_frames_total", "hr"] == 2
    assert values["edge_arseg_frames_total", "lr"] == 11
    assert values["edge_arseg_keyframes_total",] == 2
    assert values["edge_arseg_latency_seconds_count",] == 13
    assert values["edge_arseg_latency_seconds_bucket", "0.005"] == 13
    assert values["edge_arseg_latency_seconds_sum",] == pytest.approx(13 * 4.5678e-3)
    assert values["edge_arseg_age_seconds_count",] == 0
    assert values["edge_arseg_viewers",] == 0
    areas = list(families["edge_arseg_class_area_ratio"].samples)
    assert [sample.labels["class"] for sample in areas][:2] == ["sky", "building"]
    assert sum(sample.value for sample in areas) == pytest.approx(0.96615)  # the rest is of no class
    assert families["edge_arseg_run_info"].samples[0].labels["bundle"] == "small"
    assert values["process_resident_memory_bytes",] > 1e7
    assert "edge_arseg_power_watts" not in families
    assert {family.type for family in families.values()} <= {"counter", "gauge", "histogram"}


def test_what_was_seen_before_the_source_was_lost_is_no_metric(page, monkeypatch):
    page.take(results(1)[0])
    until(lambda: page._newest.areas)
    assert b"edge_arseg_class_area_ratio{" in asked(page, "/metrics")[2]
    monkeypatch.setattr("edge_arseg.serve.figures.STALLED_S", 0.0)
    page.figures.waiting(True)
    told = asked(page, "/metrics")[2]
    assert b"edge_arseg_class_area_ratio{" not in told
    assert b"edge_arseg_last_result_age_seconds" in told


def test_a_scan_of_the_port_fills_no_log_and_a_fault_of_the_server_is_told_as_ours(page, caplog, monkeypatch):
    with socket.create_connection(("127.0.0.1", page.address.port), timeout=10) as scan:
        scan.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # TLS, where there is none
        assert b"400 Bad Request" in scan.recv(1000)
    assert caplog.records == []
    told, ours = [], logging.getLogger("edge_arseg.serve.server")
    monkeypatch.setattr(ours, "handle", told.append)
    logging.getLogger("uvicorn.error").error("it broke")
    assert [record.getMessage() for record in told] == ["it broke"]
    assert not logging.getLogger("uvicorn").propagate


def test_with_a_token_nothing_of_the_run_is_shown_without_it(open_page):
    server = open_page(TOKEN)
    assert server.url.endswith(f"/?token={TOKEN}")
    assert asked(server, "/")[0] == 401
    assert b"not the token" not in asked(server, "/")[2]
    status, headers, body = asked(server, "/?token=0123456789abcdef-wrong")
    assert (status, "set-cookie" in headers, b"not the token" in body) == (401, False, True)
    assert [asked(server, path)[0] for path in ("/page.js", "/metrics")] == [401, 401]
    assert [asked(server, path)[0] for path in ("/page.css", "/healthz")] == [200, 503]
    assert asked(server, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert asked(server, "/metrics", Authorization=f"Bearer {TOKEN}x")[0] == 401
    status, headers, _ = asked(server, f"/?token={TOKEN}&a=b")
    assert (status, headers["location"]) == (303, "/?a=b")  # the token leaves the address line
    cookie = headers["set-cookie"].partition(";")[0]
    assert "httponly" in headers["set-cookie"].lower()
    assert asked(server, "/", Cookie=cookie)[0] == 200
    for options, code in (({}, 4401), ({"additional_headers": {"Cookie": cookie}}, None)):
        with viewer(server, **options) as socket:
            if code is None:
                assert json.loads(socket.recv(10))["source"] == "drive.mp4"
                continue
            with pytest.raises(ConnectionClosed, match=r"4401"):
                socket.recv(10)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_beyond_loopback_a_token_is_made(open_page, host):
    try:
        first, second = open_page(host=host), open_page(host=host)
    except SinkError as error:
        pytest.skip(str(error))  # a machine without IPv6
    tokens = [server.url.partition("?token=")[2] for server in (first, second)]
    assert len(tokens[0]) == 24
    assert tokens[0] != tokens[1]
    assert asked(first, "/")[0] == 401


def test_another_sites_page_sees_nothing_of_a_page_without_a_token(page):
    """Neither by a name of its own that leads to this machine, nor by asking from its own page."""
    port = page.address.port
    assert asked(page, "/", Host=f"localhost:{port}")[0] == 200
    assert asked(page, "/", Host=f"evil.example:{port}")[0] == 403
    assert asked(page, "/metrics", Host="evil.example")[0] == 401
    assert asked(page, "/metrics", Origin="http://evil.example")[0] == 401
    for nowhere in ("http://[x", "null", ""):
        assert asked(page, "/metrics", Origin=nowhere)[0] == 401
    with viewer(page, origin="http://evil.example") as socket, pytest.raises(ConnectionClosed, match=r"4401"):
        socket.recv(10)
    with viewer(page, origin=f"http://127.0.0.1:{port}") as socket:
        assert json.loads(socket.recv(10))["bundle"] == "small"


@pytest.mark.timed
def test_it_ends_at_once_whoever_watches(open_page):
    server = open_page()
    before = threading.active_count()
    with viewer(server) as first, viewer(server):
        first.recv(10)
        start = time.perf_counter()
        server.close()
        assert time.perf_counter() - start < 2.0
        with pytest.raises(ConnectionClosed, match=r"1001.*the run has ended"):
            all_of(first)
    server.close()
    assert threading.active_count() < before + 2
    with pytest.raises(ConnectionRefusedError):
        asked(server, "/healthz")


def test_the_picture_of_a_crop_carries_its_classes_where_the_network_saw(page):
    from dataclasses import replace

    from edge_arseg.spec.geometry.placement import FitKind, placement_of

    made = results(1)[0]
    placement = placement_of((48, 128), (48, 64), FitKind.CROP)
    picture = np.zeros((48, 128, 3), np.uint8)
    made = replace(made, frame=replace(made.frame, picture=picture, placement=placement), branch=Branch.HR)
    with viewer(page) as socket:
        socket.recv(10)
        page.take(made)
        head, jpeg, _ = next_shot(socket)
    assert head["place"] == [0.25, 0.0, 0.5, 1.0]
    assert sum(head["areas"]) == pytest.approx(0.48311)  # half of 0.96615: the rest was not seen
    assert next(av.open(io.BytesIO(jpeg)).decode(video=0)).width == 128
