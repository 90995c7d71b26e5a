"""Op: one Caffe layer as the engine sees it. Every file beside this one
holds a family of them; `caffe.ops.OPS` maps a prototxt `type` to its class.

An op has three parts, in this order: its parameters (`setup`), the shapes of
its tops (`top_shapes`), its computation (`forward`). Autograd differentiates
`forward`, unless the op defines `backward` itself, because Caffe's gradient is
not the derivative, or because less memory does.
"""


class Op:
    """A layer of a net, made from its LayerParameter.

    Class attributes say what Caffe checks before it sets a layer up:
      bottoms, tops   (least, most) counts; most None = any number
      equal_counts    as many tops as bottoms
      loss            loss_weight defaults to 1, missing tops are added
      fixed           bottoms to which gradients never flow (labels)
      overwritable    the tops are fresh memory that backward does not read:
                      a ReLU in place behind this op may overwrite them
      in_place        'yes', or why not
    """

    bottoms = (1, 1)
    tops = (1, 1)
    equal_counts = False
    loss = False
    fixed = ()
    overwritable = False
    in_place = 'yes'
    frozen = False  # set by the net: no gradient of the blobs is needed

    # None: autograd differentiates forward. Otherwise a method
    #   backward(diffs, tops, bottoms, params, need_bottoms, need_params)
    #     -> (bottom diffs, param diffs), None where not needed
    # `diffs` are gradients of the tops; tops, bottoms, params are the tensors
    # as they are when backward runs (as in Caffe, which reads its blobs).
    # A bottom diff may reuse the memory of diffs[0].
    backward = None

    def __init__(self, param, phase):
        self.param = param  # LayerParameter
        self.phase = phase  # 0 TRAIN, 1 TEST
        self.blobs = []  # parameter Blobs, made by setup

    def setup(self, shapes):
        """Checks the LayerParameter and appends parameter blobs.

        Takes: shapes: one tuple per bottom
        Raises: RuntimeError in Caffe's words, without the layer's name (the
            net adds it)
        """

    def top_shapes(self, shapes):
        """The shape of every top for these bottom shapes; raises RuntimeError
        where Caffe's Reshape aborts. Pure: called whenever a shape changes."""
        return list(shapes)

    def initial_tops(self):
        """Tensors to put into the tops once, when the net is built; a None
        leaves that top alone. (DummyData fills constants only once.)"""
        return None

    def forward(self, bottoms, params):
        """Computes the tops; a None leaves that top's blob as it is.

        Takes: bottoms, params: lists of tensors. They are not changed, except
            by ReLU and its kind where `overwrite` is True.
        """
        raise NotImplementedError

    def check(self):
        """Raises what forward, on a GPU, has noted and not raised, so as not
        to make the host wait (see labels.py)."""

    def add_blob(self, shape, filler=None):
        """Appends a parameter blob and fills it (no filler: zeros), unless
        the LayerParameter brings values of its own."""
        from caffe.blob import Blob
        from caffe.device import generator
        from caffe.fillers import fill

        blob = Blob(shape)
        if filler is not None:
            fill(blob.tensor, filler, generator(blob.tensor.device))
        self.blobs.append(blob)
        return blob
