"""A solver's tests, and the lines that show what a net's outputs are.

Caffe: solver.cpp Test, and the display part of Step; spec sections E.5, E.6.
"""

from caffe.log import logger, num


def test(solver, index):
    """Logs the mean of every output of test net `index` over its test_iter
    passes. The sums stay on the device until they are complete."""
    logger.info('Iteration %d, Testing net (#%d)', solver.iter, index)
    net, passes = solver.test_nets[index], solver.param.test_iter[index]
    net.debug_info = solver.param.debug_info
    net.share_with(solver.net)
    loss, sums = 0, None
    for _ in range(passes):
        if solver.interrupted():
            logger.info('Test interrupted.')
            return
        loss = net.forward_loss() + loss
        found = outputs(net)
        sums = added(sums, found) if sums else found
    if solver.param.test_compute_loss:
        logger.info('Test loss: %s', num(loss / passes))
    show('Test', net, {name: sums[name] / passes for name in sums or {}})


def outputs(net):
    """name -> tensor"""
    return {name: net.blobs[name].tensor for name in net.outputs}


def added(sums, found):
    for name, value in found.items():
        if value.shape != sums[name].shape:
            raise RuntimeError(
                f"test output '{name}' was {tuple(sums[name].shape)} and is "
                f'now {tuple(value.shape)}: no mean over passes exists'
            )
    return {name: sums[name] + value for name, value in found.items()}


def show(kind, net, values):
    """Logs every element of every output, numbered through.

    Takes: kind: 'Train' or 'Test'; values: name -> tensor
    """
    weights, k = net.blob_loss_weights, 0
    for name, tensor in values.items():
        weight = weights[name]
        for value in tensor.flatten().tolist():
            loss = f' (* {num(weight)} = {num(weight * value)} loss)'
            logger.info(
                '    %s net output #%d: %s = %s%s',
                kind,
                k,
                name,
                num(value),
                loss if weight else '',
            )
            k += 1


def display(solver, iterations, seconds):
    """Logs the displayed loss and the train net's outputs.

    Takes: iterations, seconds: since the last time
    """
    seconds = int(seconds * 1e3) / 1e3
    logger.info(
        'Iteration %d (%s iter/s, %ss/%d iters), loss = %s',
        solver.iter,
        num(iterations / (seconds or 1)),
        num(seconds),
        solver.param.display,
        num(solver.average.value()),
    )
    show('Train', solver.net, outputs(solver.net))
