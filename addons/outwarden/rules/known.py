"""What other rooms know and a rule may name."""

# Presidio's names of what the patterns find, and API_KEY for the secrets of machines.
_ENTITIES = """
    API_KEY CREDIT_CARD CRYPTO DATE_OF_BIRTH EMAIL_ADDRESS IBAN_CODE IP_ADDRESS MAC_ADDRESS PASSWORD PHONE_NUMBER
    PRIVATE_KEY URL US_BANK_NUMBER US_DRIVER_LICENSE US_ITIN US_PASSPORT US_SSN UK_NHS UK_NINO
"""


def known_entities() -> frozenset[str]:
    """The entities that are built in."""
    return frozenset(_ENTITIES.split())
