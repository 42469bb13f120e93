/* compile.c - runs the stages of the front end, one after the other, and turns their errors into
 * exceptions.
 */
#include "parser/compile.h"

#include "parser/codegen.h"
#include "vm/type.h"

#include <string.h>

enum { ARENA_LIMIT = 1 << 30 };

static ParseMode parse_mode(const char *mode) {
    if (strcmp(mode, "eval") == 0) return PARSE_EVAL;
    return strcmp(mode, "single") == 0 ? PARSE_SINGLE : PARSE_FILE;
}

static TypeId error_type(ParseErrorKind kind) {
    switch (kind) {
    case PARSE_INDENTATION_ERROR: return EXC_INDENTATION_ERROR;
    case PARSE_TAB_ERROR: return EXC_TAB_ERROR;
    case PARSE_MEMORY_ERROR: return EXC_MEMORY_ERROR;
    case PARSE_RECURSION_ERROR: return EXC_RECURSION_ERROR;
    case PARSE_NO_ERROR:
    case PARSE_SYNTAX_ERROR:
    case PARSE_INCOMPLETE: break;
    }
    return EXC_SYNTAX_ERROR;
}

static Value position_value(int32_t position) {
    return position > 0 ? int_value(position) : VALUE_NONE;
}

static Value text_value(GenVM *vm, const char *text) {
    return text ? str_decode_utf8(vm, text, strlen(text), "replace") : VALUE_NONE;
}

/* What only a traceback shows goes into the pending exception's _metadata: (message, text, offset,
 * end offset). */
static Value attach_hint(GenVM *vm, const ParseError *error) {
    Value exception = error_take(vm), message = text_value(vm, error->hint);
    Value text = message == VALUE_ERROR ? VALUE_ERROR : text_value(vm, error->hint_text);
    if (text == VALUE_ERROR) return VALUE_ERROR;
    Value hint = tuple_pack(vm, 4, message, text, int_value(error->hint_col),
                            int_value(error->hint_end_col));
    Value name = hint == VALUE_ERROR ? VALUE_ERROR : str_intern_from(vm, "_metadata", 9);
    if (name == VALUE_ERROR || attribute_set(vm, exception, name, hint) == VALUE_ERROR)
        return VALUE_ERROR;
    return raise_value_object(vm, exception);
}

/* SyntaxError(message, (filename, line, offset, text, end line, end offset)) */
static Value place_of(GenVM *vm, Value filename, Value text, const ParseError *error) {
    return tuple_pack(vm, 6, filename, position_value(error->line), int_value(error->col), text,
                      position_value(error->end_line), int_value(error->end_col));
}

static Value raise_parse_error(GenVM *vm, Value filename, const ParseError *error) {
    if (vm->stop || vm->exception != VALUE_UNSET) return VALUE_ERROR; /* poll() */
    if (error->kind == PARSE_MEMORY_ERROR && !error->line) return raise_memory(vm);
    Value message = text_value(vm, error->message ? error->message : "invalid syntax");
    TypeId type = error_type(error->kind);
    if (message == VALUE_ERROR) return VALUE_ERROR;
    if (type == EXC_MEMORY_ERROR || type == EXC_RECURSION_ERROR)
        return raise_error(vm, type, "%S", message);
    Value text = text_value(vm, error->text);
    if (text == VALUE_ERROR) return VALUE_ERROR;
    Value args = tuple_pack(vm, 1, message);
    if (error->line || error->col) {
        Value place = error->line ? place_of(vm, filename, text, error)
                                  : tuple_pack(vm, 4, filename, int_value(0), int_value(error->col),
                                               VALUE_NONE);
        if (place == VALUE_ERROR) return VALUE_ERROR;
        args = tuple_pack(vm, 2, message, place);
    }
    if (args == VALUE_ERROR) return VALUE_ERROR;
    raise_with_args(vm, type, args);
    return error->hint && error_matches(vm, type) ? attach_hint(vm, error) : VALUE_ERROR;
}

/* An expression was wanted from an empty text: the error is in line 0. */
static Value raise_no_source(GenVM *vm, Value filename) {
    Value none = str_new(vm, "", 0), zero = int_value(0);
    Value place = tuple_pack(vm, 6, filename, zero, zero, none, zero, zero);
    if (place == VALUE_ERROR) return VALUE_ERROR;
    Value args = tuple_pack(vm, 2, text_value(vm, "invalid syntax"), place);
    return args == VALUE_ERROR ? VALUE_ERROR : raise_with_args(vm, EXC_SYNTAX_ERROR, args);
}

static Value generate(Codegen *gen) {
    gen->last_warning = &gen->warnings;
    warning_of_source(gen);
    gen->has_walrus = gen->source_size && memmem(gen->source, gen->source_size, ":=", 2);
    Value code = codegen_module(gen);
    if (!gen->failed) {
        warning_show_all(gen);
        return code;
    }
    if (gen->vm->stop || gen->vm->exception != VALUE_UNSET) return VALUE_ERROR;
    if (gen->error.kind != PARSE_NO_ERROR)
        return raise_parse_error(gen->vm, gen->filename, &gen->error);
    return raise_memory(gen->vm);
}

static Value compile_in_arena(GenVM *vm, Arena *arena, const char *source, size_t size,
                              Value filename, const char *mode, int flags) {
    Codegen gen = {
        .vm = vm, .arena = arena, .source = source, .source_size = size, .filename = filename};
    gen.source_lines = VALUE_UNSET;
    gen.namespace_mode = flags & COMPILE_NAMESPACE;
    gen.of_library = flags & COMPILE_LIBRARY;
    if (flags & COMPILE_KEEP_SOURCE) {
        gen.source_lines = str_decode_utf8(vm, source, size, "replace");
        if (gen.source_lines == VALUE_ERROR) return VALUE_ERROR;
    }
    gen.module = flags & COMPILE_TEXT
                     ? parse_text(arena, source, size, parse_mode(mode), &gen.error)
                     : parse_source(arena, source, size, parse_mode(mode), &gen.error);
    if (!gen.module && gen.error.kind == PARSE_INCOMPLETE && flags & COMPILE_INCOMPLETE)
        return VALUE_UNSET;
    if (!gen.module && !size) return raise_no_source(vm, filename);
    if (!gen.module || !scope_analyze(arena, gen.module, &gen.error))
        return raise_parse_error(vm, filename, &gen.error);
    return generate(&gen);
}

/* Long sources are charged as they are read, and can be interrupted. */
static bool poll(GenVM *vm, size_t size) {
    enum { BYTES_A_STEP = 32 }; /* of the tree */
    return native_charge(vm, size / BYTES_A_STEP);
}

Value compile_source(GenVM *vm, const char *source, size_t size, const char *filename,
                     const char *mode, int flags) {
    Value name = str_decode_utf8(vm, filename, strlen(filename), "surrogateescape");
    if (name == VALUE_ERROR) return VALUE_ERROR;
    Arena arena;
    arena_init(&arena, vm, ARENA_LIMIT);
    arena.poll = poll;
    Value code = compile_in_arena(vm, &arena, source, size, name, mode, flags);
    arena_free(&arena);
    return code;
}
