"""Followers wait for their leaders before they are put, so that they cost no worker and nobody else any time."""

from __future__ import annotations

from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.schedule import Every, parse_schedule
from regsync.events import JobFinished, JobQueued, JobSkipped
from tests.unit.daemon.lab import START, Daemon

HOUR = 3600.0


async def test_nobody_independent_is_late_while_seventy_entries_follow_one_that_takes_an_hour() -> None:
    followers = [f"follower{number}" for number in range(70)]
    independent = [f"free{number}" for number in range(129)]
    entries = ["slow", *followers, *independent]
    daemon = Daemon(
        {entry: Every(60) for entry in entries}, workers=64, before={follower: ["slow"] for follower in followers}
    )
    daemon.takes = {"slow": HOUR}
    running = await daemon.start(*entries)
    await daemon.clock.advance(HOUR + 59)
    for entry in independent:
        assert daemon.began[entry] == [60.0 * minute for minute in range(61)]
    for follower in followers:
        assert daemon.began[follower] == [HOUR]
    daemon.runner.stop_now()
    await running


async def test_a_followers_first_job_is_put_when_the_first_jobs_of_all_its_leaders_have_ended() -> None:
    daemon = Daemon(workers=1, before={"c": ["a", "b"], "d": ["c"]})
    daemon.takes = {"a": 10, "b": 20, "c": 5}
    running = await daemon.start("a", "b", "c", "d")
    await daemon.clock.advance(29)
    assert "c" not in {event.entry for event in daemon.told if isinstance(event, JobQueued)}
    await daemon.clock.advance(100)
    assert daemon.began == {"a": [0], "b": [10], "c": [30], "d": [35]}
    daemon.runner.stop()
    await running


async def test_an_entry_due_while_it_waits_for_its_first_turn_is_not_put_twice() -> None:
    daemon = Daemon({"follower": Every(60)}, before={"follower": ["leader"]})
    daemon.takes = {"leader": 150}
    running = await daemon.start("leader", "follower")
    await daemon.clock.advance(155)
    assert [(job.entry, job.scope) for job in daemon.started] == [("leader", "missing"), ("follower", "missing")]
    skips = daemon.events(JobSkipped)
    assert [(skip.entry, skip.times) for skip in skips if isinstance(skip, JobSkipped)] == [
        ("follower", 1),
        ("follower", 2),
    ]
    daemon.runner.stop()
    await running


async def test_an_entry_due_while_its_leader_runs_is_put_when_that_one_ends() -> None:
    schedules = {"leader": parse_schedule("TZ=UTC 0 * * * *"), "follower": parse_schedule("TZ=UTC 5 * * * *")}
    daemon = Daemon(schedules, before={"follower": ["leader"]})
    running = await daemon.start()
    daemon.takes = {"leader": 900}
    await daemon.clock.advance(2 * HOUR - 1)
    assert daemon.began == {"follower": [300, HOUR + 900], "leader": [HOUR]}
    daemon.runner.stop()
    await running


async def test_a_follower_waits_for_the_run_it_met_and_for_no_later_one() -> None:
    daemon = Daemon({"a": Every(10), "b": Every(15), "follower": Every(100)}, before={"follower": ["a", "b"]})
    daemon.takes = {"a": 9, "b": 14}  # one of them is always at work
    running = await daemon.start("a", "b", "follower")
    await daemon.clock.advance(200)
    assert daemon.began["follower"] == [14, 109]
    daemon.runner.stop_now()
    await running


async def test_entries_due_together_begin_leaders_first_whatever_their_schedules() -> None:
    schedules = {
        "leader": parse_schedule("TZ=UTC 0 * * * *"),
        "follower": Every(HOUR),
        "last": parse_schedule("TZ=UTC 0 * * * *"),
    }
    daemon = Daemon(schedules, before={"follower": ["leader"], "last": ["follower"]})
    daemon.takes = {"leader": 7, "follower": 8}
    running = await daemon.start()
    await daemon.clock.advance(HOUR + 20)
    assert daemon.began == {"leader": [HOUR], "follower": [HOUR + 7], "last": [HOUR + 15]}
    daemon.runner.stop()
    await running


async def test_a_leader_that_crashes_or_fails_lets_its_followers_go_on() -> None:
    daemon = Daemon(before={"after a crash": ["crash"], "after a failure": ["failure"]})
    daemon.script = {"crash": lambda: 1 // 0, "failure": lambda: 3}
    running = await daemon.start("crash", "failure", "after a crash", "after a failure")
    assert len(daemon.events(JobFinished)) == 4
    daemon.runner.stop()
    await running


async def test_a_leader_that_is_never_put_is_not_waited_for() -> None:
    daemon = Daemon(before={"follower": ["unscheduled"]})
    running = await daemon.start("follower")
    assert daemon.began == {"follower": [0]}
    daemon.runner.stop()
    await running


async def test_a_follower_that_waits_is_not_started_by_a_daemon_that_stops() -> None:
    daemon = Daemon(before={"follower": ["leader"]})
    daemon.gate("leader")
    running = await daemon.start("leader", "follower")
    daemon.runner.stop()
    daemon.gates["leader"].set()
    await running
    assert [job.entry for job in daemon.started] == ["leader"]
    assert daemon.runner.cut == 0


async def test_skips_are_counted_anew_after_a_run() -> None:
    daemon = Daemon({"a": Every(10)})
    daemon.takes = {"a": 35}
    running = await daemon.start("a")
    await daemon.clock.advance(79)
    assert [skip.times for skip in daemon.told if isinstance(skip, JobSkipped)] == [1, 2, 3, 1, 2, 3]
    daemon.runner.stop_now()
    await running


async def test_a_job_that_the_queue_refuses_holds_up_nobody() -> None:
    class TakenElsewhere(MemoryQueue):
        async def put(self, job: Job) -> bool:
            return job.entry != "leader" and await super().put(job)

    daemon = Daemon(before={"follower": ["leader"]}, queue=TakenElsewhere())
    running = await daemon.start("leader", "follower")
    assert JobSkipped("leader", START, 1) in daemon.told
    assert [job.entry for job in daemon.started] == ["follower"]
    daemon.runner.stop()
    await running


async def test_jobs_due_together_take_the_same_answers_for_news_however_late_a_worker_comes() -> None:
    daemon = Daemon({entry: Every(60) for entry in "abc"}, workers=1)
    daemon.takes = dict.fromkeys("abc", 10.0)
    running = await daemon.start("a", "b", "c")
    await daemon.clock.advance(90)
    assert daemon.began == {"a": [0, 60], "b": [10, 70], "c": [20, 80]}
    assert daemon.since == [0, 0, 0, 60, 60, 60]
    daemon.runner.stop_now()
    await running


async def test_what_a_leader_has_written_is_news_to_its_follower() -> None:
    daemon = Daemon({"follower": Every(60)}, before={"follower": ["leader"]})
    daemon.takes = {"leader": 10}
    running = await daemon.start("leader", "follower")
    await daemon.clock.advance(60)
    assert list(zip([job.entry for job in daemon.started], daemon.since, strict=True)) == [
        ("leader", 0),
        ("follower", 10),
        ("follower", 60),
    ]
    daemon.runner.stop()
    await running


async def test_a_wall_clock_that_jumps_makes_no_old_answer_news() -> None:
    daemon = Daemon({"a": parse_schedule("TZ=UTC 0 * * * *")})
    running = await daemon.start()
    await daemon.clock.advance(30)
    daemon.clock.jump(10 * HOUR)  # the machine slept: what was due at one o'clock is due now
    await daemon.clock.advance(60)
    assert [job.due.hour for job in daemon.started] == [1]
    assert daemon.since == daemon.began["a"] == [60]
    daemon.clock.jump(-HOUR)
    await daemon.clock.advance(3 * HOUR)
    assert daemon.since == daemon.began["a"]
    daemon.runner.stop()
    await running


async def test_what_falls_due_while_others_are_put_takes_no_answer_from_before() -> None:
    class SlowQueue(MemoryQueue):
        async def put(self, job: Job) -> bool:
            await daemon.clock.sleep(20)
            return await super().put(job)

    daemon = Daemon({"a": Every(60), "b": Every(60), "c": Every(70), "d": Every(81)}, queue=SlowQueue())
    running = await daemon.start()
    await daemon.clock.advance(175)
    found = list(zip([job.entry for job in daemon.started], daemon.since, strict=True))
    assert found[:4] == [("a", 60), ("b", 60), ("c", 70), ("d", 81)]
    daemon.runner.stop()
    await running
