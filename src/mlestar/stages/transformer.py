"""A small transformer encoder trained from scratch on the text columns (the extra `[torch]`).

On a few thousand short texts it usually loses to TF-IDF with a linear model, which stands beside it as the simple
model. It over-fits early: training stops when the validation loss no longer falls, and the best epoch is restored.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from mlestar.errors import InvalidInput
from mlestar.stages import table

if TYPE_CHECKING:
    import pandas as pd

    from mlestar.core.pipeline import TrainingSpec
    from mlestar.stages.budget import Budget

Report = Callable[[float, float | None, str], None]

WIDTH, HEADS, LAYERS, INNER = 128, 4, 2, 256
MOST_TOKENS = 64
"""Tokens of one row that are read; later ones are cut off."""
VOCABULARY = 8_000
LEAST_COUNT = 2
DROPOUT = 0.1
PATIENCE = 2
"""Epochs without a lower validation loss before training stops."""
PREDICT_ROWS = 256
PAD, UNKNOWN = 0, 1
_SEPARATOR = "\x00"
_WORD = re.compile(r"[#@]?\w+")


class TextEncoder(BaseEstimator):
    """Raw rows in, class probabilities or values out. Saved as numpy arrays, a word list and numbers."""

    def __init__(self, *, columns: Sequence[str] = (), kinds: Sequence[str] = (), n_classes: int = 0) -> None:
        """Columns that are read, their kinds, and the number of classes (0: regression)."""
        self.columns = columns
        self.kinds = kinds
        self.n_classes = n_classes

    def fit(
        self, rows: pd.DataFrame, truth: np.ndarray, *, held_rows: pd.DataFrame, held_truth: np.ndarray,
        spec: TrainingSpec, seed: int, report: Report, budget: Budget | None = None,
    ) -> tuple[Mapping[str, float], ...]:  # fmt: skip
        """Train; returns the curve: epoch, train_loss, validation_loss of every epoch.

        Args:
            rows: (n_rows, n_columns) raw features.
            truth: (n_rows,) class indices or values.
            held_rows: Rows of the training side that only early stopping looks at.
            held_truth: Their truth.
            spec: epochs, batch_size, learning_rate.
            seed: Of the weights, the dropout and the order of rows.
            report: Told of every epoch, and of batches in between.
            budget: No epoch begins after its end, but for the first; None: only `spec.epochs` ends it.
        """
        torch: Any = import_module("torch")
        torch.manual_seed(seed)
        texts = self._texts(rows)
        counts = Counter(word for words in texts for word in set(words))
        common = sorted(
            (word for word, n in counts.items() if n >= LEAST_COUNT), key=lambda word: (-counts[word], word)
        )
        self.words_ = common[:VOCABULARY]
        self.shift_, self.scale_ = (0.0, 1.0) if self.n_classes else (float(truth.mean()), float(truth.std()) or 1.0)
        network = self._network()
        optimizer = torch.optim.AdamW(network.parameters(), lr=spec.learning_rate)
        data, held = self._ids(texts), self._ids(self._texts(held_rows))
        targets, held_targets = self._targets(truth), self._targets(held_truth)
        curve: list[dict[str, float]] = []
        best, best_state, waited = math.inf, network.state_dict(), 0
        so_far = ""
        for epoch in range(1, spec.epochs + 1):
            loss = self._epoch(
                network, optimizer, data=data, targets=targets, spec=spec, seed=(seed, epoch), report=report,
                so_far=so_far,
            )  # fmt: skip
            held_loss = self._loss_on(network, held, held_targets)
            curve.append({"epoch": float(epoch), "train_loss": loss, "validation_loss": held_loss})
            message = f"epoch {epoch} of {spec.epochs}: loss {loss:.4f}, validation loss {held_loss:.4f}"
            report(epoch, spec.epochs, message)
            so_far = f"; loss {loss:.4f}, validation loss {held_loss:.4f} after epoch {epoch}"
            waited += 1
            if held_loss < best:
                best, waited = held_loss, 0
                best_state = {name: value.clone() for name, value in network.state_dict().items()}
            if waited >= PATIENCE or (budget is not None and budget.left <= 0):
                break
        self.weights_ = {name: value.numpy() for name, value in sorted(best_state.items())}
        return tuple(curve)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803 - scikit-learn's interface
        """(n_rows, n_classes) probabilities."""
        torch: Any = import_module("torch")
        return torch.softmax(self._outputs(X), dim=1).numpy().astype("float64")

    def predict(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803 - scikit-learn's interface
        """(n_rows,) class indices, or values."""
        if self.n_classes:
            return self.predict_proba(X).argmax(axis=1)
        return self._outputs(X).numpy()[:, 0].astype("float64") * self.scale_ + self.shift_

    def __getstate__(self) -> dict[str, Any]:
        """Plain values only: no tensor, no module."""
        state = {"columns": list(self.columns), "kinds": list(self.kinds), "n_classes": self.n_classes}
        if hasattr(self, "words_"):
            state |= {"words": _SEPARATOR.join(self.words_), "shift": self.shift_, "scale": self.scale_}
            state |= {"weights": self.weights_}
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """What `__getstate__` took apart."""
        self.columns, self.kinds, self.n_classes = state["columns"], state["kinds"], state["n_classes"]
        if "words" in state:
            self.words_ = state["words"].split(_SEPARATOR)
            self.shift_, self.scale_, self.weights_ = state["shift"], state["scale"], state["weights"]

    def _outputs(self, rows: pd.DataFrame) -> Any:
        torch: Any = import_module("torch")
        network = self._network()
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in self.weights_.items()})
        network.eval()
        ids = self._ids(self._texts(rows))
        with torch.no_grad():
            parts = [
                self._forward(network, _padded(ids[at : at + PREDICT_ROWS])) for at in range(0, len(ids), PREDICT_ROWS)
            ]
        return torch.cat(parts)

    def _network(self) -> Any:
        nn: Any = import_module("torch").nn
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, DROPOUT, batch_first=True, norm_first=True)
        return nn.ModuleDict({
            "words": nn.Embedding(len(self.words_) + 2, WIDTH, padding_idx=PAD),
            "places": nn.Embedding(MOST_TOKENS, WIDTH),
            "encoder": nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False),
            "answer": nn.Linear(WIDTH, self.n_classes or 1),
        })  # fmt: skip

    def _forward(self, network: Any, ids: np.ndarray) -> Any:
        torch: Any = import_module("torch")
        batch = torch.from_numpy(ids)
        empty = batch == PAD
        vectors = network["words"](batch) + network["places"](torch.arange(batch.shape[1]))
        encoded = network["encoder"](vectors, src_key_padding_mask=empty).masked_fill(empty.unsqueeze(2), 0.0)
        return network["answer"](encoded.sum(dim=1) / (~empty).sum(dim=1, keepdim=True))

    def _epoch(
        self, network: Any, optimizer: Any, *, data: list[list[int]], targets: np.ndarray, spec: TrainingSpec,
        seed: tuple[int, int], report: Report, so_far: str,
    ) -> float:  # fmt: skip
        network.train()
        total, epoch = 0.0, seed[1]
        order = np.random.default_rng(seed).permutation(len(data))
        batches = [order[at : at + spec.batch_size] for at in range(0, len(order), spec.batch_size)]
        for place, batch in enumerate(batches):
            optimizer.zero_grad()
            loss = self._loss(self._forward(network, _padded([data[row] for row in batch])), targets[batch])
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(batch)
            done = epoch - 1 + place / len(batches)
            report(done, spec.epochs, f"epoch {epoch} of {spec.epochs}, batch {place + 1} of {len(batches)}{so_far}")
        return total / len(data)

    def _loss_on(self, network: Any, data: list[list[int]], targets: np.ndarray) -> float:
        torch: Any = import_module("torch")
        network.eval()
        total = 0.0
        with torch.no_grad():
            for at in range(0, len(data), PREDICT_ROWS):
                part = slice(at, at + PREDICT_ROWS)
                total += float(self._loss(self._forward(network, _padded(data[part])), targets[part])) * len(data[part])
        return total / len(data)

    def _loss(self, outputs: Any, targets: np.ndarray) -> Any:
        torch: Any = import_module("torch")
        wanted = torch.from_numpy(targets)
        if self.n_classes:
            return torch.nn.functional.cross_entropy(outputs, wanted)
        return torch.nn.functional.mse_loss(outputs[:, 0], wanted)

    def _targets(self, truth: np.ndarray) -> np.ndarray:
        return truth.astype("int64") if self.n_classes else ((truth - self.shift_) / self.scale_).astype("float32")

    def _texts(self, rows: pd.DataFrame) -> list[list[str]]:
        columns = list(zip(self.columns, self.kinds, strict=True))
        return [
            list(_tokens(values, columns)) for values in rows[list(self.columns)].itertuples(index=False, name=None)
        ]

    def _ids(self, texts: list[list[str]]) -> list[list[int]]:
        places = {word: place for place, word in enumerate(self.words_, start=2)}
        return [[places.get(word, UNKNOWN) for word in words[:MOST_TOKENS]] or [UNKNOWN] for words in texts]


def encoder_for(kinds: Mapping[str, str], n_classes: int) -> TextEncoder:
    """An untrained encoder over the text columns, with categories as words of their own.

    Raises:
        InvalidInput: There is no text column to read.
    """
    read = {name: kind for name, kind in kinds.items() if kind in {table.TEXT, table.CATEGORICAL}}
    if table.TEXT not in read.values():
        raise InvalidInput(
            "a transformer reads text, and no feature is text", valid=list(kinds),
            do="name one under features.textFeatures, or choose another algorithm",
        )  # fmt: skip
    order = sorted(read, key=lambda name: read[name] == table.TEXT)  # categories first: texts may be cut off
    return TextEncoder(columns=order, kinds=[read[name] for name in order], n_classes=n_classes)


def _tokens(values: tuple[Any, ...], columns: list[tuple[str, str]]) -> Iterator[str]:
    for value, (name, kind) in zip(values, columns, strict=True):
        if not isinstance(value, str):
            continue
        if kind == table.CATEGORICAL:
            yield f"{name}={value}"
        else:
            yield from _WORD.findall(value.lower())


def _padded(ids: list[list[int]]) -> np.ndarray:
    out = np.zeros((len(ids), max(map(len, ids))), dtype="int64")
    for row, places in enumerate(ids):
        out[row, : len(places)] = places
    return out
