/* dump.c: prints a tree by the tables of ast.def, so that a new node prints by itself; only the few
 * structs that are no nodes of the tables (arguments, aliases, ...) have code of their own.
 */
#include "dump.h"

#include <inttypes.h>

typedef struct Dump {
    FILE *file;
    bool has_positions;
    bool needs_comma;
} Dump;

static void dump_expr(Dump *d, const AstExpr *expr);
static void dump_stmt(Dump *d, const AstStmt *stmt);
static void dump_pattern(Dump *d, const AstPattern *pattern);

/* A node's frame: name( fields and attributes ) */

static void open_node(Dump *d, const char *name) {
    fprintf(d->file, "%s(", name);
    d->needs_comma = false;
}

static void begin_field(Dump *d, const char *name) {
    fprintf(d->file, "%s%s=", d->needs_comma ? ", " : "", name);
}

static void end_field(Dump *d) {
    d->needs_comma = true;
}

static void dump_int(Dump *d, const char *name, int32_t value) {
    begin_field(d, name);
    fprintf(d->file, "%" PRId32, value);
    end_field(d);
}

static void close_node(Dump *d, const AstSpan *span) {
    if (span != NULL && d->has_positions) {
        dump_int(d, "lineno", span->line);
        dump_int(d, "col_offset", span->col);
        dump_int(d, "end_lineno", span->end_line);
        dump_int(d, "end_col_offset", span->end_col);
    }
    fputc(')', d->file);
    end_field(d);
}

/* Values. */

/* One character of WTF-8 from `text`; a byte that begins none stands for itself. */
static uint32_t next_character(const unsigned char **text, const unsigned char *end) {
    uint32_t c = *(*text)++;
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more == 0 || end - *text < more) return c;
    c &= 0x3Fu >> more;
    while (more-- > 0)
        c = c << 6 | (*(*text)++ & 0x3F);
    return c;
}

static void dump_character(Dump *d, uint32_t c, char quote, bool is_bytes) {
    switch (c) {
    case '\n': fputs("\\n", d->file); return;
    case '\r': fputs("\\r", d->file); return;
    case '\t': fputs("\\t", d->file); return;
    case '\\': fputs("\\\\", d->file); return;
    default: break;
    }
    if (c == (uint32_t)quote)
        fprintf(d->file, "\\%c", quote);
    else if (c >= 0x20 && c < 0x7F)
        fputc((int)c, d->file);
    else
        fprintf(d->file,
                c < 0x100 || is_bytes ? "\\x%02" PRIx32
                : c < 0x10000         ? "\\u%04" PRIx32
                                      : "\\U%08" PRIx32,
                c);
}

/* Python prefers single quotes, unless there are only those inside. */
static char choose_quote(const char *text, size_t len) {
    bool has_single = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') return '\'';
        has_single |= text[i] == '\'';
    }
    return has_single ? '"' : '\'';
}

static void dump_text(Dump *d, const char *text, size_t len, bool is_bytes) {
    const unsigned char *cur = (const unsigned char *)text;
    const unsigned char *end = cur + len;
    char quote = choose_quote(text, len);
    fprintf(d->file, "%s%c", is_bytes ? "b" : "", quote);
    while (cur < end)
        dump_character(d, is_bytes ? *cur++ : next_character(&cur, end), quote, is_bytes);
    fputc(quote, d->file);
}

static void dump_constant(Dump *d, const AstConstant *c) {
    switch (c->kind) {
    case CONSTANT_None: fputs("None", d->file); break;
    case CONSTANT_True: fputs("True", d->file); break;
    case CONSTANT_False: fputs("False", d->file); break;
    case CONSTANT_Ellipsis: fputs("Ellipsis", d->file); break;
    case CONSTANT_Int:
        if (c->fits)
            fprintf(d->file, "%" PRId64, c->value);
        else
            fprintf(d->file, "%s%s",
                    c->base == 16  ? "0x"
                    : c->base == 8 ? "0o"
                    : c->base == 2 ? "0b"
                                   : "",
                    c->text);
        break;
    case CONSTANT_Float: fprintf(d->file, "%.17g", c->number); break;
    case CONSTANT_Complex: fprintf(d->file, "%.17gj", c->number); break;
    case CONSTANT_Str: dump_text(d, c->text, c->len, false); break;
    case CONSTANT_Bytes: dump_text(d, c->text, c->len, true); break;
    }
}

static void dump_name(Dump *d, const AstName *name) {
    dump_text(d, name->text, name->len, false);
}

static void dump_name_field(Dump *d, const char *field, const AstName *name) {
    if (name == NULL) return;
    begin_field(d, field);
    dump_name(d, name);
    end_field(d);
}

static void dump_expr_field(Dump *d, const char *field, const AstExpr *expr) {
    if (expr == NULL) return;
    begin_field(d, field);
    dump_expr(d, expr);
    end_field(d);
}

/* Lists: `name=[a, b]`, or nothing when empty. The printer gets the address of each item. */
typedef void (*PrintItem)(Dump *d, const void *item);

static void dump_list(Dump *d, const char *field, void *const *items, int32_t count,
                      PrintItem print) {
    if (count == 0) return;
    begin_field(d, field);
    fputc('[', d->file);
    for (int32_t i = 0; i < count; i++) {
        if (i > 0) fputs(", ", d->file);
        print(d, items[i]);
    }
    fputc(']', d->file);
    end_field(d);
}

#define DUMP_LIST(d, field, seq, print)                                                            \
    dump_list(d, field, (void *const *)(seq).items, (seq).count, print)

static void print_expr(Dump *d, const void *item) {
    if (item == NULL)
        fputs("None", d->file);
    else
        dump_expr(d, item);
}

static void print_stmt(Dump *d, const void *item) {
    dump_stmt(d, item);
}

static void print_pattern(Dump *d, const void *item) {
    dump_pattern(d, item);
}

static void print_name(Dump *d, const void *item) {
    dump_name(d, item);
}

/* The structs beside the tables. */

static void print_arg(Dump *d, const void *item) {
    const AstArg *arg = item;
    open_node(d, "arg");
    dump_name_field(d, "arg", arg->arg);
    dump_expr_field(d, "annotation", arg->annotation);
    close_node(d, &arg->span);
}

static void dump_arg_field(Dump *d, const char *field, const AstArg *arg) {
    if (arg == NULL) return;
    begin_field(d, field);
    print_arg(d, arg);
    end_field(d);
}

static void dump_arguments(Dump *d, const AstArguments *args) {
    open_node(d, "arguments");
    DUMP_LIST(d, "posonlyargs", args->posonlyargs, print_arg);
    DUMP_LIST(d, "args", args->args, print_arg);
    dump_arg_field(d, "vararg", args->vararg);
    DUMP_LIST(d, "kwonlyargs", args->kwonlyargs, print_arg);
    DUMP_LIST(d, "kw_defaults", args->kw_defaults, print_expr);
    dump_arg_field(d, "kwarg", args->kwarg);
    DUMP_LIST(d, "defaults", args->defaults, print_expr);
    close_node(d, NULL);
}

static void print_keyword(Dump *d, const void *item) {
    const AstKeyword *keyword = item;
    open_node(d, "keyword");
    dump_name_field(d, "arg", keyword->arg);
    dump_expr_field(d, "value", keyword->value);
    close_node(d, &keyword->span);
}

static void print_alias(Dump *d, const void *item) {
    const AstAlias *alias = item;
    open_node(d, "alias");
    dump_name_field(d, "name", alias->name);
    dump_name_field(d, "asname", alias->asname);
    close_node(d, &alias->span);
}

static void print_withitem(Dump *d, const void *item) {
    const AstWithItem *with = item;
    open_node(d, "withitem");
    dump_expr_field(d, "context_expr", with->context_expr);
    dump_expr_field(d, "optional_vars", with->optional_vars);
    close_node(d, NULL);
}

static void print_case(Dump *d, const void *item) {
    const AstMatchCase *match_case = item;
    open_node(d, "match_case");
    begin_field(d, "pattern");
    dump_pattern(d, match_case->pattern);
    end_field(d);
    dump_expr_field(d, "guard", match_case->guard);
    DUMP_LIST(d, "body", match_case->body, print_stmt);
    close_node(d, NULL);
}

static void print_handler(Dump *d, const void *item) {
    const AstExceptHandler *handler = item;
    open_node(d, "ExceptHandler");
    dump_expr_field(d, "type", handler->type);
    dump_name_field(d, "name", handler->name);
    DUMP_LIST(d, "body", handler->body, print_stmt);
    close_node(d, &handler->span);
}

static void print_comprehension(Dump *d, const void *item) {
    const AstComprehension *clause = item;
    open_node(d, "comprehension");
    dump_expr_field(d, "target", clause->target);
    dump_expr_field(d, "iter", clause->iter);
    DUMP_LIST(d, "ifs", clause->ifs, print_expr);
    dump_int(d, "is_async", clause->is_async);
    close_node(d, NULL);
}

/* Nodes by the table. */

static void dump_fields(Dump *d, const void *node, const AstNodeInfo *info);

static void print_type_param(Dump *d, const void *item) {
    const AstTypeParam *param = item;
    const AstNodeInfo *info = ast_type_param_info(param->kind);
    open_node(d, info->name);
    dump_fields(d, param, info);
    close_node(d, &param->span);
}

static void dump_word(Dump *d, const char *field, const char *word) {
    begin_field(d, field);
    fprintf(d->file, "%s()", word);
    end_field(d);
}

static void dump_cmpops(Dump *d, const char *field, const AstCmpOpSeq *ops) {
    begin_field(d, field);
    for (int32_t i = 0; i < ops->count; i++)
        fprintf(d->file, "%s%s()", i == 0 ? "[" : ", ", ast_cmpop_names[ops->items[i]]);
    fputc(']', d->file);
    end_field(d);
}

static void dump_constant_field(Dump *d, const char *field, const AstConstant *constant) {
    begin_field(d, field);
    dump_constant(d, constant);
    end_field(d);
    if (constant->has_u_prefix) {
        begin_field(d, "kind");
        fputs("'u'", d->file);
        end_field(d);
    }
}

static void dump_field(Dump *d, const void *at, const AstField *field) {
    const char *name = field->name;
#define AT(type) (*(const type *)at)
    switch (field->kind) {
    case FIELD_EXPR:
    case FIELD_EXPR_OPT: dump_expr_field(d, name, AT(AstExpr *const)); break;
    case FIELD_EXPRS:
    case FIELD_EXPRS_OPT: DUMP_LIST(d, name, AT(AstExprSeq), print_expr); break;
    case FIELD_STMTS: DUMP_LIST(d, name, AT(AstStmtSeq), print_stmt); break;
    case FIELD_NAME:
    case FIELD_NAME_OPT: dump_name_field(d, name, AT(AstName *const)); break;
    case FIELD_NAMES: DUMP_LIST(d, name, AT(AstNameSeq), print_name); break;
    case FIELD_PATTERN_OPT:
        if (AT(AstPattern *const) != NULL) {
            begin_field(d, name);
            dump_pattern(d, AT(AstPattern *const));
            end_field(d);
        }
        break;
    case FIELD_PATTERNS: DUMP_LIST(d, name, AT(AstPatternSeq), print_pattern); break;
    case FIELD_BOOLOP: dump_word(d, name, ast_boolop_names[AT(AstBoolOp)]); break;
    case FIELD_OPERATOR: dump_word(d, name, ast_operator_names[AT(AstOperator)]); break;
    case FIELD_UNARYOP: dump_word(d, name, ast_unaryop_names[AT(AstUnaryOp)]); break;
    case FIELD_CONTEXT: dump_word(d, name, ast_context_names[AT(AstContext)]); break;
    case FIELD_CMPOPS: dump_cmpops(d, name, &AT(AstCmpOpSeq)); break;
    case FIELD_INT: dump_int(d, name, AT(int32_t)); break;
    case FIELD_CONSTANT: dump_constant_field(d, name, &AT(AstConstant)); break;
    case FIELD_ARGUMENTS:
        begin_field(d, name);
        dump_arguments(d, AT(AstArguments *const));
        end_field(d);
        break;
    case FIELD_KEYWORDS: DUMP_LIST(d, name, AT(AstKeywordSeq), print_keyword); break;
    case FIELD_ALIASES: DUMP_LIST(d, name, AT(AstAliasSeq), print_alias); break;
    case FIELD_WITHITEMS: DUMP_LIST(d, name, AT(AstWithItemSeq), print_withitem); break;
    case FIELD_CASES: DUMP_LIST(d, name, AT(AstMatchCaseSeq), print_case); break;
    case FIELD_HANDLERS: DUMP_LIST(d, name, AT(AstExceptHandlerSeq), print_handler); break;
    case FIELD_GENERATORS: DUMP_LIST(d, name, AT(AstComprehensionSeq), print_comprehension); break;
    case FIELD_TYPE_PARAMS: DUMP_LIST(d, name, AT(AstTypeParamSeq), print_type_param); break;
    case FIELD_SCOPE: break;
    }
#undef AT
}

static void dump_fields(Dump *d, const void *node, const AstNodeInfo *info) {
    for (int i = 0; i < info->field_count; i++)
        dump_field(d, (const char *)node + info->fields[i].offset, &info->fields[i]);
}

static void dump_expr(Dump *d, const AstExpr *expr) {
    const AstNodeInfo *info = ast_expr_info(expr->kind);
    open_node(d, info->name);
    dump_fields(d, expr, info);
    close_node(d, &expr->span);
}

static void dump_stmt(Dump *d, const AstStmt *stmt) {
    const AstNodeInfo *info = ast_stmt_info(stmt->kind);
    open_node(d, info->name);
    dump_fields(d, stmt, info);
    close_node(d, &stmt->span);
}

static void dump_pattern(Dump *d, const AstPattern *pattern) {
    const AstNodeInfo *info = ast_pattern_info(pattern->kind);
    open_node(d, info->name);
    dump_fields(d, pattern, info);
    close_node(d, &pattern->span);
}

void ast_dump(FILE *file, const AstModule *module, bool has_positions) {
    Dump d = {.file = file, .has_positions = has_positions};
    switch (module->kind) {
    case MODULE_Module: open_node(&d, "Module"); break;
    case MODULE_Interactive: open_node(&d, "Interactive"); break;
    case MODULE_Expression:
        open_node(&d, "Expression");
        dump_expr_field(&d, "body", module->expression);
        break;
    }
    DUMP_LIST(&d, "body", module->body, print_stmt);
    close_node(&d, NULL);
    fputc('\n', file);
}

/* Scopes. */

static const char *scope_kind_text(ScopeKind kind) {
    switch (kind) {
    case SCOPE_MODULE: return "module";
    case SCOPE_CLASS: return "class";
    case SCOPE_FUNCTION: return "function";
    case SCOPE_LAMBDA: return "lambda";
    case SCOPE_COMPREHENSION: return "comprehension";
    case SCOPE_ANNOTATIONS: return "annotations";
    case SCOPE_TYPE_PARAMS: return "type parameters";
    case SCOPE_TYPE_ALIAS: return "type alias";
    case SCOPE_TYPE_VARIABLE: return "type variable";
    }
    return "";
}

static const char *symbol_kind_text(SymbolKind kind) {
    switch (kind) {
    case SYMBOL_LOCAL: return "local";
    case SYMBOL_CELL: return "cell";
    case SYMBOL_FREE: return "free";
    case SYMBOL_GLOBAL_EXPLICIT: return "global";
    case SYMBOL_GLOBAL_IMPLICIT: return "implicit";
    }
    return "";
}

static void dump_flag(FILE *file, bool is_set, const char *text) {
    if (is_set) fprintf(file, " %s", text);
}

static void dump_names(FILE *file, const char *title, const SymbolSeq *symbols) {
    if (symbols->count == 0) return;
    fprintf(file, " %s(", title);
    for (int32_t i = 0; i < symbols->count; i++)
        fprintf(file, "%s%s", i == 0 ? "" : " ", symbols->items[i]->name->text);
    fputc(')', file);
}

static void dump_scope(FILE *file, const Scope *scope, int depth) {
    fprintf(file, "%*s%s %s:", 2 * depth, "", scope_kind_text(scope->kind), scope->name->text);
    dump_flag(file, scope->is_generator, "generator");
    dump_flag(file, scope->is_coroutine, "coroutine");
    dump_flag(file, scope->is_inlined, "inlined");
    dump_flag(file, scope->has_return_value, "returns");
    dump_flag(file, scope->can_see_class_scope, "sees-class");
    dump_flag(file, scope->has_docstring, "docstring");
    dump_names(file, "locals", &scope->locals);
    dump_names(file, "cells", &scope->cells);
    dump_names(file, "frees", &scope->frees);
    for (int32_t i = 0; i < scope->symbols.count; i++) {
        const Symbol *symbol = scope->symbols.items[i];
        fprintf(file, " %s=%s", symbol->name->text, symbol_kind_text(symbol->kind));
    }
    fputc('\n', file);
    for (const Scope *child = scope->first_child; child != NULL; child = child->next_sibling)
        dump_scope(file, child, depth + 1);
}

void scope_dump(FILE *file, const Scope *scope) {
    dump_scope(file, scope, 0);
}
