/* codegen_warning.c - what compiles but is surely a mistake: SyntaxWarnings.
 *
 * They are collected while code is generated and shown when that has succeeded, each once for its
 * line, in the form of the module warnings.
 */
#include "parser/codegen.h"
#include "vm/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Warning {
    struct Warning *next;
    int32_t line;
    const char *category, *message;
} Warning;

static bool is_known(const Codegen *gen, int32_t line, const char *message) {
    for (const Warning *w = gen->warnings; w; w = w->next)
        if (w->line == line && strcmp(w->message, message) == 0) return true;
    return false;
}

static void add(Codegen *gen, AstSpan span, const char *category, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || is_known(gen, span.line, text)) return;
    Warning *warning = codegen_take(gen, sizeof *warning);
    char *message = arena_copy_text(gen->arena, text, strlen(text));
    if (!warning || !message) return;
    *warning = (Warning){NULL, span.line, category, message};
    *gen->last_warning = warning;
    gen->last_warning = &warning->next;
}

/* ---- showing
 * --------------------------------------------------------------------------------------------------
 */

static const char *source_line(const Codegen *gen, int32_t number, size_t *size) {
    const char *line = gen->source, *end = gen->source + gen->source_size;
    for (int32_t i = 1; i < number && line < end; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\f'))
        line++;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    if (newline) end = newline;
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
    const char *line = source_line(gen, warning->line, &size);
    StrBuilder text;
    builder_init(&text, gen->vm);
    builder_put_format(&text, "%S:%d: %s: %s\n", gen->filename, warning->line, warning->category,
                       warning->message);
    if (size) {
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
    for (const AstWarning *w = gen->module->warnings; w; w = w->next)
        add(gen, w->span, "SyntaxWarning", "%s", w->message);
}

void warning_show_all(Codegen *gen) {
    if (!gen->warnings) return;
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

static const char syntax[] = "SyntaxWarning";

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
        add(gen, s->span, syntax, "assertion is always true, perhaps remove parentheses?");
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
            add(gen, e->span, syntax, "\"%s\" with '%s' literal. Did you mean \"%s\"?",
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
        add(gen, function->span, syntax, "'%s' object is not callable; perhaps you missed a comma?",
            type);
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
        add(gen, value->span, syntax,
            "'%s' object is not subscriptable; perhaps you missed a comma?", type_of_expr(value));
    else if (has_numbered_items(value) && !may_be_index(slice))
        add(gen, value->span, syntax,
            "%s indices must be integers or slices, not %s; perhaps you missed a comma?",
            type_of_expr(value), type_of_expr(slice));
}

void warning_of_invert(Codegen *gen, const AstExpr *e) {
    add(gen, e->span, "DeprecationWarning", "%s",
        "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This "
        "returns the bitwise "
        "inversion of the underlying int object and is usually not what you expect from negating a "
        "bool. Use the 'not' "
        "operator for boolean negation or ~int(x) if you really want the bitwise inversion of the "
        "underlying int.");
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
    case STMT_Return: add(gen, s->span, syntax, message, "return"); break;
    case STMT_Break:
        if (!in_loop) add(gen, s->span, syntax, message, "break");
        break;
    case STMT_Continue:
        if (!in_loop) add(gen, s->span, syntax, message, "continue");
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
