from connectors.models.notices import Notice, NoticeEvent, NoticeRule
from connectors.models.runs import RunItem, SyncRun
from connectors.models.stores import Store, StoreLocation

__all__ = ["Notice", "NoticeEvent", "NoticeRule", "RunItem", "Store", "StoreLocation", "SyncRun"]
