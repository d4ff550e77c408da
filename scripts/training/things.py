"""Invent what looks like a name and is none: acronyms, drugs, brands, codes. Mostly in no list, as in real texts."""

import random
import string

# Said in capitals all day, in wards, offices, shops and logs; three quarters of those in texts are invented.
ACRONYMS = (
    "HTN DM CHF COPD CKD AKI UTI DVT PE MI CVA TIA GERD OSA CAD AF SVT ROS HPI PMH PSH FHX SHX CXR ECG EKG EEG "
    "MRI CT ABG CBC BMP LFT INR BUN HR BP RR SBP MAP IV PO IM PRN BID TID QID NPO ICU ED ER OR PACU MICU SNF PCP "
    "NP PA RN LPN DNR LOC ROM WNL NAD SOB DOE HA NKDA NKA AMA EAN UPC SKU ISBN VAT PO RMA ETA FAQ KPI OKR ROI SLA "
    "API CPU GPU RAM SSD DNS TLS VPN JWT CSV PDF JSON YAML HTML CSS SQL ORM CLI SDK IDE PR CI CD QA UAT POC MVP "
    "CEO CFO CTO HR IT PMO EOD ASAP FYI TBD NDA GDPR HIPAA PCI KYC AML IBAN SWIFT BIC GMT UTC EST PDT AM PM USA "
    "UK EU UN NATO NASA FDA CDC WHO FBI IRS"
).split()
_DRUG_ENDS = (
    "pril olol sartan statin mab nib azole cillin mycin oxacin prazole tidine dipine zepam zolam pine pram "
    "oxetine triptan gliptin gliflozin glutide parin xaban gatran cept vir dronate setron lukast terol sone nide"
).split()
_BRAND_ENDS = "ify ly io a o um ix ex on us va ra tech hub flow base ware soft lytics".split()
_STARTS = "b c d f g l m n p r s t v x z br cl dr fl gr pl pr st tr qu".split()
_MIDDLES = "a e i o u ai ea io".split()
_CLOSES = ("", "", "l", "m", "n", "r", "s", "x", "ct", "nt")


def acronym(rng: random.Random) -> str:
    """Two to five capital letters."""
    if rng.random() < 0.25:
        return rng.choice(ACRONYMS)
    return "".join(rng.choices(string.ascii_uppercase, k=rng.choice((2, 3, 3, 3, 4, 5))))


def drug(rng: random.Random) -> str:
    """A generic drug, or a brand of one."""
    if rng.random() < 0.4:
        return _stem(rng, 2) + rng.choice("a o e in il an ix ra or".split())
    name = _stem(rng, rng.choice((1, 1, 2))) + rng.choice(_DRUG_ENDS)
    return name if rng.random() < 0.6 else name.capitalize()


def brand(rng: random.Random) -> str:
    """A product or service that nobody knows."""
    name = (_stem(rng, rng.choice((1, 2))) + rng.choice(_BRAND_ENDS)).capitalize()
    draw = rng.random()
    if draw < 0.1:
        return name.upper()
    if draw < 0.2:
        return f"{name} {rng.choice(('Pro', 'Cloud', 'Max', 'Studio', 'Air', 'One', 'Plus'))}"
    return name[:-1] + name[-1].upper() if draw < 0.25 else name


def code(rng: random.Random) -> str:
    """An id: of an order, a lot, a call, a machine."""
    upper, lower, digits = string.ascii_uppercase, string.ascii_lowercase, string.digits
    ends = "".join(rng.choices("0123456789abcdef", k=rng.choice((8, 12, 16, 20))))
    return rng.choice(
        (
            "".join(rng.choices(upper, k=rng.randint(6, 10))),
            "".join(rng.choices(upper + digits, k=rng.randint(6, 12))),
            f"{''.join(rng.choices(lower, k=rng.randint(3, 8)))}-{ends}",
            f"{''.join(rng.choices(lower, k=rng.randint(3, 6)))}_{ends}",
            f"{ends}-{''.join(rng.choices(upper, k=3))}",
            f"{''.join(rng.choices(upper, k=rng.randint(2, 4)))}-{rng.randint(10, 99999)}",
        )
    )


def _stem(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_CLOSES) for _ in range(syllables))
