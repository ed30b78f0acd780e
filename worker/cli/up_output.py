"""The output of `astegni up`: steps and warnings on stderr, addresses and the sample on stdout."""

from typing import Any

import typer

from worker.cli.runfile import running_stacks


def print_step(step: str) -> None:
    """Print a start-up step on stderr, so that stdout has only the line of `--json`."""
    typer.echo(step, err=True)


def print_other_stacks() -> None:
    """Warn of stacks that already run: commands without an address use the newest."""
    for facts in running_stacks():
        typer.echo(
            f"Another stack runs at {facts['api']} (process {facts['pid']}). While this one runs, `astegni` commands"
            " talk to this one; set ASTEGNI_API_URL and ASTEGNI_TOKEN, or DATABASE_URL, for the other.",
            err=True,
        )


def print_facts(facts: dict[str, Any]) -> None:
    """Print all addresses and what to try next."""
    typer.echo(f"API     {facts['api']}\nFlower  {facts['flower']}\nB2      {facts['b2']['realm']}")
    if facts["mailbox"]:
        typer.echo(f"Mail    {facts['mailbox']['url']}")
    sample = facts.get("sample")
    if sample is None:
        typer.echo(
            "Try `astegni up --sample` for people and a whiteboard session to play with; Ctrl-C stops everything."
        )
        return
    for role in ("tutor", "student", "parent"):
        person = sample[role]
        typer.echo(f"{role:<7} user {person['user_id']}, {role} {person['profile_id']}, token {person['token']}")
    typer.echo(
        f"Booking {sample['booking_id']}, lesson {sample['schedule_id']},"
        f" whiteboard session {sample['session_id']}, page {sample['page_id']}\n"
        f"Try in another terminal, in this directory:\n"
        f"  . {sample['directory']}/env\n"
        f"  astegni ingest {sample['directory']}/lesson.webm --session {sample['session_id']}\n"
        "Ctrl-C stops everything."
    )
