"""A session answers every request with rows that were judged and end at rest, or with rows that hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.motion import Plan
from interlock.scene import Scene
from interlock.verdict import Decision
from interlock_policies.proxy.answering import Answering
from interlock_policies.proxy.frame import Answer, HoldUnknown, NoAnswer
from interlock_policies.proxy.room import rows_with_room
from tests.policies.proxy.bench_of_toys import HORIZON, LEAD_NS, RAW, ROWS, Desk, judged, smooth
from tests.supervisor.toy import ABSOLUTE, LAYOUTS, MS, OPEN, PERIOD, SINCE_LAST, SPEEDS, START, Reach, Speed, rule


def committed(desk: Desk) -> Plan:
    plan = desk.supervisor.memory.plan
    assert plan is not None
    return plan


def places_of(plan: Plan, count: int = HORIZON) -> Any:
    """Where the plan is after each of so many rows."""
    return np.array([plan.at(plan.rows_start_ns + (row + 1) * PERIOD).positions for row in range(count)])


def holds(answer: Answer, desk: Desk) -> bool:
    """Whether a client that plays the rows stays where it is, its hand as it is."""
    before = desk.joints.copy(), desk.hand
    places = desk.play(answer, len(answer.rows))
    return bool(np.abs(places - before[0]).max() < 1e-7) and abs(desk.hand - before[1]) < 1e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_what_is_permitted_is_sent_to_the_bit_and_then_brakes(layout: Layout, dtype: Any) -> None:
    desk = Desk(layout)
    said = smooth(desk, dtype=dtype)
    said[:, :2] *= 1.0 + 1e-6 * np.sin(np.arange(2.0 * ROWS)).reshape(ROWS, 2)  # bits that sums and differences lose

    answer = desk.reply(said)

    rows = int(str(answer.about["permitted_rows"]))
    assert answer.about["reaction"] == "permit"
    assert 10 < rows < HORIZON - 2
    assert answer.rows.dtype == said.dtype
    assert answer.rows.shape == said.shape
    assert answer.rows[:rows].tobytes() == said[:rows].tobytes()
    assert not np.array_equal(answer.rows[rows:], said[rows:])


@given(
    st.sampled_from(LAYOUTS),
    st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    st.integers(HORIZON, 64),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 3),
)
@settings(max_examples=60)
def test_a_client_that_plays_its_rows_is_where_the_plan_is_at_every_row_and_rests_at_the_end(
    layout: Layout, reach: tuple[float, float], rows: int, dtype: Any, rounds: int
) -> None:
    desk = Desk(layout)
    for _ in range(rounds):
        answer = desk.reply(smooth(desk, reach, rows, dtype))
        if answer.about["reaction"] in {"veto", "stop"}:
            assert holds(answer, desk)
            continue
        plan = committed(desk)

        places = desk.play(answer)

        assert places == pytest.approx(places_of(plan), abs=1e-6)
        assert places[-1] == pytest.approx(plan.positions[-1], abs=1e-6)
        assert np.abs(places[-1] - places[-2]).max() < 1e-6
        assert plan.end_ns <= plan.rows_start_ns + (HORIZON - 2) * PERIOD


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_rows_beyond_those_that_are_played_hold(layout: Layout) -> None:
    desk = Desk(layout)
    answer = desk.reply(smooth(desk, rows=60))

    places = desk.play(answer, 60)

    assert np.abs(places[HORIZON:] - places[HORIZON - 1]).max() < 1e-6
    assert np.abs(places[0] - places[-1]).max() > 0.001


def test_the_motion_goes_on_from_reply_to_reply_and_every_permit_is_used_once() -> None:
    desk = Desk()
    for _ in range(4):
        answer = desk.reply(smooth(desk, (0.2, 0.1)))
        desk.play(answer)

        assert answer.about["reaction"] == "permit"

    assert desk.joints[0] > START[0] + 0.1
    assert [body["decision"]["reaction"] for body in desk.bodies()] == ["permit"] * 4
    assert "departed" not in desk.log.kinds


def test_one_review_a_request_is_enough() -> None:
    desk = Desk()

    desk.reply(smooth(desk, (0.4, 0.3)))

    assert len(desk.bodies()) == 1


def test_rows_that_are_too_fast_are_sent_slower_and_rest_in_time() -> None:
    desk = Desk()
    answer = desk.reply(smooth(desk, (0.6, 0.0)))
    plan = committed(desk)

    places = desk.play(answer)

    assert answer.about["reaction"] == "slow"
    assert answer.about["rule"] == "SPEED"
    assert places == pytest.approx(places_of(plan), abs=1e-9)
    assert np.abs(np.diff(places, axis=0)).max() <= 0.5 * 0.02


def test_a_refused_chunk_holds_and_says_why() -> None:
    desk = Desk(found=judged(rule(Speed(), "slow"), rule(Reach(0.12))))
    said = smooth(desk, (0.6, 0.0))

    answer = desk.reply(said)

    assert answer.about["reaction"] == "veto"
    assert answer.about["violated"] == ["REACH", "SPEED"]
    assert answer.about["permitted_rows"] == 0
    assert answer.rows.shape == said.shape
    assert holds(answer, desk)


GARBAGE: dict[str, Any] = {
    "nan": np.full((ROWS, 3), np.nan),
    "infinite": np.full((ROWS, 3), np.inf),
    "huge": np.full((ROWS, 3), 1e300),
    "one nan": np.where(np.arange(ROWS * 3).reshape(ROWS, 3) == 100, np.nan, 0.1),
    "normalised": np.tile([5.0, -5.0, 1.0], (ROWS, 1)),
    "empty": np.zeros((0, 3)),
    "short": np.zeros((HORIZON - 1, 3)),
    "long": np.zeros((65, 3)),
    "wide": np.zeros((ROWS, 4)),
    "flat": np.zeros(3),
    "batched": np.zeros((1, ROWS, 3)),
    "whole": np.zeros((ROWS, 3), dtype=np.int64),
    "half": np.zeros((ROWS, 3), dtype=np.float16),
    "objects": np.full((ROWS, 3), None),
    "masked": np.ma.masked_array(np.zeros((ROWS, 3)), mask=np.ones((ROWS, 3), dtype=np.bool_)),
    "no array": [[0.0, 0.0, 0.0]] * ROWS,
    "nothing": None,
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
def test_F05_whatever_the_upstream_says_instead_of_rows_the_client_is_told_to_hold(layout: Layout, said: Any) -> None:
    desk = Desk(layout)
    desk.play(desk.reply(smooth(desk)))

    answer = desk.reply(said)

    (body,) = desk.bodies()[1:]
    assert body["decision"]["reaction"] == "veto"
    assert answer.about["reaction"] == "veto"
    assert holds(answer, desk)


FAILURES = ["upstream cannot be reached", "upstream did not answer in time", "upstream reported an error"]


@pytest.mark.parametrize("failure", FAILURES)
def test_an_upstream_that_fails_is_put_on_record_with_its_words_and_the_client_gets_none_of_them(failure: Any) -> None:
    desk = Desk()

    answer = desk.reply(NoAnswer(failure, "Traceback: secret", "9" * 64))

    (body,) = desk.bodies()
    assert "secret" in str(body)
    assert "secret" not in str(answer.about)
    assert answer.about["message"] == failure
    assert answer.rows.shape == (ROWS, 3)
    assert holds(answer, desk)


def test_too_many_failures_latch_and_the_answer_is_to_hold_for_ever() -> None:
    desk = Desk()
    limit = desk.supervisor.rules.profile.vetoes_before_stop
    for _ in range(limit):
        desk.play(desk.reply(NoAnswer("upstream reported an error", "secret")))

    answers = [desk.reply(smooth(desk)) for _ in range(3)]

    assert desk.supervisor.memory.state == "stopped"
    assert {answer.about["rule"] for answer in answers} == {"check:latch"}
    assert "secret" not in str([answer.about for answer in answers])
    assert all(holds(answer, desk) for answer in answers)


def test_F48_why_the_robot_was_stopped_is_for_the_record_alone() -> None:
    desk = Desk()
    desk.supervisor.stop("secret")

    answer = desk.reply(smooth(desk))

    assert "secret" not in str(answer.about)
    assert answer.about["reaction"] == "stop"


@pytest.mark.parametrize(
    "changes",
    [
        {"joints": np.array([0.1])},
        {"joints": np.array([0.1, np.nan])},
        {"joints": np.array([[0.1, 0.2]])},
        {"joints": "0.1, 0.2"},
        {"joints": [0.1, None]},
        {"hand": np.array([])},
        {"speeds": np.array([0.0, np.inf])},
        {"prompt": b"go"},
    ],
    ids=str,
)
def test_an_observation_that_cannot_be_used_is_on_record_and_asks_no_upstream(changes: dict[str, Any]) -> None:
    desk = Desk()

    async def asked() -> None:
        answering = Answering(desk.supervisor, desk.session)
        try:
            await answering.reply(desk.seen(**changes), lambda: pytest.fail("the upstream was asked"))
        finally:
            await answering.close()

    with pytest.raises(HoldUnknown, match="nobody knows where to hold"):
        asyncio.run(asked())

    (body,) = desk.bodies()
    assert body["decision"]["reaction"] == "veto"
    assert next(iter(changes)) in str(body)


def test_F16_an_arm_that_sags_is_held_where_it_was_told_and_does_not_creep() -> None:
    desk = Desk(found=judged(rule(Speed(), "slow"), rule(Reach(0.12))))
    places = [desk.joints.copy()]
    for _ in range(4):
        desk.joints = places[-1] - 0.004  # by so much it hangs below where it is told to be
        places.append(desk.reply(smooth(desk, (0.6, 0.0))).rows[0, :2])
        desk.time.ns += HORIZON * PERIOD

    assert places[1] == pytest.approx(places[0] - 0.004)
    assert all(np.array_equal(place, places[1]) for place in places[2:])


def test_an_arm_that_somebody_moved_is_held_where_it_is_once_it_was_seen_there_twice() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk)))
    desk.joints = desk.joints + 0.5

    with pytest.raises(HoldUnknown, match="until that is seen twice"):
        desk.reply(NoAnswer("upstream reported an error"))
    answer = desk.reply(NoAnswer("upstream reported an error"))

    assert answer.rows[:, :2] == pytest.approx(np.tile(desk.joints, (ROWS, 1)))


def test_a_hold_keeps_the_hand_as_it_was_told_and_not_as_it_is_measured() -> None:
    desk = Desk()
    said = smooth(desk)
    said[:, 2] = 0.04
    desk.play(desk.reply(said))

    answer = desk.reply(NoAnswer("upstream reported an error"), hand=np.array([0.05]))

    assert answer.rows[:, 2].tolist() == [0.04] * ROWS


def test_a_client_that_asks_before_its_rows_can_be_played_starts_from_where_it_is_measured() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk, (0.2, 0.1))), 10)

    answer = desk.reply(smooth(desk, (0.2, 0.1)))

    assert answer.about["reaction"] == "permit"
    assert committed(desk).positions[0] == pytest.approx(desk.joints)


def test_F38_without_measured_speeds_a_robot_that_was_told_nothing_may_be_moving_and_is_first_held() -> None:
    desk = Desk(velocities=None)

    first = desk.reply(smooth(desk))
    desk.play(first)
    second = desk.reply(smooth(desk))

    assert first.about["violated"] == ["check:state"]
    assert second.about["reaction"] == "permit"


def test_F38_a_client_that_asks_early_and_measures_no_speed_may_be_moving_and_is_refused() -> None:
    desk = Desk(velocities=None)
    desk.play(desk.reply(smooth(desk)))
    desk.play(desk.reply(smooth(desk, (0.2, 0.1))), 10)

    early = desk.reply(smooth(desk))
    desk.play(early)
    later = desk.reply(smooth(desk))

    assert early.about["violated"] == ["check:state"]
    assert later.about["reaction"] == "permit"


def test_without_measured_speeds_a_robot_that_is_not_where_it_was_told_to_rest_is_refused() -> None:
    desk = Desk(velocities=None)
    desk.play(desk.reply(smooth(desk)))

    with pytest.raises(HoldUnknown):
        desk.reply(smooth(desk), joints=desk.joints + 0.06)
    answer = desk.reply(smooth(desk), joints=desk.joints + 0.06)

    assert "check:tracking" in str(answer.about["violated"])


@pytest.mark.parametrize("joints", [(50.0, -50.0), (1e30, 0.0), (-2.2, 0.0)], ids=["far", "huge", "beyond its travel"])
def test_F01_nobody_holds_at_a_place_where_the_robot_cannot_be(joints: tuple[float, float]) -> None:
    desk = Desk()

    with pytest.raises(HoldUnknown):
        desk.reply(smooth(desk), joints=np.array(joints))

    assert " cannot be at" in str(desk.bodies()[-1])


@pytest.mark.parametrize("hand", [1e39, -5.0, -0.005, OPEN * 1.06])
def test_F10_nobody_holds_with_a_hand_that_cannot_be_so(hand: float) -> None:
    desk = Desk()

    with pytest.raises(HoldUnknown):
        desk.reply(smooth(desk), hand=np.array([hand]))

    assert "hand cannot be at" in str(desk.bodies()[-1])


def test_one_reading_that_lies_moves_nothing_and_is_forgotten_with_the_next() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk)))
    lie = np.array([0.9, 0.9])

    with pytest.raises(HoldUnknown):
        desk.reply(smooth(desk), joints=lie)
    true = desk.reply(NoAnswer("upstream reported an error"))
    with pytest.raises(HoldUnknown):
        desk.reply(smooth(desk), joints=lie)

    assert true.rows[:, :2] == pytest.approx(np.tile(desk.joints, (ROWS, 1)), abs=1e-6)


@pytest.mark.parametrize("late_ms", [45, 65])
def test_F20_rows_whose_first_is_past_before_they_are_judged_are_taken_back(
    late_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = judged()
    patient = replace(
        patient,
        freshness=replace(patient.freshness, state_s=1.0, observation_s=2.0),
        accepts=replace(patient.accepts, execute=8),
    )
    desk = Desk(found=patient)

    def slow(*asked: Any) -> int:
        found = rows_with_room(*asked)
        desk.time.ns += late_ms * MS
        return found

    monkeypatch.setattr("interlock_policies.proxy.frame.rows_with_room", slow)
    said = smooth(desk)
    said[0, :2] = 3.0

    answer = desk.reply(said)

    assert answer.about["reaction"] == "veto"
    assert answer.rows[:, :2] == pytest.approx(np.tile(START, (ROWS, 1)))


def test_F10_the_hand_keeps_what_it_was_told_over_an_early_request_a_lost_reply_and_another_client() -> None:
    desk = Desk()
    said = smooth(desk)
    said[:, 2] = 0.0
    desk.play(desk.reply(said))
    desk.reply(said)
    desk.session.unsent()
    desk.hand = 0.03  # what it holds is so wide

    lost = desk.reply(NoAnswer("upstream reported an error"))
    hand, desk.session = desk.session.hand, desk.another("t")
    desk.session.hand = hand
    another = desk.reply(NoAnswer("upstream reported an error"))

    assert lost.rows[:, 2].tolist() == another.rows[:, 2].tolist() == [0.0] * ROWS


def test_F10_a_hand_that_a_lost_reply_would_have_closed_was_told_nothing() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk)))
    closing = smooth(desk)
    closing[:, 2] = 0.0
    desk.reply(closing)
    desk.session.unsent()
    desk.hand = 0.05  # it gives way a little

    answer = desk.reply(NoAnswer("upstream reported an error"))

    assert answer.rows[:, 2].tolist() == [OPEN] * ROWS


def test_a_request_that_comes_by_the_lead_too_soon_waits_for_the_end_of_the_plan() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk, (0.2, 0.1))))
    plan = committed(desk)
    desk.time.ns = plan.end_ns - LEAD_NS // 2

    answer = desk.reply(smooth(desk), after_ns=0)

    assert answer.about["reaction"] == "permit"
    assert desk.time.ns >= plan.end_ns
    assert committed(desk).positions[0] == pytest.approx(desk.joints)


def test_F18_a_policy_that_takes_longer_than_a_state_may_be_old_is_refused() -> None:
    desk = Desk()

    answer = desk.reply(smooth(desk), after_ns=51 * MS)

    assert "check:freshness" in str(answer.about["violated"])
    assert holds(answer, desk)


def test_F20_a_review_that_ends_after_the_first_row_is_due_holds() -> None:
    desk = Desk()
    desk.review_ns = LEAD_NS + MS

    answer = desk.reply(smooth(desk))

    assert answer.about["rule"] == "check:late"
    assert holds(answer, desk)


def test_a_plan_that_does_not_rest_in_time_is_taken_back_and_put_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def room(*_: object) -> int:
        return HORIZON - 1

    desk = Desk()
    monkeypatch.setattr("interlock_policies.proxy.frame.rows_with_room", room)

    answer = desk.reply(smooth(desk, (0.2, 0.1)))

    assert (answer.about["reaction"], answer.about["rule"]) == ("veto", "proxy:room")
    assert desk.supervisor.memory.plan is None
    assert len(desk.bodies("departed")) == 1
    assert holds(answer, desk)


def test_a_review_that_fails_stops_the_robot_until_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Decision:
        raise ZeroDivisionError

    desk = Desk()
    monkeypatch.setattr("interlock.supervisor.decide", broken)

    answer = desk.reply(smooth(desk))

    assert answer.about["reaction"] == "stop"
    assert desk.supervisor.memory.state == "stopped"
    assert desk.log.kinds[-2:] == ["review_failed", "supervisor_stop"]
    assert holds(answer, desk)


def test_a_reply_that_was_not_sent_is_taken_back() -> None:
    desk = Desk()
    desk.reply(smooth(desk))

    desk.session.unsent()

    assert desk.supervisor.memory.plan is None
    assert len(desk.bodies("departed")) == 1


def test_the_next_client_starts_from_where_the_robot_is_measured() -> None:
    desk = Desk()
    desk.play(desk.reply(smooth(desk)), 5)
    desk.session.close()
    desk.session = desk.another("t")

    answer = desk.reply(smooth(desk))

    assert answer.about["reaction"] == "permit"
    assert [body["case"]["chunk"]["session"] for body in desk.bodies()] == ["s", "t"]


def test_what_was_asked_and_said_is_on_record_as_estimated() -> None:
    desk = Desk()

    answer = desk.reply(smooth(desk))

    (body,) = desk.bodies()
    found = body["case"]["chunk"]
    assert found["stamps"]["estimated"] is True
    assert (found["instruction"], found["raw_digest"]) == ("go on", RAW)
    assert answer.about["record"] == desk.log.kinds.index("review")


def test_nothing_about_a_decision_is_an_array() -> None:
    desk = Desk()
    answers = [desk.reply(smooth(desk)), desk.reply(np.full((ROWS, 3), np.nan)), desk.reply(NoAnswer(FAILURES[0]))]  # type: ignore[arg-type]

    for answer in answers:
        for value in answer.about.values():
            assert type(value) in {str, int, list}


def test_what_can_never_work_is_refused_at_the_start() -> None:
    with pytest.raises(UnusableInput, match="velocities"):
        Desk(SPEEDS, velocities=None)
    with pytest.raises(UnusableInput, match="a lead of 50 ms"):
        Desk(lead_ns=50 * MS)
    with pytest.raises(UnusableInput, match="is not accepted"):
        Desk(SINCE_LAST, found=judged(accepts=replace(judged().accepts, layouts=(ABSOLUTE,))))


def test_F29_people_whom_nobody_would_judge_again_while_a_reply_is_played_are_refused_at_the_start() -> None:
    found = judged(scene=Scene("automatic", (), None, ()))
    tracked = replace(found, people="tracker", freshness=replace(found.freshness, people_s=0.1))

    with pytest.raises(UnusableInput, match="nobody judges again where they are"):
        Desk(found=tracked)
