"""Residues to token ids, one a residue, by a table read off a checkpoint's own tokenizer."""

import hashlib
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product, takewhile
from typing import Any

import numpy as np

from plm_geometry.models.base import ClsPosition, ProteinError

_NO_TOKEN = -1
# How vocabularies mark the start of a word (SentencePiece) or its continuation (WordPiece).
_WORD_MARKS = re.compile("▁|##|Ġ| ")


@dataclass(frozen=True)
class Spelling:
    """How an architecture's checkpoints want a protein written.

    Attributes
    ----------
    replaced : str
        Letters that are read as an unknown residue. J is always among them: no vocabulary has it.
    unknown : str
        What stands for an unknown residue.
    separator : str
        What stands between residues.
    """

    replaced: str
    unknown: str
    separator: str

    def write(self, sequence: str) -> str:
        """Return the text that the checkpoint's tokenizer expects of a protein."""
        return self.separator.join(self.unknown if x in self.replaced else x for x in sequence)

    def __str__(self) -> str:
        return f"upper case, [{self.replaced}] -> {self.unknown}"


class TokenTable:
    """The token of each letter and the special tokens around a protein.

    Looking tokens up is faster than a tokenizer, and the same as long as that reads residues one
    by one. A tokenizer with pieces of several residues is asked for every protein instead of
    trusted.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
    spelling : Spelling
    model_name : str
        For messages.

    Attributes
    ----------
    n_special : int
        Special tokens around a protein.
    cls_position : "first", "last" or None
        Where among a protein's tokens the classification token stands.
    """

    def __init__(self, tokenizer: Any, spelling: Spelling, model_name: str) -> None:
        self._tokenizer, self._spelling, self._model_name = tokenizer, spelling, model_name
        specials = self._encode("")
        n_before = _n_shared(specials, self._encode("A"))
        self.before, self.after = specials[:n_before], specials[n_before:]
        self.n_special = len(specials)
        ends: dict[ClsPosition, list[int]] = {"first": self.before[:1], "last": self.after[-1:]}
        cls = [tokenizer.cls_token_id]
        self.cls_position = next((at for at, token in ends.items() if token == cls), None)
        self.pad = tokenizer.pad_token_id or 0
        self._token_of_byte = np.full(256, _NO_TOKEN)
        for letter in string.ascii_uppercase:
            self._token_of_byte[ord(letter)] = self._token_of_letter(letter)
        self._is_trusted = not self._has_longer_pieces() and self._reads_pairs_singly()

    @property
    def digest(self) -> str:
        """Identify the table: a tokenizer that numbers letters otherwise has another one."""
        content = f"{self.before} {self._token_of_byte.tolist()} {self.after}"
        return hashlib.sha256(content.encode()).hexdigest()

    def residue_tokens(self, sequence: str, index: int = 0) -> np.ndarray:
        """Return one token id a residue, shape ``(n_residues,)``.

        Raises
        ------
        ProteinError
            Naming `index` and the position, if a residue has no token of its own.
        """
        tokens = look_up(sequence.upper(), self._token_of_byte)
        if (without := np.flatnonzero(tokens == _NO_TOKEN)).size:
            self._refuse(sequence, index, int(without[0]))
        if not self._is_trusted:
            read = self._encode_residues(sequence.upper())
            if read != tokens.tolist():
                self._refuse(sequence, index, _n_shared(read, tokens.tolist()))
        return tokens

    def with_specials(self, tokens: np.ndarray) -> np.ndarray:
        """Return a protein's tokens between the special ones."""
        return np.r_[self.before, tokens, self.after].astype(np.int64)

    def _encode(self, sequence: str) -> list[int]:
        return list(self._tokenizer(self._spelling.write(sequence))["input_ids"])

    def _encode_residues(self, sequence: str) -> list[int]:
        tokens = self._encode(sequence)
        return tokens[len(self.before) : len(tokens) - len(self.after)]

    def _token_of_letter(self, letter: str) -> int:
        tokens = self._encode_residues(letter)
        is_meant = self._spelling.write(letter) == self._tokenizer.unk_token
        is_known = is_meant or tokens != [self._tokenizer.unk_token_id]
        return tokens[0] if len(tokens) == 1 and is_known else _NO_TOKEN

    def _has_longer_pieces(self) -> bool:
        own = set(self._tokenizer.get_vocab()) - set(self._tokenizer.all_special_tokens)
        pieces = (_WORD_MARKS.sub("", piece) for piece in own)
        return any(len(piece) > 1 and piece.isalpha() and piece.isupper() for piece in pieces)

    def _reads_pairs_singly(self) -> bool:
        """Ask the tokenizer for every pair of letters that have a token, in one sequence."""
        letters = [x for x in string.ascii_uppercase if self._token_of_byte[ord(x)] != _NO_TOKEN]
        pairs = "".join(a + b for a, b in product(letters, repeat=2))
        return self._encode_residues(pairs) == look_up(pairs, self._token_of_byte).tolist()

    def _refuse(self, sequence: str, index: int, position: int) -> None:
        raise ProteinError(
            index,
            f"does not give one token a residue: {self._model_name}'s tokenizer breaks at position "
            f"{position + 1} ({sequence[position : position + 1]}), so check its vocabulary and "
            "tokenizer_config.json (do_lower_case must be false).",
        )


def _n_shared(one: list[int], other: list[int]) -> int:
    """Return how many tokens two lists have in common before they part."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def number_letters(letters: str, *, other: int, start: int = 0) -> np.ndarray:
    """Return the number of every byte: letters counted from `start`, `other` for the rest."""
    table = np.full(256, other)
    table[np.frombuffer(letters.encode(), dtype=np.uint8)] = np.arange(len(letters)) + start
    return table


def look_up(sequence: str, table: np.ndarray) -> np.ndarray:
    """Return the number of each residue by a table of bytes, shape ``(n_residues,)``."""
    return table[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]


def pad(rows: Sequence[np.ndarray], *, value: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of different lengths as one array, and which of its places are theirs.

    Parameters
    ----------
    rows : sequence of ndarray, shape ``(n_tokens,)``
    value : int
        What fills the rest, behind them.

    Returns
    -------
    tokens : ndarray of int64, shape ``(n_rows, longest)``
    is_token : ndarray of bool, shape ``(n_rows, longest)``
    """
    lengths = np.array([len(row) for row in rows])[:, None]
    is_token = np.arange(lengths.max()) < lengths
    tokens = np.full(is_token.shape, value, dtype=np.int64)
    tokens[is_token] = np.concatenate(rows)
    return tokens, is_token
