"""How a verdict is shown, and which of its findings tells most."""

from __future__ import annotations

import math

import pytest

from interlock.verdict import Attempt, Decision, Finding, Verdict
from interlock_cli.findings import nearest, print_decision, print_verdict, telling
from tests.supervisor.toy import plan, ramp

NAME = "A-RULE-WITH-A-NAME-THAT-IS-LONG"


def finding(rule: str, margin: float, limit: float = 1.0) -> Finding:
    return Finding(rule, "kind", "veto", margin, 0.0, limit, "m", "text")


@pytest.mark.parametrize(
    ("findings", "rule"),
    [
        ((finding("check:vetoes", -1.0), finding("KEEP-IN", -0.1), finding("TORQUE", 0.5)), "KEEP-IN"),
        ((finding("check:vetoes", -1.0), finding("TORQUE", 0.5)), "TORQUE"),
        ((finding("GRIPPER", 0.0), finding("TORQUE", 9.0, 60.0), finding("KEEP-OUT", 0.2, 1.0)), "TORQUE"),
        ((finding("check:latch", -1.0, 0.0),), "check:latch"),
    ],
)
def test_a_decision_is_told_by_what_it_turns_on(findings: tuple[Finding, ...], rule: str) -> None:
    decision = Decision("veto", 0, 0, 0.0, (Attempt("as proposed", 0, Verdict(findings)),), None)

    assert telling(decision).rule == rule


def violated() -> Finding:
    return Finding(
        NAME, "kind", "veto", -0.25, 1.25, 1.0, "rad/s^2", "acceleration of joint 2", 17, 0.34, "row", ("joint 2",)
    )


def shown(capsys: pytest.CaptureFixture[str], findings: tuple[Finding, ...], *, every: bool = False) -> str:
    print_verdict(Verdict(findings), {NAME: "sets/some.yaml:4:5"}, every=every)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_a_violated_rule_is_shown_whole_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)

    text = shown(capsys, (violated(),))

    whole = " ".join(text.split())
    for part in (f"veto {NAME}: acceleration of joint 2", "1.25 rad/s^2, limit 1 rad/s^2", "beyond it by 0.25 rad/s^2"):
        assert part in whole
    assert "row 17" in whole
    assert "sets/some.yaml:4:5" in whole
    assert max(map(len, text.splitlines()[:-1])) <= int(width)


def test_what_holds_takes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    holding = (finding("TORQUE", 9.0, 60.0), finding("GRIPPER", 0.0), finding("check:seam", 0.5))

    assert shown(capsys, holding).splitlines() == [
        (
            "2 rules and 1 check hold, GRIPPER exactly on the limit; the closest, by share of its limit, is TORQUE by "
            "9 m (--all shows them)"
        )
    ]
    assert len(shown(capsys, holding, every=True).splitlines()) == 2 * len(holding) + 1


def test_nothing_is_closest_where_nothing_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, (finding("CLEAR", math.inf),)) == "1 rule and 0 checks hold (--all shows them)\n"


def test_a_limit_of_zero_can_be_the_closest() -> None:
    inside, torque = finding("KEEP-IN", 0.001, 0.0), finding("TORQUE", 9.0, 60.0)

    assert nearest((torque, inside)) is inside


def test_a_margin_that_is_no_number_is_violated_by_no_amount(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, (finding("CLEAR", math.nan),))

    assert "veto CLEAR" in text
    assert "beyond" not in text


def test_F48_a_message_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = Finding("check:\x1b[2J", "check", "veto", -1.0, 0.0, 1.0, "", "said\n\u202e[bold]'no'", links=("\x9b1m",))

    text = shown(capsys, (hostile,))

    assert not set(text) & {"\x1b", "\u202e", "\x9b"}
    assert "[bold]" in text


def test_every_attempt_of_a_decision_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    refused = Verdict((violated(),))
    attempts = (Attempt("as proposed", 25, refused), Attempt("cut to 3 rows", 3, refused))

    print_decision(Decision("veto", 0, 0, 0.0, attempts, None), "by rule set some", {}, every=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["veto by rule set some", f"amended: cut to 3 rows: refused by {NAME}"]


def test_what_was_amended_says_what_was_wrong_with_the_proposal(capsys: pytest.CaptureFixture[str]) -> None:
    attempts = (
        Attempt("as proposed", 5, Verdict((violated(),))),
        Attempt("slowed to 0.780", 5, Verdict((finding("TORQUE", 9.0, 60.0),))),
    )

    print_decision(
        Decision("slow", 0, 5, 0.6, attempts, plan(ramp(3)[:, :2], 0)),
        "on record",
        {NAME: "some.yaml:4:5"},
        every=False,
    )

    text = " ".join(capsys.readouterr().out.split())
    assert f"as proposed it was refused: veto {NAME}: acceleration of joint 2 1.25 rad/s^2, limit 1 rad/s^2" in text
    assert "amended: slowed to 0.780: allowed" in text


def test_where_a_check_failed_it_is_said_that_no_rule_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 rules and 1 check hold; the closest" in shown(capsys, (finding("check:seam", 0.5),))
    assert "no rule was asked" in shown(capsys, (finding("check:seam", -0.5), finding("check:mask", 0.5)))
    assert "no rule was asked" not in shown(capsys, (finding("TORQUE", 0.5),))
