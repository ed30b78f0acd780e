"""The structure of files, read byte by byte: WebM, MP4, Ogg, and the recordings inside them."""
