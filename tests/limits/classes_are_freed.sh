# skip: asan the address space that it reserves is larger than the bound
# skip: stress 200,000 collections of a whole heap take minutes
# Classes made in a loop, with instances, named tuples and dataclasses among them, need no more memory than a few.
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
cat >"$here/classes.gen" <<'END'
def make(i):
    class Point:
        def __init__(self, x):
            self.x = x
            self.y = i
        @property
        def total(self):
            return self.x + self.y
    class Below(Point):
        pass
    return Below(i)

print(sum(make(i).total for i in range(100_000)))

from collections import namedtuple
from dataclasses import dataclass
for i in range(5000):
    Pair = namedtuple("Pair", "a b")
    @dataclass
    class Data:
        a: int
        b: int = 3
    assert Pair(i, 1).a == Data(i).a
print("done")
END
ulimit -v 150000
"$GEN" "$here/classes.gen"
