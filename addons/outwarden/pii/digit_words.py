"""What people call the ten digits, in some eighty languages and ways of writing them, and signs that mean a digit.

After CLDR's rules for spelling numbers out (ICU's RuleBasedNumberFormat), with the forms that are said one by one on a
telephone, and common romanisations. One word alone says nothing (many mean something else in another language): seven
in a row do.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

# Zero to nine; other words for the same after a slash.
_TONGUES: Mapping[str, str] = {
    "en": "zero/oh/o/nought/naught/nil one two three four five six seven eight nine",
    # As it is sounded over the radio, misheard, and shortened.
    "en-x-sound": "ziro/zro won/wun/wan too/to/tu tree/free for/fore/fower fife/fyv/fiv sicks/sics/siks sevn/sevin ait/ate/eit niner/nyn/nain",
    "de": "null eins/ein/eine zwei/zwo drei vier fünf/fuenf sechs sieben acht neun",
    "fr": "zéro un/une deux trois quatre cinq six sept huit neuf",
    "es": "cero uno/un/una dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno/un due tre quattro cinque sei sette otto nove",
    "pt": "zero um/uma dois/duas três quatro cinco seis/meia sete oito nove",
    "nl": "nul een/één twee drie vier vijf zes zeven acht negen",
    "pl": "zero jeden/jedna dwa/dwie trzy cztery pięć sześć siedem osiem dziewięć",
    "sv": "noll ett/en två tre fyra fem sex sju åtta nio",
    "da": "nul en/et to tre fire fem seks syv otte ni",
    "no": "null en/ett/én to tre fire fem seks sju/syv åtte ni",
    "fi": "nolla yksi/yks kaksi/kaks kolme neljä viisi/viis kuusi/kuus seitsemän kahdeksan yhdeksän",
    "cs": "nula jedna/jeden dva/dvě tři čtyři pět šest sedm osm devět",
    "sk": "nula jeden/jedna dva/dve tri štyri päť šesť sedem osem deväť",
    "sl": "nič/nula ena/en/eno dva/dve tri štiri pet šest sedem osem devet",
    "hr": "nula jedan/jedna dva/dvije/dve tri četiri pet šest sedam osam devet",
    "sr": "нула један/једна два/две три четири пет шест седам осам девет",
    "mk": "нула еден/една два/две три четири пет шест седум осум девет",
    "bg": "нула едно/един/една две/два три четири пет шест седем осем девет",
    "ru": "ноль/нуль один/одна/раз два/две три четыре пять шесть семь восемь девять",
    "ru-Latn": "nol/nul odin/adin dva tri chetyre/chetire/cetyre pyat/piat shest sem vosem devyat/deviat",
    "uk": "нуль/ноль один/одна два/дві три чотири п'ять/пять шість сім вісім дев'ять/девять",
    "be": "нуль адзін/адна два/дзве тры чатыры пяць шэсць сем восем дзевяць",
    "kk": "нөл бір екі үш төрт бес алты жеті сегіз тоғыз",
    "ky": "нөл бир эки үч төрт беш алты жети сегиз тогуз",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "az": "sıfır bir iki üç dörd beş altı yeddi səkkiz doqquz",
    "uz": "nol bir ikki uch to'rt/tort besh olti yetti sakkiz to'qqiz/toqqiz",
    "ro": "zero unu/una doi/două trei patru cinci șase/şase șapte/şapte opt nouă",
    "hu": "nulla egy kettő/két három négy öt hat hét nyolc kilenc",
    "el": "μηδέν ένα/μία δύο/δυο τρία/τρεις τέσσερα/τέσσερις πέντε έξι επτά/εφτά οκτώ/οχτώ εννέα/εννιά",
    "el-Latn": "miden/mithen ena dio/dyo tria tessera/tesera pente exi/eksi epta/efta okto/ohto/ochto ennea/ennia",
    "ca": "zero u/un/una dos/dues tres quatre cinc sis set vuit/huit nou",
    "gl": "cero un/unha dous/dúas tres catro cinco seis sete oito nove",
    "eu": "zero/huts bat bi hiru lau bost sei zazpi zortzi bederatzi",
    "ga": "náid/nialas aon/haon dó trí ceathair cúig sé seacht ocht/hocht naoi",
    "gd": "neoni aon dhà trì ceithir còig sia seachd ochd naoi",
    "cy": "dim/sero un dau/dwy tri/tair pedwar/pedair pump/pum chwech/chwe saith wyth naw",
    "is": "núll einn/eitt tveir/tvö þrír/þrjú fjórir/fjögur fimm sex sjö/sjó átta níu",
    "fo": "null ein/eitt tveir tríggir/trý fýra fimm seks sjey átta níggju",
    "lb": "null eent zwee dräi véier fënnef sechs siwen aacht néng",
    "af": "nul een twee drie vier vyf ses sewe agt nege",
    "lt": "nulis vienas/viena du/dvi trys keturi/keturios penki/penkios šeši/šešios septyni aštuoni devyni",
    "lv": "nulle viens/viena divi/divas trīs četri pieci seši septiņi astoņi deviņi",
    "et": "null üks kaks kolm neli viis kuus seitse kaheksa üheksa",
    "sq": "zero një dy tre/tri katër pesë gjashtë shtatë tetë nëntë",
    "mt": "żero/xejn wieħed tnejn tlieta erbgħa ħamsa sitta sebgħa tmienja disgħa",
    "la": "nihil/nulla/nullum unus/unum/una duo tres/tria quattuor quinque sex septem octo novem",
    "eo": "nul/nulo unu du tri kvar kvin ses sep ok naŭ",
    "hy": "զրո մեկ երկու երեք չորս հինգ վեց յոթ ութ ինը/ինն",
    "ka": "ნული/ნოლი ერთი ორი სამი ოთხი ხუთი ექვსი შვიდი რვა ცხრა",
    "he": "אפס אחת/אחד שתיים/שניים/שתים/שנים שלוש/שלושה ארבע/ארבעה חמש/חמישה שש/שישה שבע/שבעה שמונה תשע/תשעה",
    "he-Latn": "efes achat/ahat/ehad/echad shtayim/shtaim/shnayim shalosh arba hamesh/chamesh shesh sheva shmone/shmona/shmoneh tesha",
    "ar": "صفر واحد/واحدة اثنان/إثنان/اثنين/اتنين/إثنين ثلاثة/تلاتة/ثلاث أربعة/اربعة/أربع خمسة/خمس ستة/ست سبعة/سبع ثمانية/تمانية/ثمان تسعة/تسع",
    "ar-Latn": "sifr/sefr/sifir wahid/wahed/wa7ed ithnan/ithnayn/itnan/itnen/etnein thalatha/talata/tlata/thlatha arba3a/arbaa/arba'a/arbaah khamsa/5amsa sitta sab3a/sabaa/sab'a thamania/thamaniya/tamanya/tmanya tis3a/tisaa/tis'a/tes3a",
    "fa": "صفر یک/يک دو سه چهار پنج شش/شیش هفت هشت نه",
    "fa-Latn": "sefr yek do se chahar panj shesh/shish haft hasht noh",
    "ur": "صفر ایک دو تین چار پانچ چھ/چھے سات آٹھ نو",
    "hi": "शून्य/जीरो/ज़ीरो एक/वन दो/टू तीन/थ्री चार/फोर पांच/पाँच/पाच/फाइव छह/छः/छे/छ/सिक्स सात/सेवन आठ/एट नौ/नाइन",
    "hi-Latn": "shunya/shoonya/sifar ek do teen/tin char/chaar paanch/panch/paan chhah/chhe/chheh/che/chay saat/sat aath/aat nau/no",
    "mr": "शून्य एक दोन तीन चार पाच सहा सात आठ नऊ",
    "ne": "शून्य एक दुई तीन/तिन चार पाँच छ सात आठ नौ",
    "bn": "শূন্য এক দুই তিন চার পাঁচ/পাচ ছয়/ছয় সাত আট নয়/নয়",
    "pa": "ਸਿਫਰ/ਸਿਫ਼ਰ/ਜ਼ੀਰੋ ਇੱਕ/ਇਕ ਦੋ ਤਿੰਨ ਚਾਰ ਪੰਜ ਛੇ ਸੱਤ ਅੱਠ ਨੌਂ/ਨੌ",
    "gu": "શૂન્ય એક બે ત્રણ ચાર પાંચ/પાચ છ સાત આઠ નવ",
    "ta": "பூஜ்யம்/பூஜ்ஜியம்/சுழியம் ஒன்று இரண்டு மூன்று நான்கு/நாலு ஐந்து/அஞ்சு ஆறு ஏழு எட்டு ஒன்பது",
    "te": "సున్నా ఒకటి రెండు మూడు నాలుగు ఐదు ఆరు ఏడు ఎనిమిది తొమ్మిది",
    "kn": "ಸೊನ್ನೆ ಒಂದು ಎರಡು ಮೂರು ನಾಲ್ಕು ಐದು ಆರು ಏಳು ಎಂಟು ಒಂಬತ್ತು",
    "ml": "പൂജ്യം ഒന്ന് രണ്ട് മൂന്ന് നാല് അഞ്ച് ആറ് ഏഴ് എട്ട് ഒമ്പത്/ഒൻപത്",
    "si": "බිංදුව/බින්දුව එක දෙක තුන හතර පහ හය හත අට නවය",
    "th": "ศูนย์ หนึ่ง/เอ็ด สอง/โท สาม สี่ ห้า หก เจ็ด แปด เก้า",
    "th-Latn": "soon/sun nueng/neung/nung song sam si/see ha hok jet/chet/jed paet/pet kao/gao",
    "lo": "ສູນ ໜຶ່ງ/ຫນຶ່ງ ສອງ ສາມ ສີ່ ຫ້າ ຫົກ ເຈັດ ແປດ ເກົ້າ",
    "km": "សូន្យ មួយ ពីរ បី បួន ប្រាំ ប្រាំមួយ ប្រាំពីរ ប្រាំបី ប្រាំបួន",
    "my": "သုည တစ် နှစ် သုံး လေး ငါး ခြောက် ခုနစ်/ခုနှစ် ရှစ် ကိုး",
    "am": "ዜሮ/ባዶ አንድ ሁለት ሦስት/ሶስት አራት አምስት ስድስት ሰባት ስምንት ዘጠኝ",
    "vi": "không một/mốt hai ba bốn/tư năm/lăm sáu bảy/bẩy tám chín",
    "id": "nol/kosong satu dua tiga empat lima enam tujuh delapan sembilan",
    "ms": "kosong/sifar satu dua tiga empat lima enam tujuh lapan sembilan",
    "jv": "nol siji loro telu papat lima enem pitu wolu sanga",
    "fil": "zero/sero/wala isa dalawa tatlo apat lima anim pito walo siyam",
    "mi": "kore tahi rua toru whā/wha rima ono whitu waru iwa",
    "sw": "sifuri/sufuri moja mbili tatu nne tano sita saba nane tisa",
    "ha": "sifili ɗaya/daya biyu uku huɗu/hudu biyar shida bakwai takwas tara",
    "yo": "odo/òdo/òdò ọkan/ookan/okan/eni/ení èjì/eji/meji ẹta/eta/mẹta ẹrin/erin/mẹrin àrún/aarun/arun ẹfà/efa/ẹfa èje/eje ẹjọ/ejo ẹsàn/esan",
    "ig": "efu otu abụọ/abua atọ/ato anọ/ano ise isii asaa asatọ/asato itoolu",
    "so": "eber kow/hal laba/labo saddex afar shan lix toddoba/todoba siddeed sagaal",
    "zu": "iqanda/ziro kunye/inye kubili/mbili kuthathu/thathu kune/ne hlanu/isihlanu isithupha isikhombisa isishiyagalombili isishiyagalolunye",
    "ja": "ゼロ/れい/まる/レイ/マル いち/イチ/ひと に/ニ/ふた さん/サン よん/ヨン/し/シ ご/ゴ ろく/ロク なな/ナナ/しち/シチ はち/ハチ きゅう/キュウ/く/ク/きゅー",
    "ja-Latn": "zero/rei/maru ichi ni san yon/shi go roku nana/shichi hachi kyuu/kyu/kyū/ku",
    "ko": "공/영/령/제로 일/하나 이/둘 삼/셋 사/넷 오/다섯 육/륙/여섯 칠/일곱 팔/여덟 구/아홉",
    "ko-Latn": "gong/yeong il i sam sa o yuk/ryuk chil pal gu",
    "zh": "〇零洞 一壹弌幺壱 二贰貳弐两兩 三叁參参弎 四肆 五伍 六陆陸 七柒拐 八捌 九玖",
    "zh-Latn": "líng/ling/dòng yī/yi/yāo/yao èr/er/liǎng/liang sān/san sì/si wǔ/wu liù/liu qī/qi bā/ba jiǔ/jiu",
    "yue-Latn": "ling jat ji saam sei ng luk cat baat gau",
    "x-signs": "〸 〡ⅠⅰⒶ⚀🀙🀐🂡🕐 〢Ⅱⅱ⚁🀚🀑🂢🕑 〣Ⅲⅲ⚂🀛🀒🂣🕒 〤Ⅳⅳ⚃🀜🀓🂤🕓 〥Ⅴⅴ⚄🀝🀔🂥🕔 〦Ⅵⅵ⚅🀞🀕🂦🕕 〧Ⅶⅶ🀟🀖🂧🕖 〨Ⅷⅷ🀠🀗🂨🕗 〩Ⅸⅸ🀡🀘🂩🕘",
}
# What counts only beside words that say more: English ones that mean something else.
_WEAK = "oh o nil to too tu tree free for fore won wan ate"
# And those that say something else in the prose of some language.
_COMMON = """
    one en et un una une uno um uma ein eine een eno ena the man net set sex sei see sun sat due fire ten six tri tres
    dos das der des dim nau san sam sim sin song soon hat hang het her nov non not now sis sep pet pat pal pump cat che
    chay char can lau lux luk bat bay dau dois duas doi four dali dalawa tair par pan panch hoc los las les pas pro
    iki min mes miss ona ono kore ise isa meia toru tara ates sau nam bon tam chin khong sita sitta teen gong shan
    hot hata lan van bir bis uch fem fam tor thi sui dhai lapan laba bari side dino dio exi nan tin duo oen tow
"""
_LETTERS = frozenset("úéóàúñýかきくけこしすせそごさにのをはがでとも오이일사구")
_ONE_BY_ONE = frozenset({"zh", "x-signs"})  # each character of these is a word
# Languages whose words are written with digits for letters, and misspelled, as well.
_DISTORTED = ("en", "de", "es", "fr")
_LEET = str.maketrans("oiesa", "01354")


@lru_cache(maxsize=8192)
def plainly(word: str) -> str:
    """A word in small letters without accents, and without any apostrophe."""
    if word.isascii():
        return word.lower().replace("'", "")
    apart = unicodedata.normalize("NFD", word.casefold())
    kept = (c for c in apart if unicodedata.category(c) != "Mn" and c not in "'’ʼ‘ʻ`")
    return unicodedata.normalize("NFC", "".join(kept))


def _words_of(tongue: str) -> Iterator[tuple[str, int]]:
    for value, said in enumerate(_TONGUES[tongue].split()):
        for word in said if tongue in _ONE_BY_ONE else said.split("/"):
            yield word, value


def _leet(word: str) -> Iterator[str]:
    """With digits for some of its letters: s3ven, thr33, f1v3."""
    written = [""]
    for letter in word:
        written = [one + other for one in written for other in {letter, letter.translate(_LEET)}]
    return (one for one in written if one != word and not one.isdecimal())


def _misspelled(word: str) -> Iterator[str]:
    """With two letters in the other's place, or without one of its middle: sevne, thre."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if len(word) > 3:
        yield from (word[:at] + word[at + 1 :] for at in range(1, len(word)))


def _table() -> tuple[dict[str, dict[str, int]], set[str]]:
    found: dict[str, dict[str, int]] = {}
    written: set[str] = set()
    for tongue in _TONGUES:
        for word, value in _words_of(tongue):
            found.setdefault(plainly(word), {}).setdefault(tongue, value)
            written |= {word, plainly(word), unicodedata.normalize("NFD", word)}
    for tongue in _DISTORTED:
        for word, value in [*_words_of(tongue)]:
            for other in (*_leet(plainly(word)), *_misspelled(plainly(word))) if len(word) > 2 else ():
                if other not in found and len(other) > 1:
                    found[other] = {f"{tongue}-x-odd": value}
                    written.add(other)
    return found, written


_FOUND, _WRITTEN = _table()
DIGITS_OF: Mapping[str, Mapping[str, int]] = MappingProxyType(_FOUND)
"""A word as `plainly` gives it -> the digit it says, by language."""

WRITTEN = tuple(sorted(_WRITTEN, key=lambda word: (-len(word), word)))
"""All words as they stand in texts, the longest first."""

WEAK = frozenset(_WEAK.split())
TELLING = tuple(
    word
    for word in WRITTEN
    if (len(word) > 2 or (not word.isascii() and (len(word) > 1 or word not in _LETTERS)))
    and word not in {*_WEAK.split(), *_COMMON.split()}
)
"""Those of which two in a row are seldom anything else: not the short ones, nor what prose is made of."""

_GLUED = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl")
GLUED = frozenset(
    plainly(word)
    for tongue in _TONGUES
    for word, _ in _words_of(tongue)
    if len(word) > 1 and (tongue in _GLUED or not word.isascii() or len(word) > 3)
) | {word for word in _FOUND if not word.isalpha() or (len(word) == 1 and not word.isascii())}
"""Those that may have no gap before or behind, as `plainly` gives them: not "ha" and "ng" in Hang."""

RUN_TOGETHER = tuple(
    sorted(
        {word for tongue in _GLUED for word, _ in _words_of(tongue) if len(word) > 2},
        key=lambda word: (-len(word), word),
    )
)
"""Those that people often write without anything between."""

LONGEST = max(map(len, WRITTEN))
