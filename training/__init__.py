"""What a training run is made of, around the engine's solver; solve.py reads
the command line and calls run.py. None of it changes what Caffe would compute.
"""
