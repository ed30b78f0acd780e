"""The calls of the API by name, and how one is dispatched."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from devstack.emulator.access import open_account_token
from devstack.emulator.api import buckets, copies, files, keys, large_files, listing, uploads
from devstack.emulator.api.authorize import authorize_account
from devstack.emulator.api.call import Call, Handler
from devstack.emulator.api.downloads import download_by_id
from devstack.emulator.api.parameters import Parameters, parse_body
from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import Json, bad_request, json_response

_CALLS: dict[str, Handler] = {
    "b2_cancel_large_file": large_files.cancel_large_file,
    "b2_copy_file": copies.copy_file,
    "b2_copy_part": copies.copy_part,
    "b2_create_bucket": buckets.create_bucket,
    "b2_create_key": keys.create_key,
    "b2_delete_bucket": buckets.delete_bucket,
    "b2_delete_file_version": files.delete_file_version,
    "b2_delete_key": keys.delete_key,
    "b2_finish_large_file": large_files.finish_large_file,
    "b2_get_download_authorization": files.get_download_authorization,
    "b2_get_file_info": files.get_file_info,
    "b2_get_upload_part_url": large_files.get_upload_part_url,
    "b2_get_upload_url": uploads.get_upload_url,
    "b2_hide_file": files.hide_file,
    "b2_list_buckets": buckets.list_buckets,
    "b2_list_file_names": listing.list_file_names,
    "b2_list_file_versions": listing.list_file_versions,
    "b2_list_keys": keys.list_keys,
    "b2_list_parts": large_files.list_parts,
    "b2_list_unfinished_large_files": large_files.list_unfinished_large_files,
    "b2_start_large_file": large_files.start_large_file,
    "b2_update_bucket": buckets.update_bucket,
}
_STORAGE_CALLS = frozenset(
    {"b2_copy_file", "b2_copy_part", "b2_get_upload_part_url", "b2_get_upload_url", "b2_start_large_file"}
)
_MAX_BODY = 1 << 20


async def handle_call(emulator: Emulator, request: Request) -> Response:
    """Respond to any call except an upload and a download by name."""
    name = request.path_params["call"]
    version, parameters = requested_version(request), await _parameters(request)
    if name == "b2_download_file_by_id":
        return await download_by_id(emulator, request, parameters.text("fileId"))
    if name == "b2_authorize_account":
        return json_response(await _authorize(emulator, request, version))
    if name not in _CALLS or request.method not in ("GET", "POST"):
        raise bad_request(f"This emulator does not know {request.method} {name}.")
    key = await run_in_threadpool(open_account_token, emulator, request.headers.get("authorization"))
    cap = "storage_cap_exceeded" if name in _STORAGE_CALLS else "transaction_cap_exceeded"
    emulator.faults.maybe_exceed_cap(request.headers, cap)
    call = Call(emulator, key, parameters, version, _base_url(request))
    return json_response(await run_in_threadpool(_CALLS[name], call))


def requested_version(request: Request) -> int:
    """The version of the API in the path, 1 to 4."""
    version: int = request.path_params["version"]
    if not 1 <= version <= 4:
        raise bad_request(f"There is no version {version} of the API.")
    return version


async def _authorize(emulator: Emulator, request: Request, version: int) -> Json:
    expired = emulator.faults.maybe_expire_token(request.headers)
    credentials = request.headers.get("authorization")
    return await run_in_threadpool(
        authorize_account, emulator, credentials, version, _base_url(request), expired=expired
    )


async def _parameters(request: Request) -> Parameters:
    if request.method != "POST":
        return Parameters(dict(request.query_params))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise bad_request(f"The request body has more than {_MAX_BODY} bytes.")
    return parse_body(bytes(body))


def _base_url(request: Request) -> str:
    """The base URL that the client used; behind a port mapping nothing else knows it."""
    return str(request.base_url).rstrip("/")
