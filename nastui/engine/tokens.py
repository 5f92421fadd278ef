"""Which of a layer's tokens are patches of the image and which is the class token, by evidence in the model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from torch import Tensor, nn

from nastui.errors import UsageError
from nastui.records import TokenGrid, Tokens

TOKENS: tuple[Tokens, ...] = get_args(Tokens)

_CLASS_TOKENS = ("class_token", "cls_token")
_OTHER_TOKENS = ("dist_token", "distillation_token", "reg_token", "register_tokens")


def parse_tokens(text: str) -> Tokens:
    """The choice of that name. Raises UsageError for any other word."""
    for tokens in TOKENS:
        if text == tokens:
            return tokens
    raise UsageError(f"'{text}' is no choice of tokens.", hint=f"Choose one of {', '.join(TOKENS)}.")


@dataclass(frozen=True, slots=True)
class TokenEvidence:
    """What a model tells of its tokens.

    `n_first`: how many stand before the patches, the class token foremost if `has_class`. `grids`: (rows, columns) of
    the maps that convolutions give, for patches come from these. `lengths`: numbers of tokens, all together, that the
    module with the class token has learned positions for.
    """

    n_first: int
    has_class: bool
    grids: frozenset[tuple[int, int]]
    lengths: frozenset[int]

    @classmethod
    def of(cls, module: nn.Module, grids: Iterable[tuple[int, int]]) -> TokenEvidence:
        """From the parameters of the modules that hold the tokens which are not patches."""
        for owner in module.modules():
            names = [name for name in (*_CLASS_TOKENS, *_OTHER_TOKENS) if _is_tensor(owner, name)]
            if not names:
                continue
            counted = sum(1 if name in _CLASS_TOKENS else getattr(owner, name).shape[-2] for name in names)
            n_first = getattr(owner, "num_prefix_tokens", counted)
            lengths = frozenset(p.shape[1] for p in owner.parameters() if p.ndim == 3 and p.shape[1] > n_first)
            has_class = any(name in _CLASS_TOKENS for name in names)
            return cls(n_first, has_class, frozenset(grids), lengths)
        return cls(0, False, frozenset(grids), frozenset())

    def grid(self, n_tokens: int) -> TokenGrid | None:
        """Which of so many tokens are patches; None where no map, or more than one, has as many positions."""
        for first in dict.fromkeys((self.n_first, 0)):
            fitting = [(rows, columns) for rows, columns in self.grids if rows * columns == n_tokens - first]
            if len(fitting) == 1:
                return TokenGrid(first, *fitting[0])
        return None

    def kept(self, n_tokens: int, tokens: Tokens) -> range | str:
        """Which tokens of a layer that has `n_tokens` count, or why that cannot be said."""
        if tokens == "all":
            return range(n_tokens)
        grid = self.grid(n_tokens)
        first = grid.first if grid else self.n_first if n_tokens in self.lengths else None
        if tokens == "class":
            if not self.has_class:
                return "has no class token that the model names (class_token, cls_token)"
            if first:
                return range(1)
            return f"has {n_tokens:,} tokens, and nothing tells that the class token is one of them"
        if first is None:
            return f"has {n_tokens:,} tokens, and nothing tells which of them are patches of the image"
        return range(first, n_tokens)


def _is_tensor(owner: nn.Module, name: str) -> bool:
    """Whether the module itself has a tensor of that name, as parameter or buffer."""
    return isinstance(owner._parameters.get(name), Tensor) or isinstance(owner._buffers.get(name), Tensor)
