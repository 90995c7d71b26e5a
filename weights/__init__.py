"""Weights of networks: published ones, and model files in and out.

`published` is the table of the fifteen networks; `load` puts a model file of
any kind into a net and accounts for every parameter; `formats` reads and
writes the files, `tables` those that are not Caffe's. `python -m weights`
lists, fetches, inspects, converts, exports and compares. Model files
themselves lie in this folder or beside a network's prototxts and stay out of
git.
"""
