"""Images, labels, splits and the layers that feed them to a net.

`voc_layers`, `siftflow_layers`, `nyud_layers` and `pascalcontext_layers` hold
the layers that prototxts name; `python -m data` says what is there, what is
missing and what to do next.
"""
