"""Rule sets: what a safety engineer writes, and the kinds of rule that they are made of."""
