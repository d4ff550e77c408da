"""`outwarden keys`: the keys of placeholders, and their rotation."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, age_in, fail, open_state, print_json

if TYPE_CHECKING:
    from outwarden.rules import KeyRing

OVERLAP_DAYS_MAX = 3650
AGE_CHARACTERS_MAX = 7  # six digits and a unit
keys_app = typer.Typer(name="keys", help="Show or rotate the keys of placeholders.", invoke_without_command=True)


@keys_app.callback()
def keys(
    context: typer.Context, rules: RulesOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Show the keys that placeholders are made with or known by; a key's id tells nothing of it."""
    if context.invoked_subcommand is None:
        _show(open_state(state).keys(), json)


@keys_app.command()
def rotate(
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap",
            metavar="AGE",
            # 30 days: how long OpenAI keeps stored responses (platform.openai.com/docs/guides/your-data)
            help="How long placeholders of the present key are still restored: 12h, 30d, 8w; 0d: not at all.",
        ),
    ] = "30d",
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Let a new key take over, in all processes of this state at once; the audit log says so."""
    from outwarden.audit import AuditLog

    age = read_age(overlap)
    folder = open_state(state)
    log = AuditLog(folder.audit)  # where nothing can be recorded, nothing is changed
    ring = folder.rotate_key(age)
    former, new = ring.keys[-2:]
    log.append(
        {
            "event": "key_rotated",
            "key": new.id,
            "former_key": former.id,
            "since": new.since.isoformat(),
            "former_until": former.until and former.until.isoformat(),
        }
    )
    log.close()
    _show(ring, json)


def read_age(text: str) -> timedelta:
    """Read ``12h``, ``30d``, or end with exit code 2."""
    age = age_in(text) if text.isascii() and len(text) <= AGE_CHARACTERS_MAX else None
    if age is None:
        fail(f"--overlap {text!r} is no age such as 12h, 30d or 8w", 2)
    if age > timedelta(days=OVERLAP_DAYS_MAX):
        fail(f"--overlap {text!r} is longer than {OVERLAP_DAYS_MAX} days", 2)
    return age


def _show(ring: "KeyRing", json: bool) -> None:
    now = datetime.now(UTC)
    told: list[dict[str, Any]] = [
        {
            "id": key.id,
            "state": "in use" if key == ring.current(now) else "next" if key.since > now else "former",
            "since": key.since.isoformat(timespec="seconds") if key.since.timestamp() else None,
            "until": key.until.isoformat(timespec="seconds") if key.until else None,
        }
        for key in ring.keys
    ]
    if json:
        print_json(told)
        return
    for one in told:
        since = f" from {one['since']}" if one["since"] else ""
        until = f", known until {one['until']}" if one["until"] else ""
        print(f"{one['id']}  {one['state']}{since}{until}")
