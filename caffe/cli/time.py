"""`time`: how long each layer takes, forward and backward.

Caffe: tools/caffe.cpp, time; spec section H. On a GPU the times are those of
events in its stream (Timer), read when a pass is over, so that measuring does
not keep the GPU waiting between the layers.
"""

from caffe.cli import gpus
from caffe.log import logger, num
from caffe.net import TEST, TRAIN, Net
from caffe.node import SURELY
from caffe.timer import Timer, elapsed, now

PHASES = {'': TRAIN, 'TRAIN': TRAIN, 'TEST': TEST}


def time(flags):
    if not flags.model:
        raise RuntimeError('Need a model definition to time.')
    if flags.phase not in PHASES:
        raise RuntimeError(
            f'phase must be "TRAIN" or "TEST", not "{flags.phase}"'
        )
    if flags.iterations < 1:
        raise RuntimeError(f'iterations must be > 0, not {flags.iterations}')
    gpus.choose(flags.gpu)
    phase, stages = PHASES[flags.phase], flags.stage.split(',')
    net = Net(flags.model, phase, level=flags.level, stages=stages)
    run_all(net)
    logger.info('Performing Forward')
    logger.info('Initial loss: %s', num(net.forward_loss()))
    logger.info('Performing Backward')
    net.backward_pass()
    benchmark(net, flags.iterations)


def run_all(net):
    """Lets backward run in every layer that can do anything there, whether or
    not it leads to a loss: so does Caffe here, and a deploy net has none."""
    for node in net.nodes:
        node.need |= any(node.need_bottoms) or any(node.need_params)


def benchmark(net, iterations):
    logger.info('*** Benchmark begins ***')
    logger.info('Testing for %d iterations.', iterations)
    forward = [0.0] * len(net.nodes)
    backward = [0.0] * len(net.nodes)
    total = Timer()
    total.start()
    for i in range(iterations):
        timer = Timer()
        timer.start()
        there = moments(net.nodes, lambda node: node.forward(SURELY))
        back = moments(net.nodes[::-1], lambda node: node.backward(True))
        logger.info(
            'Iteration: %d forward-backward time: %s ms.', i + 1, num(timer.ms)
        )
        for n, spent in enumerate(spans(there)):
            forward[n] += spent
        for n, spent in enumerate(reversed(spans(back))):
            backward[n] += spent
    total.stop()
    report(net, forward, backward, total.ms, iterations)


def moments(nodes, step):
    """The moments before, between and after the steps."""
    found = [now()]
    for node in nodes:
        step(node)
        found.append(now())
    return found


def spans(moments):
    """Milliseconds from each moment to the next."""
    return [elapsed(a, b) for a, b in zip(moments, moments[1:])]


def report(net, forward, backward, total, iterations):
    def show(what, milliseconds):
        logger.info('%s %s ms.', what, num(milliseconds))

    logger.info('Average time per layer: ')
    for node, there, back in zip(net.nodes, forward, backward):
        show(f'{node.name:>10}\tforward:', there / iterations)
        show(f'{node.name:>10}\tbackward:', back / iterations)
    show('Average Forward pass:', sum(forward) / iterations)
    show('Average Backward pass:', sum(backward) / iterations)
    show('Average Forward-Backward:', total / iterations)
    show('Total Time:', total)
    logger.info('*** Benchmark ends ***')
