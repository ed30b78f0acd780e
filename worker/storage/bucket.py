"""The bucket itself: private, and with the rule that clears away what nobody will finish."""

from b2sdk.v3 import Bucket
from b2sdk.v3.exception import Conflict, DuplicateBucketName, NonExistentBucket

from worker.logs import get_logger
from worker.storage.account import Account
from worker.storage.errors import StorageRefused

_PRIVATE = "allPrivate"
# A hidden or overwritten version lives on for a day; an upload that nobody went on with, for two. Storing both is
# paid for, and an unfinished upload is in no listing.
LIFECYCLE_RULE = {
    "fileNamePrefix": "",
    "daysFromHidingToDeleting": 1,
    "daysFromUploadingToHiding": None,
    "daysFromStartingToCancelingUnfinishedLargeFiles": 2,
}

log = get_logger(__name__)


def prepare_bucket(account: Account) -> None:
    """Make the bucket if it is missing, refuse a public one, and add the lifecycle rule for all names if none is there.

    What the key may not do is left to the bucket's owner and only logged. Raises b2sdk's errors.
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
        # Another process prepares the same bucket at this moment, with the same rule.
        log.info("bucket_prepared_elsewhere", bucket=bucket.name)


def _find_or_create(account: Account) -> Bucket:
    api, name = account.api(), account.bucket_name
    # Not account.bucket(): a remembered bucket knows neither its type nor its rules.
    found = api.list_buckets(bucket_name=name)
    if found:
        return found[0]
    if not account.may("writeBuckets"):
        raise NonExistentBucket(name)
    try:
        return api.create_bucket(name, _PRIVATE, lifecycle_rules=[LIFECYCLE_RULE])
    except DuplicateBucketName:
        again = api.list_buckets(bucket_name=name)
        if not again:
            raise StorageRefused(f"The bucket name {name} is taken by another account. Choose another.") from None
        return again[0]
