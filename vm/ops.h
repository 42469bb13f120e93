/* ops.h - the outlined halves of instructions. Each works for the instruction before vm->pc in the
 * frame at vm->base and leaves vm->pc, vm->base where execution goes on; false: an exception is
 * pending.
 */
#ifndef GEN_OPS_H
#define GEN_OPS_H

#include "vm/frame.h"

/* ops.c: names, operators, attributes, items, building */
bool op_unbound_local(GenVM *vm);
bool op_unbound_cell(GenVM *vm);
bool op_unbound_free(GenVM *vm);
bool op_get_global(GenVM *vm);
bool op_set_global(GenVM *vm);
bool op_delete_global(GenVM *vm);
bool op_get_name(GenVM *vm);
bool op_set_name(GenVM *vm);
bool op_delete_name(GenVM *vm);
bool op_get_name_free(GenVM *vm);
bool op_new_cell(GenVM *vm);
bool op_binary(GenVM *vm);
bool op_add(GenVM *vm);
bool op_unary(GenVM *vm);
bool op_not(GenVM *vm);
bool op_compare(GenVM *vm);
bool op_compare_jump(GenVM *vm);
bool op_truth_jump(GenVM *vm);
bool op_in(GenVM *vm);
bool op_get_attribute(GenVM *vm);
bool op_set_attribute(GenVM *vm);
bool op_delete_attribute(GenVM *vm);
bool op_load_method(GenVM *vm);
bool op_load_super(GenVM *vm);
bool op_load_super_method(GenVM *vm);
bool op_load_special(GenVM *vm);
bool op_get_item(GenVM *vm);
bool op_set_item(GenVM *vm);
bool op_delete_item(GenVM *vm);
bool op_get_slice(GenVM *vm);
bool op_set_slice(GenVM *vm);
bool op_get_len(GenVM *vm);

/* ops_build.c: displays, unpacking, strings, functions, iteration */
bool op_new_list(GenVM *vm);
bool op_new_tuple(GenVM *vm);
bool op_new_set(GenVM *vm);
bool op_new_dict(GenVM *vm);
bool op_new_slice(GenVM *vm);
bool op_list_append(GenVM *vm);
bool op_list_extend(GenVM *vm);
bool op_list_tuple(GenVM *vm);
bool op_set_add(GenVM *vm);
bool op_set_update(GenVM *vm);
bool op_dict_set(GenVM *vm);
bool op_dict_merge(GenVM *vm);
bool op_unpack(GenVM *vm);
bool ops_unpack_items(GenVM *vm, Value list);
bool op_format(GenVM *vm);
bool op_format_spec(GenVM *vm);
bool op_join_strings(GenVM *vm);
bool op_make_function(GenVM *vm);
bool op_build_class(GenVM *vm);
bool op_get_iter(GenVM *vm);
bool op_end_for(GenVM *vm);
bool op_end_params(GenVM *vm);
bool op_for_iter(GenVM *vm);
bool op_for_item(GenVM *vm, Value item); /* what a slot `next` gave to a for loop */

/* ops_call.c: calls, generators */
bool op_call(GenVM *vm);
bool op_call_method(GenVM *vm);
bool op_call_keywords(GenVM *vm);
bool op_call_spread(GenVM *vm);
bool op_yield_wrapped(GenVM *vm);
bool op_return_generator(GenVM *vm);
bool op_get_yield_iter(GenVM *vm);
bool op_yield_from(GenVM *vm);
bool op_get_awaitable(GenVM *vm);
bool op_get_aiter(GenVM *vm);
bool op_get_anext(GenVM *vm);
bool op_end_async_for(GenVM *vm);
bool op_continue(GenVM *vm);
bool op_thaw(GenVM *vm);

/* ops_flow.c: exceptions, modules, patterns, the rest */
bool op_import(GenVM *vm);
bool op_import_from(GenVM *vm);
bool op_import_star(GenVM *vm);
bool op_raise(GenVM *vm);
bool op_reraise(GenVM *vm);
bool op_jump_unless_match(GenVM *vm);
bool op_enter_handler(GenVM *vm); /* of EXCENTER: what is to be handled is no exception */
bool op_group_match(GenVM *vm);
bool op_group_reraise(GenVM *vm);
bool op_assert_fail(GenVM *vm);
bool op_match_sequence(GenVM *vm);
bool op_match_mapping(GenVM *vm);
bool op_match_keys(GenVM *vm);
bool op_match_class(GenVM *vm);
bool op_dict_rest(GenVM *vm);
bool op_intrinsic(GenVM *vm);
bool op_print_expression(GenVM *vm);

/* The running instruction and its operands, for the files above. */
static inline Instr op_instr(GenVM *vm) {
    return vm->pc[-1];
}
static inline Value *op_a(GenVM *vm) {
    return &vm->base[instr_a(vm->pc[-1])];
}
static inline Value *op_b(GenVM *vm) {
    return &vm->base[instr_b(vm->pc[-1])];
}
static inline Value *op_c(GenVM *vm) {
    return &vm->base[instr_c(vm->pc[-1])];
}
static inline Value op_const(GenVM *vm) {
    return frame_function(vm->base)->consts[instr_imm(vm->pc[-1])];
}

#endif
