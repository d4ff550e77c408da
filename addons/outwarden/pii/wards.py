"""Whether a text speaks of a ward: patients, those who care for them, what they do; in some thirty languages.

Words of a ward say what "file no" and "our ref" mean, in notes on paper as in hospitals' systems.
"""

from outwarden.pii.recognizer import Context

# So far to both sides; a note is mostly shorter.
WARD_WIDTH = 400

_WARD = (
    # English
    r"patients?\b|pts?\b|ward\b|dr\b|drs\b|doctor|nurse|nursing|clinic|consultant|registrar|surg(?:eon|ery|ical)"
    r"|admi(?:tted|ssion)|dischar|dob\b|d\.o\.b|y/?o\b|[0-9]{1,3} ?(?:y/?o?|yrs?|f|m)\b|icu\b|nicu\b|picu\b|itu\b|a&e\b"
    r"|hosp(?:ital)?\b|physio|midwi|mum\b|dad\b|baby (?:boy|girl)|twin\b|theatre\b|outpatient|inpatient|bed [0-9]|bay [0-9]"
    r"|matron|paediatr|pediatr|gp\b|gps\b|pcp\b|resus\b|triage|dental|dentist|psych|oncolog|cardiolog|neurolog|gynae|renal\b"
    r"|diagnos|dx\b|hx\b|rx\b|s/p\b|c/o\b|nkda\b|mri\b|ct\b|cxr\b|ecg\b|echo\b|x-?ray|biops|patholog|chemo|dialys|insulin"
    r"|allerg|medic(?:al|ation|ine)|health record|healthcare|hospice|carer\b|ambulance|paramedic|vaccin|antenatal|g[0-9]p[0-9]"
    r"|clerk(?:ed|ing)?\b|wristband|armband|speech therapy|next of kin|nok\b|mg\b|mmhg\b|rn\b|hca\b|s/?n\b|md\b"
    # German, Dutch, Nordic, Finnish, Icelandic
    r"|patient(?:in|en)|arzt|ärztin|oberarzt|station [0-9]|klinik|krankenhaus|befund|aufnahme|entlass|praxis|anamnes|pflege"
    r"|hausarzt|arts\b|huisarts|verple|ziekenhuis|polikliniek|mevr|dhr\b|mw\.|pati[eë]nt|l[aæ]ge[nr]?\b|läkare|legen?\b"
    r"|sygehus|sykehus|sjukhus|pasient|pårørende|sygeplej|sjukskö|potilas|lääkäri|hoitaja|sjúkling|læknir"
    # Romance
    r"|patiente?s?\b|médecin|m[eé]dical|hôpital|infirmi|urgences|mme\b|chirurg|opérat|paciente|m[eé]dic[oa]|doctora?\b|dra\b"
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
    """Whether a word of a ward stands within `WARD_WIDTH` code points of ``text[start:end]``."""
    window = text[max(0, start - WARD_WIDTH) : start] + " " + text[end : end + WARD_WIDTH]
    return WARD_TEXT.regexp.search(window.encode("utf-8", "replace")) is not None
