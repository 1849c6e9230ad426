"""Every documented rule and code of IMAPI 1, member by member; `pytest -s` prints the coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rawcd.mastering import (
    DiscMaster,
    DiscRecorder,
    Enumerator,
    JolietDiscMaster,
    RedbookDiscMaster,
)
from tests.mastering import format_rules, master_rules, recorder_rules
from tests.mastering.rulebook import BEYOND, DOCUMENTED, RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mastering.rulebook import Rule

RULED = (master_rules, format_rules, recorder_rules)
"""Importing them notes their rules."""


@pytest.mark.parametrize(
    "rule", RULES, ids=lambda rule: f"{rule.member}-{rule.code.name}-{rule.text}"
)
def test_rule(rule: Rule, tmp_path: Path) -> None:
    rule.check(tmp_path)
    print(f"{rule.member:34} {rule.code.name:38} {rule.text}")


def test_every_code_of_the_reference_has_a_rule_or_a_reason() -> None:
    ruled = {(rule.member, rule.code) for rule in RULES}
    listed = {(member, code) for member, codes in DOCUMENTED.items() for code in codes}
    assert listed - ruled == set(BEYOND)
    for (member, code), reason in BEYOND.items():
        print(f"{member:34} {code.name:38} beyond reach: {reason}")
    print(f"{len(listed)} codes of {len(DOCUMENTED)} members, {len(BEYOND)} beyond reach")


def test_every_member_of_the_reference_exists() -> None:
    interfaces = (DiscMaster, RedbookDiscMaster, JolietDiscMaster, DiscRecorder, Enumerator)
    for member in DOCUMENTED:
        name = member.partition(" ")[0]
        assert any(callable(getattr(each, name, None)) for each in interfaces), member
