from inventory.models.drifts import Drift
from inventory.models.hold_changes import HoldChange
from inventory.models.ledger import InventoryLevel, LedgerEntry
from inventory.models.locations import Location, LocationMapping
from inventory.models.offsets import OffsetAcknowledgement
from inventory.models.openings import OpeningLine, OpeningPlan
from inventory.models.publications import LevelPublication, PublicationEntry, PublishedLevel
from inventory.models.pushes import Push, PushBatch
from inventory.models.schedules import Schedule
from inventory.models.terms import FormerMember, SignedUnits, StoreTerms, WithheldUnits
from inventory.models.validations import Validation, ValidationSample

__all__ = [
    "Drift",
    "FormerMember",
    "HoldChange",
    "InventoryLevel",
    "LedgerEntry",
    "LevelPublication",
    "Location",
    "LocationMapping",
    "OffsetAcknowledgement",
    "OpeningLine",
    "OpeningPlan",
    "PublicationEntry",
    "PublishedLevel",
    "Push",
    "PushBatch",
    "Schedule",
    "SignedUnits",
    "StoreTerms",
    "Validation",
    "ValidationSample",
    "WithheldUnits",
]
