"""What is measured with: stacks, people, recordings, boards, rows, and cheap clients."""
