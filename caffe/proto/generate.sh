#!/bin/sh
# Writes caffe_pb2.py from caffe.proto.
#
# With protoc 21 on purpose: its output runs on every protobuf from 3.20 on,
# that of a later protoc only on runtimes as new as itself. Make a venv of
# Python 3.7 to 3.11 with `pip install grpcio-tools==1.51.3` and name its
# python:
#   caffe/proto/generate.sh venv/bin/python
set -e
cd "$(dirname "$0")"
case $("$1" -m grpc_tools.protoc --version) in
'libprotoc 3.21.'*) ;;
*)
    echo 'not protoc 21: use grpcio-tools 1.51.3' >&2
    exit 1
    ;;
esac
"$1" -m grpc_tools.protoc --proto_path=. --python_out=. caffe.proto
