"""Files on disk: mapped for reading, replaced in one step.

Caffe writes over the old file (src/caffe/util/io.cpp); here the new one takes
its place only when it is whole, so that a crash or a full disk costs nothing.
"""

import contextlib
import mmap
import os
import secrets
import shutil

HDF5 = b'\x89HDF\r\n\x1a\n'


class NoSuchFile(RuntimeError, FileNotFoundError):
    """Caffe aborts here, which is a RuntimeError in this engine; Python code
    expects FileNotFoundError. It is both."""


def mapped(path):
    """The bytes of a file, read-only and not copied; one page at least."""
    try:
        with open(path, 'rb') as file:
            if os.fstat(file.fileno()).st_size:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise NoSuchFile(f'File not found: {path}') from None
    except IsADirectoryError:
        raise RuntimeError(f'{path} is a directory, not a file') from None
    raise RuntimeError(f'{path} is empty (0 bytes)')


def is_hdf5(path):
    try:
        with open(path, 'rb') as file:
            return file.read(len(HDF5)) == HDF5
    except FileNotFoundError:
        raise NoSuchFile(f'File not found: {path}') from None
    except IsADirectoryError:
        raise RuntimeError(f'{path} is a directory, not a file') from None


@contextlib.contextmanager
def replacing(path):
    """Gives the path of an empty file beside `path`. When the block ends well
    that file takes the place of `path`, else it is removed. An OSError from
    the block names `path`.
    """
    path = os.fspath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        if os.path.isdir(path):
            raise RuntimeError(f'{path} is a directory: cannot write it')
        yield path  # a device or a pipe: there is nothing to keep
        return
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise NoSuchFile(f'cannot write {path}: there is no folder {folder}')
    temporary = os.path.join(folder, f'.{name}.{secrets.token_hex(4)}.part')
    try:
        create = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(temporary, create, 0o666))
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        yield temporary
        sync(temporary)
        os.replace(temporary, target)
        with contextlib.suppress(OSError):  # not every filesystem can
            sync(folder)
    except OSError as error:
        if error.errno is None:  # from HDF5
            raise OSError(f'cannot write {path}: {error}') from error
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def sync(path):
    """Waits until the disk holds what was written to a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
