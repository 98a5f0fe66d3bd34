"""The CPU dressed as a GPU that is not here: it computes, and is as strict as that one would be.

Tensors say that they are on the device, and do not mix with the CPU's. Like Apple's GPUs, it has no
64-bit floats and no 16-bit whole numbers without sign. The program takes it for one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from matting.system import accelerators
from matting.system.device_kinds import DeviceKind
from matting.system.nvidia_smi import Gpu

DRESSED = torch.device("privateuseone:0")  # torch's name for one that it knows nothing of
REFUSED = {torch.float64, torch.uint16}
COPIES = {"aten::_to_copy", "aten::copy_"}


def put_on(monkeypatch: pytest.MonkeyPatch, kind: DeviceKind = DeviceKind.APPLE) -> None:
    """Have the program take the device for one of that kind; skip where torch is too old for it."""
    _register()
    monkeypatch.setitem(accelerators.KINDS, DRESSED.type, kind)
    gpu = Gpu("Apple M0", 8 << 30)
    monkeypatch.setattr(accelerators, "facts", lambda _: gpu)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 8 << 30)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 1 << 30)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 1 << 30)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: None)


@cache
def _register() -> None:
    register = getattr(backend_registration, "_setup_privateuseone_for_python_backend", None)
    if register is None:
        pytest.skip("this torch cannot be told of a device that is written in Python")
    register()


class DressedTensor(Tensor):
    """A tensor of the CPU's that says that it is on another device."""

    undressed: Tensor

    @staticmethod
    def dress(inner: Tensor, device: torch.device) -> DressedTensor:
        if inner.dtype in REFUSED:
            raise TypeError(f"{device.type} has no {inner.dtype}")
        dressed = Tensor._make_wrapper_subclass(
            DressedTensor,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=device,
        )
        dressed.undressed = inner
        assert isinstance(dressed, DressedTensor)
        return dressed

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return _dispatch(func, args, dict(kwargs or {}))


class DressedDevice(TorchDispatchMode):
    """Computes what is asked of the device, in a `with` block of one thread.

    Attributes:
        operations: the names of those that ran there.
    """

    def __init__(
        self, spoil: Callable[[Tensor], Tensor] | None = None, device: torch.device = DRESSED
    ) -> None:
        """
        Args:
            spoil: what the device makes of the right result of a convolution.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.operations: set[str] = set()
        self._spoil = spoil
        # All of it: views of weights that were made outside would be no views here.
        self._inference = torch.inference_mode()

    def __enter__(self) -> DressedDevice:
        self._inference.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._inference.__exit__(*error)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Load no compiler, which takes seconds: nothing is compiled here."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = _dispatch(func, args, dict(kwargs or {}), self.device)
        if isinstance(result, DressedTensor):
            name = func.name().partition(".")[0]
            self.operations.add(name)
            if self._spoil is not None and "conv" in name:
                return DressedTensor.dress(self._spoil(result.undressed), self.device)
        return result


def _dispatch(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], device: torch.device | None = None
) -> Any:
    """Compute on the CPU what is asked of a device, and dress the result."""
    tensors = list(_tensors((*args, *kwargs.values())))
    dressed = [one for one in tensors if isinstance(one, DressedTensor)]
    name = func.name().partition(".")[0]
    if name == "aten::_has_compatible_shallow_copy_type":
        return len(dressed) in {0, len(tensors)}
    if dressed and name not in COPIES:
        bare = [one for one in tensors if not isinstance(one, DressedTensor) and one.dim()]
        if bare:
            raise RuntimeError(f"{name}: tensors on {dressed[0].device} and on {bare[0].device}")
    target = dressed[0].device if dressed else None
    asked = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.device)]
    if not dressed and all(one.type == "cpu" for one in asked):
        return func(*args, **kwargs)
    if asked:
        target = asked[0] if device is not None and asked[0].type == device.type else None
    elif name == "aten::copy_" and not isinstance(args[0], DressedTensor):
        target = None
    inner_args, inner_kwargs = tree_map(_bare, (args, kwargs))
    result = func(*inner_args, **inner_kwargs)
    if target is None:
        return result
    known = {id(one.undressed): one for one in dressed}
    where = target

    def dress(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        own = known.get(id(value))
        return DressedTensor.dress(value, where) if own is None else own

    return tree_map(dress, result)


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _bare(value: Any) -> Any:
    """Return what an argument is on the CPU."""
    if isinstance(value, torch.device):
        return torch.device("cpu")
    return value.undressed if isinstance(value, DressedTensor) else value
