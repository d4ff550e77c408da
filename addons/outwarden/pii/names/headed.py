"""Names behind a label ("Name: Ruthann R. Haile"), in the order of registers ("Cross, Jacinta; URN 923937"), in rows.

A label says that a name follows; the lists say how far it goes. Last name first counts where a record goes on behind
it: a number of the patient's, a date of birth, an age with a sex. A known name by itself counts before an age with a
sex ("Adeyemi F 54"), in a row between its number and the patient's ("3 Castellanos 6715096"), and beside others behind
slashes ("WR Boateng/Haddad").
"""

import re
from collections.abc import Iterator, Sequence

from outwarden.pii.finder import Span, is_taken
from outwarden.pii.names.lists import CAPITAL, NAME, Lists, words

_SCORE = 0.85
# What is labelled so is a person; one word is enough, if a list knows it.
_PERSONS = words(
    """
    patient pt pat px pte paciente patientin paziente pacjent pacjentka cons patiënt pasient caller contact nok
    surgeon operator attending physician consultant registrar nurse midwife anaesthetist anesthetist radiologist
    pathologist cardiologist provider therapist dietitian pharmacist interpreter recorder leader scribe witness
    witnessed signed reviewed carer mother father mum dad wife husband daughter son sister brother
    partner spouse guardian client resident subject bantay gp pcp rn md hcp poa arzt ärztin hausarzt oberarzt
    médico médecin medico huisarts lekarz
    """
)
_NAMES = words(
    """
    name names nombre nombres nom prénom nome cognome naam navn namn imię nazwisko nimi név nume ime surname
    forename vorname
    """
)
_LABEL = re.compile(r"(?P<last>[^\W\d_]+(?:-[^\W\d_]+)?)(?:/[^\W\d_]{2,8}|(?<=ed) by|(?<=seen) by)?[ ]?\Z")
_LABEL_CHARACTERS = 40
_PART = rf"(?:(?:van|von|de|del|della|di|da|dos|der|den|bin|al|el|la|le) ){{0,2}}(?:{NAME}|{CAPITAL}[^\W\d_]\b\.?)"
_BEHIND = re.compile(rf"[ \t]{{1,4}}(?P<name>{_PART}(?:,? {_PART}){{0,3}})(?![\w-])")
_WORD = re.compile(r"[^\W\d_]+")
_LAST_FIRST = rf"(?P<last>{NAME}(?:[ -]{NAME})?),[ ]?(?P<first>{NAME})(?:[ ]{CAPITAL}[^\W\d_]\b\.?)?"
_NUMBER = r"[([]?(?:mrn|mr ?#|urn?\b|nhs|hosp|dob\b|d\.o\.b|geb\b|chart|rec(?:ord)?\b|file|#[ ]?\d)"
_AGE = r"[([]?\d{1,3} ?(?:y/?o?\b|yrs?\b|j\.|ans\b|[mf]\b|,? ?[/,] ?[mf]\b)|[mf] ?[/,] ?\d{1,3}\b"
_REGISTER = re.compile(
    rf"(?<![\w'\u2019&.-])(?P<name>{_LAST_FIRST})(?![\w'\u2019-])(?=[ ]?[;|\[,\u2013-]?[ ]{{0,2}}(?i:{_NUMBER}|{_AGE}))"
)


_ROW_NAME = rf"{NAME}(?:,? (?:{NAME}|{CAPITAL}[^\W\d_]\b\.?))?"
# A known name before an age with a sex, in either order.
_SEX_AGE = r"[MF](?:(?: |, ?|/)\d{1,3}|\d{2,3})(?: ?y/?o?)?\b|\d{1,3} ?(?:y(?:/?o|rs?)?)?[ ,/]{0,2}[MF]\b"
_AGED = re.compile(rf"(?<![\w'\u2019&.-])(?P<name>{_ROW_NAME}),? \(?(?:{_SEX_AGE})(?![\w.-])")
# Between the number of a row, a bed or a time of the day, and the number of a patient.
_ROWED = re.compile(
    r"(?:(?:^|[\n;.])[ \t]*|(?i:\b(?:bed|bay|room|rm) ?))\d{1,4}[A-Za-z]?[.):]?[ ]+"
    rf"(?P<name>{_ROW_NAME})[ ]+[A-Z]{{0,4}}\d{{6,10}}(?![\w.,-]*\d)"
)
_SLASHED = re.compile(rf"(?<![\w/.&-]){NAME}(?: ?/ ?{NAME}){{1,4}}(?![\w/&-])")


_SLASHED_NAME = re.compile(r"[^\s/]+")
_DIGIT = re.compile(r"\d")


def headed(unit: str, found: Sequence[Span], lists: Lists) -> Iterator[Span]:
    """Yield the names that a label or a record tells, besides those ``found``."""
    for start, end in (*_labelled(unit, lists), *_registered(unit, lists), *_in_rows(unit, lists)):
        if not is_taken(found, start, end):
            yield Span(start, end, "PERSON", _SCORE)


def _labelled(unit: str, lists: Lists) -> Iterator[tuple[int, int]]:
    at = unit.find(":")
    while at >= 0:
        label = _LABEL.search(unit, max(0, at - _LABEL_CHARACTERS), at)
        one = _BEHIND.match(unit, at + 1) if label is not None and _is_label(label["last"]) else None
        if label is not None and one is not None and (end := _end(one, label["last"].lower(), lists)):
            yield one.start("name"), end
        at = unit.find(":", at + 1)


def _is_label(word: str) -> bool:
    return word.lower() in _PERSONS or word.lower() in _NAMES


def _end(one: "re.Match[str]", label: str, lists: Lists) -> int:
    """Where the name ends, 0 if there is none: before the first word that means something else."""
    end, known, long = 0, 0, 0
    for word in _WORD.finditer(one.string, *one.span("name")):
        if len(word[0]) > 1 and word[0][0].isupper():
            if lists.is_word(word[0]):
                break
            known += lists.is_first_name(word[0]) or lists.is_last_name(word[0])
            long += 1
        end = word.end()
    return end if known and (long > 1 or label in _PERSONS) else 0


def _registered(unit: str, lists: Lists) -> Iterator[tuple[int, int]]:
    for one in _REGISTER.finditer(unit) if "," in unit else ():
        first = one["first"]
        last = _WORD.findall(one["last"])[-1]
        given = lists.is_first_name(first) and not lists.is_word(first)
        if given or (lists.is_last_name(last) and not lists.is_word(last) and not lists.is_word(first)):
            yield one.span("name")


def _in_rows(unit: str, lists: Lists) -> Iterator[tuple[int, int]]:
    for form in (_AGED, _ROWED) if _DIGIT.search(unit) else ():
        yield from (one.span("name") for one in form.finditer(unit) if _are_names(one["name"], lists))
    for one in _SLASHED.finditer(unit) if "/" in unit else ():
        if _are_names(one[0], lists):
            yield from (word.span() for word in _SLASHED_NAME.finditer(unit, *one.span()))


def _are_names(said: str, lists: Lists) -> bool:
    """Whether all words but initials are known names and mean nothing else."""
    parts = [word for word in _WORD.findall(said) if len(word) > 1]
    return all((lists.is_first_name(p) or lists.is_last_name(p)) and not lists.is_word(p) for p in parts)
