"""The words of Gambit's files, with their lines, and errors that name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NoReturn, TypeVar

from arena.errors import FormatError

__all__ = ["Reader"]

_TOKEN = re.compile(
    r'(?P<space>[\s,]+)|(?P<text>"(?:\\.|[^"\\])*")|(?P<mark>[{}])|(?P<word>[^\s,{}"]+)'
)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(/\d+)?")

T = TypeVar("T")


class Reader:
    """Tokens with their lines, and errors that name them."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        line, position = 1, 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:  # only an opening quote that is never closed gets here
                raise FormatError(f'{where}, line {line}: a text opened by " is not closed')
            kind, token = str(match.lastgroup), match.group()
            if kind != "space":
                self.tokens.append((kind, token, line))
            line += token.count("\n")
            position = match.end()
        self.tokens.append(("end", "the end of the file", line))

    def fail(self, expected: str, *, back: int = 0) -> NoReturn:
        """Raise the error for the token at hand (or one further back)."""
        _, token, line = self.tokens[self.at - back]
        raise FormatError(f"{self.where}, line {line}: expected {expected}, found {token}")

    def peek(self) -> tuple[str, str]:
        """Return kind and token without taking it."""
        kind, token, _ = self.tokens[self.at]
        return kind, token

    def line(self) -> int:
        """Return the line of the token at hand."""
        return self.tokens[self.at][2]

    def take(self, kind: str, expected: str) -> str:
        """Take a token of that kind."""
        found, token = self.peek()
        if found != kind:
            self.fail(expected)
        self.at += 1
        return token

    def mark(self, mark: str, expected: str = "") -> None:
        """Take a brace."""
        if self.peek() != ("mark", mark):
            self.fail(expected or mark)
        self.at += 1

    def text(self, expected: str) -> str:
        """Take a quoted text."""
        return re.sub(r"\\(.)", r"\1", self.take("text", expected)[1:-1], flags=re.DOTALL)

    def maybe_text(self) -> str | None:
        """Take a quoted text if there is one."""
        return self.text("") if self.peek()[0] == "text" else None

    def number(self, expected: str) -> Fraction:
        """Take a number: 2, -1.5, .5, 1e-3 or 1/3."""
        token = self.take("word", expected)
        if not _NUMBER.fullmatch(token):
            self.fail(expected, back=1)
        top, _, bottom = token.partition("/")
        if bottom and not int(bottom):
            self.fail("a number that is not divided by 0", back=1)
        return Fraction(top) / int(bottom or 1)

    def whole(self, expected: str, low: int, high: int | None = None) -> int:
        """Take an integer in a range."""
        value = self.number(expected)
        if value.denominator != 1 or value < low or (high is not None and value > high):
            self.fail(expected, back=1)
        return int(value)

    def braced(self, what: str, item: Callable[[], T]) -> list[T]:
        """Take `{ item item … }`."""
        self.mark("{", f"{{ and {what}")
        items: list[T] = []
        while self.peek() != ("mark", "}"):
            if self.peek()[0] == "end":
                self.fail("}")
            items.append(item())
        self.at += 1
        return items

    def header(self, word: str, versions: Sequence[str]) -> None:
        """Take `EFG 2 R` or `NFG 1 R`."""
        if self.take("word", word) != word:
            self.fail(word, back=1)
        if self.take("word", f"version {versions[0]}") not in versions:
            self.fail(f"version {' or '.join(versions)}", back=1)
        if self.take("word", "R or D") not in ("R", "D"):
            self.fail("R or D", back=1)
