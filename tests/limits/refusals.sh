# A VM without capabilities: every function of every module that could touch the outside refuses, whatever it
# is given. The functions in the expectation only compute, or tell nothing.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/refusals.gen" <<'END'
from itertools import islice, product
modules = ['posix', '_socket', '_time', '_signal', '_uv', '_ssl', '_io', '_interpreter_pool', '_sysinfo']
trial = ['x', 1, 0, b'x', 1.0, (1,), None, ['x'], ('x', 1)]

special = {'recv_into': (1, bytearray(1), 1, 0, None), 'recvfrom_into': (1, bytearray(1), 1, 0, None),
           'sendto': (1, 2, b'', 0, ('x', 1), None), 'setsockopt': (1, 1, 1, 1, 0),
           '_socket.getaddrinfo': ('x', '1', 0, 0, 0, 0), '_uv.getaddrinfo': (None, None, 'x', '1', 0, 0, 0, 0),
           '_fork_exec': ([], [], None, None, (0, 1, 2), [], True, True, False, -1, -1, -1, -1, None),
           '_exec': ('x', ['x'], None, True), '_poll': ([], 0.0), '_lock_range': (5, bytes(32))}

def outcome(module_name, function):
    name = function.__name__
    if known := special.get(f'{module_name}.{name}', special.get(name)):
        try:
            return 'works', function(*known)
        except Exception as error:
            return 'refuses' if isinstance(error, PermissionError) else repr(error)
    for count in range(5):
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

for module_name in modules:
    try:
        module = __import__(module_name)
    except ImportError:
        continue
    for name, function in sorted(vars(module).items()):
        if callable(function) and not isinstance(function, type) and not name.startswith('__'):
            if name not in ('abort', '_exit', 'poll') and (result := outcome(module_name, function)) != 'refuses':
                print(module_name, name, result)
for attempt in (lambda: open('/etc/hosts'), lambda: __import__('os').fork(), lambda: __import__('time').time(),
                lambda: __import__('os').urandom(1), lambda: __import__('socket').socket(), input):
    try:
        print('allowed', attempt())
    except (PermissionError, EOFError, NotImplementedError, RuntimeError, OSError, AttributeError) as error:
        print(type(error).__name__)
END
"$GEN" --sandbox "$work/refusals.gen" </dev/null
