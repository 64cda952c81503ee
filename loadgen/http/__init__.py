"""HTTP/1.1 as one shopper speaks it: `client` is the door, the rest stands behind it; errors become failed samples."""
