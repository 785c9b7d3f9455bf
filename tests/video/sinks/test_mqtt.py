"""Class areas at a real broker: mosquitto, from the distribution."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time

import pytest
from support.clips.results import SIZE, opened, result_at
from support.clips.rtsp_server import free_port

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import plan_sinks

paho = pytest.importorskip("paho.mqtt.client", reason="pip install paho-mqtt")
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class Broker:
    def __init__(self, folder, login=None):
        if MOSQUITTO is None:
            pytest.skip("apt install mosquitto")
        self.port, self.process = free_port(), None
        self.config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false"]
        if login:
            (folder / "users").write_text("")
            subprocess.run(
                ["mosquitto_passwd", "-b", str(folder / "users"), *login.split(":")], check=True, capture_output=True
            )
            (folder / "users").chmod(0o644)
            lines += ["allow_anonymous false", f"password_file {folder / 'users'}"]
        else:
            lines.append("allow_anonymous true")
        self.config.write_text("\n".join(lines) + "\nuser root\n")

    def __enter__(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def brokers():
    """Makes one that answers each connection with a code of MQTT 3.1.1, and confirms no message.

    Its port, and a list that gets what came over connections that it accepted.
    """
    with contextlib.ExitStack() as stack:

        def broker(*codes):
            listening, came = stack.enter_context(socket.create_server(("127.0.0.1", 0))), []

            def answer():
                for code in codes:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(bytes((0x20, 2, 0, code)))  # CONNACK
                        while code == 0 and (data := connection.recv(4096)):
                            came.append(data)

            threading.Thread(target=answer, daemon=True).start()
            return listening.getsockname()[1], came

        yield broker


class Subscriber:
    def __init__(self, port, topic="cars/#"):
        self.messages, self.ready = [], threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_connect = lambda *_: client.subscribe(topic, qos=1)
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_message = lambda _client, _data, message: self.messages.append((message.topic, message.payload))
        client.reconnect_delay_set(1, 1)
        client.connect_async("127.0.0.1", port)
        client.loop_start()
        self.client = client

    def __enter__(self):
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def lines(self, topic="cars/front"):
        return [json.loads(payload) for where, payload in self.messages if where == topic]

    def wait_for(self, count):
        end = time.monotonic() + 10
        while len(self.lines()) < count and time.monotonic() < end:
            time.sleep(0.02)
        return self.lines()


def live(uri):
    (sink,) = plan_sinks([uri]).open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    return sink


@pytest.mark.parametrize("qos", [0, 1])
def test_every_frame_of_a_file_arrives_in_order_with_its_areas(tmp_path, qos):
    with Broker(tmp_path) as broker, Subscriber(broker.port) as there:
        with opened(f"mqtt://127.0.0.1:{broker.port}/cars/front?qos={qos}") as sink:
            for index in range(60):
                sink.write(result_at(index))
        lines = there.wait_for(60)
        assert [line["index"] for line in lines] == list(range(60))
        sky = float((result_at(0).class_map == 0).mean())
        assert lines[0]["classes"]["sky"] == pytest.approx(sky, abs=1e-5)
        assert sky > 0.04
        assert [payload for topic, payload in there.messages if topic == "cars/front/status"] == [b"online", b"offline"]


def test_messages_that_are_not_confirmed_at_the_end_are_told(brokers, monkeypatch):
    """The run of a file ended as if all had arrived."""
    monkeypatch.setattr("edge_arseg.video.sinks.streams.mqtt._CLOSE_S", 0.2)
    port, _ = brokers(0)
    sink = opened(f"mqtt://127.0.0.1:{port}/cars/front?qos=1")
    for index in range(5):
        sink.write(result_at(index))
    with pytest.raises(SinkError, match=r"the broker has not taken the last messages \(5\); check that it runs"):
        sink.close()
    assert sink.dropped == 5
    sink.close()


def test_a_broker_that_is_away_and_comes_back_holds_up_nothing(tmp_path, caplog):
    broker = Broker(tmp_path)
    with live(f"mqtt://127.0.0.1:{broker.port}/cars/front") as sink:
        longest = 0.0

        def offer(first, count):
            nonlocal longest
            for index in range(first, first + count):
                start = time.monotonic()
                sink.offer(result_at(index))
                longest = max(longest, time.monotonic() - start)
                time.sleep(0.01)

        offer(0, 20)
        assert sink.dropped == 20
        with broker, Subscriber(broker.port) as there:
            end = time.monotonic() + 5
            while sink.busy and time.monotonic() < end:
                time.sleep(0.01)
            offer(20, 20)
            first = there.wait_for(20)
        offer(40, 20)
        assert sink.dropped >= 35
        with broker, Subscriber(broker.port) as there:
            end = time.monotonic() + 5
            while sink.busy and time.monotonic() < end:
                time.sleep(0.01)
            offer(60, 20)
            second = there.wait_for(20)
    assert [line["index"] for line in first] == list(range(20, 40))
    assert [line["index"] for line in second] == list(range(60, 80))
    assert longest < 0.2
    assert caplog.text.count("the broker cannot be reached; connecting again every second") >= 2
    assert caplog.text.count("the broker is back") == 2


def test_a_broker_that_cannot_serve_yet_is_waited_for(brokers, monkeypatch, caplog):
    """A broker that starts answers 3, server unavailable: it was taken for a login that is refused, for good."""
    monkeypatch.setattr("edge_arseg.video.sinks.streams.mqtt._CLOSE_S", 0.2)
    port, came = brokers(3, 0)
    with opened(f"mqtt://127.0.0.1:{port}/cars/front") as sink:
        sink.write(result_at(0))
    end = time.monotonic() + 10
    while b'"index":0' not in b"".join(came) and time.monotonic() < end:
        time.sleep(0.02)
    assert b'"index":0' in b"".join(came)
    assert caplog.text.count("the broker cannot be reached; connecting again every second") == 1
    assert caplog.text.count("the broker is back") == 1


def test_a_wrong_password_ends_the_run_and_is_not_shown(tmp_path, caplog):
    with Broker(tmp_path, login="me:right") as broker:
        with opened(f"mqtt://me:right@127.0.0.1:{broker.port}/cars/front") as sink:
            sink.write(result_at(0))
        uri = f"mqtt://me:wrong@127.0.0.1:{broker.port}/cars/front"
        with pytest.raises(SinkError, match=r"the broker refuses .*not authorized") as raised, opened(uri) as sink:
            sink.write(result_at(0))
        assert "wrong" not in str(raised.value) + caplog.text
        assert "mqtt://***@127.0.0.1" in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("mqtt://", "no host in it"),
        ("mqtt://host/a/#", "holds no \\+ and no #"),
        ("mqtt://host/a?qos=3", "expected nothing but qos=0 or qos=1"),
        ("mqtt://host:x/a", "its port is no number"),
    ],
)
def test_what_names_no_topic_is_told(uri, told):
    with pytest.raises(SinkError, match=told):
        plan_sinks([uri])
