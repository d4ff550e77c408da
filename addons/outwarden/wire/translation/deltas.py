"""A streamed answer, piece by piece, as no provider spells it."""

from dataclasses import dataclass

from outwarden.wire.translation.neutral import Spent, Stop


@dataclass(frozen=True, slots=True)
class Began:
    """The answer begins. Comes once, before all else."""

    id: str
    model: str
    spent: Spent


@dataclass(frozen=True, slots=True)
class Said:
    """More text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call begins; those before it are over."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Argued:
    """More of the JSON that is the arguments of the last call; never empty."""

    json: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The model has ended; only what it used may follow."""

    stop: Stop
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens so far; the last report holds."""

    spent: Spent


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider says that it failed; nothing follows. ``message`` is its own; ``kind`` too, or Anthropic's word."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Over:
    """The stream is complete. Comes once, after `Stopped`."""


type Piece = Began | Said | Called | Argued | Stopped | Used | Failed | Over
