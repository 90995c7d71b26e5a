"""Several solvers on several GPUs: refused by name, but for the calls that
scripts make whether they have one GPU or more. Processes that train together
are no matter of the engine.

Caffe: common.cpp, parallel.cpp, through _caffe.cpp.
"""

ALONE = (
    'one process trains on one GPU here: there is no NCCL. To train on '
    'several: torchrun --nproc-per-node=N <network>/solve.py'
)


def has_nccl():
    """False: see NCCL."""
    return False


class NCCL:
    """pycaffe's ties between solvers on several GPUs. Refused."""

    def __init__(self, solver, uid):
        raise RuntimeError(f'NCCL: {ALONE}')

    @staticmethod
    def new_uid():
        raise RuntimeError(f'NCCL.new_uid: {ALONE}')


def solver_count():
    return 1


def solver_rank():
    return 0


def set_solver_count(count):
    if count != 1:
        raise RuntimeError(f'set_solver_count({count}): {ALONE}')


def set_solver_rank(rank):
    if rank != 0:
        raise RuntimeError(f'set_solver_rank({rank}): {ALONE}')


def set_multiprocess(multiprocess):
    """No effect: with one solver it makes no difference in Caffe either."""
