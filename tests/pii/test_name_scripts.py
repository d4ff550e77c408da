"""Names in other scripts are found by the words beside them; sentences of a ward without names hold none."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.name_scripts import OtherScripts
from outwarden.pii.page import Page


def names(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sorted(OtherScripts().find(Page([text])).get(0, []))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Пациентка Громова Алла, карта № 7", "Громова Алла"),
        ("жена Людмила предупреждена", "Людмила"),
        ("Осипов Глеб Львович выписан", "Осипов Глеб Львович"),
        ("осмотр: Р. Д. Жукова", "Р. Д. Жукова"),
        ("лікар Шевчук призначив", "Шевчук"),
        ("д-р Димитров пристигна", "Димитров"),
        ("σύζυγος Ελένη Νικολάου", "Ελένη Νικολάου"),
        ('ד"ר דנה שחר', "דנה שחר"),
        ("الطبيب المعالج: سليم الحداد", "سليم الحداد"),
        ("دکتر رضایی معاینه کرد", "رضایی معاینه"),
        ("डॉ. मीरा सक्सेना ने देखा", "मीरा सक्सेना"),
        ("স্বামী কামাল এসেছেন", "কামাল"),
        ("மரு. அருண் குமார்", "அருண் குமார்"),
        ("นพ. วีระ แสงทอง", "วีระ แสงทอง"),
        ("患者：王小燕，女", "王小燕"),
        ("由儿子李志远陪同", "李志远"),
        ("陈医生查房", "陈"),
        ("患者：山田 花子です", "山田 花子"),
        ("환자 김서연, 등록", "김서연"),
        ("담당 박지훈 간호사", "박지훈"),
    ],
)
def test_words_beside_a_name_tell(text: str, name: str) -> None:
    """Roles, kin, titles, patronymics, initials: in fifteen languages."""
    assert any(name in found or found in name for found in names(text)), names(text)


@pytest.mark.parametrize(
    "text",
    [
        "Больной жалуется на боль. Врач назначил лечение.",
        "Компания Газпром и завод Урал",
        "Ο ασθενής νοσηλεύεται στο νοσοκομείο.",
        "החולה שוכב במיטה והאחות בודקת",
        "المريض في المستشفى والطبيب غير موجود",
        "रोगी को आराम की सलाह दी",
        "ผู้ป่วยมีอาการไข้ แพทย์ให้ยา",
        "患者高热三十九度，今日由护士测量体温，",
        "患者は安静にしてください。お客様へ。先生が来る。皆様",
        "환자 상태는 양호합니다. 고객님께 안내드립니다",
        "Patient stable. Doctor informed.",
    ],
)
def test_sentences_without_a_name(text: str) -> None:
    """A role is followed by what somebody does."""
    assert names(text) == []


@given(st.text(alphabet="患者王小さん様:： 。пациентИван. О.درהמרא", max_size=200))
def test_spans_lie_in_the_text(text: str) -> None:
    """Whatever the text is."""
    for span in OtherScripts().find(Page([text])).get(0, []):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize("part", ["Пациент ", "患者王", "さん", "Иван ", "И. О. ", "د. ", "김김 ", "の田中様"])
def test_time_is_linear(part: str) -> None:
    """Ten times the text takes no more than some thirty times as long."""

    def seconds(text: str) -> float:
        began = process_time()
        OtherScripts().find(Page([text]))
        return process_time() - began

    seconds(part * 100)
    short = min(seconds(part * 300) for _ in range(3))
    assert min(seconds(part * 3000) for _ in range(2)) < 30 * short + 0.2
