/* cell.c - cells: the variables that closures share. */
#include "vm/type_private.h"

static Cell *self_cell(Value self) {
    return AS(Cell, self);
}

Value cell_new(GenVM *vm, Value value) {
    Cell *cell = gc_new_raw(vm, sizeof *cell, TYPE_CELL);
    if (unlikely(!cell)) return VALUE_ERROR;
    cell->value = value;
    return object_value(cell);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Cell *)object)->value);
}

static Value repr(GenVM *vm, Value self) {
    Value held = self_cell(self)->value;
    void *address = (void *)as_object(self);
    if (held == VALUE_UNSET) return str_format(vm, "<cell at %p: empty>", address);
    if (!is_object(held)) /* a number */
        return str_format(vm, "<cell at %p: %T object at 0x%llx>", address, held,
                          (unsigned long long)held);
    return str_format(vm, "<cell at %p: %T object at %p>", address, held, (void *)as_object(held));
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_CELL) || !is_kind(right, TYPE_CELL)) return VALUE_NOT_IMPLEMENTED;
    Value a = self_cell(left)->value, b = self_cell(right)->value;
    if (a != VALUE_UNSET && b != VALUE_UNSET) {
        if (!native_enter(vm)) return VALUE_ERROR; /* a cell may hold a cell */
        return native_left(vm, value_compare(vm, op, a, b));
    }
    int order = (a != VALUE_UNSET) - (b != VALUE_UNSET);
    bool results[] = {order<0, order <= 0, order == 0, order != 0, order> 0, order >= 0};
    return bool_value(results[op]);
}

static Value cell_construct(GenVM *vm, Value *args) {
    return cell_new(vm, args[1]);
}

static Value get_contents(GenVM *vm, Value self) {
    Value held = self_cell(self)->value;
    return held == VALUE_UNSET ? raise_value(vm, "cell is empty") : held;
}

static bool set_contents(GenVM *vm, Value self, Value value) {
    self_cell(self)->value = value;
    gc_barrier(vm, as_object(self));
    return true;
}

static const NativeDef construct = {"cell(cls, contents=?, /)", cell_construct, NULL};
static const AttributeDef attributes[] = {{"cell_contents", get_contents, set_contents, NULL}, {0}};

const BuiltinType cell_type = {
    .name = "cell",
    .flags = TYPE_FINAL | TYPE_UNHASHABLE,
    .size = sizeof(Cell),
    .doc = "Create a new cell object.",
    .construct = &construct,
    .attributes = attributes,
    .slots = {.repr = repr, .compare = compare, .trace = trace},
};
