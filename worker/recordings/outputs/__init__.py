"""What is made of a recording: renditions and pictures, a row each."""
