"""`test`: the mean of every output of a net over some batches.
Caffe: tools/caffe.cpp, test; spec section H.
"""

from caffe.cli import gpus
from caffe.log import logger, num
from caffe.net import TEST, Net
from caffe.testing import added, outputs


def test(flags):
    if not flags.model:
        raise RuntimeError('Need a model definition to score.')
    if not flags.weights:
        raise RuntimeError('Need model weights to score.')
    gpus.choose(flags.gpu)
    stages = flags.stage.split(',')
    net = Net(flags.model, TEST, level=flags.level, stages=stages)
    net.copy_from(flags.weights)
    logger.info('Running for %d iterations.', flags.iterations)
    loss, sums = 0, {}
    for i in range(flags.iterations):
        loss += net.forward_loss().item()
        net.check()
        found = outputs(net)
        sums = added(sums, found) if sums else found
        for name, tensor in found.items():
            for value in tensor.flatten().tolist():
                logger.info('Batch %d, %s = %s', i, name, num(value))
    logger.info('Loss: %s', num(loss / max(flags.iterations, 1)))
    for name, tensor in sums.items():
        weight = net.blob_loss_weights[name]
        for value in (tensor / flags.iterations).flatten().tolist():
            loss = f' (* {num(weight)} = {num(weight * value)} loss)'
            logger.info('%s = %s%s', name, num(value), loss if weight else '')
