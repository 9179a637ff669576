"""The server's end of one websocket (RFC 6455): binary messages, nothing else."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10


class Websocket:
    """One connection, shaken hands."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._file = connection.makefile("rb")
        key = b""
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def receive(self) -> bytes | None:
        """Return the next message, None when the other side has gone."""
        message = b""
        while True:
            head = self._file.read(2)
            if len(head) < 2:
                return None
            final, code, size = head[0] & 128, head[0] & 15, head[1] & 127
            if size == 126:
                (size,) = struct.unpack(">H", self._file.read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._file.read(8))
            mask = self._file.read(4)
            data = self._file.read(size)
            data = bytes(b ^ mask[k % 4] for k, b in enumerate(data))
            if code == _CLOSE:
                return None
            if code == _PING:
                self._send(_PONG, data)
                continue
            message += data
            if final:
                return message

    def send(self, message: bytes) -> None:
        self._send(_BINARY, message)

    def _send(self, code: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 128 | code, size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 128 | code, 126, size)
        else:
            head = struct.pack(">BBQ", 128 | code, 127, size)
        self._connection.sendall(head + data)
