"""What the emulator stores: the index, blobs, buckets, names and rules."""
