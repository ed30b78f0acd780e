"""What is made from a recording: renditions and pictures, with a row for each."""
