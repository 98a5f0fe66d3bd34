"""What is known of each kind of device, and that nothing is asked of one that only others have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from matting.errors import InputError, MachineError, MissingError, OutOfMemoryError
from matting.options import CodecBackend
from matting.system import accelerators
from matting.system.accelerators import frames_device, kind_of
from matting.system.device import choose_device, computer_and_device, describe, require_decoder
from matting.system.device_kinds import DeviceKind, let_processor_step_in
from matting.system.memory import enough_memory, in_parts
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.torch_build import TorchBuild, TorchState, installed_build, query_torch

CUDA, MPS, XPU = (torch.device(name) for name in ("cuda:0", "mps", "xpu:0"))
OTHERS = [(MPS, DeviceKind.APPLE), (XPU, DeviceKind.INTEL), (CUDA, DeviceKind.AMD)]


@pytest.fixture(params=OTHERS, ids=lambda each: each[1].name)
def other(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[torch.device]:
    """A device that is not NVIDIA's, as torch shows the only one of a computer."""
    device, kind = request.param
    has(monkeypatch, kind)
    yield device


def has(monkeypatch: pytest.MonkeyPatch, *kinds: DeviceKind) -> None:
    """Have torch find devices of these kinds, two of each but Apple's."""
    monkeypatch.setattr(torch.version, "hip", "7.2" if DeviceKind.AMD in kinds else None)
    cuda = bool({DeviceKind.AMD, DeviceKind.NVIDIA} & set(kinds))
    properties = SimpleNamespace(
        name="Radeon", total_memory=16 << 30, major=11, minor=0, driver_version="1.6"
    )
    for module, there in ((torch.cuda, cuda), (torch.xpu, DeviceKind.INTEL in kinds)):
        monkeypatch.setattr(module, "is_available", lambda there=there: there)
        monkeypatch.setattr(module, "device_count", lambda there=there: 2 * there)
        monkeypatch.setattr(module, "get_device_properties", lambda _: properties)
    apple = DeviceKind.APPLE in kinds
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M2", raising=False)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 << 30)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 3 << 30)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 1 << 30)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["gfx1100"])


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        ([DeviceKind.NVIDIA, DeviceKind.INTEL, DeviceKind.APPLE], "cuda:0"),
        ([DeviceKind.AMD], "cuda:0"),
        ([DeviceKind.APPLE, DeviceKind.INTEL], "xpu:0"),
        ([DeviceKind.APPLE], "mps"),
        ([], "cpu"),
    ],
)
def test_auto_takes_the_first_kind_that_torch_can_use(
    kinds: list[DeviceKind], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, *kinds)
    device = choose_device("auto")
    assert device == torch.device(chosen)
    assert frames_device(device).type == ("cuda" if DeviceKind.NVIDIA in kinds else "cpu")
    assert choose_device(str(device)) == device  # as workers are told of it


def test_devices_are_counted_from_0(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, DeviceKind.INTEL)
    assert choose_device("xpu") == torch.device("xpu:0")
    assert choose_device("xpu:1") == torch.device("xpu:1")
    with pytest.raises(InputError, match="there are 2 "):
        choose_device("xpu:2")
    for unknown in ("xpu:", "mps:1", "rocm", "cuda:x", "hip"):
        with pytest.raises(InputError, match="is unknown"):
            choose_device(unknown)


@pytest.mark.parametrize(("name", "fix"), [("mps", "Apple silicon"), ("xpu", "RVM_GPU=xpu")])
def test_what_is_asked_for_by_name_and_not_there_is_refused_with_what_it_needs(
    name: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch)
    with pytest.raises(MissingError) as refused:
        choose_device(name)
    assert fix in refused.value.hint
    assert "--device cpu" in refused.value.hint


def test_torch_for_rocm_without_a_card_asks_nothing_of_nvidias_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    has(monkeypatch)
    monkeypatch.setattr(torch.version, "hip", "7.2")
    monkeypatch.setattr("matting.system.device.query_nvidia_smi", Driver)
    with pytest.raises(MissingError, match="AMD") as refused:
        choose_device("cuda")
    assert "render" in refused.value.hint
    assert "nvidia" not in str(refused.value).lower()


def test_other_devices_are_named_as_what_they_are(other: torch.device) -> None:
    kind, state = kind_of(other), query_torch()
    assert (state.kind, state.usable, state.has_nvidia) == (kind, True, False)
    assert not state.gpu_is_too_old
    assert accelerators.facts(other).name in describe(other)
    assert "untried on hardware" in describe(other)
    assert computer_and_device(other).endswith(kind.words)


def test_nvidias_hardware_is_not_tried_on_others(
    other: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingError, match="NVIDIA"):
        require_decoder(CodecBackend.HARDWARE, other)
    assert frames_device(other).type == "cpu"
    if other.type != "cuda":

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("torch.cuda was asked")

        for name in ("set_device", "mem_get_info", "memory_reserved", "empty_cache"):
            monkeypatch.setattr(torch.cuda, name, refuse)
    module = torch.mps if other.type == "mps" else getattr(torch, other.type)
    called: list[str] = []
    monkeypatch.setattr(module, "empty_cache", lambda: called.append("empty_cache"))
    if other.type != "mps":
        monkeypatch.setattr(module, "set_device", lambda _: called.append("set_device"))
        monkeypatch.setattr(module, "mem_get_info", lambda _: (5 << 30, 16 << 30))
        monkeypatch.setattr(module, "memory_reserved", lambda _: 2 << 30)
        monkeypatch.setattr(module, "memory_allocated", lambda _: 1 << 30)
    accelerators.use(other)
    accelerators.release_memory(other)
    assert called == ["empty_cache"] if other.type == "mps" else ["set_device", "empty_cache"]
    used_and_size = (3 << 30, 12 << 30) if other.type == "mps" else (11 << 30, 16 << 30)
    assert accelerators.memory(other) == used_and_size
    assert accelerators.free_bytes(other) == (11 << 30 if other.type == "mps" else 6 << 30)


def test_an_intel_driver_that_does_not_tell_its_memory_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("the device doesn't support querying its free memory")

    monkeypatch.setattr(torch.xpu, "mem_get_info", refuse)
    assert accelerators.memory(XPU) is None
    assert accelerators.free_bytes(XPU) is None


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("MPS backend out of memory (MPS allocated: 17.9 GB, max allowed: 18.1 GB)", True),
        ("XPU out of memory. Tried to allocate 2.00 GiB", True),
        ("Native API failed. Native API returns: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)", True),
        ("HIP out of memory. Tried to allocate 2.00 GiB", True),
        ("HIP error: an illegal memory access was encountered", False),
        ("Native API failed. Native API returns: 20 (UR_RESULT_ERROR_DEVICE_LOST)", False),
        ("miopenStatusInternalError", False),
    ],
)
def test_the_errors_of_other_devices_are_known(message: str, error: bool) -> None:
    with pytest.raises(MachineError) as told, enough_memory():
        raise RuntimeError(message)
    assert isinstance(told.value, OutOfMemoryError) is error


def test_one_thread_at_a_time_uses_an_apple_gpu() -> None:
    inside, entered = threading.Event(), []

    def work(frames: torch.Tensor) -> int:
        entered.append(threading.get_ident())
        inside.wait(0.2)
        return len(frames)

    def compute(device: torch.device) -> None:
        in_parts(work, torch.zeros(1), device)

    for device, most in ((MPS, 1), (torch.device("cpu"), 2)):
        inside.clear()
        entered.clear()
        threads = [threading.Thread(target=compute, args=(device,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        threads[0].join(0.1)
        assert len(entered) == most
        inside.set()
        for thread in threads:
            thread.join()
        assert len(entered) == 2


def test_what_a_user_has_set_of_the_fallbacks_stays() -> None:
    environment = {"PYTORCH_ENABLE_MPS_FALLBACK": "0"}
    let_processor_step_in(environment)
    assert environment == {"PYTORCH_ENABLE_MPS_FALLBACK": "0", "PYTORCH_ENABLE_XPU_FALLBACK": "1"}


def test_a_build_for_intel_is_known_without_loading_it(tmp_path: Path) -> None:
    text = "__version__ = '2.14.1+xpu'\ncuda = None\nhip = None\nxpu: Optional[str] = '20250302'\n"
    (tmp_path / "version.py").write_text(text, encoding="utf-8")
    build = installed_build(tmp_path)
    assert build == TorchBuild("2.14.1+xpu", xpu="20250302")
    assert build is not None
    assert build.for_gpus


def test_a_state_is_nvidias_unless_it_says_otherwise() -> None:
    gpu = Gpu("NVIDIA L4", 1 << 30, (8, 9))
    assert TorchState(TorchBuild("2.11.0+cu130", "13.0"), True, gpu=gpu).has_nvidia
