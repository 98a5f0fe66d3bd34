"""Checkpoints are found, downloaded whole or not at all, and refused by name."""

from __future__ import annotations

import hashlib
import http.server
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from matting.errors import InputError, MissingError, StorageError
from matting.inference import weights
from matting.inference.published import PUBLISHED, PublishedWeights
from matting.inference.rvm import RvmNetwork
from matting.inference.weights_download import BEGUN, download
from matting.network_choice import Model
from matting.system.cache_folder import VARIABLE as CACHE_VARIABLE
from matting.system.temporary_files import temporary_name
from model import RESNET50, MattingNetwork, load_network
from tests.support.recorder import Recorder

CONTENT = b"weights" * 40_000
NAME = PUBLISHED[Model.MOBILENETV3].name


@pytest.fixture
def server() -> Iterator[str]:
    """Run a local server that serves a file, half of it, and none; return its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/absent":
                self.send_error(404)
                return
            content = b" <!DOCTYPE html><p>Sign in" if self.path == "/page" else CONTENT
            asked = self.headers.get("Range", "bytes=0-")
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            if self.path.startswith("/rest") and self.path != f"/rest_from_{first}":
                self.send_error(403)
                return
            if first >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - first))
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            rest = content[first:]
            breaks = self.path == "/half" or (self.path == "/breaks" and not first)
            self.wfile.write(rest[: len(rest) // 2] if breaks else rest)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_the_one_asked_for_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Recorder
) -> None:
    chosen, named = tmp_path / "chosen.pth", tmp_path / "named.pth"
    default, larger = tmp_path / NAME, tmp_path / PUBLISHED[Model.RESNET50].name
    for path in (chosen, named, default, larger):
        path.write_bytes(b"x")
    assert weights.find_checkpoint(None, progress) == default
    monkeypatch.setenv("RVM_CHECKPOINT", str(named))
    assert weights.find_checkpoint(None, progress) == named
    assert weights.find_checkpoint(None, progress, Model.MOBILENETV3) == default
    assert weights.find_checkpoint(None, progress, Model.RESNET50) == larger
    assert weights.find_checkpoint(chosen, progress) == chosen


def test_one_that_the_variable_names_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Recorder
) -> None:
    (tmp_path / NAME).write_bytes(b"x")
    monkeypatch.setenv("RVM_CHECKPOINT", str(tmp_path / "gone.pth"))
    with pytest.raises(InputError, match="gone.pth"):
        weights.find_checkpoint(None, progress)


@pytest.mark.parametrize("model", [None, *Model])
def test_the_published_one_is_downloaded_once(
    model: Model | None, server: str, monkeypatch: pytest.MonkeyPatch, progress: Recorder
) -> None:
    file = PUBLISHED[model or Model.MOBILENETV3]
    served = replace(file, url=f"{server}/whole", sha256=hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(PUBLISHED, model or Model.MOBILENETV3, served)
    path = weights.find_checkpoint(None, progress, model)
    assert path.name == file.name
    assert path.read_bytes() == CONTENT
    assert progress.done == progress.totals[0] == len(CONTENT)
    monkeypatch.setitem(PUBLISHED, model or Model.MOBILENETV3, file)
    assert weights.find_checkpoint(None, progress, model) == path


@pytest.mark.parametrize("places", [["breaks"], ["half", "whole"], ["page", "whole"]])
def test_what_breaks_off_is_resumed_and_another_place_is_asked(
    places: list[str], tmp_path: Path, server: str, progress: Recorder
) -> None:
    first, *mirrors = (f"{server}/{place}" for place in places)
    file = replace(
        PUBLISHED[Model.MOBILENETV3],
        url=first,
        mirrors=tuple(mirrors),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    target = tmp_path / NAME
    download(target, progress, file)
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]
    assert [word for line in progress.said for word in line.split() if "http" in word] == [
        first,
        *mirrors,
    ]
    if places[0] != "page":
        assert progress.totals[-1] == progress.done == len(CONTENT)


def test_a_page_in_place_of_the_weights_is_called_one(
    tmp_path: Path, server: str, progress: Recorder
) -> None:
    file = replace(PUBLISHED[Model.MOBILENETV3], url=f"{server}/page", mirrors=())
    with pytest.raises(MissingError, match="answered by a web page, as by a proxy that asks"):
        download(tmp_path / NAME, progress, file)


def published_at(address: str) -> PublishedWeights:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return replace(PUBLISHED[Model.MOBILENETV3], url=address, mirrors=(), sha256=sha256)


class Interrupting(Recorder):
    """Ctrl-C when something has come."""

    def advance(self, units: int = 1) -> None:
        super().advance(units)
        if units:
            raise KeyboardInterrupt


@pytest.mark.parametrize("ending", ["broke off", "Ctrl-C"])
def test_the_next_run_goes_on_where_one_was_ended(
    ending: str, tmp_path: Path, server: str, progress: Recorder
) -> None:
    target = tmp_path / NAME
    if ending == "Ctrl-C":
        with pytest.raises(KeyboardInterrupt):
            download(target, Interrupting(), published_at(f"{server}/whole"))
    else:
        with pytest.raises(MissingError, match="broke off"):
            download(target, progress, published_at(f"{server}/half"))
    assert not target.exists()
    (left,) = tmp_path.iterdir()
    came = left.stat().st_size
    assert 0 < came < len(CONTENT)
    download(target, progress, published_at(f"{server}/rest_from_{came}"))
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("extra_bytes", [-20, 0, 20])
def test_what_is_no_part_of_the_weights_is_fetched_anew(
    extra_bytes: int, tmp_path: Path, server: str, progress: Recorder
) -> None:
    target = tmp_path / NAME
    begun = temporary_name(target, BEGUN)
    begun.write_bytes(b"x" * (len(CONTENT) + extra_bytes))
    download(target, progress, published_at(f"{server}/whole"))
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("page", ["whole", "absent"])
def test_a_bad_download_leaves_nothing(
    page: str, tmp_path: Path, server: str, progress: Recorder
) -> None:
    """`whole` is complete but not the published file."""
    target = tmp_path / NAME
    file = replace(PUBLISHED[Model.MOBILENETV3], url=f"{server}/{page}", mirrors=())
    with pytest.raises(MissingError) as caught:
        download(target, progress, file)
    assert list(tmp_path.iterdir()) == []
    assert f"{server}/{page}" in caught.value.hint
    assert NAME in caught.value.hint
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize("model", Model)
def test_no_network_says_what_to_do(model: Model, tmp_path: Path, progress: Recorder) -> None:
    with pytest.raises(MissingError) as caught:
        weights.find_checkpoint(None, progress, model)
    assert caught.value.exit_code == 3
    assert PUBLISHED[model].url in caught.value.hint
    assert str(tmp_path) in caught.value.hint


def test_a_checkpoint_loads_and_is_identified_by_its_content(random_checkpoint: Path) -> None:
    checkpoint = weights.load_checkpoint(random_checkpoint)
    assert isinstance(checkpoint.network, RvmNetwork)
    assert not checkpoint.network.network.training
    assert checkpoint.sha256 == hashlib.sha256(random_checkpoint.read_bytes()).hexdigest()


class Replacing:
    """Another program's checkpoint, put in the place of one between any two times it is opened.

    An audit hook cannot be removed: it does nothing from `end` on.
    """

    def __init__(self, path: Path, other: bytes) -> None:
        self._path, self._other = path, other
        self._opened, self._active = 0, True
        sys.addaudithook(self._hear)

    def end(self) -> None:
        self._active = False

    def _hear(self, event: str, details: tuple[object, ...]) -> None:
        if not self._active or event != "open" or str(details[0]) != str(self._path):
            return
        self._opened += 1
        if self._opened == 2:
            self._active = False
            self._path.write_bytes(self._other)


def test_what_identifies_a_checkpoint_is_the_content_that_was_loaded(
    random_checkpoint: Path, empty_checkpoint: Path, tmp_path: Path
) -> None:
    """Also where the file is replaced meanwhile: else results would be recorded as of others."""
    path = tmp_path / "weights.pth"
    content = random_checkpoint.read_bytes()
    path.write_bytes(content)
    replacing = Replacing(path, empty_checkpoint.read_bytes())
    try:
        checkpoint = weights.load_checkpoint(path)
    finally:
        replacing.end()
    assert isinstance(checkpoint.network, RvmNetwork)
    bias = checkpoint.network.network.get_parameter("project_mat.conv.bias")
    expected = load_network(random_checkpoint).get_parameter("project_mat.conv.bias")
    assert torch.equal(bias, expected)
    assert checkpoint.sha256 == hashlib.sha256(content).hexdigest()


def test_half_precision_is_widened(random_checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(random_checkpoint, weights_only=True)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    torch.save(half, tmp_path / "half.pth")
    network = weights.load_checkpoint(tmp_path / "half.pth").network
    assert isinstance(network, RvmNetwork)
    assert {p.dtype for p in network.network.parameters()} == {torch.float32}


def test_the_published_one_loads(shared: Path) -> None:
    network = weights.load_checkpoint(shared / "weights" / NAME).network
    assert isinstance(network, RvmNetwork)
    state = network.network.state_dict()
    assert len(state) == 380
    assert sum(tensor.numel() for tensor in state.values()) == 3_773_775


@pytest.mark.parametrize("change", ["missing", "misshapen", "extra", "list"])
def test_refuses_another_network_by_name(change: str, tmp_path: Path) -> None:
    state: dict[str, torch.Tensor] = dict(MattingNetwork().state_dict())
    name = "decoder.decode2.gru.ih.0.weight"
    if change == "missing":
        del state[name]
    elif change == "misshapen":
        state[name] = torch.zeros(3, 2)
    elif change == "extra":
        name = "classifier.weight"
        state[name] = torch.zeros(1)
    path = tmp_path / "other.pth"
    torch.save(list(state.values()) if change == "list" else state, path)
    with pytest.raises(InputError, match="list" if change == "list" else name):
        weights.load_checkpoint(path)


def test_the_larger_network_is_told_by_its_names_and_refused_by_the_first_wrong_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "larger.pth"
    state = {name: tensor.half() for name, tensor in MattingNetwork(RESNET50).state_dict().items()}
    torch.save(state, path)
    network = weights.load_checkpoint(path).network
    assert isinstance(network, RvmNetwork)
    assert network.network.variant is RESNET50
    name = "backbone.layer3.5.conv3.weight"
    for wrong in ({k: v for k, v in state.items() if k != name}, {**state, name: torch.zeros(2)}):
        torch.save(wrong, path)
        with pytest.raises(InputError, match=f"ResNet50.*{name}"):
            weights.load_checkpoint(path)


@pytest.mark.parametrize(
    "value",
    [
        *map(torch.tensor, (float("nan"), float("inf"), 3e38, -1e5)),
        torch.tensor(1, dtype=torch.int64),
        torch.tensor(1, dtype=torch.complex64),
    ],
    ids=str,
)
def test_refuses_values_that_cannot_be_computed_with(value: torch.Tensor, tmp_path: Path) -> None:
    """In any parameter."""
    state: dict[str, torch.Tensor] = dict(MattingNetwork().state_dict())
    names = [name for name, tensor in state.items() if tensor.is_floating_point()]
    path = tmp_path / "wrong.pth"
    for name in (names[0], names[len(names) // 2], names[-1]):
        wrong = state[name].to(value.dtype).clone()
        wrong.view(-1)[-1] = value
        torch.save({**state, name: wrong}, path)
        with pytest.raises(InputError, match=name):
            weights.load_checkpoint(path)


def test_refuses_negative_variances_and_files_far_too_large(tmp_path: Path) -> None:
    state: dict[str, torch.Tensor] = dict(MattingNetwork().state_dict())
    name = next(name for name in state if name.endswith("running_var"))
    torch.save({**state, name: -state[name]}, tmp_path / "wrong.pth")
    with pytest.raises(InputError, match=name):
        weights.load_checkpoint(tmp_path / "wrong.pth")
    os.truncate(tmp_path / "wrong.pth", 1 << 40)  # no disk holds that: a sparse file
    with pytest.raises(InputError, match="too large"):
        weights.load_checkpoint(tmp_path / "wrong.pth")


class Malicious:
    """Unpickled without care, this would write a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


def test_refuses_code_in_a_checkpoint(tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    torch.save({"x": Malicious(proof)}, tmp_path / "evil.pth")
    with pytest.raises(InputError):
        weights.load_checkpoint(tmp_path / "evil.pth")
    assert not proof.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken", pickle.dumps({"a": 1})])
def test_refuses_other_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="file.pth"):
        weights.load_checkpoint(path)


def test_where_the_weights_cannot_be_kept_another_folder_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not another one for the results."""
    (tmp_path / "file").touch()
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    path = tmp_path / "file" / "cache" / NAME
    monkeypatch.setattr(weights, "default_path", lambda _=None: path)
    with pytest.raises(StorageError) as caught:
        weights.find_checkpoint(None, Recorder())
    assert CACHE_VARIABLE in caught.value.advice()
    assert "--output" not in caught.value.advice()
