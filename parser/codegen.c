/* codegen.c - compilations and units: from the tree of a module to its Code object.
 *
 * A unit is what becomes one Code: a module, class body, function, lambda, generator expression, or
 * one of the small functions around annotations and type parameters. codegen_unit sets one up, lets
 * its caller's function emit the body, and turns the result into a Code. Everything before that
 * lies in the arena of the parse.
 */
#include "parser/codegen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_SCRATCH_SIZE = 8, SCRATCH_LIMIT = 200, OPERAND_SCRATCH = 3 };

/* ---- memory and maps
 * ------------------------------------------------------------------------------------------ */

void *codegen_take(Codegen *gen, size_t size) {
    void *piece = arena_take_zeroed(gen->arena, size ? size : 1);
    if (!piece) gen->failed = true;
    return piece;
}

static uint32_t map_slot(const PointerMap *map, const void *key) {
    uint32_t mask = map->capacity - 1;
    uint32_t i = (uint32_t)(((uintptr_t)key >> 3) * 0x9e3779b1u) & mask;
    while (map->keys[i] && map->keys[i] != key)
        i = (i + 1) & mask;
    return i;
}

static bool map_grow(Codegen *gen, PointerMap *map) {
    PointerMap old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 64;
    map->keys = codegen_take(gen, map->capacity * sizeof(void *));
    map->values = codegen_take(gen, map->capacity * sizeof(uint64_t));
    if (!map->keys || !map->values) {
        *map = old;
        return false;
    }
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i]) continue;
        uint32_t slot = map_slot(map, old.keys[i]);
        map->keys[slot] = old.keys[i];
        map->values[slot] = old.values[i];
    }
    return true;
}

bool codegen_map_set(Codegen *gen, PointerMap *map, const void *key, uint64_t value) {
    if (map->count * 2 >= map->capacity && !map_grow(gen, map)) return false;
    uint32_t slot = map_slot(map, key);
    if (!map->keys[slot]) map->count++;
    map->keys[slot] = key;
    map->values[slot] = value;
    return true;
}

bool codegen_map_get(const PointerMap *map, const void *key, uint64_t *value) {
    if (!map->capacity) return false;
    uint32_t slot = map_slot(map, key);
    if (!map->keys[slot]) return false;
    *value = map->values[slot];
    return true;
}

/* ---- errors and names
 * ----------------------------------------------------------------------------------------- */

void codegen_fail(Codegen *gen) {
    gen->failed = true;
}

void codegen_poll(Codegen *gen) {
    enum { STEPS = 8 };
    if (!gen->failed && !native_charge(gen->vm, STEPS)) codegen_fail(gen);
}

static int32_t character_column(const char *line, const char *end, int32_t byte_column) {
    int32_t column = 1;
    for (int32_t i = 0; i < byte_column && line + i < end; i++)
        column += ((unsigned char)line[i + 1] & 0xc0) != 0x80;
    return column;
}

/* The line's text and the columns in characters, as ParseError wants them. */
static void locate_error(Codegen *gen, AstSpan span) {
    const char *line = gen->source, *end = gen->source + gen->source_size;
    for (int32_t number = 1; number < span.line && line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    size_t size = newline ? (size_t)(newline - line) + 1 : (size_t)(end - line);
    gen->error.text = arena_copy_text(gen->arena, line, size);
    gen->error.line = span.line;
    gen->error.end_line = span.end_line;
    gen->error.col = character_column(line, line + size, span.col);
    gen->error.end_col =
        span.line == span.end_line ? character_column(line, line + size, span.end_col) : 0;
}

void codegen_error(Codegen *gen, AstSpan span, const char *format, ...) {
    if (gen->failed) return;
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gen->failed = true;
    gen->error.kind = PARSE_SYNTAX_ERROR;
    gen->error.message =
        arena_copy_text(gen->arena, text, size < (int)sizeof text ? (size_t)size : sizeof text - 1);
    locate_error(gen, span);
}

Value codegen_name(Codegen *gen, const AstName *name) {
    uint64_t found;
    if (!name) return codegen_fail(gen), VALUE_ERROR; /* there was no memory for it */
    if (codegen_map_get(&gen->name_values, name, &found)) return found;
    Value value = str_intern_from(gen->vm, name->text, name->len);
    if (value == VALUE_ERROR || !codegen_map_set(gen, &gen->name_values, name, value))
        codegen_fail(gen);
    return value;
}

Value codegen_text(Codegen *gen, const char *text) {
    Value value = str_intern_from(gen->vm, text, strlen(text));
    if (value == VALUE_ERROR) codegen_fail(gen);
    return value;
}

/* ---- setting up a unit
 * ---------------------------------------------------------------------------------------- */

static ScopeCode *scope_code(Codegen *gen, const Scope *scope) {
    uint64_t found;
    if (codegen_map_get(&gen->scope_codes, scope, &found)) return (ScopeCode *)(uintptr_t)found;
    ScopeCode *made = codegen_take(gen, sizeof *made);
    if (!made || !codegen_map_set(gen, &gen->scope_codes, scope, (uintptr_t)made)) return NULL;
    made->code = VALUE_UNSET;
    return made;
}

bool unit_is_visible(const Unit *u, Reg reg) {
    return reg < u->variable_end;
}

static uint32_t count_params(const Scope *scope) {
    uint32_t count = 0;
    while ((int32_t)count < scope->locals.count &&
           scope->locals.items[count]->flags & SYMBOL_PARAMETER)
        count++;
    return count;
}

/* The variables of the comprehensions that are compiled into this code. */
static uint32_t count_inlined_locals(const Scope *scope) {
    uint32_t count = 0;
    for (const Scope *child = scope->first_child; child; child = child->next_sibling)
        if (child->is_inlined) count += (uint32_t)child->locals.count + count_inlined_locals(child);
    return count;
}

/* Wide mode: the scratch registers stand right behind the parameters, or in the place of some when
 * there are very many; all other variables come behind. */
static void place_locals(Unit *u) {
    uint32_t locals = u->code_scope->is_function ? (uint32_t)u->code_scope->locals.count : 0;
    uint32_t scratch = u->wide ? OPERAND_SCRATCH + u->scratch_size : 0;
    u->scratch = u->param_count < SCRATCH_LIMIT ? u->param_count : SCRATCH_LIMIT;
    Reg next = u->scratch + scratch;
    if (next < u->param_count) next = u->param_count;
    for (uint32_t i = 0; i < locals; i++) {
        bool in_place = i < u->param_count && (i < u->scratch || i >= u->scratch + scratch);
        u->local_regs[i] = in_place ? i : next++;
    }
    u->local_count = next;
}

/* A cell is made of the parameter in its register, or has a register of its own behind the locals.
 */
static void place_cells(Unit *u) {
    const Scope *scope = u->code_scope;
    u->variable_end = u->local_count;
    for (int32_t i = 0; i < scope->cells.count; i++) {
        u->cell_regs[i] = NO_REG;
        for (uint32_t j = 0; j < u->param_count && scope->is_function; j++)
            if (scope->locals.items[j]->name == scope->cells.items[i]->name)
                u->cell_regs[i] = u->local_regs[j];
        if (u->cell_regs[i] == NO_REG) u->cell_regs[i] = u->variable_end++;
    }
}

static bool has_namespace_register(const Unit *u) {
    return u->code_scope->kind == SCOPE_CLASS ||
           (u->code_scope->kind == SCOPE_MODULE && u->gen->namespace_mode);
}

static bool place_variables(Unit *u) {
    const Scope *scope = u->code_scope;
    uint32_t locals = (uint32_t)scope->locals.count, cells = (uint32_t)scope->cells.count;
    u->local_regs = codegen_take(u->gen, (locals + 1) * sizeof(Reg));
    u->cell_regs = codegen_take(u->gen, (cells + 1) * sizeof(Reg));
    if (!u->local_regs || !u->cell_regs) return false;
    u->param_count = scope->is_function ? count_params(scope) : 0;
    if (has_namespace_register(u)) u->param_count = 1;
    u->wide = u->scope_code->scratch > 0;
    u->scratch_size = u->scope_code->scratch;
    place_locals(u);
    place_cells(u);
    u->top = u->max = u->variable_end;
    return true;
}

static bool make_bits(Unit *u) {
    uint32_t locals = u->code_scope->is_function ? (uint32_t)u->code_scope->locals.count : 0;
    u->next_bit = locals;
    u->bit_count = locals + count_inlined_locals(u->code_scope);
    u->bit_words = u->bit_count / 64 + 1;
    u->assigned = codegen_take(u->gen, u->bit_words * sizeof(uint64_t));
    u->deleted = codegen_take(u->gen, u->bit_words * sizeof(uint64_t));
    u->unset = codegen_take(u->gen, u->bit_words * sizeof(uint64_t));
    u->ever_assigned = codegen_take(u->gen, u->bit_words * sizeof(uint64_t));
    if (!u->assigned || !u->deleted || !u->unset || !u->ever_assigned) return false;
    for (uint32_t i = 0; i < u->param_count && i < locals; i++)
        u->assigned[i / 64] |= (uint64_t)1 << i % 64;
    return true;
}

static uint32_t scope_flags(const Unit *u) {
    const Scope *scope = u->code_scope;
    uint32_t flags = 0;
    if (scope->is_function) flags |= CODE_OPTIMIZED | CODE_NEWLOCALS;
    if (scope->is_nested) flags |= CODE_NESTED;
    if (scope->has_star_args) flags |= CODE_VARARGS;
    if (scope->has_star_kwargs) flags |= CODE_VARKEYWORDS;
    if (scope->has_docstring && scope->is_function) flags |= CODE_HAS_DOCSTRING;
    if (scope->is_generator) flags |= scope->is_coroutine ? CODE_ASYNC_GENERATOR : CODE_GENERATOR;
    if (scope->is_coroutine && !scope->is_generator) flags |= CODE_COROUTINE;
    if (scope->is_function && scope->parent && scope->parent->kind == SCOPE_CLASS)
        flags |= CODE_METHOD;
    if (scope->kind == SCOPE_MODULE) flags |= CODE_NAMESPACE | CODE_MODULE;
    if (scope->kind == SCOPE_CLASS) flags |= CODE_NAMESPACE;
    if (has_namespace_register(u)) flags |= CODE_CLASS;
    return flags;
}

/* Type parameter scopes do not show in qualified names. */
static const Unit *naming_outer(const Unit *u) {
    const Unit *outer = u->outer;
    while (outer && outer->code_scope->kind == SCOPE_TYPE_PARAMS)
        outer = outer->outer;
    return outer;
}

static bool is_named_global(Unit *u) {
    const Unit *outer = naming_outer(u);
    if (!outer || !u->code_scope->name) return false;
    if (u->code_scope->kind != SCOPE_FUNCTION && u->code_scope->kind != SCOPE_CLASS) return false;
    AstName *name = scope_mangle(outer->code_scope, u->gen->module->names, u->code_scope->name);
    Symbol *symbol = name ? scope_find(outer->code_scope, name) : NULL;
    return symbol && symbol->kind == SYMBOL_GLOBAL_EXPLICIT;
}

static Value make_qualname(Unit *u) {
    const Unit *outer = naming_outer(u);
    if (!outer || outer->code_scope->kind == SCOPE_MODULE || is_named_global(u)) return u->name;
    const char *between = outer->code_scope->is_function ? ".<locals>." : ".";
    Value text = str_format(u->gen->vm, "%S%s%S", outer->qualname, between, u->name);
    return text == VALUE_ERROR ? text : str_intern(u->gen->vm, text);
}

static bool set_up_unit(Unit *u, Codegen *gen, Unit *outer, Scope *scope, const char *name) {
    *u = (Unit){.gen = gen, .outer = outer, .code_scope = scope, .scope = scope, .reachable = true};
    u->scope_code = scope_code(gen, scope);
    if (!u->scope_code || !place_variables(u) || !make_bits(u)) return false;
    u->is_generator = scope->is_generator || scope->is_coroutine;
    u->link = u->is_generator ? 1 : 4;
    u->flags = scope_flags(u);
    u->name = codegen_text(gen, name);
    if (gen->failed) return false;
    u->qualname = make_qualname(u);
    if (u->qualname == VALUE_ERROR) codegen_fail(gen);
    return !gen->failed;
}

/* ---- making the Code
 * ------------------------------------------------------------------------------------------ */

static bool copy_part(Unit *u, Code *code, CodePart part, const void *data, size_t size) {
    if (!size) return true;
    void *room = code_reserve(u->gen->vm, code, part, size);
    if (room) memcpy(room, data, size);
    return room != NULL;
}

static bool copy_ranges(Unit *u, Code *code) {
    code->range_count = u->range_count;
    if (!u->range_count) return true;
    ExceptionRange *ranges =
        code_reserve(u->gen->vm, code, CODE_RANGES, u->range_count * sizeof *ranges);
    for (uint32_t i = 0; ranges && i < u->range_count; i++) {
        const CodeRange *from = &u->ranges[i];
        ranges[i] = (ExceptionRange){from->start, from->end, from->handler, from->reg};
    }
    return ranges != NULL;
}

static Tuple *names_tuple(Unit *u, const SymbolSeq *symbols) {
    Value tuple = tuple_new(u->gen->vm, (uint64_t)symbols->count);
    if (tuple == VALUE_ERROR) return NULL;
    for (int32_t i = 0; i < symbols->count; i++)
        AS_TUPLE(tuple)->items[i] = codegen_name(u->gen, symbols->items[i]->name);
    return AS_TUPLE(tuple);
}

/* The names of registers 0, 1, ...; those that hold no variable have a name that starts with a dot.
 */
static Tuple *register_names(Unit *u) {
    Value tuple = tuple_new(u->gen->vm, u->local_count);
    if (tuple == VALUE_ERROR) return NULL;
    Value hidden = codegen_text(u->gen, has_namespace_register(u) ? ".namespace" : ".scratch");
    for (uint32_t i = 0; i < u->local_count; i++)
        AS_TUPLE(tuple)->items[i] = hidden;
    const SymbolSeq *locals = &u->code_scope->locals;
    for (int32_t i = 0; u->code_scope->is_function && i < locals->count; i++) {
        Value name = codegen_name(u->gen, locals->items[i]->name);
        AS_TUPLE(tuple)->items[u->local_regs[i]] = name;
        if (i < (int32_t)u->param_count) AS_TUPLE(tuple)->items[i] = name;
    }
    return AS_TUPLE(tuple);
}

static bool copy_names(Unit *u, Code *code) {
    code->varnames = register_names(u);
    if (code->varnames) code->cellvars = names_tuple(u, &u->code_scope->cells);
    if (code->cellvars) code->freevars = names_tuple(u, &u->code_scope->frees);
    return code->freevars && copy_part(u, code, CODE_CELL_REGS, u->cell_regs,
                                       (size_t)u->code_scope->cells.count * sizeof(uint32_t));
}

static void count_arguments(Unit *u, Code *code, const AstArguments *args) {
    if (args) {
        code->posonly_count = (uint32_t)args->posonlyargs.count;
        code->arg_count = (uint32_t)(args->posonlyargs.count + args->args.count);
        code->kwonly_count = (uint32_t)args->kwonlyargs.count;
    } else {
        code->arg_count = u->param_count;
    }
}

static const AstArguments *unit_arguments(const Unit *u, const void *node) {
    if (u->code_scope->kind == SCOPE_FUNCTION) return ((const AstStmt *)node)->FunctionDef.args;
    if (u->code_scope->kind == SCOPE_LAMBDA) return ((const AstExpr *)node)->Lambda.args;
    return NULL;
}

static Value make_code(Unit *u, int32_t first_line, const void *node) {
    Code *code = code_new(u->gen->vm);
    if (!code) return VALUE_ERROR;
    code->name = u->name;
    code->qualname = u->qualname;
    code->filename = u->gen->filename;
    code->source_lines = u->gen->source_lines;
    code->doc = VALUE_NONE;
    code->flags = u->flags;
    code->first_line = (uint32_t)first_line;
    code->regs = u->max ? u->max : 1; /* what names no register says 0 */
    code->local_count = u->local_count;
    code->instr_count = u->count;
    code->const_count = u->const_count;
    code->inlined_count = u->inlined_count;
    code->loop_count = u->loop_count;
    count_arguments(u, code, unit_arguments(u, node));
    if (u->flags & CODE_HAS_DOCSTRING && u->const_count) code->doc = u->consts[0];
    bool done = copy_part(u, code, CODE_INSTRS, u->instrs, u->count * sizeof(Instr)) &&
                copy_part(u, code, CODE_CONSTS, u->consts, u->const_count * sizeof(Value)) &&
                copy_part(u, code, CODE_POSITIONS, u->positions, u->count * sizeof(Position)) &&
                copy_part(u, code, CODE_LOOPS, u->loops, u->loop_count * sizeof(LoopRange)) &&
                copy_part(u, code, CODE_INLINED, u->inlined_variables,
                          u->inlined_count * sizeof(InlinedVariable)) &&
                copy_ranges(u, code) && copy_names(u, code);
    if (done && u->iterates_param && !u->unset_all)
        for (uint32_t i = 0; i < code->arg_count && i < 32; i++)
            if (code_only_iterates(code, i)) code->iterated_params |= (uint32_t)1 << i;
    return done ? object_value(code) : VALUE_ERROR;
}

#ifdef GEN_DEBUG
static void check_code(Codegen *gen, Value code) {
    char message[200];
    if (code_verify(gen->vm, AS(Code, code), message, sizeof message)) return;
    if (*message)
        raise_error(gen->vm, EXC_SYSTEM_ERROR, "bad code for %S: %s", AS(Code, code)->qualname,
                    message);
    else
        raise_memory(gen->vm);
    codegen_fail(gen);
}
#endif

/* Whether the unit must be compiled again, in wide mode or with more scratch registers. */
static bool wants_again(Unit *u) {
    if (u->gen->failed) return false;
    if (u->needs_wide) {
        u->scope_code->scratch = FIRST_SCRATCH_SIZE;
        return true;
    }
    if (u->scratch_needed <= u->scratch_size) return false;
    u->scope_code->scratch = u->scratch_needed;
    return true;
}

Value codegen_unit(Codegen *gen, Unit *outer, Scope *scope, const char *name, int32_t first_line,
                   UnitBody body, const void *node) {
    Unit u;
    do {
        if (gen->failed || !set_up_unit(&u, gen, outer, scope, name)) return VALUE_ERROR;
        if (u.scope_code->code != VALUE_UNSET) return u.scope_code->code;
        body(&u, node);
        if (u.reachable) {
            emit_return_const(&u, VALUE_NONE);
        }
        emit_prologue(&u);
    } while (wants_again(&u));
    if (gen->failed) return VALUE_ERROR;
    emit_thread_jumps(&u);
    Value code = make_code(&u, first_line, node);
    if (code == VALUE_ERROR) codegen_fail(gen);
    if (gen->failed) return VALUE_ERROR;
#ifdef GEN_DEBUG
    check_code(gen, code);
#endif
    u.scope_code->code = code;
    return code;
}

/* ---- the module
 * -----------------------------------------------------------------------------------------------
 */

static void module_body(Unit *u, const void *node) {
    const AstModule *module = node;
    if (module->kind == MODULE_Expression) {
        Reg value = expr_any(u, module->expression, NO_REG);
        emit_at(u, module->expression->span);
        emit_return(u, value);
        return;
    }
    annotation_body_begin(u, module->body);
    if (module->kind == MODULE_Module) function_docstring(u, module->body);
    statements(u, module->body);
}

Value codegen_module(Codegen *gen) {
    return codegen_unit(gen, NULL, gen->module->scope, "<module>", 1, module_body, gen->module);
}
