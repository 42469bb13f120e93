/* shape_sweep.c - the end of classes and of their shapes.
 *
 * A class lives as long as somebody holds it: a name, an instance, a subclass; the list of a
 * class's subclasses does not count. That it is dead is found by full collections. The others take
 * all classes for alive, so an object's shape always leads to a class.
 *
 * A shape lives as long as its class. Its id may lie in the caches of instructions, which compare
 * it with that of the object at hand. So the ids of dead shapes wait in a list until there are
 * many, then all live code is searched for them, and only then are they given out again:
 *
 *     in use  --the class dies-->  vm->shapes_dead  --shapes_recycle-->  vm->shapes_free  --> in
 * use
 */
#include "vm/code.h"
#include "vm/memory.h"
#include "vm/site_cache.h"
#include "vm/type.h"

/* Dead shapes that are worth a walk through all code. */
#ifdef GEN_STRESS_GC
enum { RECYCLE_MIN = 8, RECYCLE_PART = 512 };
#else
enum { RECYCLE_MIN = 256, RECYCLE_PART = 8 };
#endif

void shapes_mark(GenVM *vm) {
    for (uint32_t i = 0; i < vm->shape_count; i++) {
        gc_mark_pointer(vm, vm->shapes[i].type);
        gc_mark(vm, vm->shapes[i].name);
    }
}

void shapes_mark_native(GenVM *vm) {
    for (uint32_t i = TYPE_COUNT; i < vm->shape_count; i++) {
        Type *type = vm->shapes[i].type;
        if (type && type->is_builtin) gc_mark_object(vm, &type->header);
    }
}

static bool is_alive(const Type *type) {
    return type->header.gc & (GC_MARKED | GC_PERMANENT);
}

static void drop_dead_subclasses(TypeState *state) {
    if (!state->subclass_count) return;
    Type **all = (void *)state->subclasses->data;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->subclass_count; i++)
        if (is_alive(all[i])) all[kept++] = all[i];
    state->subclass_count = kept;
}

void shapes_kill(GenVM *vm, uint32_t id) {
    memory_free(vm->shapes[id].table);
    vm->shapes[id] = (Shape){.name = VALUE_UNSET, .sibling = vm->shapes_dead};
    vm->shapes_dead = id;
    vm->shapes_dead_count++;
}

void shapes_sweep(GenVM *vm) {
    for (uint32_t i = 0; i < vm->shape_count; i++) {
        Shape *shape = &vm->shapes[i];
        Type *type = shape->type;
        if (!type) continue;
        if (!is_alive(type)) {
            shapes_kill(vm, i);
            continue;
        }
        gc_mark(vm, shape->name);
        drop_dead_subclasses(type_state(vm, type));
    }
}

/* ---- ids ---- */

bool shapes_want_recycling(GenVM *vm) {
    uint32_t many = vm->shape_count / RECYCLE_PART;
    return vm->shapes_dead_count > (many > RECYCLE_MIN ? many : RECYCLE_MIN);
}

static bool is_guarded_by_shape(Opcode op) {
    switch (op) {
    case OP_GETATTR_SLOT:
    case OP_GETATTR_SLOT_ADD:
    case OP_GETATTR_SLOT_ADDI:
    case OP_GETATTR_VALUE:
    case OP_GETATTR_PROPERTY:
    case OP_GETATTR_CLASS:
    case OP_SETATTR_SLOT:
    case OP_SETATTR_ADD:
    case OP_LDMETH_METHOD:
    case OP_LDMETH_CLASS:
    case OP_LDMETHG_METHOD:
    case OP_LDMETHG_CLASS: return true;
    default: return false;
    }
}

/* An instruction that guards on a dead shape guards on none from now on, and so finds out anew. */
void shapes_forget_in_code(GenVM *vm, Object *object) {
    if (object->kind != TYPE_CODE) return;
    const Code *code = (Code *)object;
    if (code->frozen) return;
    for (uint32_t word = 0; word < code->instr_count;) {
        Instr instr = code->instrs[word];
        uint32_t shape = (uint32_t)instr_imm(instr);
        if (is_guarded_by_shape(instr_op(instr)) && shape < vm->shape_count &&
            !vm->shapes[shape].type)
            code->instrs[word] = (Instr)SHAPE_NONE << 32 | (uint32_t)instr;
        word += code_op_info[instr_op(instr)].words;
    }
}

void shapes_recycle(GenVM *vm) {
    site_cache_free(vm);
    uint32_t last = vm->shapes_dead;
    while (vm->shapes[last].sibling != SHAPE_NONE)
        last = vm->shapes[last].sibling;
    vm->shapes[last].sibling = vm->shapes_free;
    vm->shapes_free = vm->shapes_dead;
    vm->shapes_dead = SHAPE_NONE;
    vm->shapes_dead_count = 0;
}
