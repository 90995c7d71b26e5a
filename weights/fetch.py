"""python -m weights fetch: a published model, downloaded and checked.

What has arrived is kept in <file>.part and the next call goes on from there
(HTTP Range). A file gets its name only when it reads as a model and fits its
network. Whatever fails ends with where to put the file by hand.
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

import caffe
from nets.module import definition
from weights import formats
from weights.load import load, refuse_strangers
from weights.published import BY_DIRECTORY, NETWORKS

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
TIMEOUT = 30  # seconds without a byte
BLOCK = 1 << 20


def fetch(directory, address=None, folder=FOLDER):
    """Takes: directory: of a published network; address: where to get its
        file instead of Berkeley's
    Gives: lines to tell
    Raises: ValueError or OSError that ends with what to do by hand
    """
    network = published(directory)
    target = Path(folder) / network.file
    if target.is_file():
        return [f'{target} is here already']
    address = address or network.address
    part = Path(f'{target}.part')
    try:
        download(address, part)
    except (OSError, ValueError) as error:  # URLError and timeouts are OSError
        # an HTTPError says it all, a URLError repeats its class
        told = isinstance(error, urllib.error.HTTPError)
        reason = error if told else getattr(error, 'reason', error)
        raise OSError(
            f'{address}: {reason}\n{by_hand(network, target, address)}'
        ) from None
    try:
        lines = check(part, directory)
    except (OSError, ValueError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise ValueError(
            f'what {address} gave is no model of {directory}, and is removed: '
            f'{error}\n{by_hand(network, target, address)}'
        ) from None
    os.replace(part, target)
    return [*lines, f'{target}: {target.stat().st_size:,} bytes']


def published(directory):
    if directory not in BY_DIRECTORY:
        raise ValueError(
            f'{directory}: no published network; they are '
            + ', '.join(BY_DIRECTORY)
        )
    network = BY_DIRECTORY[directory]
    if network.file is None:
        have = ', '.join(n.directory for n in NETWORKS if n.file)
        raise ValueError(
            f'{directory}: its weights were never published; those of {have} '
            f'were. Train it: python {directory}/solve.py'
        )
    return network


def by_hand(network, target, address):
    """What to do where the network cannot help."""
    places = dict.fromkeys([network.address, address])
    kept = Path(f'{target}.part')
    size = kept.stat().st_size if kept.is_file() else 0
    return '\n'.join(
        [
            f'To do it by hand, get {network.file} from a machine that can, '
            'or from somebody who has it:',
            *(f'    {place}' for place in places),
            f'and put it there: {target}',
            f'then check it: python -m weights inspect {target} '
            f'--net {network.directory}',
        ]
        + [f'{size:,} bytes are kept in {kept}: fetch again to go on']
        * (size > 0)
    )


def download(address, part):
    """Appends to `part` what of the file it lacks.

    Raises: OSError if the file cannot be had, or not all of it
    """
    if not address.startswith(('http://', 'https://')):
        raise ValueError('not a http:// or https:// address')
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address)
    if have:
        request.add_header('Range', f'bytes={have}-')
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        whole = error.headers.get('Content-Range', '').rpartition('/')[2]
        if error.code == 416 and whole == str(have):
            return  # nothing was missing
        if error.code == 416:
            part.unlink()  # longer than the file: of another one
            return download(address, part)
        raise
    with response:
        if response.status != 206:
            have = 0  # the server gives all of it again
        size = response.headers.get('Content-Length')
        total = have + int(size) if size else None
        with open(part, 'ab' if have else 'wb') as out:
            have += receive(response, out, have, total)
    if total and have != total:
        raise ConnectionError(
            f'the connection ended after {have:,} of {total:,} bytes'
        )


def receive(response, out, have, total):
    """Gives: how many bytes came."""
    count, tenth = 0, 0
    bar = tqdm(
        total=total,
        initial=have,
        unit='B',
        unit_scale=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        while block := response.read(BLOCK):
            out.write(block)
            count += len(block)
            bar.update(len(block))
            if bar.disable and total and 10 * (have + count) // total > tenth:
                tenth = 10 * (have + count) // total
                print(
                    f'{have + count:,} of {total:,} bytes',
                    file=sys.stderr,
                    flush=True,
                )
    return count


def check(path, directory):
    """Refuses a file that is no model, or not of this network, where its
    definition is here. Gives: lines to tell"""
    folder = ROOT / directory
    if (folder / 'deploy.prototxt').is_file():
        net = caffe.Net(definition(folder), caffe.TEST)
        return load(net, path)
    refuse_strangers(formats.read(path), path)
    return [f'no {directory}/deploy.prototxt here: only read, not compared']
