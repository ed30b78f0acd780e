"""The colour matrices by which pictures are read, and by which JPEG and WebP files are written. Pure functions."""

# Players assume BT.601 for untagged pictures below this height, and BT.709 from it upwards.
_HD_HEIGHT = 720


def colour_matrix(height: int) -> str:
    """The matrix that players assume for a picture of this height when it states none."""
    return "bt709" if height >= _HD_HEIGHT else "smpte170m"


def assumed(color_space: str, height: int) -> dict[str, str]:
    """The option of the filter `scale` for a picture that states no matrix: by default that is BT.601 at any height."""
    return {"in_color_matrix": colour_matrix(height)} if color_space == "unknown" else {}


def still_colours(color_space: str, height: int) -> dict[str, str]:
    """Options of the filter `scale` for a picture that becomes a JPEG or a WebP, which are always BT.601."""
    return {**assumed(color_space, height), "out_color_matrix": "smpte170m"}
