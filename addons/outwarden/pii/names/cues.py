"""Words that speak of people, by what they say of them; what kinds of things are called; what things are measured in."""

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
        "kinds": """
            books films movies songs albums bands titles games playlist paintings operas plays musicals novels magazines series
            wines beers whiskies whisky cheeses cheese cocktails teas coffees apples pears potatoes tomatoes grapes cakes dishes
            menu recipes recipe sauces varieties variety cultivars breeds breed species plants roses trees flowers shrubs bulbs seeds
            moths birds gulls dogs horses cattle sheep fish lots lot
            ships ship vessel vessels yacht yachts ferry ferries boat boats tug tugs lifeboat buoy berth wreck hms uss mv ss rv
            storm storms hurricane hurricanes cyclone typhoon moons moon craters crater planets stars asteroids comet probe rover
            rovers satellites
            fonts font colours colors shades paint paints inks pens knots stitches dances fabrics carpets hats shoes boots sizes
            guitars strings amps perfumes shelves furniture tools tool drills blades clamps knife wrench
            cars car vans truck trucks tractor engine engines aircraft locomotive locos loco trains tram
            rooms room hall halls buildings building venues stadium stadiums theatres museum museums libraries library church chapel
            stations stops stop halt streets street road roads avenue lane close square bridge tunnel airport towns towns villages
            counties county islands island lake lakes river rivers mount mountains peaks park parks trail route routes line lines
            schools school colleges college universities university hospitals foundations banks
            brand brands suppliers supplier vendors vendor sponsors makers manufacturers carriers shops stores chains labels
            products product parts part models model items stock catalogue feeds thickener
            hosts host nodes node servers server cluster clusters machine machines printer printers router routers switch branch
            branches release releases version versions repo repos build builds pipeline pipelines package packages module modules
            plugin plugins library libraries framework frameworks theme themes app apps bot bots tool database databases tables table
            service services queue topic registry dashboard broker daemon runner runners driver drivers chips chip gpu cpu
            project projects operation codename codenames
            pump pumps valve valves boiler compressor chiller conveyor drive drives lathe mixer oven sensor sensors gauge monitor
            battery bearing seal motor motors generator inverter panel axis nozzle feeder
            indices index funds loans shares bonds dividends taxes fees
            sorten sorte haltestellen haltestelle straßen straße platz weine bücher filme lieferung paletten wartung störung geräte
            vins fromages roses poires pommes stations arrêts rue rues avenue place livres films chaudière pompe panne modèles
            vinos quesos calle calles avenida plaza paradas libros películas caldera bomba avería marcas
            vini formaggi via piazza fermata fermate libri caldaia guasto vinhos queijos rua praça paragens livros avaria
            haltes straat ketel storing lijn wijnen boeken przystanki przystanek ulica aleja rondo most usterka kocioł gatan
            hållplatser böcker pompası kombi servis durak durakları cadde sokak
        """,
        "eponyms": """
            theorem theorems lemma lemmas conjecture corollary proof algorithm algorithms equation equations inequality formula
            identity distribution matrix matrices norm space spaces group groups function functions polynomial polynomials
            transform method methods test tests law laws effect effects constant principle rule rules criterion criteria
            syndrome syndromes disease diseases palsy sign signs reflex manoeuvre maneuver fracture fractures incision incisions
            classification staging stain stains forceps retractor retractors clamp catheter drain drains tube cannula stocking stockings
            sort search tree filter kernel process cycle reaction coupling oxidation synthesis condenser flask burner
            dish funnel lamp cell cells coil cage bridge ratio coefficient correction curve scale score scores index unit units
            gambit defence defense opening openings attack variation press curl squat deadlift spin jump act amendment doctrine
            bill prize award medal scholarship lecture grants grant
            satz formel verfahren algorithmus gleichung ungleichung morbus
            théorème lemme formule série noyau loi méthode teorema regla método ley metodo formula legge twierdzenie wzór
        """,
    }.items()
}
MASKS = {
    word: sum((word in words) << at for at, words in enumerate(CUES.values()))
    for word in frozenset().union(*CUES.values())
}
"""Per word the kinds that it is of, one bit each."""
THINGS = sum(1 << at for at, name in enumerate(CUES) if name in ("kinds", "eponyms"))
"""The bits of what things are called as a kind ("varieties", "theorem"): a list under such a word is one of things."""
PEOPLE = sum(1 << at for at in range(len(CUES))) & ~THINGS
"""The bits of the words that speak of people."""

UNITS = frozenset(
    """
    mm cm km kg g mg ml l min h s ms kb mb gb tb hz mhz ghz v w kw kwh a ma °c °f hpa bar nm px pt % € $ £ usd eur rpm bp kbps mbps
    fps db psi m² m³ oz lb ft tsp tbsp
    """.split()
)
