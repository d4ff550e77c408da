"""Names of persons in scripts other than Latin, which the model for names does not read: by the words beside them.

Who somebody is stands before a name (patient, doctor, wife, Mr), in East Asia behind it as well; in Cyrillic a patronymic
or initials tell, in Chinese and Korean a last name besides. Words of sentences follow such words, too: where a script has
no capitals, only a title or a colon vouches for any word, and else the word must be a known name.
"""

import re
from collections.abc import Iterator

from outwarden.pii.finder import Span
from outwarden.pii.page import Page
from outwarden.pii.people import FIRST, LAST, is_name

_ENTITY = "PERSON"
_SCORE = 0.75


def _any(*lines: str) -> str:
    return "|".join(lines)


# Cyrillic and Greek have capitals: a word with one begins the name.
_CAPITAL = r"[А-ЯЁІЇЄҐЎЂЈЉЊЋЏЅЌЃΆΈ-ΏΑ-Ϋ]"
_SMALL = r"[а-яёіїєґўђјљњћџѕќѓά-ώΐΰ'\u2019]"
_CAPITALISED = rf"{_CAPITAL}{_SMALL}+(?:-{_CAPITAL}{_SMALL}+)?"
_INITIALS = rf"{_CAPITAL}\.(?:[ ]?{_CAPITAL}\.)?"
_CASED_NAME = rf"(?P<name>(?:{_INITIALS}[ ]?)?{_CAPITALISED}(?:[ ](?:{_CAPITALISED}|{_INITIALS})){{0,3}})"
_CASED_WHO = _any(
    r"пациент(?:к[аиу]|а|у|ом)?|больн(?:ой|ая|ого|ому|ую)|б-н(?:ой|ая|ого)|врач[ау]?|доктор[ау]?|д-ра?|др\.|проф\.|профессор",
    r"медсестр[аыу]|м/с|акушерк[аи]|хирург[ау]?|фельдшер|санитарк[аи]|невролог|терапевт|педиатр|кардиолог|анестезиолог",
    r"господин[ау]?|госпож[аи]|г-ну?|г-ж[аеи]|граждан(?:ин|ка|ки)|гр\.|товарищ|уважаем(?:ый|ая|ые)|дорог(?:ой|ая)",
    r"жен[аыеу]|муж[ау]?|сын[ау]?|доч(?:ь|ери)|мат(?:ь|ери)|от(?:ец|ца)|брат[ау]?|сестр[аыу]|баб[уо]шк[аиу]|дедушк[аиу]",
    r"внук[ау]?|внучк[аиу]|т[её]т[яи]|дяд[яи]|друг[ау]?|подруг[аи]|сосед(?:к[аи]|а|у)?|вдов[аы]|супруг[аиу]?|мам[аыу]|пап[аыу]",
    r"племянни(?:к|ца)|опекун|контактное лицо|зовут|имя|фамилия|фио|ф\.и\.о\.|подпис(?:ь|ал|ала)|автор|директор|менеджер",
    r"клиент(?:ка|а|у)?|сотрудни(?:к|ца|ку)|водитель|учитель(?:ница)?|звонил[аи]?|кому|от кого|привет|здравствуйте",
    r"пацієнт(?:к[аиу]|а)?|хвор(?:ий|а|ого)|лікар(?:ка|я)?|сестра медична|пан(?:і|ові|у)?|шановн(?:ий|а)|мати|батько|син|дон[ьк]а",
    r"дружин[аи]|чоловік|сусідк?а?|бабуся|дідусь|звати|ім'я|прізвище|піб|підпис|лекар(?:ка|я)?|дъщеря|съпруг[аъ]?|майка|баща",
    r"съсед(?:ка)?|казвам се|име|ћерка|супруга|мајка|отац|пацијент(?:киња)?|госпођа|господине?",
    r"ασθεν(?:ής|ή|ούς)|κ\.|κα|κος|κύριο[ςυ]?|κυρία|δρ\.?|ιατρός|ιατρού|γιατρό[ςυ]?|νοσηλεύτρια|νοσηλευτής|μαία|σύζυγο[ςυ]?",
    r"κόρη|γιο[ςυ]?|υιός|μητέρα|πατέρας|αδε[λρ]φ[ήό]ς?|γείτονας|όνομα|επώνυμο|ονοματεπώνυμο|με λένε|εισιτήριο|εξιτήριο",
    r"αγαπητ[έήό]|υπογραφή|pacient(?:ka)?|patient(?:ka)?|dr\.",
)
_CASED = re.compile(
    rf"(?<!\w)(?i:{_CASED_WHO})(?:[ ]?[:\u2013\u2014-])?[ ]{{1,2}}(?:(?i:{_CASED_WHO})[ ]{{1,2}}){{0,2}}{_CASED_NAME}"
)
_PATRONYMIC = re.compile(
    rf"(?P<name>(?:{_CAPITALISED}[ ]){{1,2}}{_CAPITAL}{_SMALL}+(?:[оеё]вич|йович|ьич|овна|евна|ична|івна|ївна)[аеуом]{{0,2}}"
    rf"(?:[ ]{_CAPITALISED})?)(?!\w)"
)
_WITH_INITIALS = re.compile(
    rf"(?<!\w)(?P<name>{_CAPITAL}\.[ ]?{_CAPITAL}\.[ ]?{_CAPITALISED}|{_CAPITALISED}[ ]{_CAPITAL}\.[ ]?{_CAPITAL}\.)"
)

# Scripts without capitals: (letters, titles, other words for who somebody is).
_UNCASED = (
    (
        r"[\u05d0-\u05ea'\"\u05f3\u05f4]",
        r"ד\"ר|ד״ר|פרופ'|פרופ׳|מר|גב'|גב׳|גברת|האחות|האח|שמי",
        r"[והבלמש]{0,2}(?:מטופלת?|חולה|רופאה? (?:מפנה|מטפלת?)|רופאה?|אחות|אשתו|בעלה|בנו|בנה|בתו|בתה|אמו|אמה|אביו|אביה|אחיו|אחיה|אחותו"
        r"|אחותה|שכנה?|שם|שם המטופלת?|לכבוד)",
    ),
    (
        r"[\u0621-\u064a\u066e-\u06d3\u200c]",
        r"د\.|الدكتور[ةه]?|أ\.د\.|السيد[ةه]?|الأستاذ[ةه]?|الممرض[ةه]?|الآنسة|اسمي|دکتر|آقای|خانم|ڈاکٹر|جناب|محترمہ|بیگم",
        r"المريض[ةه]?|مريض[ةه]?|الطبيب[ةه]?(?: المعالج[ةه]?)?|زوجها|زوجته|ابن[هة]ا?|ابنته|ابنتها|والدت?ه|والدت?ها|أم[هة]ا?|أخو?ه|أخته|الاسم"
        r"|اسم المريض[ةه]?|بیمار|پزشک|همسر|پسر|دختر|مادر|پدر|پرستار|نام|مریضہ?|بیوی|شوہر|بیٹ[ای]|والدہ?|نرس|بھائی|بہن",
    ),
    (
        r"[\u0900-\u097f]",
        r"डॉ\.?|डॉक्टर|श्रीमती|श्री|कुमारी|सुश्री|नर्स",
        r"रोगी|मरीज़?|पति|पत्नी|पुत्री?|बेटा|बेटी|माता|पिता|मां|माँ|भाई|बहन|नाम|चिकित्सक",
    ),
    (
        r"[\u0980-\u09ff]",
        r"ডা\.|ডাঃ|ডাক্তার|জনাব|মিসেস|মিস্টার|বেগম|নার্স",
        r"রোগী|রোগিণী|স্বামী|স্ত্রী|ছেলে|মেয়ে|মা|বাবা|ভাই|বোন|নাম",
    ),
    (
        r"[\u0b80-\u0bff]",
        r"மரு\.|டாக்டர்|திரு\.?|திருமதி\.?|செல்வி|செவிலியர்",
        r"நோயாளி|கணவர்|மனைவி|மகன்|மகள்|தாய்|தந்தை|அம்மா|அப்பா|பெயர்",
    ),
    (
        r"[\u0e01-\u0e4e]",
        r"นพ\.|พญ\.|นาย|นางสาว|นาง|คุณ|ด\.ช\.|ด\.ญ\.|ชื่อ",
        r"ผู้ป่วย|ภรรยา|สามี|ลูกชาย|ลูกสาว|บุตร|มารดา|บิดา|แม่|พ่อ|พยาบาล|แพทย์(?:เจ้าของไข้)?|ญาติ",
    ),
)


# What follows such a word in a sentence: postpositions, verbs.
_SMALL_WORDS = r"को|का|की|के|से|में|ने|है|हैं|और|पर|भी|द्वारा|কে|এর|ও|আছে|এবং|থেকে|உள்ள|மற்றும்|ஒரு|มี|ได้|ให้|มา|ไป|ถูก|รับ|เป็น|อยู่|จะ|ไม่|ที่|และ|กับ|แล้ว"


def _uncased(letters: str, titles: str, others: str) -> re.Pattern[str]:
    word = rf"{letters}{{2,20}}"
    who = rf"(?:{titles}|{others})"
    return re.compile(
        rf"(?<!{letters})(?:(?P<title>{titles})[ ]{{0,2}}|(?:{others})(?:(?P<sign>[ ]?[:：])[ ]{{0,2}}|[ ]{{1,2}}))(?:{who}[ ]{{1,2}}){{0,2}}"
        rf"(?P<name>(?!(?:{_SMALL_WORDS})(?!{letters}))(?!{who}(?!{letters})){word}(?:[ ](?!{who}(?!{letters})){word}){{0,2}})(?!{letters})"
    )


_WITHOUT_CASE = [_uncased(*one) for one in _UNCASED]
# Of those without lists of names any word may be one.
_LISTED = re.compile(r"[\u05d0-\u06d3]")

_HAN = r"[\u3400-\u9fff\u3005]"
_ZH_LAST = (
    r"(?:欧阳|歐陽|司马|司馬|诸葛|諸葛|上官|司徒|[王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭"
    r"田董袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范金石廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱江尹薛闫阎段雷侯龙龍史陶黎贺賀顾顧毛郝"
    r"龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯康施翁阮柯詹洪簡])"
)
_ZH_WHO = (
    r"患者|病人|姓名|家属|家屬|联系人|聯絡人|儿子|兒子|女儿|女兒|妻子|丈夫|母亲|母親|父亲|父親|哥哥|姐姐|弟弟|妹妹|护工|主治|主管医师|主治醫師|医师|醫師"
    r"|护士|責任護士|客户|客戶|收件人|我叫|我是|同事|经理|老师|律师"
)
_ZH_TITLE = r"先生|女士|小姐|太太|医生|醫生|医师|醫師|大夫|护士|護士|教授|主任|老师|老師|护士长|阿姨|叔叔"
_CHINESE = (
    re.compile(rf"(?:{_ZH_WHO})[ ]?[:：]?[ ]?(?P<name>{_ZH_LAST}{_HAN}{{1,2}})(?=[\s，,。．.；;、（(]|[男女]|$)"),
    re.compile(
        rf"(?:儿子|兒子|女儿|女兒|妻子|丈夫|母亲|母親|父亲|父親|联系人|我叫)[:：]?(?P<name>{_ZH_LAST}{_HAN}{{2}})"
    ),
    re.compile(rf"(?<![{_HAN[1:-1]}])(?P<name>{_ZH_LAST}{_HAN}{{0,2}}?)(?:{_ZH_TITLE})"),
    re.compile(rf"(?<=[由和与與跟请請找给給向对對：:治])(?P<name>{_ZH_LAST}{_HAN}{{0,2}}?)(?:{_ZH_TITLE})"),
)
_JA = r"[\u3041-\u30ff\u3400-\u9fff\u3005]"
_KANA = re.compile(r"[\u3041-\u30ff様殿]")
_JA_WHO = r"患者|氏名|名前|担当医|主治医|執刀医|医師|看護師|連絡先|家族|付添|妻|夫|長男|長女|次男|次女|三男|母|父|息子|娘|兄|弟|姉|妹|祖母|祖父|紹介医|様"
_JAPANESE = (
    re.compile(rf"(?:{_JA_WHO})[ \u3000]?(?:[:：]|の|は)?[ \u3000]?(?P<name>{_JA}{{1,4}}(?:[ \u3000]{_JA}{{1,4}})?)"),
    re.compile(
        rf"(?P<name>{_JA}{{1,4}}(?:[ \u3000]{_JA}{{1,4}})?)[ \u3000]?(?:さん|様|氏|殿|先生|医師|看護師|くん|ちゃん)"
    ),
)
_KO_LAST = r"[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모]"
_KO_WHO = r"환자(?:명)?|성명|이름|보호자|주치의|담당의?|간호사|남편|아내|아들|딸|어머니|아버지|형|누나|오빠|언니|동생|집도의|의사|고객|저는|연락처"
_KOREAN = (
    re.compile(
        rf"(?<![가-힣])(?:{_KO_WHO})[ ]?[:：]?[ ](?:(?:{_KO_WHO})[ ])?(?P<name>{_KO_LAST}[가-힣]{{1,2}})(?![가-힣]{{3}})"
    ),
    re.compile(rf"(?<![가-힣])(?P<name>{_KO_LAST}[가-힣]{{2}})[ ]?(?:씨|님|간호사|선생님|의사|교수|과장|원장|환자)"),
    re.compile(rf"(?<=[/|,·])[ ]?(?P<name>{_KO_LAST}[가-힣]{{2}})(?=[ ]?[/|,·])"),
)


# Which patterns are for which letters.
_CASED_LETTER, _HAN_LETTER, _HANGUL = (
    re.compile(letters) for letters in (r"[\u0370-\u03ff\u0400-\u04ff]", _HAN, r"[\uac00-\ud7a3]")
)
_UNCASED_LETTER = re.compile(r"[\u0590-\u0e7f]")
# Letters of other scripts with little else between, and so much around them: who somebody is may be said in Latin.
_OTHER = r"[\u0370-\u1cff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_RUN = re.compile(rf"{_OTHER}+(?:[^\u0370-\u1cff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{{1,24}}{_OTHER}+)*")
_AROUND = 24


class OtherScripts:
    """Finds them; a `WholeFinder`. Serves all threads."""

    entities = frozenset({_ENTITY})

    def __repr__(self) -> str:
        return "<OtherScripts>"

    def find(self, page: Page) -> dict[int, list[Span]]:
        """The findings in each text with any; most texts are in Latin letters."""
        return {index: list(_find(text)) for index, text in enumerate(page.texts) if not text.isascii()}


def _find(text: str) -> Iterator[Span]:
    for run in _RUN.finditer(text):
        first = max(0, run.start() - _AROUND)
        for start, end in _in_run(text[first : run.end() + _AROUND]):
            yield Span(first + start, first + end, _ENTITY, _SCORE)


def _in_run(text: str) -> Iterator[tuple[int, int]]:
    if _CASED_LETTER.search(text):
        for pattern in (_CASED, _PATRONYMIC, _WITH_INITIALS):
            yield from (found.span("name") for found in pattern.finditer(text))
    if _UNCASED_LETTER.search(text):
        for pattern in _WITHOUT_CASE:
            for found in pattern.finditer(text):
                if found["title"] or found["sign"] or not _LISTED.match(found["name"]) or _has_name(found["name"]):
                    yield found.span("name")
    for letter, patterns in ((_HAN_LETTER, _CHINESE), (_HANGUL, _KOREAN)):
        for pattern in patterns if letter.search(text) else ():
            yield from (found.span("name") for found in pattern.finditer(text))
    for pattern in _JAPANESE if _KANA.search(text) else ():
        for found in pattern.finditer(text):
            if (name := _japanese(found["name"])) is not None:
                start = found.start("name") + found["name"].index(name)
                yield start, start + len(name)


def _has_name(said: str) -> bool:
    return any(is_name(word, (*FIRST, *LAST)) for word in said.split())


def _japanese(said: str) -> str | None:
    """The part of a run that is a known name, with what belongs to it; None without any."""
    for part in re.split(r"[ \u3000]", said):
        for length in range(len(part), 1, -1):
            for start in range(len(part) - length + 1):
                if is_name(part[start : start + length], (*FIRST, *LAST)):
                    return said if " " in said or "\u3000" in said else part[start : start + length]
    return None
