"""The law's lists as data: exemptions, grounds, authorities, remedies, and how to recognise a request.

Pure: no Django, no models. The texts are English source; what renders them has them translated.
"""
