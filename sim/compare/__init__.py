"""Gates, integers and float, side by side."""
