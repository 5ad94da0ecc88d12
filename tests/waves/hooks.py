"""A real endpoint for notices on 127.0.0.1, with or without TLS, that answers as a test says."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Status = int | tuple[int, Mapping[str, str]]
"""What to answer; with headers where they matter."""


@dataclass
class Hook:
    """The endpoint, and what it got."""

    url: str
    statuses: list[Status]
    """Answered in turn, the last of them for ever."""
    hanging: bool = False
    """Whether it answers only when `let_go` is set."""
    let_go: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on what they refuse."""


@contextmanager
def hook(
    *statuses: Status, hanging: bool = False, certificate: Path | None = None
) -> Iterator[Hook]:
    """Serve until the block ends; over TLS with `certificate`, which holds the key too."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append({"path": self.path, **json.loads(body)})
            found.headers.append({name.lower(): text for name, text in self.headers.items()})
            found.asked.set()
            if found.hanging:
                found.let_go.wait(30)
            status = found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0]
            code, headers = (status, {}) if isinstance(status, int) else status
            self.send_response(code)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        http.socket = context.wrap_socket(
            http.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if certificate is None else "https"
    url = f"{scheme}://127.0.0.1:{http.server_port}/services/T0/SECRET"
    found = Hook(url, list(statuses or (200,)), hanging)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.let_go.set()
        http.shutdown()
        thread.join()
        http.server_close()


def self_made_certificate(path: Path) -> Path:
    """Write a certificate for 127.0.0.1 that nobody has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    parts: Sequence[bytes] = (
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )
    path.write_bytes(b"".join(parts))
    return path
