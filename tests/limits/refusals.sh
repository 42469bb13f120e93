# A VM without capabilities: every function of every module that could touch the outside refuses, whatever it
# is given. The functions in the expectation only compute, or tell nothing.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat "$GEN_ROOT/tests/shared/outcome.py" - >"$work/refusals.gen" <<'END'
for module_name in modules:
    try:
        module = __import__(module_name)
    except ImportError:
        continue
    for name, function in sorted(vars(module).items()):
        if callable(function) and not isinstance(function, type) and not name.startswith('__'):
            if name not in ('abort', '_exit', 'poll') and (result := outcome(module_name, name, function)) != 'refuses':
                print(module_name, name, result)
for attempt in (lambda: open('/etc/hosts'), lambda: __import__('os').fork(), lambda: __import__('time').time(),
                lambda: __import__('os').urandom(1), lambda: __import__('socket').socket(), input):
    try:
        print('allowed', attempt())
    except (PermissionError, EOFError, NotImplementedError, RuntimeError, OSError, AttributeError) as error:
        print(type(error).__name__)
END
"$GEN" --sandbox "$work/refusals.gen" </dev/null
