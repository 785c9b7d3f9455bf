"""Per-frame class areas as MQTT messages."""

import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from edge_arseg.errors import EnvironmentUnfitError, SinkError
from edge_arseg.installation import install_extra
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.url import PORTS, url_with_encoded_login
from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.lines import object_from_result
from edge_arseg.video.sinks.place import Place

_log = logging.getLogger(__name__)

TOPIC = "edge-arseg"
EXAMPLE = "mqtt://USER:PASSWORD@host:1883/topic?qos=1"

_WAITING = 20
"""Messages that the broker has not taken: about a second. Beside a live source later ones are dropped."""

_PATIENCE_S = 10.0
_CLOSE_S = 3.0
_LATER = ("Server unavailable", "Server busy", "Connection rate exceeded")
"""Answers of a broker that may take the same login in a while, in the words of MQTT 5."""

_ALIVE_S = 5
"""Seconds after which a silent broker is asked whether it is still there."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where messages go.

    Attributes:
        host, port: of the broker.
        topic: of the messages; ``TOPIC/status`` is kept as ``online`` or ``offline``.
        user, password: the login; ``None``: there is none.
        qos: quality of service, 0 or 1.
        encrypted: over TLS.
    """

    host: str
    port: int
    topic: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    qos: int = 0
    encrypted: bool = False


def broker_from_place(place: Place) -> Broker:
    """Parse ``mqtt://[USER:PASSWORD@]host[:port]/topic[?qos=1]``.

    Raises:
        SinkError: it names no broker, or no topic that can be published to.
    """
    url = url_with_encoded_login(place.url)
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[scheme]
    except ValueError:
        raise SinkError(f"cannot write {place.uri}: its port is no number; expected for example {EXAMPLE}") from None
    topic = unquote(parts.path).strip("/") or TOPIC
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    qos = query.pop("qos", "0")
    if not parts.hostname:
        raise SinkError(f"cannot write {place.uri}: no host in it; expected for example {EXAMPLE}")
    if parts.fragment or "#" in url or set(topic) & set("+#\0"):
        raise SinkError(f"cannot write {place.uri}: a topic to publish to holds no + and no #; choose another topic")
    if query or qos not in ("0", "1"):
        raise SinkError(f"cannot write {place.uri}: behind ? expected nothing but qos=0 or qos=1")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Broker(parts.hostname, port, topic, user, password, int(qos), scheme == "mqtts")


def check_broker(place: Place, _force: bool = False) -> None:
    """Refuse what names no broker, and a machine without paho-mqtt. Nothing is connected to.

    Raises:
        SinkError: see ``broker_from_place``.
        EnvironmentUnfitError: paho-mqtt is not installed.
    """
    broker_from_place(place)
    _client_module(place.uri)


def _client_module(label: str) -> Any:
    try:
        from paho.mqtt import client
    except ImportError as error:
        raise EnvironmentUnfitError(f"{label} needs paho-mqtt ({error}); type: {install_extra('mqtt')}") from None
    return client


class MqttSink(Sink):
    """Publishes one JSON object per frame, as ``LinesSink`` writes it, to a topic of an MQTT broker.

    A thread of paho-mqtt connects, sends, and connects again every second where the broker is gone, or says that it
    cannot serve now. Beside a live
    source, results are dropped and counted meanwhile; beside a file the run waits for the broker, for ten seconds.
    ``TOPIC/status`` is kept at the broker as ``online``, and becomes ``offline`` when the run ends, in whatever way.

    Args:
        target: the URI, for messages.
        broker: where to publish.
        classes: names, by index.
        live: the source does not wait.

    Raises:
        EnvironmentUnfitError: paho-mqtt is not installed.
    """

    def __init__(self, target: str, broker: Broker, classes: tuple[ClassInfo, ...], *, live: bool = False) -> None:
        super().__init__(target)
        paho = _client_module(target)
        self._broker, self._live = broker, live
        self._names = [info.name for info in classes]
        self._waiting: deque[Any] = deque()
        self._refused: str | None = None
        self._online = threading.Event()
        self._said = False
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.encrypted:
            client.tls_set()
        client.reconnect_delay_set(1, 1)
        client.will_set(f"{broker.topic}/status", "offline", qos=1, retain=True)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail = self._disconnected
        client.connect_async(broker.host, broker.port, keepalive=_ALIVE_S)
        client.loop_start()
        self._client = client

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure and reason.getName() in _LATER:
            self._disconnected()
            return
        if reason.is_failure:
            self._refused = str(reason).lower()
            self._online.set()
            return
        client.publish(f"{self._broker.topic}/status", "online", qos=1, retain=True)
        if self._said:
            _log.warning("%s: the broker is back", self.target)
        self._said = False
        self._online.set()

    def _disconnected(self, *_arguments: Any) -> None:
        self._online.clear()
        if not self._said and not self._closed and self._refused is None:
            self._said = True
            _log.warning("%s: the broker cannot be reached; connecting again every second", self.target)

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._refused is None and (not self._online.is_set() or self._untaken() >= _WAITING)

    def _untaken(self) -> int:
        """How many messages the broker has not taken."""
        while self._waiting and self._settled(self._waiting[0]):
            self._waiting.popleft()
        return len(self._waiting)

    def _settled(self, message: Any) -> bool:
        """Whether a message is taken, or lost with its connection."""
        try:
            return bool(message.is_published())
        except (RuntimeError, ValueError):  # what paho raises for a connection that is gone
            self._left_out += 1
            return True

    def _write(self, result: SegmentedFrame) -> None:
        start = time.monotonic()
        while self.busy:
            if time.monotonic() - start > _PATIENCE_S:
                raise SinkError(
                    f"cannot write {self.target}: the broker took nothing for {_PATIENCE_S:.0f} s; check host and "
                    "port, and that it runs"
                )
            time.sleep(0.02)
        if self._refused is not None:
            raise SinkError(
                f"cannot write {self.target}: the broker refuses ({self._refused}); check user and password: {EXAMPLE}"
            )
        message = json.dumps(object_from_result(result, self._names), separators=(",", ":"))
        sent = self._client.publish(self._broker.topic, message, qos=self._broker.qos)
        if sent.rc == 0:
            self._waiting.append(sent)
        else:  # it went away just now
            self._left_out += 1

    def _close(self) -> None:
        client, start = self._client, time.monotonic()
        while self._untaken() and self._online.is_set() and time.monotonic() - start < _CLOSE_S:
            time.sleep(0.01)
        if self._online.is_set() and self._refused is None:
            last = client.publish(f"{self._broker.topic}/status", "offline", qos=1, retain=True)
            while last.rc == 0 and not self._settled(last) and time.monotonic() - start < _CLOSE_S:
                time.sleep(0.01)
        untaken = self._untaken()
        self._left_out += untaken
        self._abandon()
        if untaken and not self._live and self._refused is None:
            raise SinkError(
                f"cannot write {self.target}: the broker has not taken the last messages ({untaken}); check "
                "that it runs"
            )

    def _abandon(self) -> None:
        client = self._client
        client.disconnect()
        client.loop_stop()
        # The client has two sockets of its own, which close when nothing refers to it: no circle may hold it.
        client.on_connect = client.on_disconnect = client.on_connect_fail = None
