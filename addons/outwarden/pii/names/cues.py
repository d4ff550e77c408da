"""Words that speak of people, by what they say of them; and what things are measured in."""

CUES = {
    name: frozenset(words.split())
    for name, words in {
        "others": "he she him her his hers himself herself who whom whose they them their",
        "own": "i me my mine we us our you your i'm i'll i've im you're we're",
        "verbs": """
            said says say told tells asked asks ask called calls call rang ring rings phoned phone wrote writes thinks thought
            wants wanted met meet meets knows knew spoke speak speaks lives lived works worked joined thanks thank thx please
            loves loved born died married visited agreed replied emailed texted mentioned explained confirmed approved reviewed
            signed seen saw admitted discharged brought informed accompanied contact tell let remind invite
        """,
        "titles": """
            mr mrs ms miss mx dr prof professor sir madam rev fr sgt capt judge frau herr hr mme m dott dra sr sra srta dona don
            doña pan pani mw dhr sig signora nurse sister matron officer coach
        """,
        "roles": """
            wife husband son daughter mother father mum mom dad brother sister uncle aunt auntie grandma grandfather grandmother
            niece nephew cousin partner spouse friend neighbour neighbor colleague boss manager owner author director secretary
            clerk consultant registrar attending surgeon physician doctor gp midwife physio therapist teacher student client
            customer employee guest passenger tenant plaintiff defendant witness patient pt patients caller carer boy girl man
            woman lady gentleman hija hijo esposa esposo fille fils épouse mari tochter sohn ehefrau ehemann figlia figlio moglie
            marito filha filho córka syn żona mąż dochter zoon kone datter søn dotter dcera kızı oğlu eşi paciente patiente
            patientin paziente pacjent hasta beteg potilas pasien
        """,
        "letters": """
            dear hi hello hey regards sincerely cheers best yours love hugs kind warm from to cc bcc subject attn sent re fwd
            signed contact name liebe lieber hola estimada estimado querida cher chère caro cara beste hej hei cześć gruß grüße
            saludos cordialement saluti groeten pozdrawiam hilsen
        """,
        "wards": """
            ward bed bay icu admitted discharge discharged clinic hospital rn np md mrn dob hx dx rx yo theatre bloods ct mri scan
            dose nurse handover allergies admission referral appointment surgery
        """,
    }.items()
}
MASKS = {
    word: sum((word in words) << at for at, words in enumerate(CUES.values()))
    for word in frozenset().union(*CUES.values())
}
"""Per word the kinds that it is of, one bit each."""

UNITS = frozenset(
    """
    mm cm km kg g mg ml l min h s ms kb mb gb tb hz mhz ghz v w kw kwh a ma °c °f hpa bar nm px pt % € $ £ usd eur rpm bp kbps mbps
    fps db psi m² m³ oz lb ft tsp tbsp
    """.split()
)
