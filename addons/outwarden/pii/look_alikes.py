"""Letters of other scripts, and small capitals, that look like one of ASCII.

After Unicode's confusables.txt (UTS #39, version 15, Unicode License), letters only and without those that an alphabet
in everyday use writes beside others of its own (Cyrillic and Greek: chosen in `LIKE` by what a reader takes them for).
"""

_LIKE = {
"2": "ꝚƧϨꙄᒿ",
    "3": "ꞫȜƷꝪⳌӠ𖼻𑣊",
    "4": "Ꮞ𑢯",
    "5": "Ƽ𑢻",
    "6": "ⳒᏮ𑣕",
    "7": "𐓒𑣆",
    "8": "ȣȢ𐌚",
    "9": "ꝮⳊ𑣌𑢬𑣖",
    "A": "Ꭺᗅꓮ𖽀𐊠",
    "B": "ꞴᏴᗷꓐ𐊂𐊡𐌁",
    "C": "ⲤᏟꓚ𐊢𐌂𐐕𐔜",
    "D": "Ꭰᗞᗪꓓ",
    "E": "ⴹᎬꓰ𑢦𑢮𐊆",
    "F": "ꞘϜᖴꓝ𑣂𑢢𐊇𐊥𐔥",
    "G": "ԌᏀᏳꓖ",
    "H": "ⲎᎻᕼꓧ𐋏",
    "J": "ꞲͿᎫᒍꓙ",
    "K": "ⲔᏦᛕꓗ𐔘",
    "L": "ⳐᏞᒪꓡ𖼖𑢣𑢲𐐛𐔦",
    "M": "ϺⲘᎷᗰᛖꓟ𐊰𐌑",
    "N": "Ⲛꓠ𐔓",
    "O": "ⲞՕⵔዐ𐓂ꓳ𑢵𐊒𐊫𐐄𐔖",
    "P": "ⲢᏢᑭꓑ𐊕",
    "Q": "ⵕ",
    "R": "ƦᎡᏒ𐒴ᖇꓣ𖼵",
    "S": "ՏᏕᏚꓢ𖼺𐊖𐐠",
    "T": "ⲦᎢꓔ𖼊𑢼𐊗𐊱𐌕",
    "U": "Սሀ𐓎ᑌꓴ𖽂𑢸",
    "V": "ѴⴸᏙᐯꛟꓦ𖼈𑢠𐔝",
    "W": "ᎳᏔꓪ",
    "X": "ꞳⲬⵝᚷꓫ𐊐𐊴𐌗𐔧",
    "Y": "ⲨҮᎩᎽꓬ𖽃𑢤𐊲",
    "Z": "Ꮓꓜ𑢩",
    "a": "ɑᴀ",
    "b": "ƄЬᏏᑲᖯʙ",
    "c": "ᴄⲥꮯ𐐽",
    "d": "Ꮷᑯꓒᴅ",
    "e": "ꬲҽᴇ",
    "f": "ꬵꞙẝքꜰ",
    "g": "ɡᶃƍցɢ",
    "h": "հᏂʜ",
    "i": "ıɪɩꙇꭵᎥ𑣃",
    "j": "ϳᴊȷ",
    "k": "ᴋ",
    "l": "ƖǀⲒⵏᛁꓲ𖼨𐊊𐌉ʟ",
    "m": "ᴍ",
    "n": "ոռɴ",
    "o": "ᴏᴑꬽσⲟჿօഠဝ𐓪𑣈𑣗𐐬",
    "p": "ⲣᴘ",
    "q": "ǫգզꞯ",
    "r": "ꭇꭈᴦⲅꮁʀ",
    "s": "ꜱƽꮪ𑣁𐑈",
    "t": "ᴛ",
    "u": "ꞟᴜꭎꭒʋս𐓶𑣘",
    "v": "ᴠѵ𑜆ꮩ𑣀",
    "w": "ɯᴡѡա𑜊𑜎𑜏ꮃ",
    "x": "ᕁᕽ",
    "y": "ɣᶌʏỿꭚүყ𑣜",
    "z": "ᴢꮓ𑣄",
}  # fmt: skip
_CYRILLIC_AND_GREEK = (
    "аеорсухіјѕԁһӏԛԝгпкмтвнАВЕКМНОРСТУХІЈЅԀҺӀԚԜЗбαβεικνορτυχγηωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlqwrnkmtbhABEKMHOPCTYXIJSDHIQW36aBeiKvoptuxynwABEZHIKMNOPTYX",
)

LIKE = str.maketrans(
    {letter: ascii_ for ascii_, letters in _LIKE.items() for letter in letters}
    | dict(zip(*_CYRILLIC_AND_GREEK, strict=True))
)
"""Look-alike -> letter or digit, as `str.translate` takes it."""
