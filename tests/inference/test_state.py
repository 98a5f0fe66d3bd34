"""The recurrent state: on the disk, from the version before, and for which frames it is."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from matting.errors import MachineError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import RecurrentState
from matting.inference.rvm import RvmNetwork, RvmState
from matting.inference.session import MattingSession
from matting.inference.state import load_state, save_state
from matting.options import Precision
from model import load_network

SIZE = Size(96, 64)
RATIO = 0.5
CHANNELS = (16, 20, 40, 64)


@pytest.fixture
def session(random_checkpoint: Path) -> MattingSession:
    network = RvmNetwork(load_network(random_checkpoint))
    return MattingSession(network, torch.device("cpu"), Precision.FP32)


def frames(seed: int) -> Planes:
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 3, SIZE.height, SIZE.width)
    return Planes(SampleFormat(), torch.randint(0, 256, shape, generator=generator).to(torch.uint8))


def offsets(session: MattingSession, source: Planes) -> Tensor:
    return torch.cat([matte.offset for matte in session.mattes(source, RATIO)])


def state_of(session: MattingSession) -> RecurrentState:
    assert session.state is not None
    return session.state.parts[0].main


def saved_by_the_version_before(channels: Sequence[int] = CHANNELS) -> tuple[Tensor, ...]:
    """What was saved with `torch.save`: r1 .. r4 for a small copy of 48x32."""
    steps = (2, 4, 8, 16)
    return tuple(torch.rand(1, c, 32 // s, 48 // s) for c, s in zip(channels, steps, strict=True))


def test_a_run_goes_on_from_a_file_as_if_it_had_not_stopped(
    session: MattingSession, tmp_path: Path
) -> None:
    offsets(session, frames(1))
    save_state(tmp_path / "state.pt", session.state)
    expected = offsets(session, frames(2))
    session.reset()
    assert not torch.equal(offsets(session, frames(2)), expected)
    load_state(tmp_path / "state.pt", session)
    assert torch.equal(offsets(session, frames(2)), expected)


def test_a_file_of_the_version_before_still_loads(session: MattingSession, tmp_path: Path) -> None:
    tensors = saved_by_the_version_before()
    torch.save(tensors, tmp_path / "state.pt")
    load_state(tmp_path / "state.pt", session)
    state = state_of(session)
    assert isinstance(state, RvmState)
    assert all(torch.equal(a, b) for a, b in zip(state.tensors, tensors, strict=True))
    assert session.has_state_for(SIZE, RATIO)


def test_what_is_written_is_what_the_version_before_reads(
    session: MattingSession, tmp_path: Path
) -> None:
    """So that a job may go back to it."""
    offsets(session, frames(1))
    save_state(tmp_path / "state.pt", session.state)
    r1, r2, r3, r4 = torch.load(tmp_path / "state.pt", weights_only=True)
    assert [r.shape[1] for r in (r1, r2, r3, r4)] == list(CHANNELS)
    assert {r.dtype for r in (r1, r2, r3, r4)} == {torch.float32}


@pytest.mark.parametrize("content", ["absent", "empty", "damaged", "none", "dictionary", "other"])
def test_what_is_no_state_of_this_network_leaves_none(
    content: str, session: MattingSession, tmp_path: Path
) -> None:
    offsets(session, frames(1))
    path = tmp_path / "state.pt"
    if content == "empty":
        save_state(path, None)
    elif content == "damaged":
        torch.save(saved_by_the_version_before(), path)
        path.write_bytes(path.read_bytes()[:-900])
    elif content == "none":  # after a segment without frames, by the version before
        torch.save(None, path)
    elif content == "dictionary":
        torch.save({"r1": torch.zeros(1)}, path)
    elif content == "other":
        torch.save(saved_by_the_version_before((16, 32, 64, 128)), path)
    assert bool(load_state(path, session)) == (content != "empty")
    assert session.state is None
    assert not session.has_state_for(SIZE, RATIO)


def with_value(value: float, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    tensors = [r.to(dtype) for r in saved_by_the_version_before()]
    tensors[2][0, 3, 1, 2] = value
    return tuple(tensors)


@pytest.mark.parametrize(
    "tensors",
    [
        *(with_value(value) for value in (float("nan"), float("inf"), -float("inf"), 3e38, -2)),
        with_value(0, torch.float64),
        with_value(0, torch.int32),
        with_value(0, torch.complex64),
        tuple(r[:0] for r in with_value(0)),
        tuple(r[0] for r in with_value(0)),
        with_value(0)[:3],
        tuple(torch.zeros(1).expand(1, c, 1 << 20, 1 << 20) for c in CHANNELS),  # of 70 TB
        tuple(r.to_sparse() for r in with_value(0)),
    ],
    ids=lambda tensors: str(tensors[2 % len(tensors)].shape),
)
def test_what_the_network_cannot_have_come_to_is_refused(
    tensors: tuple[Tensor, ...], session: MattingSession, tmp_path: Path
) -> None:
    torch.save(tensors, tmp_path / "state.pt")
    reason = load_state(tmp_path / "state.pt", session)
    assert reason or not session.has_state_for(SIZE, RATIO)


def test_a_state_that_unpacks_to_more_is_refused(session: MattingSession, tmp_path: Path) -> None:
    torch.save(tuple(torch.zeros_like(r) for r in with_value(0)), tmp_path / "state.pt")
    with (
        zipfile.ZipFile(tmp_path / "state.pt") as plain,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert not load_state(tmp_path / "state.pt", session)
    assert load_state(tmp_path / "packed.pt", session)


def test_what_is_no_number_is_not_saved(tmp_path: Path) -> None:
    r1, r2, r3, r4 = with_value(float("nan"))
    with pytest.raises(MachineError, match="went wrong") as refusal:
        save_state(tmp_path / "state.pt", RvmState((r1, r2, r3, r4)))
    assert refusal.value.option == "--precision"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("size", "ratio"),
    [(SIZE, 1.0), (Size(98, 64), RATIO), (Size(96, 80), RATIO), (Size(64, 96), RATIO)],
)
def test_a_state_is_for_one_size_and_ratio(
    size: Size, ratio: float, session: MattingSession
) -> None:
    assert not session.has_state_for(SIZE, RATIO)
    offsets(session, frames(1))
    assert session.has_state_for(SIZE, RATIO)
    assert not session.has_state_for(size, ratio)


class Copies(TorchFunctionMode):
    """Counts the calls that may copy a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.count += func in {Tensor.to, Tensor.cpu, Tensor.float, Tensor.clone}
        return func(*args, **(kwargs or {}))


def test_asking_whether_there_is_a_state_copies_nothing(session: MattingSession) -> None:
    """A copy from a GPU waits for all work that is queued there."""
    offsets(session, frames(1))
    with Copies() as copies:
        assert session.state is not None
    assert copies.count == 0


class OtherState(RecurrentState):
    """The state of another network, on a GPU that has stopped answering."""

    def to(self, _: torch.device) -> RecurrentState:
        return self

    def to_bytes(self) -> bytes:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    def fits(self, _size: Size, _ratio: float) -> bool:
        return True


def test_the_state_of_another_network_is_refused(session: MattingSession) -> None:
    session.state = OtherState()
    with pytest.raises(TypeError, match="another network"):
        session.mattes(frames(1), RATIO)


def test_a_gpu_that_breaks_before_its_state_is_saved_is_the_machines_fault(tmp_path: Path) -> None:
    """And not a fault of the program, which would cost the segment its further tries."""
    with pytest.raises(MachineError, match="illegal memory access"):
        save_state(tmp_path / "state.pt", OtherState())
    assert not list(tmp_path.iterdir())
