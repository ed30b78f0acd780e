"""The bucket itself: private, and with a lifecycle rule that deletes unfinished uploads and hidden versions."""

from b2sdk.v3 import Bucket
from b2sdk.v3.exception import Conflict, DuplicateBucketName, NonExistentBucket

from worker.logs import get_logger
from worker.storage.account import Account
from worker.storage.errors import StorageRefused

_PRIVATE = "allPrivate"
# A hidden or overwritten version is kept for a day, an abandoned upload for two. Both are billed, and an unfinished
# upload appears in no listing.
LIFECYCLE_RULE = {
    "fileNamePrefix": "",
    "daysFromHidingToDeleting": 1,
    "daysFromUploadingToHiding": None,
    "daysFromStartingToCancelingUnfinishedLargeFiles": 2,
}

log = get_logger(__name__)


def prepare_bucket(account: Account) -> None:
    """Create the bucket if it is missing, reject a public one, and add the lifecycle rule if none is for all names.

    If the key lacks a capability, this is only logged and left to the bucket's owner. Raises b2sdk's errors.
    """
    bucket = _find_or_create(account)
    if bucket.type_ != _PRIVATE:
        raise StorageRefused(f"Bucket {bucket.name} is public: anyone could read every lesson. Make it private.")
    if any(rule["fileNamePrefix"] == "" for rule in bucket.lifecycle_rules):
        return
    if not account.may("writeBuckets"):
        log.warning("lifecycle_rule_missing", bucket=bucket.name)
        return
    try:
        bucket.update(lifecycle_rules=[*bucket.lifecycle_rules, LIFECYCLE_RULE], if_revision_is=bucket.revision)
    except Conflict:
        # A concurrent process is preparing the same bucket with the same rule.
        log.info("bucket_prepared_elsewhere", bucket=bucket.name)


def _find_or_create(account: Account) -> Bucket:
    api, name = account.api(), account.bucket_name
    # Not account.bucket(): a cached bucket has neither its type nor its rules.
    buckets = api.list_buckets(bucket_name=name)
    if buckets:
        return buckets[0]
    if not account.may("writeBuckets"):
        raise NonExistentBucket(name)
    try:
        return api.create_bucket(name, _PRIVATE, lifecycle_rules=[LIFECYCLE_RULE])
    except DuplicateBucketName:
        again = api.list_buckets(bucket_name=name)
        if not again:
            raise StorageRefused(f"The bucket name {name} is taken by another account. Choose another.") from None
        return again[0]
