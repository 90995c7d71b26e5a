"""The parts that network definitions are put together from.

`vgg16` and `caffenet` are trunks, tables of layers; `heads` turns features
into a score for every pixel; `datasets` names the data; `prototxt` writes the
files of a network directory. Its net.py says which parts, in which order.
"""
