"""Caffe's files: net and solver definitions, weights, solver states.

`caffe_pb2` holds the messages (generated from caffe.proto), `text` reads and
writes prototxt, `model` the binary and HDF5 files, `upgrade` turns what older
versions of Caffe wrote into today's form.
"""
