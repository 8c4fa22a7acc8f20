"""Jobs: work of a mutation that Shopify does later. They are done when the shop's processing time has passed."""

from __future__ import annotations

import math
from typing import Any

from .execution import Run
from .topics import Topic
from .world import World

Job = dict[str, Any]  # id; ready: seconds of the sandbox's clock


def new_job(world: World) -> Job:
    """A job that is done after the shop's processing time; in the answer of its own mutation it never is."""
    gid, _ = world.shop.new_gid("Job")
    world.shop.jobs[gid] = {"id": gid, "ready": world.clock.seconds() + world.shop.processing_seconds}
    return {"id": gid, "ready": math.inf}


def _job(world: World, arguments: dict[str, Any], run: Run) -> Job | None:
    return world.shop.jobs.get(arguments["id"])


def _done(job: Job, arguments: dict[str, Any], run: Run) -> bool:
    return bool(run.world.clock.seconds() >= job["ready"])


JOBS = Topic(
    full={("QueryRoot", "job"): _job, ("Job", "done"): _done},
    mappings=frozenset({"Job"}),
)
"""Asynchronous jobs."""
