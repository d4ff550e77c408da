"""Whether a text speaks of a ward: patients, those who care for them, what they do; in some thirty languages.

Words of a ward say what "file no" and "our ref" mean, in notes on paper as in hospitals' systems.
"""

from outwarden.pii.recognizer import Context
from outwarden.pii.regexp import Regexp

# So far to both sides; a note is mostly shorter.
WARD_WIDTH = 400
_CARE_WORDS = 2

_WARD = (
    # English
    r"patients?\b|pts?\b|ward\b|dr\b|drs\b|doctor|nurse|nursing|clinic|consultant|registrar|surg(?:eon|ery|ical)"
    r"|admi(?:tted|ssion)|dischar|dob\b|d\.o\.b|y/?o\b|[0-9]{1,3} ?(?:y/?o?|yrs?|f|m)\b|icu\b|nicu\b|picu\b|itu\b|a&e\b"
    r"|hosp(?:ital)?\b|physio|midwi|mum\b|dad\b|baby (?:boy|girl)|twin\b|theatre\b|outpatient|inpatient|bed [0-9]|bay [0-9]"
    r"|matron|paediatr|pediatr|gp\b|gps\b|pcp\b|resus\b|triage|dental|dentist|psych|oncolog|cardiolog|neurolog|gynae|renal\b"
    r"|diagnos|dx\b|hx\b|rx\b|s/p\b|c/o\b|nkda\b|mri\b|ct\b|cxr\b|ecg\b|echo\b|x-?ray|biops|patholog|chemo|dialys|insulin"
    r"|allerg|medic(?:al|ation|ine)|health record|healthcare|hospice|carer\b|ambulance|paramedic|vaccin|antenatal|g[0-9]p[0-9]"
    r"|attending|attg\b|attn?d\b|side (?:rm|room)|clerk(?:ed|ing)?\b|bedside|lactation|doula|catheter|cath lab|wristband|armband|speech therapy|next of kin|nok\b|mg\b|mmhg\b|rn\b|hca\b|s/?n\b|md\b"
    # German, Dutch, Nordic, Finnish, Icelandic
    r"|patient(?:in|en)|arzt|ärztin|oberarzt|station [0-9]|klinik|krankenhaus|pat\. |dgkp\b|befund|aufnahme|entlass|praxis|anamnes|pflege"
    r"|hausarzt|arts\b|huisarts|verple|ziekenhuis|polikliniek|mevr|dhr\b|mw\.|pati[eë]nt|l[aæ]ge[nr]?\b|läkare|legen?\b"
    r"|sygehus|sykehus|sjukhus|pasient|pårørende|sygeplej|sjukskö|potilas|lääkäri|hoitaja|sjúkling|læknir"
    # Romance
    r"|patiente?s?\b|médecin|m[eé]dical|hôpital|infirmi|urgences|mme\b|chirurg|opérat|paciente|acompa[ñn]|acomp\.|doente|m[eé]dic[oa]|doctora?\b|dra\b"
    r"|enfermer|ingres|alta\b|cirujan|hospitais|utente|enf\.|sr[a]?\.|dona\b|paziente|dott|infermier|reparto|ricover|ospedal"
    r"|pacient|medic curant|spital|asistent"
    # Slavic, Baltic, Hungarian, Turkish, Albanian in Latin letters
    r"|pacjent|lekarz|lek\.|piel\.|oddzia|szpital|mudr|lékař|nemocni|sestra|bolni[ckč]|liječni|lekar|bolesti|zdravni|pacijent"
    r"|gydytoj|ligonin|patsient|haigla|arst\b|slimn|ārst|beteg|orvos|kórh[aá]z|kórlap|hasta\b|hastane|hemşire|uzm\.|mjek"
    # Asia and Africa
    r"|pasien|dokter|perawat|rumah sakit|pesakit|doktor|bệnh|bác sĩ|bs\b|pasyente|nars\b|mgonjwa|daktari|dkt\b|muuguzi"
)
_WARD_WIDE = (
    r"пациент|больн|б-ной|врач|медсестр|отделени|хирург|пацієнт|лікар|лекар|д-р|болниц|болест|ασθεν|ιατρ|γιατρ|νοσοκομ|εισιτήριο"
    r"|מטופל|חול[הי]|רופא|ד\"ר|בית חולים|مريض|المريض|طبيب|مستشفى|بیمار|پزشک|دکتر|مریض|ڈاکٹر|रोगी|मरीज|डॉ|अस्पताल|রোগী|ডা\.|হাসপাতাল"
    r"|நோயாளி|மரு\.|ผู้ป่วย|แพทย์|นพ\.|พญ\.|患者|医[师生師院]|病[人房区]|主治|护士|住院|入院|退院|診|看護|担当医|환자|주치의|간호사|의사|병원|퇴원|입원|진료"
)
WARD_TEXT = Context(_WARD, wide=_WARD_WIDE)


def is_ward(text: str, start: int, end: int) -> bool:
    """Whether a word of a ward stands within `WARD_WIDTH` code points of ``text[start:end]``, or two of what is done there."""
    window = _around(text, start, end)
    return WARD_TEXT.regexp.search(window) is not None or len(_said(_CARE_TEXT.regexp, window)) >= _CARE_WORDS


# What is done on a ward, and what people have who lie there: endings of diseases, operations and drugs in Latin and Greek,
# vital signs, abbreviations of charts; in the languages above.
_CARE = (
    r"[a-zà-ÿ]{3,}(?:itis|ite\b|ites\b|a?emia|[äe]mie|osis|ose\b|ectomy|ectomia|ectomie|ostomy|otomy|plasty|pathy|algia|algie|uria|urie|cillin\w?"
    r"|mycin\w?|pril\b|sartan\w?|olol\b|statin\w?|prazol\w?|oxacin\w?|azol[e]?\b|parin\w?|xaban\w?|formin\w?|semid\w?|zepam|idin[ea]?\b|amide\b)"
    r"|bp\b|sbp\b|spo2|sats?\b|gcs\b|news2?\b|nbm\b|npo\b|prn\b|tds\b|qds\b|bds?\b|iv\b|stat\b|obs\b|ward round|handover|sign-?out|i-pass"
    r"|sbar|mdt\b|oncall|on-call|dka\b|copd|uti\b|nstemi|stemi|aki\b|cabg|hba1c|egfr|tsh\b|crp\b|inr\b|\bhb\b|wcc\b|cultures?|spiked|afebrile|febrile"
    r"|fever|pyrexi|sepsis|septic|stroke|fracture|#nof|fall(?:s|en)\b|pain\b|wound|refill|prescri|follow-?up|telehealth|rapid response|code blue|vitals"
    r"|blood pressure|pulse|transfers?|mobilis|stairs|catheter|cannula|drain\b|suture|stool|urine|stent|scan\b|ultrasound|tablet|inhaler|infus|review"
    r"|aides?\b|nebs?\b|injur(?:y|ies)|disease\b|syndrome\b|granddaughter|grandson|void(?:ed|ing)|ambulat|incontinen|bowels?\b|a&o|denies|repositioned|oral intake"
    r"|pflege|visite|fieber|schmerz|blutdruck|opera|puls\b|infirmier|aide-soignant|ide\b|ehpad|résident|ordonnance|fièvre|douleur|tension\b|relève|apixaban"
    r"|internaci[óo]n|fiebre|dolor|sala [0-9]|cama [0-9]|padecimiento|diagn[óo]stic|cursa|evoluci|nota m[ée]dica|enfermagem|dieta|febre|leito|intercorr"
    r"|febbre|dolore|terapia|poradnia|choroba|zabieg|gorączk|leczeni|wizyt|kontrol[aiy]|ateş|ağrı|tansiyon|ameliyat|sốt|đd\b|bn\b|chăm sóc|huyết áp"
    r"|mrsa|c\.? ?diff|desat|bloods?\b|trop(?:onin)?\b|chest pain|malaria|smear|feeds?\b|barrier|bp [0-9]|pansement|plaie|herida|cura\b|curativo|cirurgi"
    r"|wund|sår\b|sårst|operation|homa\b|dawa\b|horečk|teplot|obväz|láz\b|műtét|kuume|leikkau|febr[ăa]|malaise|palpitat|dyspn|oedema|edema|rash\b"
    r"|charts?\b|paper records|cosign|misfiled|consent|noc\b|emar|pod ?[0-9]|foley|apgar|srom|sve\b|hs snack|rosc\b|ctpa|nstemi|\?pe\b|kcl\b|k\+|creat|hgb|bun\b"
    r"|operateur|an[äa]sth|oberarzt|assisten|instr\.|verband|pansement|curas|medicat[oa]|pleister"
    r"|echo\b|cath\b|swabs?\b|specimen|requisition|transfus|biops|polyp|colonoscop|endoscop|radiolog|imaging|appointment|clinic\b|referr(?:al|ed)|d/c\b|dc'?d\b|f/u\b|ddx\b"
    r"|pmh\b|full code|dnr\b|dnacpr|hoist|commode|sacrum|stoma|dietit|social worker|case (?:manager|worker)|palliative|chaplain|funeral|pronounced|time of death|newborn|infant"
    r"|breast ?fe|latch|immuni[sz]|well child|cough|vomit|nausea|diarrh|dizz|headache|sob\b|abdo(?:men|minal)?\b|pelvis|knee\b|hip\b|tkr\b|thr\b|orif\b|scrub\b|procedure"
    r"|meds?\b|tabs?\b|pharmac|dose\b|isolation|antibiotic|heparin|lasix|morphine|metformin|paracetamol|tylenol|therap|session w|sleep(?:ing)?\b|physician|provider|pcp\b"
    r"|lpn\b|cna\b|sho\b|spr\b|lcsw|np\b|paramedic|medic\b|emt\b|mother|father|daughter|dtr\b|son\b|wife|husband|spouse|sister|brother|niece|nephew|carer|caregiver|nok\b|poa\b"
    r"|labs?\b|draw[ns]?\b|redraw|glucose|tolerat|bed ?[0-9]|rm\.? ?[0-9]|room [0-9]|ward [0-9a-z]\b|diet\b|mobil|walker|frail|dressing|lido\b|prophy|filling|extraction|hiv\b|cd4\b|counselled|merged?\b|registered twice|icu\b|ed\b|says k|addendum|telemetry|a-?fib|appy\b|hernia|contrast\b|gtt\b|wheelchair|x-?ray|rtc\b|pharmd|(?:dup(?:licate)?|paper|old|pulled?) charts?|him\b"
    r"|tochter|sohn\b|ehefrau|gattin|épouse|fille\b|hija|hijo|esposa|esposo|filha|moglie|figlia|dochter|echtgeno|żona|mąż|suami|istri|eşi\b|mume\b|son[eu]n?\b|datter|hustru"
    r"|familie\b|famille\b|familia(?:r|res)?\b|rodzina|hoest|toux\b|husten|tos\b|tosse|kaszel|demam|nyeri|tekanan darah|koorts|pijn|bloeddruk|feber|smerte|blodtryck|anc\b|antenatal|gravida|trimester|deliver(?:y|ed) baby"
)
_CARE_WIDE = r"температура|давлени|жалоб|осмотр|диагноз|операци|лечени|πυρετ|πίεση|חום|לחץ דם|حرارة|ضغط|حمى|बुखार|रक्तचाप|ไข้|ความดัน|发热|血压|手术|体温|発熱|血圧|手術|발열|혈압|수술"
_CARE_TEXT = Context(_CARE, wide=_CARE_WIDE)


def words_of_ward(text: str, start: int, end: int) -> int:
    """How many different words of a ward, or of what is done there, stand around ``text[start:end]``."""
    window = _around(text, start, end)
    return len(_said(WARD_TEXT.regexp, window) | _said(_CARE_TEXT.regexp, window))


def _around(text: str, start: int, end: int) -> bytes:
    return f"{text[max(0, start - WARD_WIDTH) : start]} {text[end : end + WARD_WIDTH]}".encode("utf-8", "replace")


def _said(words: Regexp, window: bytes) -> set[bytes]:
    """The words without figures: 39 m and 64 m are one, and in most texts none."""
    said: set[bytes] = set()
    at = 0
    while (found := words.search(window, at)) is not None:
        word = window[slice(*found)].lower().strip(b"_")
        if not word[:1].isdigit():
            said.add(word)
        at = found[1]
    return said
