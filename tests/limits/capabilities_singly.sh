# One capability at a time: what it names works, and every function of every module that touches the
# outside and belongs to another refuses. (tests/limits/refusals.sh tries all functions without any.)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir in && echo inside >in/file
cat "$GEN_ROOT/tests/shared/outcome.py" - >singly.gen <<'END'
import sys
# What only computes, or tells nothing, whatever is granted.
harmless = '''posix._cpu_count posix._environ posix.fspath posix.isatty posix.strerror posix.urandom posix.getrandom posix.abort posix._exit
    posix.waitstatus_to_exitcode
    _socket.inet_aton _socket.inet_ntop _socket.inet_pton _time._asctime _time._gmtime _time._localtime _time._strftime
    _time._zone _time.mktime _signal.disposition _signal.strsignal _signal.take _signal.deliver _uv.finish _uv.start _uv.wake _uv.poll
    _ssl.library_version _io.text_encoding _sysinfo.executable _sysinfo.gen_version _sysinfo.module_names'''.split()
# By capability: the functions that it opens, which are not tried here; * stands for all others of a module.
opens = {
    'nothing': '',
    'files': 'posix.* _io.open _uv.watch',
    'stdio': 'posix.close posix.dup posix.dup2 posix.fsync posix.ftruncate posix.get_blocking posix.lseek posix.pread '
             'posix.pwrite posix.read posix.set_blocking posix.write posix._terminal_size posix._fcntl posix._flock posix._fstatvfs '
             'posix._lock_range posix.copy_file_range posix.eventfd_read posix.eventfd_write posix.fdatasync posix.lockf '
             'posix.posix_fadvise posix.posix_fallocate posix.preadv posix.pwritev posix.readv posix.sendfile posix.splice '
             'posix.ttyname posix.writev '
             'posix.get_inheritable posix.set_inheritable',
    'clock': '_time.*',
    'entropy': '',
    'env': 'posix._get_limit posix._getaffinity posix._sysconf posix._usage posix.getgrouplist posix.getgroups posix.getpriority '
           'posix.getresgid posix.getresuid posix.sched_get_priority_max posix.sched_get_priority_min '
           'posix.sched_getscheduler posix.sched_rr_get_interval posix.sched_yield '
           'posix.getpid posix.getppid posix.getuid posix.geteuid posix.getgid posix.getegid posix.getloadavg posix.putenv '
           'posix.unsetenv posix.umask posix._times posix._uname',
    'net': '_socket.* _ssl.* _uv.watch _uv.getaddrinfo',
    'process': 'posix._set_limit posix._setaffinity posix.initgroups posix.nice posix.setegid posix.seteuid posix.setgid '
               'posix.setgroups posix.setpriority posix.setregid posix.setresgid posix.setresuid posix.setreuid posix.setuid '
               '_signal.* posix.kill posix.killpg posix._fork_exec posix._exec posix._wait_end posix._wait4 posix._waitid '
               'posix._poll posix._set_pipe_size posix._system posix.waitpid posix.wait posix.pidfd_open posix.getpgid '
               'posix.getpgrp posix.setpgid posix.setpgrp posix.getsid posix.setsid posix.tcgetpgrp posix.tcsetpgrp '
               '_uv.watch _uv.watch_signal',
}
of_others = {  # opened by a capability that has most of the module
    'files': 'posix._fork_exec posix._exec posix._wait_end posix._wait4 posix._waitid posix._poll posix._system posix.waitpid '
             'posix.chdir posix.fchdir posix.wait posix.pidfd_open posix.setsid posix.setpgid posix.kill posix.killpg posix.getpid posix.getppid posix.getuid posix.geteuid posix.getgid posix.getegid '
             'posix.getloadavg posix.putenv posix.unsetenv',
}
granted = sys.argv[1]

tried = 0
for module_name in modules:
    try:
        module = __import__(module_name)
    except ImportError:
        continue
    for name, function in sorted(vars(module).items()):
        full = f'{module_name}.{name}'
        if name.startswith('W') or not callable(function) or isinstance(function, type) or name.startswith('__') or full in harmless:
            continue
        opened = opens[granted].split()
        if full in opened or f'{module_name}.*' in opened and full not in of_others.get(granted, ''):
            continue
        tried += 1
        if (result := outcome(module_name, name, function)) != 'refuses':
            print('  ', full, result)

def address():
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[0]

def host_socket():  # descriptor 9 is the shell's
    import socket
    return socket.socket(fileno=9)

probes = {
    'files': lambda: open('in/file').read(),
    'stdio': lambda: __import__('os').write(2, b''),
    'clock': lambda: __import__('time').time() > 0,
    'entropy': lambda: len(__import__('os').urandom(3)),
    'env': lambda: __import__('os').getpid() > 0,
    'net': address,
    'unix socket': lambda: __import__('socket').socket(1).connect('in/file'),
    'descriptor': lambda: __import__('os').read(9, 1),
    'descriptor closed': lambda: __import__('_socket').close(9),
    'descriptor as socket': host_socket,
    'process': lambda: __import__('os').waitpid(-1, 0),
    'signal': lambda: __import__('signal').signal(15, __import__('signal').SIG_IGN) is not None,
    'threads': lambda: __import__('_interpreter_pool').open(1, 'x', b''),
    'outside': lambda: open('/etc/passwd'),
}
works = []
for name, probe in probes.items():
    try:
        probe()
        works.append(name)
    except ChildProcessError:
        works.append(name)
    except (OSError, NotImplementedError, AttributeError, ImportError):
        pass
print(granted, 'works:', ', '.join(works) or 'nothing', '| others refuse:', tried > 30)
END
exec 9</etc/hosts
"$GEN" --sandbox singly.gen nothing 2>&1
"$GEN" --sandbox --allow-read in singly.gen files 2>&1
for capability in stdio clock entropy env net process; do
    "$GEN" --sandbox --allow-$capability singly.gen $capability 2>&1
done
cat <&9 >/dev/null && echo "the descriptor is open"
