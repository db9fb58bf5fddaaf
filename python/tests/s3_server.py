"""A small server with the interface of S3, for the tests of uploads."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "wJalrXUtnFEMIsecret"


def combined(parts: Iterable[bytes]) -> str:
    """The ETag of an object of several parts."""
    digests = [hashlib.md5(part).digest() for part in parts]
    return f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}"


class S3(http.server.BaseHTTPRequestHandler):
    """The requests of an upload."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_head(self, found: bytes, etag: str) -> None:
        self.send_response(200)
        for name, value in {"content-length": len(found), "etag": f'"{etag}"', "last-modified": "Mon, 30 Nov 2026 12:00:00 GMT"}.items():
            self.send_header(name, str(value))
        self.end_headers()

    def take(self) -> None:
        server = self.server
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        upload = query.get("uploadId", [""])[0]
        refusal = server.refuse(self.command, query)
        if refusal:
            self.answer(refusal)
            return
        server.log.append((self.command, tuple(sorted(set(query) & {"uploads", "partNumber", "uploadId"}))))
        if self.command == "HEAD":
            found = server.objects.get(url.path)
            self.answer(404) if found is None else self.answer_head(found, server.etags.get(url.path, "e"))
        elif self.command == "PUT":
            etag = hashlib.md5(body).hexdigest()
            if upload and upload not in server.uploads:
                self.answer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
                return
            if upload:
                server.uploads[upload][int(query["partNumber"][0])] = body
            else:
                server.objects[url.path] = body
            self.answer(200, etag=f'"{etag}"')
        elif self.command == "DELETE":
            gone = server.uploads.pop(upload, None) is None
            self.answer(404 if gone else 204)
        elif "uploads" in query:
            name = f"upload{len(server.log)}"
            server.uploads[name] = {}
            self.answer(200, f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>{name}</UploadId></InitiateMultipartUploadResult>".encode())
        else:
            parts = server.uploads.pop(upload, None)
            if parts is None:
                self.answer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
                return
            numbers = [int(number) for number in re.findall(r"<PartNumber>(\d+)<", body.decode())]
            assert all(len(parts[number]) >= 5 << 20 for number in numbers[:-1])
            server.objects[url.path] = b"".join(parts[number] for number in numbers)
            server.sizes[url.path] = [len(parts[number]) for number in numbers]
            server.etags[url.path] = combined(parts[number] for number in numbers)
            self.answer(200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    do_HEAD = do_PUT = do_POST = do_DELETE = take

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[Any]:
    """A server on a free port; `refuse` returns the status of requests that fail."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3) as server:
        server.objects, server.uploads, server.log, server.sizes, server.etags = {}, {}, [], {}, {}
        server.refuse = lambda command, query: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def options(server: Any) -> dict[str, str]:
    """The options of a connection to a server."""
    return {
        "endpoint": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "secret": SECRET,
        "region": "us-east-1",
    }
