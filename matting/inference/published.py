"""The weights that were published, by network: where they are, and what identifies them."""

from __future__ import annotations

from dataclasses import dataclass

from matting.network_choice import Model

RELEASE = "https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/"


@dataclass(frozen=True)
class PublishedWeights:
    """A file of weights to download.

    Attributes:
        name: what it is called, there and here.
        largest_bytes: it has no more.
        mirrors: other places that have the same file, as its hash shows; asked in this order.
    """

    name: str
    url: str
    sha256: str
    largest_bytes: int
    mirrors: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """Where it can be downloaded, the best place first."""
        return self.url, *self.mirrors


DEFAULT_MODEL = Model.MOBILENETV3
PUBLISHED = {
    Model.MOBILENETV3: PublishedWeights(
        "rvm_mobilenetv3.pth",
        f"{RELEASE}rvm_mobilenetv3.pth",
        "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8",
        15_224_325,
        (
            "https://huggingface.co/DJ02-a/video_matting_RVM/resolve/main/rvm_mobilenetv3.pth",
            "https://huggingface.co/camenduru/RobustVideoMatting/resolve/main/rvm_mobilenetv3.pth",
        ),
    ),
    Model.RESNET50: PublishedWeights(
        "rvm_resnet50.pth",
        f"{RELEASE}rvm_resnet50.pth",
        "c191a807251164c073dce5fa408e7a816070d539b882b2a3150330a9fec112ce",
        109_000_000,  # 107.9 MB, by what is said of it
    ),
}


def model_of(sha256: object) -> Model | None:
    """Return the network whose published weights have this hash; None if it is of none."""
    return next((model for model, file in PUBLISHED.items() if file.sha256 == sha256), None)
