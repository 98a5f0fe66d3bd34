"""FFmpeg and torch on one graphics card: what both need to see each other's memory."""

from __future__ import annotations

import av.video.frame
import torch

OLD_PYAV = "PyAV 18.1 or newer is needed for it: pip install --upgrade av"


def why_not_shared() -> str:
    """Why this PyAV cannot share a card's memory with torch; "" where it can."""
    context = getattr(av.video.frame, "CudaContext", None)
    return "" if hasattr(context, "current_ctx") else OLD_PYAV


def enter(device: torch.device) -> None:
    """Makes torch's context of a card the current one of the calling thread, before a codec opens.

    FFmpeg is told to work in the current context. It cannot share torch's in any other way: one
    that torch has made first has other flags than FFmpeg insists on.
    """
    torch.cuda.set_device(device)
    torch.cuda.synchronize(device)  # the first real call is what makes the context current
    torch.cuda.empty_cache()  # a codec's memory is not torch's, which keeps what was freed
