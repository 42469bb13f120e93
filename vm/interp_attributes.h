/* interp_attributes.h - a part of interp.c: the handlers of methods and attributes that are found
 * where they were found before, as macros over its locals. It is included there and nowhere else.
 */
#ifndef GEN_INTERP_ATTRIBUTES_H
#define GEN_INTERP_ATTRIBUTES_H

/* Is it an object of that very shape? */
#define HAS_SHAPE(object, wanted) (is_pointer(object) && as_object(object)->shape == (wanted))

#define LOAD_METHOD(name, link, generic_form)                                                      \
    CASE(name) {                                                                                   \
        Value object = RB;                                                                         \
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM) ||                                          \
                     (uint32_t)pc[0] >> 8 != (vm->method_epoch & 0xFFFFFF))) {                     \
            QUICKEN(generic_form);                                                                 \
            CALL_OUTLINED(op_load_method);                                                         \
        }                                                                                          \
        Value *window = &RA;                                                                       \
        window[0] = pc[1];                                                                         \
        window[link] = object;                                                                     \
        pc += 2;                                                                                   \
        NEXT;                                                                                      \
    }

/* An attribute in a slot and its sum with `int_operand`, both ints or floats, by the instruction
 * behind; the sum, which is no pointer, is stored in a slot, too, if that is what comes next. */
#define GET_SUM(name, int_operand, is_like, float_operand)                                         \
    CASE(name) {                                                                                   \
        Value object = RB, sum;                                                                    \
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM))) SLOW(op_get_attribute);                   \
        Value v = AS(Instance, object)->slots[C];                                                  \
        if (likely(is_int(v) && is_like(is_int))) {                                                \
            if (unlikely(int_add(v, int_operand, &sum))) goto L_GETATTR_SLOT;                      \
        } else {                                                                                   \
            if (!is_float(v) || !is_like(is_float)) goto L_GETATTR_SLOT;                           \
            sum = float_encode(as_float(v) + (float_operand));                                     \
            if (unlikely(!is_float(sum))) goto L_GETATTR_SLOT;                                     \
        }                                                                                          \
        Instr add = pc[2], next = pc[3];                                                           \
        RA = v;                                                                                    \
        base[instr_a(add)] = sum;                                                                  \
        if (instr_op(next) == OP_SETATTR_SLOT && instr_b(next) == instr_a(add)) {                  \
            Value target = base[instr_a(next)];                                                    \
            if (likely(HAS_SHAPE(target, (uint32_t)instr_imm(next)))) {                            \
                AS(Instance, target)->slots[instr_c(next)] = sum;                                  \
                pc += 6;                                                                           \
                NEXT;                                                                              \
            }                                                                                      \
        }                                                                                          \
        pc += 3;                                                                                   \
        NEXT;                                                                                      \
    }
#define OTHER base[BYTE(9)]
#define OTHER_IS(is_it) is_it(OTHER)
#define ADDEND instr_imm(pc[2])
#define ADDEND_IS(is_it) true

/* An attribute of a module: the entry of its dict that had the name last time. */
#define MODULE_ENTRY(generic_form)                                                                 \
    Value object = RB;                                                                             \
    if (unlikely(!is_kind(object, TYPE_MODULE))) {                                                 \
        QUICKEN(generic_form);                                                                     \
        pc--;                                                                                      \
        NEXT;                                                                                      \
    }                                                                                              \
    Dict *dict = AS(Module, object)->dict;                                                         \
    uint32_t at = (uint32_t)IMM;                                                                   \
    if (unlikely(at >= dict->used || dict->entries[at].key != k[(int32_t)(pc[0] >> 32)])) {        \
        QUICKEN(generic_form);                                                                     \
        pc--;                                                                                      \
        NEXT;                                                                                      \
    }

#define LOAD_MODULE_METHOD(name, link, generic_form)                                               \
    CASE(name) {                                                                                   \
        MODULE_ENTRY(generic_form)                                                                 \
        Value *window = &RA;                                                                       \
        window[0] = dict->entries[at].value;                                                       \
        window[link] = VALUE_UNSET;                                                                \
        pc += 2;                                                                                   \
        NEXT;                                                                                      \
    }

/* An attribute of a class: the place in a class dict where it was found, which stays while the
 * epoch does. */
#define CLASS_PLACE(generic_form)                                                                  \
    Value object = RB;                                                                             \
    if (unlikely(!is_type(object) || type_from(object)->root_shape != (uint32_t)IMM ||             \
                 (uint32_t)pc[0] >> 8 != (vm->method_epoch & 0xFFFFFF))) {                         \
        QUICKEN(generic_form);                                                                     \
        pc--;                                                                                      \
        NEXT;                                                                                      \
    }                                                                                              \
    Value v = *(const Value *)(uintptr_t)pc[1];

#define LOAD_CLASS_METHOD(name, link, generic_form)                                                \
    CASE(name) {                                                                                   \
        CLASS_PLACE(generic_form)                                                                  \
        Value *window = &RA;                                                                       \
        window[0] = v;                                                                             \
        window[link] = VALUE_UNSET;                                                                \
        pc += 2;                                                                                   \
        NEXT;                                                                                      \
    }

#endif
