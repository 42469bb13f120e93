# A program that is linked with vm/ alone, without parser and library, goes on with a generator that gen
# began and saved: through its loop, its finally, the generator below it, classes and closures.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$GEN" - "$work/image" <<'SCRIPT'
import snapshot, sys


class Total:
    def __init__(self):
        self.seen = []

    def add(self, n):
        self.seen.append(n)
        return sum(self.seen)


def below(limit, total):
    for i in range(limit):
        try:
            yield f'{i} -> {total.add(i * i)}'
        finally:
            label = 'odd' if i % 2 else 'even'
    return label


def counting(limit):
    total = Total()
    last = yield from below(limit, total)
    yield f'{last} {len(total.seen)}'
    try:
        {}['missing']
    except KeyError as error:
        yield error.args[0]


generator = counting(6)
print(next(generator), next(generator), sep='\n')
with open(sys.argv[1], 'wb') as file:
    file.write(snapshot.save(generator))
SCRIPT
"$GEN_BUILD/programs/tests/embed/link_vm-c11" "$work/image"
