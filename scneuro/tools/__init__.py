"""Other people's programs, files and progress."""
