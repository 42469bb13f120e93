# The library is compiled at build time, and the same sources always give the same bytes. What is frozen is
# what scripts import: its functions have lines, and the files of tracebacks.
cd "$GEN_ROOT" || exit 1
find stdlib -name '*.gen' | LC_ALL=C sort | xargs "$GEN_BUILD/freeze" stdlib |
    cmp - "$GEN_BUILD/stdlib_frozen.c" && echo the same bytes
"$GEN" - <<'SCRIPT'
import textwrap, asyncio.queues
code = textwrap.dedent.__code__
print(code.co_filename, code.co_firstlineno > 1, code.co_qualname)
print(asyncio.queues.Queue.get.__code__.co_filename)
SCRIPT
