"""Object stores on this machine: moto (S3), moto behind a proxy that replaces credentials (Google), and Azurite (Azure).

Each is started on a port of its own, and ends with the process. Their programs are in `target/stores`, where
`scripts/test.sh stores` installs them; STORES names another folder.
"""

import atexit
import base64
import hashlib
import hmac
import http.client
import http.server
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("STORES", os.path.join(HERE, "..", "..", "target", "stores"))
ACCOUNT = "devstoreaccount1"
# Azurite's published key.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

# moto asks for a signature, and does not check it.
SIGNED = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def start(words, port, env=None):
    """A server that ends with this process."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    atexit.register(process.kill)
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"oracle missing: {words[0]} ended with {process.returncode}")
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit(f"oracle missing: {words[0]} does not answer")


def ask(method, url, body=None, headers=None):
    """Status and body of a request."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


class S3:
    """moto. Requests need no signature, and parts follow the rules of S3."""

    lists_uploads = True

    def __init__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        start([os.path.join(FOLDER, "venv", "bin", "moto_server"), "-H", "127.0.0.1", "-p", str(port)], port)
        self.env = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "SECRET-KEY", "AWS_ENDPOINT_URL": self.url, "AWS_REGION": "us-east-1"}

    def make(self, bucket):
        status, body, _ = ask("PUT", f"{self.url}/{bucket}")
        assert status == 200, body

    def target(self, bucket, key):
        return f"s3://{bucket}/{key}"

    def get(self, bucket, key):
        status, body, headers = ask("GET", f"{self.url}/{bucket}/{urllib.parse.quote(key)}", None, {"Authorization": SIGNED})
        self.headers = headers
        return body if status == 200 else None

    def uploads(self, bucket):
        """The number of open uploads."""
        return ask("GET", f"{self.url}/{bucket}?uploads")[1].count(b"<UploadId>")

    def gdal(self, bucket, key):
        """GDAL's name of an object, and its options."""
        host = self.url.removeprefix("http://")
        return f"/vsis3/{bucket}/{key}", {**self.env, "AWS_S3_ENDPOINT": host, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}


class Google(S3):
    """moto with Google's client in front: a proxy replaces the credentials, since the XML interface is otherwise that of
    S3."""

    def __init__(self):
        super().__init__()
        backend = self.url.removeprefix("http://")

        class Proxy(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def carry(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("authorization", "host")}
                connection = http.client.HTTPConnection(backend, timeout=60)
                headers["Authorization"] = SIGNED
                # Google's client encodes the slashes of keys.
                connection.request(self.command, self.path.replace("%2F", "/").replace("%2E", "."), body, headers)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = answer.getheader("content-length") if self.command == "HEAD" else len(content)
                self.send_header("content-length", length or 0)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = carry

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.env = {"GOOGLE_BASE_URL": f"http://127.0.0.1:{server.server_port}", "GOOGLE_BEARER_TOKEN": "SECRET-KEY"}

    def target(self, bucket, key):
        return f"gs://{bucket}/{key}"

    def gdal(self, bucket, key):
        host = self.url.removeprefix("http://")
        options = {"AWS_S3_ENDPOINT": host, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_NO_SIGN_REQUEST": "YES"}
        return f"/vsis3/{bucket}/{key}", options


class Azure:
    """Azurite."""

    lists_uploads = False

    def __init__(self):
        port, folder = free_port(), tempfile.mkdtemp(prefix="cogsmith-azurite-")
        atexit.register(shutil.rmtree, folder, True)
        program = os.path.join(FOLDER, "azurite", "node_modules", ".bin", "azurite-blob")
        start([program, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence", "--blobPort", str(port)], port)
        self.url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url};"
        self.env = {"AZURE_STORAGE_CONNECTION_STRING": text}

    def ask(self, method, path, query=""):
        """A request with a shared key (Microsoft's "Authorize with Shared Key")."""
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
        resource = f"/{ACCOUNT}/{ACCOUNT}/{path}"
        for pair in sorted(filter(None, query.split("&"))):
            name, value = pair.split("=")
            resource += f"\n{name}:{value}"
        canonical = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        text = f"{method}" + "\n" * 12 + canonical + resource
        signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{signature}"
        return ask(method, f"{self.url}/{path}" + (f"?{query}" if query else ""), None, headers)

    def make(self, bucket):
        status, body, _ = self.ask("PUT", bucket, "restype=container")
        assert status == 201, (status, body)

    def target(self, bucket, key):
        return f"az://{bucket}/{key}"

    def get(self, bucket, key):
        status, body, headers = self.ask("GET", f"{bucket}/{urllib.parse.quote(key)}")
        self.headers = headers
        return body if status == 200 else None

    def uploads(self, bucket):
        """Azure has blobs of uncommitted blocks, which disappear by themselves; no request can delete them."""
        return 0

    def gdal(self, bucket, key):
        return f"/vsiaz/{bucket}/{key}", self.env


class Web:
    """A plain web server of the files in a folder, with ranges. Anyone may read who knows the password and the signature."""

    def __init__(self, folder):
        log = self.log = []

        class Files(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path, _, query = self.path.partition("?")
                log.append(self.headers.get("range"))
                name = os.path.join(folder, urllib.parse.unquote(path).lstrip("/"))
                login = base64.b64encode(b"me:SECRET-KEY").decode()
                if query != "sig=SECRET-KEY" and self.headers.get("authorization") != f"Basic {login}":
                    return self.answer(403, b"")
                if not os.path.isfile(name):
                    return self.answer(404, b"")
                with open(name, "rb") as file:
                    content = file.read()
                etag = f'"{os.stat(name).st_mtime_ns}"'
                if self.headers.get("if-match", etag) != etag:
                    return self.answer(412, b"")
                first, last = self.headers["range"].removeprefix("bytes=").split("-")
                first, end = int(first), min(int(last) + 1, len(content))
                return self.answer(206, content[first:end], ETag=etag, **{"Content-Range": f"bytes {first}-{end - 1}/{len(content)}"})

            def answer(self, status, body, **headers):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{server.server_port}"


def secrets_in(text):
    """Whether a text contains one of the secrets of these servers."""
    return [secret for secret in ("SECRET-KEY", KEY) if secret in text] or re.findall(r"\bX-Amz-Signature\b|\bsig=", text)
