/* Scripts cannot make an object of one host type look like one of another, whose bytes lie
 * otherwise; host types have class and static methods, weak references, and methods that the host
 * answers. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

typedef struct Big {
    char bytes[4096];
} Big;
extern const GenTypeDef small_type, big_type;

static GenRef make(GenVM *vm, const GenRef *args) {
    return gen_object_new(vm, args[0]);
}
static GenRef fill(GenVM *vm, const GenRef *args) {
    Big *big = (Big *)gen_object_data(vm, args[0], &big_type);
    if (big) memset(big, 1, sizeof *big);
    return big ? args[0] : GEN_NULL;
}
static GenRef name_of(GenVM *vm, const GenRef *args) {
    return gen_get_attr(vm, args[0], "__name__");
}
static GenRef two(GenVM *vm, const GenRef *args) {
    (void)args;
    return gen_int(vm, 2);
}
static const GenFunction new_small = {"Small(cls)", make, NULL}, new_big = {"Big(cls)", make, NULL};
static const GenFunction small_methods[] = {{"classmethod named(cls)", name_of, NULL},
                                            {"static two()", two, NULL},
                                            {"ask(self, question)", NULL, NULL},
                                            {NULL, NULL, NULL}};
static const GenFunction big_methods[] = {{"fill(self)", fill, NULL}, {NULL, NULL, NULL}};
const GenTypeDef small_type = {
    .name = "Small", .size = 8, .construct = &new_small, .methods = small_methods};
const GenTypeDef big_type = {
    .name = "Big", .size = sizeof(Big), .construct = &new_big, .methods = big_methods};

static const char script[] =
    "def attempt(f):\n"
    "    try: print(f())\n"
    "    except TypeError as error: print(error)\n"
    "small = Small()\n"
    "class Sub(Small): pass\n"
    "class Other(Small): pass\n"
    "class BigSub(Big): pass\n"
    "sub = Sub()\n"
    "attempt(lambda: type('Both', (Small, Big), {}))\n"
    "attempt(lambda: type('Both', (Sub, BigSub), {}))\n"
    "attempt(lambda: type('Both', (Small, int), {}))\n"
    "attempt(lambda: type('Both', (Small, ValueError), {}))\n"
    "attempt(lambda: setattr(small, '__class__', Big))\n"
    "attempt(lambda: setattr(sub, '__class__', BigSub))\n"
    "attempt(lambda: setattr(Sub, '__bases__', (Big,)))\n"
    "attempt(lambda: Big.fill(small))\n"
    "attempt(lambda: Small.__new__(Big))\n"
    "sub.__class__ = Other\n"
    "print(type(sub).__name__, isinstance(Big().fill(), Big))\n"
    "print(Small.named(), Sub.named(), sub.named(), Small.two(), sub.two())\n"
    "import weakref\n"
    "print(weakref.ref(small)() is small)\n"
    "print(small.ask('why?'), sorted([2, 1], key=sub.ask))\n";

static bool show(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    return fwrite(data, 1, size, stdout) == size;
}

int main(void) {
    GenConfig config = {.size = sizeof config, .write = show};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "Small", gen_type_new(vm, &small_type));
    gen_set_global(vm, "Big", gen_type_new(vm, &big_type));
    GenRef task = gen_task_from_source(vm, script, "script");
    GenOutcome outcome;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT)
        gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 1));
    if (outcome.kind == GEN_ERROR) printf("%s", gen_error_text(vm));
    gen_vm_free(vm);
    return 0;
}
