"""What the emulator keeps: the index, blobs, buckets, names and rules."""
