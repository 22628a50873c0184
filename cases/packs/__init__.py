"""Response packs: the letter, the report, the machine-readable data and the proof of what was sent.

Everything here but `build` is pure: it imports no models, reads no clock and no database. The same
input gives the same bytes, so a pack can be made again and compared with its manifest.
"""
