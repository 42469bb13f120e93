/* image_state.c - what a task or a VM brings along besides its values: what the module sys has set
 * for all scripts of the VM. A tuple, by State.
 */
#include "vm/frame.h"
#include "vm/image_private.h"

enum State { STATE_FIRSTITER, STATE_FINALIZER, STATE_RECURSION, STATE_DIGITS, STATE_COUNT };

static Value or_none(Value v) {
    return v == VALUE_UNSET ? VALUE_NONE : v;
}

Value image_state(GenVM *vm) {
    return tuple_pack(vm, STATE_COUNT, or_none(vm->roots[ROOT_FIRSTITER]),
                      or_none(vm->roots[ROOT_FINALIZER]), int_value((int64_t)vm->recursion_limit),
                      int_value(vm->int_digit_limit));
}

bool image_check_state(ImageReader *r, Value state) {
    const Value *items = is_kind(state, TYPE_TUPLE) && AS_TUPLE(state)->count == STATE_COUNT
                             ? AS_TUPLE(state)->items
                             : NULL;
    bool ok = items && is_int(items[STATE_RECURSION]) && is_int(items[STATE_DIGITS]) &&
              as_int(items[STATE_RECURSION]) > 0 && as_int(items[STATE_RECURSION]) <= INT32_MAX &&
              as_int(items[STATE_DIGITS]) >= -1 && as_int(items[STATE_DIGITS]) <= INT32_MAX;
    return ok || image_bad(r, "settings that are none");
}

void image_take_state(GenVM *vm, Value state) {
    const Value *items = AS_TUPLE(state)->items;
    vm->roots[ROOT_FIRSTITER] =
        items[STATE_FIRSTITER] == VALUE_NONE ? VALUE_UNSET : items[STATE_FIRSTITER];
    vm->roots[ROOT_FINALIZER] =
        items[STATE_FINALIZER] == VALUE_NONE ? VALUE_UNSET : items[STATE_FINALIZER];
    vm->int_digit_limit = as_int(items[STATE_DIGITS]);
    vm->recursion_limit = (uint64_t)as_int(items[STATE_RECURSION]);
    frame_reset_limit(vm);
}
