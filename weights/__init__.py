"""Weights of the published networks: what there is, where, and how good.

`published` is the table of the fifteen networks, `load` puts a model file into
a net and accounts for every parameter. Model files themselves (*.caffemodel)
lie in this folder or beside a network's prototxts and stay out of git.
"""
