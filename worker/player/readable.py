"""Format sizes and times for people, as the player's scripts do."""


def size_text(count: int | None) -> str:
    """`6.4 MB`; empty when unknown."""
    if count is None:
        return ""
    least, unit = next((least, unit) for least, unit in ((1e9, "GB"), (1e6, "MB"), (0.0, "KB")) if count >= least)
    digits = 1 if least and count < 100 * least else 0
    return f"{count / (least or 1e3):.{digits}f} {unit}"


def time_text(milliseconds: int) -> str:
    """`1:05`, or `1:02:05` from an hour on."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
