from connectors.models.lags import FeedLag
from connectors.models.notices import Notice, NoticeEvent, NoticeRule
from connectors.models.runs import RunItem, SyncRun
from connectors.models.stores import Store, StoreLocation
from connectors.models.webhooks import (
    FeedPosition,
    PrivacyRequest,
    RemoteChange,
    WebhookDelivery,
    WebhookSubscription,
)

__all__ = [
    "FeedLag",
    "FeedPosition",
    "Notice",
    "NoticeEvent",
    "NoticeRule",
    "PrivacyRequest",
    "RemoteChange",
    "RunItem",
    "Store",
    "StoreLocation",
    "SyncRun",
    "WebhookDelivery",
    "WebhookSubscription",
]
