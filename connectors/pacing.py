"""Keeping below a service's rate limit, together with every other worker that uses the same account.

Shopify charges points from a leaky bucket per app and store (reference 2.1). The bucket is the service's; what is
kept here is an estimate of it, corrected by the level that every reply carries. A request reserves its points and is
told how long to wait before it may be sent. Waiting requests have already reserved, so they go in the order they came
and the bucket is spent at exactly its restore rate, however many wait. Urgent requests have a lane of their own: they
pass bulk that waits, out of a share that bulk leaves alone while there are any, and past that share bulk goes later.
What bulk work asks on its own way, as a full sync the order feed, goes with it (`as_bulk`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import redis

from connectors.ports.errors import ConnectorUnavailable

STANDARD_BUCKET: Final = 2000.0
STANDARD_RATE: Final = 100.0
"""The smallest plan (reference 2.1), assumed until the first reply says which one it is."""

FIRST_LEVEL: Final = 1000.0
"""Points assumed to be there before the first reply: enough for the largest single request, half of the smallest
bucket."""


LEFT_TO_URGENT: Final = 0.2
"""Share of the bucket that bulk leaves alone while there are urgent requests."""

URGENT_REMEMBERED: Final = 30.0
"""Seconds after an urgent request during which more of them are expected. Without any, bulk has the whole bucket."""

MOST_PUT_OFF: Final = 30.0
"""Seconds that urgent requests together may put off one bulk request that waits. Then they wait behind it, so that
nobody starves."""


class Lane(StrEnum):
    """Who goes first where points are short."""

    URGENT = "urgent"
    """A person waits for it, or it says what was sold: it passes bulk that waits."""
    BULK = "bulk"
    """Pushes and listings: in the order they came, put off by at most `MOST_PUT_OFF`."""

    @classmethod
    def of(cls, usual: Lane) -> Lane:
        """The lane that a request goes in which usually goes in this one."""
        return cls.BULK if _as_bulk.get() else usual


_as_bulk: ContextVar[bool] = ContextVar("as_bulk", default=False)


@contextmanager
def as_bulk() -> Iterator[None]:
    """What this thread asks of stores meanwhile is a step of bulk work: it goes in its turn, and bulk leaves nothing aside
    for it."""
    before = _as_bulk.set(True)
    try:
        yield
    finally:
        _as_bulk.reset(before)


@dataclass(frozen=True, slots=True)
class ThrottleStatus:
    """The bucket as a reply reports it, in points and points per second."""

    maximum: float
    available: float
    restore_rate: float


@dataclass(frozen=True, slots=True)
class Reservation:
    """Points set aside for one request, which may be sent after `wait` seconds (0 = now)."""

    ticket: str
    cost: float
    wait: float


class Pacer(Protocol):
    """One account's share of a rate limit."""

    def reserve(self, cost: float, lane: Lane = Lane.BULK) -> Reservation:
        """Set `cost` points aside for a request of this lane.

        Every reservation is settled, or forgotten by the pacer after a while.
        """
        ...

    def still_to_wait(self, reservation: Reservation) -> float:
        """Seconds until the request may be sent, asked when its wait is over: 0, or more where an urgent one passed it."""
        ...

    def settle(self, reservation: Reservation, *, charged: float | None, status: ThrottleStatus | None) -> None:
        """Say what became of it: points really charged (None = unknown, 0 = never sent) and the bucket reported."""
        ...


# One hash holds the estimate, one the tickets in flight: ticket -> cost, time it may go, points settled before it, lane,
# latest time to which it may be put off.
#
# `level` is the estimate of the bucket less everything reserved. A reply's figure `available` was true at some moment
# between sending and now, so the truth now lies between two bounds, and the estimate is moved only when outside them:
#   low  = available - all other reservations - what was settled while this one was under way
#   high = available + rate * time under way - reservations that are still waiting (the service cannot know them)
# Taking the figure itself would count requests twice that the service has already charged, and forget those that are
# on their way; replies also overtake each other.
_LUA_COMMON: Final = """
local now_parts = redis.call('TIME')
local now = now_parts[1] + now_parts[2] / 1000000
local bucket, tickets = KEYS[1], KEYS[2]
local known = redis.call('HMGET', bucket, 'level', 'maximum', 'rate', 'at', 'settled')
local maximum = tonumber(known[2]) or tonumber(ARGV[1])
local rate = tonumber(known[3]) or tonumber(ARGV[2])
local level = tonumber(known[1]) or math.min(maximum, tonumber(ARGV[3]))
local at = tonumber(known[4]) or now
local settled = tonumber(known[5]) or 0
local lifetime = tonumber(ARGV[4])
local outstanding, waiting = 0, 0
local own_cost, own_go, own_settled
local bulk, bulk_waiting = {}, 0
local flat = redis.call('HGETALL', tickets)
for index = 1, #flat, 2 do
  local cost, go, before, lane, latest = string.match(flat[index + 1], '^(%S+) (%S+) (%S+) ?(%S*) ?(%S*)$')
  cost, go = tonumber(cost), tonumber(go)
  if go + lifetime < now then
    redis.call('HDEL', tickets, flat[index])
  elseif flat[index] == ARGV[5] then
    own_cost, own_go, own_settled = cost, go, tonumber(before)
  else
    outstanding = outstanding + cost
    if go > now then
      waiting = waiting + cost
      if lane ~= 'urgent' then
        bulk_waiting = bulk_waiting + cost
        bulk[#bulk + 1] = {
          ticket = flat[index], cost = cost, go = go, settled = tonumber(before), latest = tonumber(latest) or go
        }
      end
    end
  end
end
-- A full bucket restores nothing, and what is on its way may still be in it.
local room = math.max(level, maximum - outstanding - (own_cost or 0))
level = math.min(room, level + rate * math.max(0, now - at))
local function keep()
  redis.call('HSET', bucket, 'level', string.format('%.6f', level), 'maximum', maximum, 'rate', rate,
    'at', string.format('%.6f', now), 'settled', string.format('%.6f', settled))
  redis.call('EXPIRE', bucket, 86400)
  redis.call('EXPIRE', tickets, 86400)
end
"""

_RESERVE: Final = (
    _LUA_COMMON
    + """
local cost, headroom, lane, share = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local urgent_at = tonumber(redis.call('HGET', bucket, 'urgent_at')) or 0
level = level - cost
local kept = maximum * headroom
local wait
local function write(ticket, points, go, before, kind, latest)
  redis.call('HSET', tickets, ticket, string.format('%.6f %.6f %.6f %s %.6f', points, go, before, kind, latest))
end
if lane == 'urgent' then
  redis.call('HSET', bucket, 'urgent_at', string.format('%.6f', now))
  local floor = math.max(0, math.min(kept / 2, maximum - cost))
  -- Ahead of the bulk that waits: each of it goes when there are points for it and for all before it.
  local missing = floor - level - bulk_waiting
  wait = math.max(0, missing / rate)
  table.sort(bulk, function(one, other) return one.go < other.go end)
  local passes = true
  for _, each in ipairs(bulk) do
    missing = missing + each.cost
    each.later = math.max(each.go, now + missing / rate)
    passes = passes and each.later <= each.latest
  end
  if not passes then
    wait = math.max(0, (floor - level) / rate)
  else
    for _, each in ipairs(bulk) do
      if each.later > each.go then write(each.ticket, each.cost, each.later, each.settled, 'bulk', each.latest) end
    end
  end
else
  if now - urgent_at < tonumber(ARGV[10]) then kept = kept + maximum * share end
  local floor = math.max(0, math.min(kept, maximum - cost))
  wait = math.max(0, (floor - level) / rate)
end
write(ARGV[5], cost, now + wait, settled, lane, now + wait + tonumber(ARGV[11]))
keep()
return string.format('%.6f', wait)
"""
)

_STILL_TO_WAIT: Final = _LUA_COMMON + "return string.format('%.6f', math.max(0, (own_go or now) - now))"

_SETTLE: Final = (
    _LUA_COMMON
    + """
if own_cost then
  redis.call('HDEL', tickets, ARGV[5])
  local charged = own_cost
  if ARGV[6] ~= '' then charged = tonumber(ARGV[6]) end
  level = level + own_cost - charged
  settled = settled + charged
else
  own_go, own_settled = now, settled
end
if ARGV[7] ~= '' then
  maximum, rate = tonumber(ARGV[7]), tonumber(ARGV[9])
  local available = tonumber(ARGV[8])
  local meanwhile = math.max(0, settled - own_settled - (tonumber(ARGV[6]) or own_cost or 0))
  local low = available - outstanding - meanwhile
  local high = math.min(maximum, available + rate * math.max(0, now - own_go)) - waiting
  if level < low then level = low end
  if level > high then level = high end
end
keep()
return 'OK'
"""
)


class RedisPacer:
    """One bucket shared by every process that uses the same Redis and `key`, atomic in Lua on Redis' own clock.

    `key` names the account, for example app and shop domain. `headroom` is the share of the bucket that is never
    planned with; it covers the time a request needs to reach the service. Reservations of workers that died are
    forgotten `ticket_lifetime` seconds after they were allowed to go, which has to be longer than the slowest request.

    Raises `ConnectorUnavailable` when Redis does not answer: nothing has been sent then.
    """

    def __init__(
        self,
        client: redis.Redis,
        key: str,
        *,
        headroom: float = 0.05,
        ticket_lifetime: float = 120.0,
    ) -> None:
        self._keys = [f"pacing:{{{key}}}:bucket", f"pacing:{{{key}}}:tickets"]
        self._headroom = headroom
        self._ticket_lifetime = ticket_lifetime
        self._reserve = client.register_script(_RESERVE)
        self._still_to_wait = client.register_script(_STILL_TO_WAIT)
        self._settle = client.register_script(_SETTLE)

    def reserve(self, cost: float, lane: Lane = Lane.BULK) -> Reservation:
        """Set `cost` points aside and say how long to wait before sending."""
        ticket = uuid.uuid4().hex
        how = (cost, self._headroom, lane.value, LEFT_TO_URGENT, URGENT_REMEMBERED, MOST_PUT_OFF)
        wait = self._run(self._reserve, ticket, *how)
        return Reservation(ticket=ticket, cost=cost, wait=float(wait))

    def still_to_wait(self, reservation: Reservation) -> float:
        """Seconds until the request may be sent: more than 0 after its wait where an urgent one passed it."""
        return float(self._run(self._still_to_wait, reservation.ticket))

    def settle(self, reservation: Reservation, *, charged: float | None, status: ThrottleStatus | None) -> None:
        """Give back what was not charged and learn the bucket's size, rate and level from `status`."""
        reported: tuple[float | str, ...] = ("", "", "")
        if status is not None:
            reported = (status.maximum, status.available, status.restore_rate)
        self._run(self._settle, reservation.ticket, "" if charged is None else charged, *reported)

    def _run(self, script: Any, ticket: str, *arguments: float | str) -> Any:
        try:
            return script(
                keys=self._keys,
                args=[STANDARD_BUCKET, STANDARD_RATE, FIRST_LEVEL, self._ticket_lifetime, ticket, *arguments],
            )
        except redis.RedisError as exc:
            raise ConnectorUnavailable(
                service="Redis",
                operation="pace requests",
                cause="The Redis server that paces the requests did not answer.",
                remedy="Check that Redis runs and that REDIS_URL names it; work continues by itself afterwards.",
            ) from exc
