"""Files on web servers and objects in stores as inputs."""

from __future__ import annotations

import http.server
import re
import signal
import threading
import time
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

import cogsmith

SECRET = "wJalrXUtnFEMIsecret"
PIXELS = np.random.default_rng(1).integers(0, 4096, (1500, 1400), dtype="uint16")
GEO = {"crs": 32633, "transform": (10, 0, 300_000, 0, -10, 5_000_000), "nodata": 0}


class Files(http.server.BaseHTTPRequestHandler):
    """Ranges of files in memory, as of a web server and of a store with the interface of S3."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        server.log.append(self.path)
        content = server.files.get(unquote(urlsplit(self.path).path))
        if server.wait:
            time.sleep(server.wait)
        if content is None:
            body = b"<Error><Code>NoSuchKey</Code></Error>"
            self.send_response(404)
        else:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["range"]).groups())
            body = content[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(content)}")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:  # The client has stopped waiting.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        cog = cogsmith.to_cog(PIXELS, **GEO)
        server.files = {"/bucket/a b.tif": cog, "/bucket/second.tif": cogsmith.to_cog(PIXELS + 1, **GEO)}
        server.log, server.wait, server.url = [], 0, f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def storage(server):
    return {"endpoint": server.url, "AWS_ACCESS_KEY_ID": "AKIA", "secret": SECRET, "region": "us-east-1"}


@pytest.fixture
def local(server, tmp_path):
    path = tmp_path / "local.tif"
    path.write_bytes(server.files["/bucket/a b.tif"])
    return path


def addresses(server, storage):
    return (
        (f"{server.url}/bucket/a%20b.tif?sig={SECRET}", None),
        (f"/vsicurl/{server.url}/bucket/a b.tif", None),
        ("s3://bucket/a b.tif", storage),
        ("/vsis3/bucket/a b.tif", storage),
    )


def test_files_are_described_and_checked_as_local_ones(server, storage, local):
    for address, options in addresses(server, storage):
        for function in (cogsmith.info, cogsmith.validate):
            server.log.clear()
            told = function(address, storage_options=options)
            read = told.pop("read")
            assert told == function(local)
            assert read["requests"] == len(server.log) and read["bytes"] <= local.stat().st_size + 100_000
            if function is cogsmith.info:
                assert read == {"requests": 1, "bytes": 65536}
        quick = cogsmith.validate(address, quick=True, storage_options=options)
        assert quick["verdict"] == "valid" and quick["read"]["bytes"] < 600_000
    assert "read" not in cogsmith.info(local)


def test_conversions_give_the_bytes_of_local_ones(server, storage, local, tmp_path):
    cogsmith.create(local, tmp_path / "expected.tif", compress="zstd", blocksize=256)
    expected = (tmp_path / "expected.tif").read_bytes()
    for address, options in addresses(server, storage):
        server.log.clear()
        summary = cogsmith.create(address, tmp_path / "out.tif", compress="zstd", blocksize=256, overwrite=True, storage_options=options)
        assert (tmp_path / "out.tif").read_bytes() == expected
        assert summary["read"]["requests"] == len(server.log)
        profile = {"compress": "zstd"} if options is None else {"compress": "zstd", "storage_options": options}
        cogsmith.cog_translate(address, tmp_path / "translated.tif", profile, add_mask=True, quiet=True)
    inputs = [f"{server.url}/bucket/a%20b.tif?sig={SECRET}", f"{server.url}/bucket/second.tif?sig={SECRET}"]
    cogsmith.stack(inputs, tmp_path / "stack.tif")
    content = (tmp_path / "stack.tif").read_bytes()
    assert SECRET.encode() not in content
    names = [item["value"] for item in cogsmith.info(content)["metadata"] if item["role"] == "description"]
    assert names[1] == "second"
    mosaic = cogsmith.mosaic(["s3://bucket/second.tif"], tmp_path / "mosaic.tif", storage_options=storage)
    assert mosaic["read"]["requests"] > 0
    (tmp_path / "list.txt").write_text("s3://bucket/second.tif\n")
    listed = f"@{tmp_path / 'list.txt'}"
    with pytest.raises(ValueError, match="which is an object store address"):
        cogsmith.mosaic(listed, tmp_path / "no.tif")
    cogsmith.mosaic(listed, tmp_path / "listed.tif", vrt_root="s3://bucket", storage_options=storage)
    assert (tmp_path / "listed.tif").read_bytes() == (tmp_path / "mosaic.tif").read_bytes()


def test_problems_are_errors_without_secrets(server, storage, tmp_path, local):
    out = tmp_path / "out.tif"
    address = f"{server.url.replace('://', f'://me:{SECRET}@')}/none.tif?sig={SECRET}"
    for call, error, words in (
        (lambda: cogsmith.info(address), FileNotFoundError, "the server has no such file"),
        (lambda: cogsmith.validate(address), FileNotFoundError, "the server has no such file"),
        (lambda: cogsmith.create(address, out), FileNotFoundError, "the server has no such file"),
        (lambda: cogsmith.stack([address], out), FileNotFoundError, "the server has no such file"),
        (lambda: cogsmith.info("s3://bucket/none.tif", storage_options=storage), FileNotFoundError, "does not exist"),
        (lambda: cogsmith.info(f"s3://me:{SECRET}@bucket/none.tif", storage_options=storage), OSError, "user information"),
        (lambda: cogsmith.info(f"ftp://me:{SECRET}@host/a.tif"), ValueError, "is not a file system path"),
        (lambda: cogsmith.info(local, storage_options=storage), ValueError, "have no effect"),
        (lambda: cogsmith.create(local, out, storage_options=storage), ValueError, "have no effect"),
        (lambda: cogsmith.info(address, storage_options={"regoin": SECRET}), OSError, "option 'regoin' is unknown"),
    ):
        with pytest.raises(error, match=words) as raised:
            call()
        assert SECRET not in str(raised.value)
    assert not out.exists()


def test_ctrl_c_ends_the_wait_for_a_server(server):
    server.wait = 5
    began = time.monotonic()
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        cogsmith.info(f"{server.url}/bucket/a%20b.tif")
    assert time.monotonic() - began < 4
