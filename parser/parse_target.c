/* parse_target.c: what can stand left of an assignment.
 *
 * Targets are parsed as expressions and then given their context: every target is an expression,
 * and only the shape decides which expressions are targets. Parentheses leave no trace in the tree
 * and are allowed around any target.
 */
#include "parser.h"

static bool set_contexts(AstExprSeq *elts, AstContext ctx) {
    for (int32_t i = 0; i < elts->count; i++) {
        if (!target_set_context(elts->items[i], ctx)) return false;
    }
    return true;
}

bool target_set_context(AstExpr *target, AstContext ctx) {
    switch (target->kind) {
    case EXPR_Name: target->Name.ctx = ctx; return true;
    case EXPR_Attribute: target->Attribute.ctx = ctx; return true;
    case EXPR_Subscript: target->Subscript.ctx = ctx; return true;
    case EXPR_Tuple: target->Tuple.ctx = ctx; return set_contexts(&target->Tuple.elts, ctx);
    case EXPR_List: target->List.ctx = ctx; return set_contexts(&target->List.elts, ctx);
    case EXPR_Starred:
        target->Starred.ctx = ctx;
        return ctx == CTX_Store && target->Starred.value->kind != EXPR_Starred &&
               target_set_context(target->Starred.value, ctx);
    default: return false;
    }
}

/* star_target: '*' star_target | a primary that is a target */
AstExpr *parse_star_target(Parser *p) {
    AstExpr *target = NULL;
    if (parser_at(p, TOKEN_STAR)) {
        AstSpan start = parser_token(p)->span;
        p->pos++;
        AstExpr *value = parse_bitwise_or(p);
        target = value == NULL ? NULL : parser_expr(p, EXPR_Starred, parser_span_from(p, start));
        if (target == NULL) return NULL;
        target->Starred.value = value;
    } else {
        target = parse_bitwise_or(p);
    }
    return target != NULL && target_set_context(target, CTX_Store) ? target : NULL;
}

/* star_targets: star_target (',' star_target)* [','] */
AstExpr *parse_star_targets(Parser *p) {
    AstSpan start = parser_token(p)->span;
    int32_t mark = p->stack_count;
    AstExpr *first = parse_star_target(p);
    if (first == NULL || !parser_at(p, TOKEN_COMMA)) return first;
    if (!parser_push(p, first)) return NULL;
    while (parser_accept(p, TOKEN_COMMA)) {
        Mark behind_comma = parser_mark(p);
        AstExpr *target = parse_star_target(p);
        if (target == NULL) {
            parser_reset(p, behind_comma);
            break;
        }
        if (!parser_push(p, target)) return NULL;
    }
    if (p->failed) return NULL;
    AstExpr *tuple = parser_expr(p, EXPR_Tuple, parser_span_from(p, start));
    if (tuple == NULL || !PARSER_TAKE(p, mark, &tuple->Tuple.elts)) return NULL;
    tuple->Tuple.ctx = CTX_Store;
    return tuple;
}

static AstExpr *find_invalid_in(const AstExprSeq *elts, TargetKind kind) {
    for (int32_t i = 0; i < elts->count; i++) {
        AstExpr *invalid = target_find_invalid(elts->items[i], kind);
        if (invalid != NULL) return invalid;
    }
    return NULL;
}

AstExpr *target_find_invalid(AstExpr *target, TargetKind kind) {
    switch (target->kind) {
    case EXPR_List: return find_invalid_in(&target->List.elts, kind);
    case EXPR_Tuple: return find_invalid_in(&target->Tuple.elts, kind);
    case EXPR_Starred:
        return kind == TARGET_DEL ? target : target_find_invalid(target->Starred.value, kind);
    case EXPR_Compare:
        /* `for f() in x` was read as a comparison. */
        if (kind == TARGET_FOR)
            return target->Compare.ops.items[0] == CMPOP_In
                       ? target_find_invalid(target->Compare.left, kind)
                       : NULL;
        return target;
    case EXPR_Name:
    case EXPR_Subscript:
    case EXPR_Attribute: return NULL;
    default: return target;
    }
}

void *target_raise_invalid(Parser *p, TargetKind kind, AstExpr *target) {
    AstExpr *invalid = target == NULL ? NULL : target_find_invalid(target, kind);
    if (invalid != NULL)
        parser_raise(p, invalid->span, "cannot %s %s", kind == TARGET_DEL ? "delete" : "assign to",
                     expr_name(invalid));
    return NULL;
}

static const char *constant_name(const AstConstant *constant) {
    switch (constant->kind) {
    case CONSTANT_None: return "None";
    case CONSTANT_True: return "True";
    case CONSTANT_False: return "False";
    case CONSTANT_Ellipsis: return "ellipsis";
    case CONSTANT_Int:
    case CONSTANT_Float:
    case CONSTANT_Complex:
    case CONSTANT_Str:
    case CONSTANT_Bytes: return "literal";
    }
    return "literal";
}

const char *expr_name(const AstExpr *expr) {
    switch (expr->kind) {
    case EXPR_Attribute: return "attribute";
    case EXPR_Subscript: return "subscript";
    case EXPR_Starred: return "starred";
    case EXPR_Name: return "name";
    case EXPR_List: return "list";
    case EXPR_Tuple: return "tuple";
    case EXPR_Lambda: return "lambda";
    case EXPR_Call: return "function call";
    case EXPR_BoolOp:
    case EXPR_BinOp:
    case EXPR_UnaryOp: return "expression";
    case EXPR_GeneratorExp: return "generator expression";
    case EXPR_Yield:
    case EXPR_YieldFrom: return "yield expression";
    case EXPR_Await: return "await expression";
    case EXPR_ListComp: return "list comprehension";
    case EXPR_SetComp: return "set comprehension";
    case EXPR_DictComp: return "dict comprehension";
    case EXPR_Dict: return "dict literal";
    case EXPR_Set: return "set display";
    case EXPR_JoinedStr:
    case EXPR_FormattedValue: return "f-string expression";
    case EXPR_TemplateStr:
    case EXPR_Interpolation: return "t-string expression";
    case EXPR_Constant: return constant_name(&expr->Constant.value);
    case EXPR_Compare: return "comparison";
    case EXPR_IfExp: return "conditional expression";
    case EXPR_NamedExpr: return "named expression";
    case EXPR_Slice: return "slice";
    }
    return "expression";
}
