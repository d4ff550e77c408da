"""Street addresses are found in any case and layout, where a post code or a word tells that they are ones."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


def covered(find: Find, text: str, value: str) -> float:
    said = [found for entity, found in find(text) if entity == "STREET_ADDRESS"]
    return max((len(found) for found in said), default=0) / len(value)


@pytest.mark.parametrize("before", ["the leak is at ", "/geocode_house/", "address: "])
@pytest.mark.parametrize(
    "value",
    [
        "276 bis rue de l'église 21000 dijon",
        "12 rue victor hugo, 69002 lyon",
        "57 BIS IMPASSE DES ROSES 21000 DIJON",
        "calle mayor 12, 3º b, 28013 madrid",
        "CALLE DE ALCALA 45 28014 MADRID",
        "Calle+de+la+Fuente+127%2C+72160+Puebla",
        "Carrera 7 No. 71-21",
        "Travessa das Flores, 158, apto 75, Recife - PE, 50030-230",
        "rua augusta 1500 são paulo sp 01304-001",
        "via garibaldi 12 20121 milano",
        "viale della stazione 157 ; 16123 genova",
        "ul. lipowa 71/19 | 50-078 wrocław",
        "birkenallee 276a 34117 kassel",
        "birkenallee-236a-48143-münster",
        "BRÜCKENSTR. 149B 34117 KASSEL",
        "Am Mühlbach 27a, 34117 Kassel",
        "Königsweg 12 // 34117 Kassel",
        "keizersgracht 117 1016 ej amsterdam",
        "storgatan 89 753 20 uppsala",
        "vesterbrogade 12, 1620 københavn",
        "Karl Johans gate 5, 0154 Oslo",
        "Kossuth Lajos utca 12, 1053 Budapest",
        "Václavské náměstí 5, 110 00 Praha",
        "Atatürk Caddesi No: 12, 34710 Kadıköy",
        "187 PRIORY RD GALWAY H91 K3W8",
        "flat 16 104 quarry bank sheffield s11 7br",
        "10, HIGH STREET, OXFORD, OX1 4AH",
        "2727-quarry-hill-rd-toledo-oh-43617",
        "8420_Maple_Hollow_Road=2C_Boise=2C_ID_83716",
        "7728+Maple+Hollow+Road%2C+Apt+19C%2C+Asheville%2C+NC+28805",
        "350 5th ave new york ny 10118",
        "55 bloor st w toronto on m4w 1a5",
        "30 Banksia Road\nToowoomba QLD 4350",
        "30 banksia road toowoomba qld 4350",
        "12 mg road bengaluru 560001",
        "Jalan Sudirman 52, Jakarta 12190",
        "улица Пушкина 10, Москва 125009",
        "Οδός Ερμού 15, Αθήνα 10563",
        "two eight six Mill Street",
        "Ronda del Molino one five three",
        "193 Ban-\\nksia Road, Toowoomba QLD 4350",
        "Ronda del Molino 262, 5Âº C, 29010 MÃ¡laga",
        "12 Mill Lane</td><td>Stockport</td><td>SK4 7QE",
        "12 Mill Lane<br>Stockport<br>SK4 7QE",
        'Hauptstraße 62a","4020 Linz',
        "Ahornweg 30b\n[19:30] agent: and the city?\n[17:59] customer: 4020 Linz",
        "214 Kiln Street\n[16:33] agent: and the city?\n[16:32] customer: Stockport SK4 3ZW",
        "北京市朝阳区建国路88号",
        "東京都渋谷区神南1-2-3",
        "大阪市北区高円寺南3丁目12番5号",
        "forty-one eighty-seven Brindle Hollow Road",
        "서울특별시 강남구 테헤란로 152",
    ],
)
def test_every_case_and_layout(find: Find, before: str, value: str) -> None:
    """Small letters, capitals, one sign for each space, lines, cells, turns; of many countries."""
    assert covered(find, f"{before}{value} please", value) > 0.7


@pytest.mark.parametrize(
    "text",
    [
        "he walked 3 miles of the way in 2019 and 45000 people came",
        "version 3 of the road map 20240 lines",
        "5 ways to close 10000 deals",
        "page 12 row 5 10000 values",
        "string 1 20000 items",
        "in 12 bank accounts 50000 euros",
        "ERROR 404 PATH 12345 NOT FOUND",
        "2 park rangers saw 10000 birds",
        "via 3 hops, 10000 packets sent",
        "al 30 aprile 2024 abbiamo 15000 utenti",
        "top 10 hill climbs 2021 edition",
        "SELECT 5 FROM row 12345 WHERE id",
        "str 10 20000 bytes",
        "rue 21 10000 jours",
        "In 2012 the Old Mill Lane project raised 45000 dollars",
        "Table 3, 12000 Items",
        "Week 12, 10115 Visitors",
        "Tropical depression Nine-E, 14.2N 118.7W, 1004 mb",
        "PERSON 202, ORG 63, LOCATION 50, PHONE 14, TITLE 12",
        "os.path.join 3 a 12345",
    ],
)
def test_other_numbers_are_none(find: Find, text: str) -> None:
    """Counts, versions, rows, figures, weeks."""
    assert [found for found in find(text) if found[0] == "STREET_ADDRESS"] == []
