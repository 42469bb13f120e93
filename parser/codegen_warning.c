/* codegen_warning.c - what compiles but is surely a mistake: SyntaxWarnings.
 *
 * They are collected while code is generated. As long as nothing has imported the module warnings,
 * nothing can have changed what becomes of them: they are shown when code generation has succeeded,
 * each once for its line, in the form of that module. Else they are left in
 * vm->roots[ROOT_WARNINGS], for whoever asked for the code to hand them to the module
 * (stdlib/prelude/warnings.gen).
 */
#include "parser/codegen.h"
#include "vm/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Warning {
    struct Warning *next;
    AstSpan span;
    const char *message;
    bool is_of_text; /* of the parser: about the spelling, not the meaning */
} Warning;

static bool is_known(const Codegen *gen, int32_t line, const char *message) {
    for (const Warning *w = gen->warnings; w; w = w->next)
        if (w->span.line == line && strcmp(w->message, message) == 0) return true;
    return false;
}

static Warning *add(Codegen *gen, AstSpan span, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || is_known(gen, span.line, text)) return NULL;
    Warning *warning = codegen_take(gen, sizeof *warning);
    char *message = arena_copy_text(gen->arena, text, strlen(text));
    if (!warning || !message) return NULL;
    *warning = (Warning){NULL, span, message, false};
    *gen->last_warning = warning;
    gen->last_warning = &warning->next;
    return warning;
}

/* ---- showing
 * --------------------------------------------------------------------------------------------------
 */

/* A line of the source, without its end. */
static const char *whole_line(const Codegen *gen, int32_t number, size_t *size) {
    const char *line = gen->source, *end = gen->source + gen->source_size;
    for (int32_t i = 1; i < number && line < end; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *size = (size_t)((newline ? newline : end) - line);
    return line;
}

static const char *source_line(const Codegen *gen, int32_t number, size_t *size) {
    const char *line = whole_line(gen, number, size), *end = line + *size;
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\f'))
        line++;
    while (end > line && (end[-1] == ' ' || end[-1] == '\r' || end[-1] == '\t'))
        end--;
    *size = (size_t)(end - line);
    return line;
}

/* sys.stderr as long as it is a stream of this engine, else the process's. */
static Value error_stream(GenVM *vm) {
    if (is_kind(vm->sys_module, TYPE_MODULE)) {
        Value stream =
            dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, NAME_stderr));
        if (is_kind(stream, TYPE_FILE) && file_is_text(stream)) return stream;
    }
    return file_new_stream(vm, 2);
}

static void show(Codegen *gen, Value stream, const Warning *warning) {
    size_t size;
    const char *line = source_line(gen, warning->span.line, &size);
    StrBuilder text;
    builder_init(&text, gen->vm);
    builder_put_format(&text, "%S:%d: SyntaxWarning: %s\n", gen->filename, warning->span.line,
                       warning->message);
    if (size && *str_c(gen->vm, gen->filename) != '<') {
        builder_put(&text, "  ", 2);
        builder_put(&text, line, size);
        builder_put_byte(&text, '\n');
    }
    Value whole = builder_finish(&text);
    if (whole == VALUE_ERROR ||
        !file_write_text(gen->vm, stream, AS_STR(whole)->data, AS_STR(whole)->size))
        error_clear(gen->vm);
}

void warning_of_source(Codegen *gen) {
    for (const AstWarning *w = gen->module->warnings; w; w = w->next) {
        Warning *warning = add(gen, w->span, "%s", w->message);
        if (warning) warning->is_of_text = true;
    }
}

/* (message, filename, line, column, text or None, end line, end column), columns from 1. */
static Value warning_value(Codegen *gen, const Warning *warning) {
    size_t size = 0;
    const AstSpan *span = &warning->span;
    const char *line = whole_line(gen, span->line, &size);
    Value text = warning->is_of_text ? str_decode_utf8(gen->vm, line, size, "replace") : VALUE_NONE;
    Value message = str_decode_utf8(gen->vm, warning->message, strlen(warning->message), "replace");
    if (text == VALUE_ERROR || message == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(gen->vm, 7, message, gen->filename, int_value(span->line),
                      int_value(span->col + 1), text, int_value(span->end_line),
                      int_value(span->end_col + 1));
}

/* Has a script or the command line imported the module that decides about warnings? */
static bool leave_to_module(Codegen *gen) {
    GenVM *vm = gen->vm;
    Value name = str_intern_from(vm, "warnings", 8);
    if (name == VALUE_ERROR || dict_get_str(vm, vm->modules, name) == VALUE_UNSET) return false;
    Value list = vm->roots[ROOT_WARNINGS];
    if (!is_kind(list, TYPE_LIST)) list = list_new(vm, 0);
    for (const Warning *w = gen->warnings; w && list != VALUE_ERROR; w = w->next) {
        Value value = warning_value(gen, w);
        if (value == VALUE_ERROR || !list_append(vm, list, value)) list = VALUE_ERROR;
    }
    if (list == VALUE_ERROR) return false;
    vm->roots[ROOT_WARNINGS] = list;
    return true;
}

void warning_show_all(Codegen *gen) {
    if (!gen->warnings || leave_to_module(gen)) return;
    error_clear(gen->vm);
    Value stream = error_stream(gen->vm);
    if (stream == VALUE_ERROR) {
        error_clear(gen->vm);
        return;
    }
    for (const Warning *w = gen->warnings; w; w = w->next)
        show(gen, stream, w);
    if (!file_flush(gen->vm, stream)) error_clear(gen->vm);
}

/* ---- what is a mistake
 * ---------------------------------------------------------------------------------------- */

static const char *constant_type(const AstConstant *constant) {
    switch (constant->kind) {
    case CONSTANT_None: return "NoneType";
    case CONSTANT_True:
    case CONSTANT_False: return "bool";
    case CONSTANT_Ellipsis: return "ellipsis";
    case CONSTANT_Int: return "int";
    case CONSTANT_Float: return "float";
    case CONSTANT_Complex: return "complex";
    case CONSTANT_Str: return "str";
    case CONSTANT_Bytes: return "bytes";
    }
    return NULL;
}

/* The type that the expression's value surely has, or NULL. */
static const char *type_of_expr(const AstExpr *e) {
    switch (e->kind) {
    case EXPR_Tuple: return "tuple";
    case EXPR_List:
    case EXPR_ListComp: return "list";
    case EXPR_Dict:
    case EXPR_DictComp: return "dict";
    case EXPR_Set:
    case EXPR_SetComp: return "set";
    case EXPR_GeneratorExp: return "generator";
    case EXPR_Lambda: return "function";
    case EXPR_JoinedStr:
    case EXPR_FormattedValue: return "str";
    case EXPR_TemplateStr: return "string.templatelib.Template";
    case EXPR_Constant: return constant_type(&e->Constant.value);
    default: return NULL;
    }
}

void warning_of_assert(Codegen *gen, const AstStmt *s) {
    if (s->Assert.test->kind == EXPR_Tuple && s->Assert.test->Tuple.elts.count)
        add(gen, s->span, "assertion is always true, perhaps remove parentheses?");
}

static bool is_identity_literal(const AstExpr *e) {
    if (e->kind != EXPR_Constant) return false;
    AstConstantKind kind = e->Constant.value.kind;
    return kind != CONSTANT_None && kind != CONSTANT_True && kind != CONSTANT_False &&
           kind != CONSTANT_Ellipsis;
}

void warning_of_compare(Codegen *gen, const AstExpr *e) {
    const AstExpr *left = e->Compare.left;
    for (int32_t i = 0; i < e->Compare.ops.count; i++) {
        const AstExpr *right = e->Compare.comparators.items[i];
        AstCmpOp op = e->Compare.ops.items[i];
        const AstExpr *literal = is_identity_literal(left)    ? left
                                 : is_identity_literal(right) ? right
                                                              : NULL;
        if ((op == CMPOP_Is || op == CMPOP_IsNot) && literal) {
            add(gen, e->span, "\"%s\" with '%s' literal. Did you mean \"%s\"?",
                op == CMPOP_Is ? "is" : "is not", type_of_expr(literal),
                op == CMPOP_Is ? "==" : "!=");
            return;
        }
        left = right;
    }
}

void warning_of_call(Codegen *gen, const AstExpr *e) {
    const AstExpr *function = e->Call.func;
    const char *type = function->kind == EXPR_Lambda ? NULL : type_of_expr(function);
    if (type)
        add(gen, function->span, "'%s' object is not callable; perhaps you missed a comma?", type);
}

static bool has_no_items(const AstExpr *e) {
    if (e->kind == EXPR_Constant)
        return e->Constant.value.kind != CONSTANT_Str && e->Constant.value.kind != CONSTANT_Bytes &&
               e->Constant.value.kind != CONSTANT_True && e->Constant.value.kind != CONSTANT_False;
    return e->kind == EXPR_Set || e->kind == EXPR_SetComp || e->kind == EXPR_GeneratorExp ||
           e->kind == EXPR_Lambda || e->kind == EXPR_TemplateStr;
}

static bool has_numbered_items(const AstExpr *e) {
    if (e->kind == EXPR_Constant)
        return e->Constant.value.kind == CONSTANT_Str || e->Constant.value.kind == CONSTANT_Bytes;
    return e->kind == EXPR_Tuple || e->kind == EXPR_List || e->kind == EXPR_ListComp ||
           e->kind == EXPR_JoinedStr || e->kind == EXPR_FormattedValue;
}

static bool may_be_index(const AstExpr *e) {
    if (e->kind != EXPR_Constant) return type_of_expr(e) == NULL;
    AstConstantKind kind = e->Constant.value.kind;
    return kind == CONSTANT_Int || kind == CONSTANT_True || kind == CONSTANT_False;
}

void warning_of_subscript(Codegen *gen, const AstExpr *e) {
    const AstExpr *value = e->Subscript.value, *slice = e->Subscript.slice;
    if (has_no_items(value))
        add(gen, value->span, "'%s' object is not subscriptable; perhaps you missed a comma?",
            type_of_expr(value));
    else if (has_numbered_items(value) && !may_be_index(slice))
        add(gen, value->span,
            "%s indices must be integers or slices, not %s; perhaps you missed a comma?",
            type_of_expr(value), type_of_expr(slice));
}

/* ---- return, break and continue that leave a finally block
 * ---------------------------------------------------- */

static void find_exits(Codegen *gen, AstStmtSeq body, bool in_loop);

static void find_exits_of_try(Codegen *gen, const AstStmt *s, bool in_loop) {
    find_exits(gen, s->Try.body, in_loop);
    for (int32_t i = 0; i < s->Try.handlers.count; i++)
        find_exits(gen, s->Try.handlers.items[i]->body, in_loop);
    find_exits(gen, s->Try.orelse, in_loop);
    find_exits(gen, s->Try.finalbody, in_loop);
}

static void find_exit(Codegen *gen, const AstStmt *s, bool in_loop) {
    static const char message[] = "'%s' in a 'finally' block";
    switch (s->kind) {
    case STMT_Return: add(gen, s->span, message, "return"); break;
    case STMT_Break:
        if (!in_loop) add(gen, s->span, message, "break");
        break;
    case STMT_Continue:
        if (!in_loop) add(gen, s->span, message, "continue");
        break;
    case STMT_If:
        find_exits(gen, s->If.body, in_loop);
        find_exits(gen, s->If.orelse, in_loop);
        break;
    case STMT_For:
    case STMT_AsyncFor:
        find_exits(gen, s->For.body, true);
        find_exits(gen, s->For.orelse, in_loop);
        break;
    case STMT_While:
        find_exits(gen, s->While.body, true);
        find_exits(gen, s->While.orelse, in_loop);
        break;
    case STMT_With:
    case STMT_AsyncWith: find_exits(gen, s->With.body, in_loop); break;
    case STMT_Try:
    case STMT_TryStar: find_exits_of_try(gen, s, in_loop); break;
    case STMT_Match:
        for (int32_t i = 0; i < s->Match.cases.count; i++)
            find_exits(gen, s->Match.cases.items[i]->body, in_loop);
        break;
    default: break;
    }
}

static void find_exits(Codegen *gen, AstStmtSeq body, bool in_loop) {
    for (int32_t i = 0; i < body.count; i++)
        find_exit(gen, body.items[i], in_loop);
}

void warning_of_finally(Codegen *gen, AstStmtSeq body) {
    find_exits(gen, body, false);
}
