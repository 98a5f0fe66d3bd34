"""How much of the computer's memory what passes from stage to stage holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from torch import Tensor


def held_bytes(item: object) -> int:
    """Return the bytes of all tensors on the CPU that an item consists of, shared memory once.

    Looks into tuples, lists and dataclasses, whatever a network passes from step to step; all else,
    such as the segment that goes with it, is not of the item itself.
    """
    storages = {}
    for tensor in _tensors(item):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def _tensors(item: object) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        if item.device.type == "cpu":
            yield item
    elif isinstance(item, (tuple, list)):
        for one in item:
            yield from _tensors(one)
    elif is_dataclass(item) and not isinstance(item, type):
        for field in fields(item):
            yield from _tensors(getattr(item, field.name))
