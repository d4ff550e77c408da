"""The example profiles are rules that load, and keep what they promise."""

import re
from pathlib import Path

import pytest

from outwarden.pii import PiiEngine, Vault, finders_for
from outwarden.rules import Rules, load_rules, shipped_rules
from outwarden.wire.edits import apply_edits

PROFILES = shipped_rules() / "profiles"
SECRET = b"a secret for tests only"
NOTE = (
    "Pt. Jonas Weber (MRN-7733109) was seen; call +49 1512 7340918. Card 4929 4128 3357 6017, account ACC-00123456,"
    " IBAN DE75850105103738881515, key sk-proj-tRciWI6HzJaWELoNM7vKbv12VV8OjMejMfsoV8pZbKAags0j, host 192.168.7.9."
)


def rules(name: str) -> Rules:
    return load_rules(PROFILES / name)


def left(name: str, text: str) -> tuple[str, str | None, str]:
    """What leaves, what is refused, and what comes back when the model repeats it."""
    policy = rules(name).pii
    engine = PiiEngine(policy, SECRET, finders_for(policy))
    vault = Vault()
    request = engine.request(vault)
    (edits,) = request.edits([text])
    request.note([(edit, text[edit.start : edit.end]) for edit in edits])
    said = apply_edits(text, edits)
    (restored,) = engine.reply(vault).edits([said])
    return said, request.refused, apply_edits(said, restored)


@pytest.mark.parametrize("profile", sorted(path.name for path in PROFILES.iterdir()))
def test_a_profile_loads(profile: str) -> None:
    """Every file of it, examples included."""
    assert rules(profile).pii.restore
    assert {file.name for file in Path(PROFILES / profile).iterdir()} <= {"pii.yml", "budgets.yml", "traffic.yml"}


def test_fintech_lets_no_account_out() -> None:
    """Accounts, cards and IBANs do not come back either; people do; a key ends the call."""
    said, refused, back = left("fintech", NOTE)

    for value in ("4929 4128", "ACC-00123456", "DE7585", "Jonas Weber", "7340918"):
        assert value not in said
    for value in ("4929 4128", "ACC-00123456", "DE7585"):
        assert value not in back
    assert "Jonas Weber" in back
    assert refused == "API_KEY"
    assert {budget.name for budget in rules("fintech").budgets.budgets} >= {"one-call", "key-hour", "company-month"}


def test_healthcare_gives_the_record_back_to_who_asked() -> None:
    """Name and record number leave under other names; what nobody can read does not leave."""
    said, _, back = left("healthcare", NOTE)

    for value in ("Jonas Weber", "MRN-7733109", "7340918", "4929 4128"):
        assert value not in said
    assert re.match(r"Pt\. \[PATIENT_NAME_[0-9a-f]{6}\] \(\[MRN_[0-9a-f]{6}\]\) was seen", said)
    assert "Pt. Jonas Weber (MRN-7733109)" in back
    assert rules("healthcare").traffic.unread_body == "refuse"
    assert rules("healthcare").pii.action("PERSON", "response") == "mask"


def test_healthcare_knows_its_placeholders_as_models_write_them() -> None:
    """With spaces, in lower case, in Markdown; the next turn finds nothing of ours to take out."""
    policy = rules("healthcare").pii
    engine = PiiEngine(policy, SECRET, finders_for(policy))
    vault = Vault()
    request = engine.request(vault)
    text = "Pt. Jonas Weber (MRN-7733109) was seen."
    (edits,) = request.edits([text])
    request.note([(edit, text[edit.start : edit.end]) for edit in edits])
    name, number = re.findall(r"\[\w+\]", apply_edits(text, edits))
    said = f"PATIENT NAME {name[-7:-1]}, {name.lower()}, {name[1:-1].replace('_', chr(92) + '_')}, MRN-{number[-7:-1]}"
    (restored,) = engine.reply(vault).edits([said])

    assert apply_edits(said, restored) == "Jonas Weber, Jonas Weber, Jonas Weber, MRN-7733109"
    assert engine.request(Vault()).edits([said]) == [[]]


def test_a_coding_agent_keeps_its_addresses_and_its_session() -> None:
    """Private addresses stay, keys leave under a name and come back, nothing is refused."""
    said, refused, back = left("coding-agent", NOTE)

    assert refused is None
    assert "192.168.7.9" in said
    assert "sk-proj" not in said
    assert back == NOTE
