"""The application: the routes, and the middleware around them."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from worker.api.description import docs
from worker.api.description.description import complete
from worker.api.http.body_limit import LargerBody, LimitBody, StreamedBody
from worker.api.http.callers import identify
from worker.api.http.error_handlers import install_problems
from worker.api.http.idempotent import REPLAYED
from worker.api.http.methods import AnyMethod
from worker.api.http.polling_streams import Subscriptions
from worker.api.http.privacy import PrivateResponses
from worker.api.operations import health, job_events, jobs
from worker.api.operations.metrics import Metrics
from worker.api.operations.request_log import REQUEST_ID, RequestLog
from worker.api.operations.request_span import RequestSpan
from worker.api.pages import (
    index_page,
    page_assets,
    plain_addresses,
    plain_page,
    record_page,
    script_tag,
    shared_plain_page,
    watch_page,
)
from worker.api.people import channels, me, notifications, platform_links, preferences
from worker.api.people.notification_streams import read_inbox_updates
from worker.api.recordings import (
    hls,
    packs,
    recording_captions,
    recording_chapters,
    recording_pages,
    recording_search,
    recording_shares,
    recordings,
    renditions,
    shared_recordings,
)
from worker.api.schedules import alarms, bookings, calendar_feeds, schedules, series, session_requests, slots, timetable
from worker.api.services import Services
from worker.api.uploads import recording_uploads, server_time, upload_states, uploads
from worker.api.uploads.append_at_once import append_at_once
from worker.api.uploads.small_pieces import SmallPieces
from worker.api.uploads.tus_protocol import REQUEST_HEADERS, RESPONSE_HEADERS, TusProtocol
from worker.api.whiteboards import (
    replays,
    snapshots,
    whiteboard_boards,
    whiteboard_lifecycle,
    whiteboard_openings,
    whiteboard_pages,
    whiteboard_sessions,
)
from worker.limits.lease_rows import Bound

MAX_JSON = 65_536
# Enough for five hundred strokes of a few hundred points each.
MAX_STROKES_JSON = 2_000_000
LARGER = (
    LargerBody("POST", re.compile(r"/v1/whiteboard/pages/[0-9]+/strokes"), MAX_STROKES_JSON),
    LargerBody("PUT", re.compile(r"/v1/recordings/[0-9]+/captions/[^/]+"), recording_captions.MAX_CAPTION_BYTES),
)
STREAMED = (
    StreamedBody("POST", re.compile(r"/v1/(recordings|uploads)")),
    StreamedBody("PATCH", re.compile(r"/v1/uploads/[^/]+")),
)

_MODULES = (
    # First, since routes are tried in this order, and a lesson being recorded sends a request every second or two.
    uploads,
    upload_states,
    channels,
    calendar_feeds,
    session_requests,
    bookings,
    me,
    notifications,
    schedules,
    series,
    slots,
    timetable,
    alarms,
    preferences,
    whiteboard_openings,
    whiteboard_sessions,
    whiteboard_boards,
    whiteboard_lifecycle,
    whiteboard_pages,
    snapshots,
    replays,
    recording_uploads,
    recordings,
    recording_captions,
    recording_chapters,
    recording_search,
    recording_shares,
    shared_recordings,
    renditions,
    packs,
    recording_pages,
    hls,
    jobs,
    job_events,
    health,
    server_time,
    platform_links,
    script_tag,
    page_assets,
    record_page,
    watch_page,
    plain_addresses,
    plain_page,
    shared_plain_page,
    index_page,
    docs,
)


class Api(FastAPI):
    """FastAPI with a description that names every response."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def create_api(services: Services) -> FastAPI:
    """Create the application; the caller closes `services` after the server has stopped."""
    database, leases, most_of_one = services.database, services.leases, services.settings.limit_event_streams
    renew = services.renew_people
    job_bound, inbox_bound = Bound("job-streams", most_of_one), Bound("inbox-streams", most_of_one)
    subscriptions = Subscriptions(database, job_events.read_job_updates, leases, job_bound, renew=renew)
    inbox_subscriptions = Subscriptions(database, read_inbox_updates, leases, inbox_bound, renew=renew)

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        yield
        await subscriptions.close()
        await inbox_subscriptions.close()
        await leases.close()

    api = Api(
        title="Astegni worker",
        summary="Recordings, whiteboards, bookings and the jobs behind them.",
        version=version("astegni-worker"),
        lifespan=lifespan,
        # Some clients lose the body of a POST at a redirect, so an address with a wrong slash is unknown.
        redirect_slashes=False,
        # The framework's pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        # The routes themselves: `include_router` would inspect every signature again, during the first requests.
        routes=[route for module in _MODULES for route in module.router.routes],
    )
    api.state.services = services
    api.state.subscriptions = subscriptions
    api.state.inbox_subscriptions = inbox_subscriptions
    api.state.metrics = Metrics(
        services.settings, services.database, services.publisher_drops, services.context.platform_connection
    )
    install_problems(api)
    _wrap(api, services)
    return api


def _route_of(endpoint: Callable[..., Any]) -> APIRoute:
    return next(route for route in uploads.router.routes if isinstance(route, APIRoute) and route.endpoint is endpoint)


def _wrap(api: FastAPI, services: Services) -> None:
    """Add the middleware, the outermost last: CORS headers are then on every response, even after a crash."""
    api.add_middleware(LimitBody, most=MAX_JSON, admit=identify, larger=LARGER, streamed=STREAMED)
    api.add_middleware(AnyMethod)
    api.add_middleware(SmallPieces, services=services, route=_route_of(uploads.patch_upload), append=append_at_once)
    api.add_middleware(RequestSpan)
    api.add_middleware(RequestLog, metrics=api.state.metrics)
    api.add_middleware(PrivateResponses)
    api.add_middleware(TusProtocol, most=services.settings.upload_max_bytes)
    if services.settings.cors_origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=["*"],
            allow_headers=[
                *("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", REQUEST_ID),
                *REQUEST_HEADERS,
            ],
            expose_headers=["Location", "Retry-After", "WWW-Authenticate", REPLAYED, REQUEST_ID, *RESPONSE_HEADERS],
            max_age=3600,
        )
