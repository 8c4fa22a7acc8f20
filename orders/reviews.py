"""Reviews of the register: closed by a person for what they saw, and what was posted in the period since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from connectors.models import Store
from orders import register
from orders.models import Document, RegisterReview
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

CLOSE_RIGHT: Final = "orders.close_review"
AT_MOST: Final = 20
"""Reviews of a period that are shown, newest first."""


class ReviewRefused(Refusal):
    """The register is not what the person saw. Carries cause and remedy."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a person looks at: days, both included, and filters; empty ones let everything through."""

    since: dt.date
    until: dt.date
    store: Store | None = None
    kind: str = ""
    currency: str = ""
    state: str = ""

    @property
    def words(self) -> str:
        """The filters as people read them."""
        return ", ".join(filter(None, [str(self.store or ""), self.kind, self.currency, self.state])) or "everything"


def mark(documents: QuerySet[Document, Document]) -> str:
    """What tells one look at these documents from the next: it changes with every document that comes."""
    found = documents.aggregate(n=Count("pk"), last=Max("pk"))
    return f"{found['n']}:{found['last'] or 0}"


@transaction.atomic
def close(documents: QuerySet[Document, Document], looked: Looked, *, seen: str, by: User) -> RegisterReview:
    """Keep that `by` looked through these documents, with their totals. `seen` is the `mark` of what was on the page.

    The same person saying it again of the same documents closes nothing twice. Raises `ReviewRefused` where documents
    were posted since the page was shown.
    """
    if mark(documents) != seen:
        raise ReviewRefused(
            "Documents were posted since you opened the register, so no review was closed.",
            "Look at what it shows now, then close the review.",
        )
    totals = [_as_json(row) for row in register.totals(documents)]
    review, is_new = RegisterReview.objects.get_or_create(
        **_facts(looked),
        documents=int(seen.partition(":")[0]),
        reviewed_by=by,
        defaults={"totals": totals, "reviewed_at": timezone.now()},
    )
    if is_new:
        audit.record(
            by, "close register review", str(review), after={"of": looked.words, "documents": review.documents,
            "totals": totals},
        )  # fmt: skip
    return review


def of_period(since: dt.date, until: dt.date) -> list[RegisterReview]:
    """Reviews that share a day with this period, newest first."""
    found = RegisterReview.objects.filter(since__lte=until, until__gte=since).select_related("reviewed_by", "store")
    return list(found[:AT_MOST])


def since_review(document: Document, reviews: Sequence[RegisterReview]) -> RegisterReview | None:
    """The newest review that covers a document posted after it; None where it was there, or nobody looked."""
    if document.posted_at is None:
        return None
    day = timezone.localtime(document.posted_at).date()
    newest = next((one for one in reviews if one.since <= day <= one.until and one.covers(document)), None)
    return newest if newest and document.posted_at > newest.reviewed_at else None


def posted_since(
    documents: QuerySet[Document, Document], looked: Looked, reviews: Sequence[RegisterReview]
) -> int | None:
    """How many of these documents were posted after the last review of exactly this; None where there is none."""
    facts = _facts(looked)
    same = next((one for one in reviews if all(getattr(one, name) == value for name, value in facts.items())), None)
    return documents.filter(posted_at__gt=same.reviewed_at).count() if same else None


def _facts(looked: Looked) -> dict[str, Any]:
    """Fields of a review that say what was looked at."""
    return {name: getattr(looked, name) for name in ("since", "until", "store", "kind", "currency", "state")}


def _as_json(row: register.Total) -> dict[str, Any]:
    told = {name: value if isinstance(value, int) else str(value) for name, value in asdict(row).items()}
    return told | {"kind": row.kind.value, "kind_label": row.kind.label}
