from connectors.models.runs import RunItem, SyncRun
from connectors.models.stores import Store, StoreLocation

__all__ = ["RunItem", "Store", "StoreLocation", "SyncRun"]
