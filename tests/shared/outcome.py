# What comes of a native function when it is called with all kinds of arguments: read into the programs of tests/limits/ that try every
# function of the modules that touch the outside.
from itertools import islice, product
modules = ['posix', '_socket', '_time', '_signal', '_uv', '_ssl', '_io', '_interpreter_pool', '_sysinfo']
trial = ['x', 1, 0, b'x', 1.0, (1,), None, ['x'], ('x', 1)]
special = {'recv_into': (1, bytearray(1), 1, 0, None), 'recvfrom_into': (1, bytearray(1), 1, 0, None),
           'recvmsg': (1, 1, 0, 0, None), 'recvmsg_into': (1, (bytearray(1),), 0, 0, None),
           'sendmsg': (1, 2, (b'x',), (), 0, None, None), '_lock_range': (1, bytes(32)),
           'sendto': (1, 2, b'', 0, ('x', 1), None), 'setsockopt': (1, 1, 1, 1, 0),
           '_socket.getaddrinfo': ('x', '1', 0, 0, 0, 0), '_uv.getaddrinfo': (None, None, 'x', '1', 0, 0, 0, 0),
           '_fork_exec': ([], [], None, None, (0, 1, 2), [], True, True, False, -1, -1, -1, -1, None),
           '_exec': ('x', ['x'], None, True), '_posix_spawn': ('/x', ['x'], None, [], False, *[None] * 7),
           '_sched_set': (0, None, 0),
           '_poll': ([], 0.0)}

def outcome(module_name, name, function):
    if known := special.get(f'{module_name}.{name}', special.get(name)):
        try:
            return 'works', function(*known)
        except Exception as error:
            return 'refuses' if isinstance(error, PermissionError) else repr(error)
    for count in range(9):
        for args in islice(product(trial, repeat=count), 3000):
            try:
                function(*args)
                return 'works'
            except PermissionError:
                return 'refuses'
            except (TypeError, ValueError, OverflowError):
                pass
            except BaseException as error:
                return type(error).__name__
    return 'takes other arguments'

