"""What openpi, GR00T and OpenVLA say on the wire, read without trusting it; no file here opens a connection."""
