"""Images, labels, splits and the layers that feed them to a net.

`voc_layers` holds the layers a prototxt names; `python -m data` says what is
there, what is missing and what to do next.
"""
