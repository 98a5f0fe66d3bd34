"""setup.sh where no Python serves: it fetches uv, and uv a Python; a stand-in plays uv."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(
    os.name == "nt" or shutil.which("curl") is None, reason="it downloads with curl"
)
TABLE = ROOT / "installation" / "uv.txt"
PLATFORM = "macos-aarch64" if sys.platform == "darwin" else f"linux-{os.uname().machine}"
FOLDER = "cpython-3.13.99-here"
# It makes a Python that accepts the check, and shows what else it is started with.
UV = f"""#!/bin/sh
[ "$1" != --version ] || exit 0
if [ -n "$UV_SAYS" ]; then echo "$UV_SAYS" >&2; exit 2; fi
bin="$UV_PYTHON_INSTALL_DIR/{FOLDER}/bin"
mkdir -p "$bin"
printf '#!/bin/sh\\n[ "$2" = base ] || echo started "$@"\\n' > "$bin/python3"
chmod +x "$bin/python3"
"""


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        entry = tarfile.TarInfo("uv-here/uv")
        entry.size = len(UV.encode())
        file.addfile(entry, io.BytesIO(UV.encode()))
    return packed.getvalue()


@dataclass
class Server:
    address: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)  # what is not here is refused: 403
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            content = served.pages.get(self.path)
            self.send_response(403 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        served.address = f"http://127.0.0.1:{httpd.server_address[1]}"
        yield served
        httpd.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, server: Server) -> Path:
    """The program's folder, with a table of two places: /first.tar.gz and /second.tar.gz."""
    home = tmp_path / "it's (new)! & $HOME"
    (home / "installation").mkdir(parents=True)
    for name in ("setup.sh", "inference_custom.py", "installation/bring_python.sh"):
        shutil.copyfile(ROOT / name, home / name)
    (home / "installation" / "python_check.py").touch()
    sha256 = hashlib.sha256(archive()).hexdigest()
    rows = [
        f"archive {PLATFORM} {sha256} uv-here/uv {server.address}/{name}.tar.gz"
        for name in ("first", "second")
    ]
    table = ["version 9.9.9", f"python {PLATFORM} {FOLDER}", "python other other", *rows]
    (home / "installation" / "uv.txt").write_text("\n".join(table) + "\n", encoding="ascii")
    return home


def start(home: Path, **variables: str) -> tuple[int, str]:
    """Run setup.sh with a PATH that has no Python; return its exit code and output."""
    tools = home.parent / "tools"
    tools.mkdir(exist_ok=True)
    needed = "sh dirname cat uname mkdir rm grep curl tar gzip chmod mv sha256sum shasum"
    for name in needed.split():
        if (program := shutil.which(name)) and not (tools / name).exists():
            (tools / name).symlink_to(program)
    process = subprocess.run(
        ["/bin/sh", str(home / "setup.sh"), "--cpu"],
        env={"PATH": str(tools), "HOME": str(home.parent), "no_proxy": "127.0.0.1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


def test_every_platform_has_a_python_and_two_places_in_the_table() -> None:
    lines = [x.split() for x in TABLE.read_text().splitlines() if not x.startswith("#")]
    [version] = [row[1] for row in lines if row[0] == "version"]
    pythons = {row[1]: row[2] for row in lines if row[0] == "python"}
    assert set(pythons) == {"windows-x86_64", "linux-x86_64", "linux-aarch64", "macos-aarch64"}
    for platform, folder in pythons.items():
        assert re.fullmatch(r"cpython-3\.1[0-3]\.\d+-(windows|linux|macos)-\w+-(gnu|none)", folder)
        rows = [row for row in lines if row[:2] == ["archive", platform]]
        hosts = [address.split("/")[2] for *_, address in rows]
        assert hosts == ["github.com", "releases.astral.sh"]
        assert len({row[2] for row in rows}) == 1  # the same archive at both
        for _, _, sha256, file, address in rows:
            assert re.fullmatch("[0-9a-f]{64}", sha256)
            assert address.startswith("https://") and f"{version}" in address
            assert file.endswith("uv.exe" if platform.startswith("windows") else "uv")
    assert len({row[2] for row in lines if row[0] == "archive"}) == 4


def test_a_python_is_brought_once(home: Path, server: Server) -> None:
    server.pages = {"/first.tar.gz": b"<html>Please sign in</html>", "/second.tar.gz": archive()}
    for _ in range(2):
        code, printed = start(home)
        assert (code, f"started {home / 'installation'} --cpu" in printed) == (0, True), printed
        assert {p.name for p in (home / ".python").iterdir()} == {
            *(FOLDER, "uv-9.9.9", "download.log"),
        }
    assert server.asked == ["/first.tar.gz", "/second.tar.gz"]


def test_nothing_is_run_that_is_not_the_pinned_file(home: Path, server: Server) -> None:
    other = archive()[:-1] + b"!"
    server.pages = {"/first.tar.gz": other, "/second.tar.gz": other}
    code, printed = start(home)
    assert code == 3
    assert "What came from 127.0.0.1" in printed and "is not the file" in printed
    assert "apt install python3" in printed
    assert {p.name for p in (home / ".python").iterdir()} == {"download.log"}


def test_what_hinders_it_is_said(home: Path, server: Server) -> None:
    code, printed = start(home)
    assert code == 3 and "or a proxy in between, refused" in printed
    server.pages["/first.tar.gz"] = archive()
    for said, expected, sentence in (
        ("failed to write to file: No space left on device (os error 28)", 4, "the disk is full"),
        ("invalid peer certificate: UnknownIssuer", 3, "is not trusted"),
        ("Checksum mismatch for `cpython`", 3, "is not the file that was asked for"),
        ("client error (Connect): dns error", 3, "cannot be reached: is this computer offline?"),
    ):
        code, printed = start(home, UV_SAYS=said)
        assert (code, sentence in printed) == (expected, True), printed
        assert said in (home / ".python" / "download.log").read_text()


def test_without_a_network_or_a_writable_folder(home: Path) -> None:
    code, printed = start(home, http_proxy="http://127.0.0.1:1", no_proxy="")
    assert code == 3 and "cannot be reached: is this computer offline?" in printed
    shutil.rmtree(home / ".python")
    (home / ".python").touch()
    code, printed = start(home)
    assert code == 4 and "the disk is full, or the folder is protected" in printed
