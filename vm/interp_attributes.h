/* interp_attributes.h - a part of interp.c: the handlers of methods and attributes that are found
 * where they were found before, as macros over its locals. It is included there and nowhere else.
 */
#ifndef GEN_INTERP_ATTRIBUTES_H
#define GEN_INTERP_ATTRIBUTES_H

#define LOAD_METHOD(name, link, generic_form)                                                      \
    CASE(name) {                                                                                   \
        Value object = RB;                                                                         \
        if (unlikely(!is_object(object) || as_object(object)->shape != (uint32_t)IMM ||            \
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
