# Every example in the comments of genvm.h compiles and runs: definitions go to the top of a program,
# statements into a function each, in a VM with the few names that they use.
# skip: asan one build is enough
# skip: stress one build is enough
# skip: debug one build is enough
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$GEN_ROOT" || exit 1
cat >"$work/extract.py" <<'END'
import re, sys
blocks, block = [], []
for line in open('vm/genvm.h'):
    code = re.match(r' \*     (.*)', line)
    if code:
        block.append(code.group(1))
    elif block:
        blocks.append(block)
        block = []
print('#include "vm/genvm.h"\n#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <time.h>')
for number, block in enumerate(blocks):
    top, body, depth, inside = [], [], 0, False
    for line in block:
        if line.strip() == '...':
            continue
        if depth == 0 and not inside:
            inside = line.startswith(('static', 'typedef'))
        (top if inside else body).append(line)
        depth += line.count('{') + line.count('(') - line.count('}') - line.count(')')
        if inside and depth == 0 and line.rstrip().endswith((';', '}')):
            inside = False
    print('\n'.join(top))
    print('static void example_%d(GenVM *vm, const GenRef *args) {\n    (void)vm, (void)args;' % number)
    print('    {\n' + '\n'.join('        ' + line for line in body) + '\n    }')
    print('    printf("example %d: %%s\\n", gen_error_pending(vm) ? gen_error_text(vm) : "ran");\n}' % (number + 1))
print('static const GenFunction ask = {"ask(question)", NULL, NULL};\nint main(void) {')
for number in range(len(blocks)):
    print('''    {
        GenVM *vm = gen_vm_new(NULL);
        gen_run_string(vm, "def numbers():\\n    yield 1\\n    yield 2\\ndef callback(): pass\\ntable = {}\\n", "setup");
        gen_set_global(vm, "ask", gen_function(vm, &ask));
        GenRef args[] = {gen_get_global(vm, "callback")};
        %s
        gen_vm_free(vm);
    }''' % ('example_%d(vm, args);' % number))
print('    return 0;\n}')
END
python3 "$work/extract.py" >"$work/manual.c" || exit 1
libs=$(sed -n 's/^Libs.private: //p' "$GEN_BUILD/genvm.pc")
# shellcheck disable=SC2086
${CC:-gcc} -std=gnu11 -Wall -Wno-unused-variable -I. -o "$work/manual" "$work/manual.c" \
    "$GEN_BUILD/libgenvm.a" $libs -lpthread 2>&1 || exit 1
"$work/manual"
