"""Addresses in two halves are found; a user and a host of a program, and words around "at", are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize(
    "text",
    [
        'Mail: user="jana.lund7" host="orange.fr"',
        '{"local": "jana.lund7", "at": "@", "domain": "orange.fr"}',
        '{"local_part":"jana.lund7","domain":"orange.fr","verified":true}',
        '<span data-name="jana.lund7" data-host="orange" data-tld="fr"></span>',
        'q = "jana.lund7#AT#orange.fr".replace("#AT#", "@")',
        '<span data-u="jana.lund7" data-d="orange.fr" class="em"></span>',
        "var u='jana.lund7';var h='orange.fr';location='mailto:'+u",
        "e-mail:\n* name: jana.lund7\n* host: orange.fr",
        "contact: domain orange.fr, mailbox jana.lund7",
        "mail uid=jana7,ou=people,dc=orange,dc=fr",
        'fmt.Sprintf("%s@%s", "jana.lund7", "orange.fr")',
        "UPDATE c SET v = CONCAT('jana.lund7@', 'orange.fr')",
        '"{}{}".format("jana.lund7", "@orange.fr")',
        "{{at|jana.lund7|orange.fr}}",
        "write to orange.fr!jana.lund7 please",
        "jana.lund7<nowiki>@</nowiki>orange.fr",
        "jana.lund7[@](https://host.org)orange.fr",
        "jana\\'2elund7\\'40orange\\'2efr",
        "jana.lund7\\symbol{64}orange.fr",
        "(&(mail=jana.lund7\\40orange.fr)",
        "my e-mail is jana7 & orange.fr",
        "correo: jana7, and then the usual sign, and then orange.fr",
        "mail me: jana7@orange,fr",
        "jana.lund7 at orange.fr wrote:\n> looks fine",
        "From jana_lund at orange.fr  Tue Mar  4 09:12:44 2025",
        "Return-Path: <bounces+112-jana.lund7=orange.fr@news.acme.io>",
        "<SRS0=a7Qk=VX=orange.fr=jana.lund7@fwd.acme.io>",
        "| user | | domain |\n|---|---|---|\n| jana.lund7 | @ | orange.fr |",
        "mail me at jana7 (mailbox hosted with orange.fr)",
    ],
)
def test_two_halves_are_an_address(detector: Detector, text: str) -> None:
    """Fields, arguments, templates, marks around the @, any words behind a word for mail."""
    assert "EMAIL_ADDRESS" in {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        'connect(user="root", host="db.acme.io")',
        "name: deploy\nhost: build.acme.io",
        'import_paths = ["core", "acme.io"]',
        "the mail server runs on mx1.acme.io",
        "e-mail support via help.acme.io",
        "contact lenses & frames at optics.de",
        "wow.that!is a lot",
        "we met at acme.io on Tuesday",
        "x=acme.io",
        "on a walk along the way. (at Starting Point of the trail)",
    ],
)
def test_other_halves_are_none(detector: Detector, text: str) -> None:
    """Logins of programs, servers, sentences."""
    assert [span.entity for span in detector.find([text])[0]] == []
