"""Words for telephones: which stand before a number, which of them mean nothing else, and what else names digits."""

import re

from outwarden.pii.people import FIRST, LAST, is_name
from outwarden.pii.recognizer import Context

PHONE_WORDS = Context(
    r"area code|[a-z]{0,12}phone|tel\b|mobile|mob\b|cell|fax|whats ?app|wechat|sms"
    r"|hotline|voice ?mail|pager|dial|call|reach"
    r"|contact|(?:ring|text) (?:me|us|him|her|them)|handy|telefon|t[eé]l[eé]phone|t[ée]l\b|tel[eé]fono|m[oó]vil|celular"
    r"|kontakt|rufnummer|rückruf|erreichbar|portable|num[ée]ro|joindre|appele[zr]|ll[aá]m[ae]|fone|cellulare|chiamare"
    r"|telefoon|mobiel|bellen|tlf|puhelin|gsm|telefonu|komórk|zadzwo|sim\b|callback|landline|extension|switchboard"
    r"|(?:my|her|his|their|your|our|contact|the) (?:\w{2,8} )?(?:number|no\.|digits)|a ring"
    r"|viber|telegram|wa\b|hp\b|cep\b"
    r"|telem[oó]v|ligue (?:para|pra|no|me)|ligar|n[uú]mero|numm?er|sunat?i|suna[țt]i|h[íi]v[jo]"
    r"|ring(?:e|a|er)? (?:mig|meg|til)|bel (?:me|mij)|soita|volej|aray[\x{131}i]n|gọi|hubungi|ponsel|telepon"
    r"|t(?:el)?fno|puh\b",
    wide=r"điện|sđt|тел|моб|звон|номер|дзвон|电话|電話|手机|手機|携帯|联系|聯絡|連絡|전화|휴대|연락|هاتف|جوال|رقم|اتصل"
    r"|טל|נייד|नंबर|फोन|फ़ोन|मोबाइल"
    r"|โทร|เบอร์|มือถือ|τηλ|κινητ",
)
# Of `PHONE_WORDS` those that mean nothing else; the others ("cell", "call", "number") are words of any text.
_SURE_WORDS = Context(
    r"[a-z]{0,12}phone|tel\b|mobile (?:phone|no|num)|mob\b|cell ?(?:phone|no|num)|whats ?app|wechat|sms|hotline|voice ?mail"
    r"|telefon|t[eé]l[eé]phone|t[ée]l\b|tel[eé]fono|m[oó]vil|celular|rufnummer|rückruf|handy ?(?:nr|nummer)"
    r"|fone|cellulare|telefoon|mobiel|tlf|puhelin|gsm|telefonu|komórk|callback|landline|viber|telegram|telem[oó]v"
    r"|(?:my|her|his|their|your|our) (?:\w{2,8} )?(?:number|no\.|digits)|t(?:el)?fno|telepon|ponsel|điện",
    wide=r"điện|sđt|тел|моб|звон|дзвон|电话|電話|手机|手機|携帯|联系|聯絡|連絡|전화|휴대|연락|هاتف|جوال|موبايل|محمول|تلفون|تليفون|اتصل|טל|נייד|फोन|फ़ोन|मोबाइल"
    r"|โทร|มือถือ|τηλ|κινητ",
)
# Right before digits a word that is none of these names what they are: "counter 5519203", "numéro de lot 55821937".
_SMALL_WORDS = frozenset(
    """
    is was at on to to: me us him her them you it its it's as be by in under via with now new please plz or and then also
    today tomorrow anytime tonight again back free direct directly office home work desk reception support sales front
    here there this that the a my your his their our one number no digits line tollfree toll text call ring dial cell
    mobile phone fax contact reach pager extension ext sim whatsapp sms tel
    unter auf an bei mir uns ihn ihm sie der die das ist lautet sind dann wäre am im und oder von zu
    au à le la les l sur est moi nous lui un une et ou en par c'est suis
    es al el los me nos lo mi mis su tu un una y o por son é ao na no em meu minha seu sua nos pelo pela para pra e
    il lo mio suo tua sono nel al del dello è ci
    to na pod mój moja mu jej jest do nr i lub numer numero número numéro nummer номер numărul numeris
    op aan mij ons het een is naar van på till mig oss är er til meg det den på med
    olla on numeroni se või mano yra mans ir je naujas jauns yeni mi sunt este este la
    мой моя это на по его её ее мне нам для и или будет есть мій це її його
    numaram numarası bu ve ya da saya ke di adalah nomor tôi là số của
    """.split()
)
_LAST_WORD = re.compile(r"(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)?)(?P<signs>[^\w]{0,4})\Z")
_NAMED_WIDTH = 40
_NUMBER_BEHIND = frozenset({"numeris", "numurs", "numarası"})
_ARTICLE = "ال"  # a noun in Arabic, which has no capitals: number of the batch
_NAME_MIN = 4  # letters: Lot was somebody, too
# Who is called: "ring the school 0207…", "appelle le plombier 06…".
_CALLED = re.compile(
    r"\b(?:call|ring|dial|reach|text|contact|phone|appelle[rz]?|joindre|llam[ae]r?|ligue|ligar|bel|chiama(?:re)?)"
    r" (?:the|my|our|his|her|their|your|an?|le|la|les|mon|ma|el|los|mi|o|os|de|het|il|lo) [^\d.;:]{2,24}\Z",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r" ?(?:bytes?|[kmgt]i?b|bits?|units?|packets?|times|pages?|rows?|items?|pcs|pieces|cycles|hours?"
    r"|hrs?|min|sec|ms|us|ns|kwh?|mwh?|nm"
    r"|[kmc]?m[23²³]?|k?g|mg|ml|l|st[üu]ck|stk|h|°c|tonnes?|tons?|lbs?|oz|%|[€$£])(?![\w-])",
    re.IGNORECASE,
)


def is_called_otherwise(text: str, start: int, end: int) -> bool:
    """Whether a unit behind digits or the word right before them says what they are, and none near a telephone."""
    if _MEASURED.match(text, end):
        return True
    if _SURE_WORDS.before(text, start):
        return False
    before = text[max(0, start - _NAMED_WIDTH) : start]
    last = _LAST_WORD.search(before)
    if last is None or "\n" in last["signs"] or last["signs"].strip(" :.#=\"'"):
        return False  # "call Ada (5551234", "reach us - 5551234"
    word = last["word"]
    if word in _NUMBER_BEHIND and (noun := _LAST_WORD.search(before, 0, last.start())) is not None:
        word = noun["word"].lower()  # "užduoties numeris 6619203": the word before says of what
    if _CALLED.search(before):
        return False
    called = len(word) >= _NAME_MIN and is_name(word, (*FIRST, *LAST))  # "call maria 5551…"
    return (word.islower() or word.startswith(_ARTICLE)) and word not in _SMALL_WORDS and not called
