"""Files of arrays, and how any output file comes to be whole or not at all."""
