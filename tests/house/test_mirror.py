"""A test stands where its module does: tests/jobs/runs/test_lanes.py beside worker/jobs/runs/lanes.py."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("worker", "")

# Folders whose tests are about no single module, and why.
FOLDERS = {
    "browser": "pages of the API in a real browser",
    "canvases/chromium": "what is drawn, compared with Chromium's canvas",
    "chaos": "faults of the whole installation",
    "compose": "the container image and the compose file",
    "conformance": "the emulator under tools of others",
    "deploy": "what an operator takes: units of systemd, manifests of Kubernetes, rules of Prometheus",
    "docs": "what the documentation says and shows",
    "e2e": "the product from outside",
    "house": "the structure of the code",
    "media/corpus": "a corpus of damaged recordings, through every step of an ingest",
    "migrations": "all revisions together, and the schema that they make",
    "models": "all tables together",
    "reminders/sending": "a delivery from the claim to the outcome",
    "script_tag": "the script of the platform's pages, in a real browser",
    "workflows/platform_import": "the import of the platform's rows, kind by kind",
}

# Files of several modules, or named after a rule that several modules keep.
FILES = {
    "api/test_adopted_boards.py": "boards that the platform drew, by every route of a board",
    "api/test_board_parts.py": "boards and pages, written and read in parts",
    "api/test_by_schema.py": "every route, called by its schema",
    "api/test_consent_api.py": "bookings and lessons, for people who have not agreed",
    "api/test_hostile_values.py": "every parameter of every route",
    "api/test_defect_uploads.py": "an upload and the job that rejects it",
    "api/test_limits_api.py": "limits of many routes",
    "api/test_limits_of_two_processes.py": "limits of many routes",
    "api/test_storage_calls.py": "requests that need B2, which are in several modules",
    "api/test_uploads_of_two_processes.py": "one upload at several API processes",
    "api/test_uploads_of_two_spools.py": "one upload at API processes with different spools",
    "api/test_person_limits_api.py": "limits of many routes",
    "api/test_nameless_people_api.py": "people without a name, in lists, calendars and messages",
    "api/test_operator_accesses.py": "every route for operators",
    "api/test_role_conflicts_api.py": "lessons of a person who has two roles",
    "api/test_unrelated_people_api.py": "every route for people without a right",
    "api/test_stream_ends.py": "every stream",
    "api/recordings/test_recording_texts.py": "captions, chapters and the search in both",
    "canvases/drawing/test_documents.py": "PDF and SVG of the same boards",
    "channels/test_mail_round_trip.py": "the subject, the headers and the connection, by two readers of mail",
    "devstack/emulator/test_durability.py": "what every module of the emulator stores",
    "devstack/mailbox/test_mailbox.py": "the mailbox from SMTP to JSON",
    "devstack/test_distribution.py": "what is installed",
    "jobs/test_ledger.py": "the statements of a job's whole life",
    "jobs/test_live_lanes.py": "lanes in real worker processes",
    "jobs/test_live_messages.py": "messages of several jobs in real worker processes",
    "jobs/test_live_rabbitmq.py": "a job's life with RabbitMQ as the broker",
    "jobs/test_live_sentinel.py": "a job's life with Redis behind Sentinel as the broker",
    "jobs/test_live_worker.py": "a job's life in real worker processes",
    "jobs/test_shared_messages.py": "a message of several jobs, from its publication to their outcomes",
    "media/test_browser_recordings.py": "recordings of browsers, through every module",
    "media/test_hostile.py": "hostile files, through every module",
    "recordings/test_failure_hooks.py": "the failure hooks that workflows register, on rows of recordings",
    "schedules/test_double_booking.py": "a constraint of the database",
    "workflows/test_ingest_browser_recordings.py": "recordings of browsers, through every workflow",
    "workflows/test_ingest_defects.py": "damaged recordings, through every workflow",
    "workflows/test_lock_order.py": "the order in which all workflows lock rows",
}


def is_mirrored(test: Path) -> bool:
    """Whether a module or package has the test's name, or a module that of its folder (several files of one module)."""
    named, folder = test.with_name(test.stem.removeprefix("test_")), test.parent
    return any(
        (ROOT / source / named).is_dir()
        or (ROOT / source / named.with_suffix(".py")).is_file()
        or (ROOT / source / folder.with_suffix(".py")).is_file()
        for source in SOURCES
    )


def test_every_test_file_mirrors_a_module() -> None:
    tests = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")]
    unmirrored = {test for test in tests if not is_mirrored(test)}
    left = {test for test in unmirrored if not any(test.is_relative_to(folder) for folder in FOLDERS)}
    unlisted, superfluous = {str(test) for test in left} - set(FILES), set(FILES) - {str(test) for test in left}
    assert unlisted == set(), "move it to tests/x/test_y.py of worker/x/y.py, or add it to FILES with the reason"
    assert superfluous == set(), "remove these from FILES: they do not exist, or mirror a module"
    absent = [folder for folder in FOLDERS if not (ROOT / "tests" / folder).is_dir()]
    assert absent == [], "remove these from FOLDERS"
