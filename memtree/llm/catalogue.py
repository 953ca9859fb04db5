"""Language models that are small, free and known by their digest: what `models pull NAME` knows.

Nothing here is fetched unless somebody asks for it by name. They are the makers' own conversions,
of free licenses only. The digests, sizes and revisions are those that public projects pin for these
files, several for each, and they agree; the files could not be downloaded where this list was made,
and no quality was measured. What arrives is compared with them. Memory is an estimate: the file,
the state of a whole window (layers x heads x width x 2 numbers of 2 bytes a token, from the
published architectures), and `BESIDES`.
"""

from __future__ import annotations

from dataclasses import dataclass

BESIDES = 200 << 20
"""Bytes of buffers and program that a small model takes besides (an allowance, not measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file: where it is, what it must be, and what it takes.

    `size` in bytes, `context` the tokens that it was made for, `token` the bytes of state that one
    token of the window takes, `good` what it is good for.
    """

    name: str
    url: str
    sha256: str
    size: int
    license: str
    context: int
    token: int
    good: str

    def memory(self, window: int) -> int:
        """Bytes of memory that it takes with a window of so many tokens, about."""
        return self.size + self.token * min(window, self.context) + BESIDES

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]


_HUB = "https://huggingface.co/Qwen"
_IBM = "https://huggingface.co/ibm-granite"
CATALOGUE = (
    Listed(
        name="qwen2.5-0.5b",
        url=f"{_HUB}/Qwen2.5-0.5B-Instruct-GGUF/resolve/9217f5db79a29953eb74d5343926648285ec7e67"
        "/qwen2.5-0.5b-instruct-q4_k_m.gguf",
        sha256="74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
        size=491_400_032,
        license="Apache-2.0",
        context=32_768,
        token=24 * 2 * 64 * 2 * 2,
        good="the smallest: any laptop",
    ),
    Listed(
        name="qwen3-0.6b",
        url=f"{_HUB}/Qwen3-0.6B-GGUF/resolve/23749fefcc72300e3a2ad315e1317431b06b590a"
        "/Qwen3-0.6B-Q8_0.gguf",
        sha256="9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031",
        size=639_446_688,
        license="Apache-2.0",
        context=40_960,
        token=28 * 8 * 128 * 2 * 2,
        good="small, many languages",
    ),
    Listed(
        name="qwen2.5-1.5b",
        url=f"{_HUB}/Qwen2.5-1.5B-Instruct-GGUF/resolve/91cad51170dc346986eccefdc2dd33a9da36ead9"
        "/qwen2.5-1.5b-instruct-q4_k_m.gguf",
        sha256="6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
        size=1_117_320_736,
        license="Apache-2.0",
        context=32_768,
        token=28 * 2 * 128 * 2 * 2,
        good="a good beginning",
    ),
    Listed(
        name="granite-3.3-2b",
        url=f"{_IBM}/granite-3.3-2b-instruct-GGUF/resolve/7cdf86ccd1f1bb3491c9b7017b033f2e51367397"
        "/granite-3.3-2b-instruct-Q4_K_M.gguf",
        sha256="ac71e9e32c0bea919b409c5918f69ca74339854b0319c5065e4e9fb6d95c4852",
        size=1_545_303_328,
        license="Apache-2.0",
        context=131_072,
        token=40 * 8 * 64 * 2 * 2,
        good="made for instructions and long texts",
    ),
    Listed(
        name="qwen3-1.7b",
        url=f"{_HUB}/Qwen3-1.7B-GGUF/resolve/90862c4b9d2787eaed51d12237eafdfe7c5f6077"
        "/Qwen3-1.7B-Q8_0.gguf",
        sha256="061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a",
        size=1_834_426_016,
        license="Apache-2.0",
        context=40_960,
        token=28 * 8 * 128 * 2 * 2,
        good="in between, many languages",
    ),
    Listed(
        name="qwen3-4b",
        url=f"{_HUB}/Qwen3-4B-GGUF/resolve/bc640142c66e1fdd12af0bd68f40445458f3869b"
        "/Qwen3-4B-Q4_K_M.gguf",
        sha256="7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5",
        size=2_497_280_256,
        license="Apache-2.0",
        context=40_960,
        token=36 * 8 * 128 * 2 * 2,
        good="the largest of these; wants a fast machine",
    ),
)


def listed(name: str) -> Listed | None:
    """The model of the catalogue with this name, None when there is none."""
    return next((each for each in CATALOGUE if each.name == name), None)
