/* codegen.h - what the files of the code generator share: the state of one compilation, of one
 * piece of code (Unit), and how registers, labels and blocks work. It is no interface for others:
 * that is compile.h.
 *
 * Values. An expression is compiled "to" a register that is wanted, or to "any" register, which may
 * be that of a local variable. Two rules make this safe. The register of a variable is written by
 * the last instruction of an expression only, so that a failure leaves the old value; and an
 * operand that lies in a variable is copied first when what is evaluated after it may assign to
 * that variable (expr_operand).
 *
 * Registers. Variables come first: the parameters, the other locals, the cells; then temporaries, a
 * stack whose height is `top`. A call's window lies at the top of that stack, and if the wanted
 * register is the topmost one, the window starts there, so that nested calls compute their
 * arguments in place. A unit that needs registers beyond 255 is compiled again in wide mode: some
 * low registers are set aside as scratch, and emit rewrites its operands with them.
 *
 * Assignment. While code is generated, `assigned` says which variables certainly have a value;
 * labels carry the intersection over the jumps that lead to them. A use of any other variable gets
 * a CHECK. The variables that got one are set to unbound at entry, and so are those that may or may
 * not have a value somewhere, since f_locals shows it; the others have no value up to the one place
 * that assigns them (frame_register_is_set). Code that cannot be reached is not emitted at all.
 */
#ifndef GEN_PARSER_CODEGEN_H
#define GEN_PARSER_CODEGEN_H

#include "parser/parse.h"
#include "parser/scope.h"
#include "vm/code.h"
#include "vm/objects.h"

typedef uint32_t Reg;
#define NO_REG UINT32_MAX

typedef struct Unit Unit;
typedef struct Block Block;

/* A hash table from pointers to words, in the arena. */
typedef struct PointerMap {
    const void **keys;
    uint64_t *values;
    uint32_t capacity;
    uint32_t count;
} PointerMap;

/* What is known of a scope's code, kept because a piece of code can be asked for twice: a finally
 * body is emitted once for each way out of its try, and a unit may have to be compiled again in
 * wide mode. */
typedef struct ScopeCode {
    Value code;           /* finished, or VALUE_UNSET */
    uint32_t scratch;     /* 0: narrow; else compile in wide mode with so many scratch registers */
    AstName **attributes; /* of a class: names X of the self.X that its methods assign */
    uint32_t attribute_count, attribute_capacity;
} ScopeCode;

typedef struct Codegen {
    GenVM *vm;
    Arena *arena;
    AstModule *module;
    const char *source;
    size_t source_size;
    Value filename;
    Value source_lines;  /* for Code.source_lines */
    bool has_walrus;     /* the source contains ":=" */
    bool namespace_mode; /* the module's names live in the mapping in register 0 */
    bool of_library;     /* a part of the library: builtin names in it mean the builtins */
    bool failed;         /* an exception is pending, or `error` is filled in */
    ParseError error;
    PointerMap name_values;                   /* AstName -> interned str */
    PointerMap folded;                        /* AstExpr -> constant or VALUE_UNSET */
    PointerMap scope_codes;                   /* Scope -> ScopeCode */
    struct Warning *warnings, **last_warning; /* in the order of their finding */
    PointerMap annotations; /* AstStmt of an annotation that may not run -> its number + 1 */
} Codegen;

typedef struct Label {
    int32_t at;   /* word, -1 until placed */
    int32_t refs; /* last jump that waits for the label; each holds the one before in its imm; -1:
                     none */
    int32_t first_range; /* of the exception ranges that lead here, -1: none */
    bool reached;        /* by a jump, or by an exception */
    uint64_t *assigned;  /* variables assigned on every way that leads here */
} Label;
#define LABEL_NEW ((Label){-1, -1, -1, false, NULL})

typedef struct CodeRange { /* a row of the exception table */
    uint32_t start, end;
    Label *label;     /* the handler's, until it is placed */
    uint32_t handler; /* word, from then on */
    Reg reg;
} CodeRange;

/* The registers of an inlined comprehension that is being compiled. */
typedef struct Inlined {
    struct Inlined *outer;
    Scope *scope;
    Reg *locals, *cells; /* by Symbol.index */
    uint32_t first_bit;  /* of its locals in Unit.assigned */
    uint32_t start;      /* word from which on they exist */
} Inlined;

struct Unit {
    Codegen *gen;
    Unit *outer;
    Scope *code_scope; /* whose code this is */
    Scope *scope;      /* where names are looked up: code_scope or an inlined comprehension in it */
    ScopeCode *scope_code;
    Value name, qualname;
    uint32_t flags;    /* CODE_ */
    bool is_generator; /* of any kind: G forms and LINK 1 */
    uint32_t link;     /* 4 or 1 */

    Instr *instrs;
    Position *positions;
    uint32_t count, capacity;
    CodeRange *ranges;
    uint32_t range_count, range_capacity;
    LoopRange *loops;
    uint32_t loop_count, loop_capacity;
    bool iterates_param;                /* some for loop is over a parameter */
    InlinedVariable *inlined_variables; /* those of the comprehensions done so far */
    uint32_t inlined_count, inlined_capacity;
    Value *consts;
    uint32_t const_count, const_capacity;
    uint32_t *const_index; /* hash table: const number + 1 */
    uint32_t const_index_capacity;

    Reg *local_regs;  /* by place in code_scope->locals */
    Reg *cell_regs;   /* by place in code_scope->cells */
    Reg local_count;  /* Code.local_count */
    Reg variable_end; /* first temporary */
    Reg top, max;     /* temporaries in use end here; ended here at most */
    uint32_t param_count;
    bool wide;
    bool needs_wide; /* found out while compiling: do it again */
    Reg scratch;     /* wide: three for operands, then scratch_size for windows */
    uint32_t scratch_size, scratch_needed;

    uint64_t *assigned;      /* bits: locals by index, then the locals of inlined comprehensions */
    uint64_t *ever_assigned; /* by what is emitted so far */
    uint64_t *deleted;       /* locals that some statement of the unit unbinds */
    uint64_t *unset;         /* locals that must be unbound at entry */
    uint32_t bit_words, bit_count, next_bit;
    bool unset_all; /* the code asks for its locals as a dict */
    bool reachable;

    AstSpan span; /* position of what is emitted now */
    Block *block;
    uint32_t block_depth;
    Inlined *inlined;
};

/* What surrounds a statement and must be left in order by return, break and continue. */
typedef enum BlockKind {
    BLOCK_LOOP,
    BLOCK_TRY,     /* the body of try ... except: a protected range only */
    BLOCK_FINALLY, /* the body of try ... finally */
    BLOCK_WITH,
    BLOCK_ASYNC_WITH,
    BLOCK_HANDLER, /* an exception is being handled: `exception`, with the one before it in `saved`
                    */
    BLOCK_NAME,    /* the body of a handler with a name, which is unbound at its end */
} BlockKind;

struct Block {
    BlockKind kind;
    Block *outer;
    int64_t start;  /* word where the protected range begins, -1: none open */
    Label *handler; /* of the protected range */
    Reg exception;  /* that the handler receives; of a BLOCK_HANDLER also the handled exception */
    Reg saved;      /* BLOCK_HANDLER: the exception handled before */
    bool is_star;   /* BLOCK_HANDLER: of except*, which return, break and continue must not leave */
    AstName *name;  /* BLOCK_NAME */
    Label *on_break, *on_continue; /* BLOCK_LOOP */
    bool closes; /* BLOCK_LOOP: R[iterator] may be a generator to be closed on the way out */
    Reg iterator;
    const AstStmtSeq *finally; /* BLOCK_FINALLY */
    bool reopen;  /* the range was closed for code that leaves the block and goes on behind it */
    Reg exit;     /* with: the exit method, its self in the next register */
    AstSpan span; /* with: of the context expression; handler: of the handler */
};

typedef enum VarKind {
    VAR_REG,
    VAR_CELL,
    VAR_FREE,
    VAR_GLOBAL,
    VAR_NAME,           /* in the namespace in register 0, else global, else builtin */
    VAR_NAME_FREE,      /* class body: in the namespace, else the closure cell */
    VAR_CLASSDICT,      /* annotation scope: in the namespace of the class around, else global */
    VAR_CLASSDICT_FREE, /* ... else the closure cell */
} VarKind;

typedef struct Var {
    VarKind kind;
    Reg reg;       /* VAR_REG, VAR_CELL */
    uint32_t bit;  /* VAR_REG: in Unit.assigned */
    int32_t index; /* closure cell */
    AstName *name; /* mangled */
} Var;

/* ---- codegen.c: compilations and units ---- */
void *codegen_take(Codegen *gen,
                   size_t size); /* zeroed, NULL and failed when the arena is exhausted */
bool codegen_map_set(Codegen *gen, PointerMap *map, const void *key, uint64_t value);
bool codegen_map_get(const PointerMap *map, const void *key, uint64_t *value);
void codegen_error(Codegen *gen, AstSpan span, const char *format,
                   ...);         /* SyntaxError; the first one counts */
void codegen_fail(Codegen *gen); /* an exception is pending */
void codegen_poll(Codegen *gen); /* charges for a statement or an expression, and may fail */
Value codegen_name(Codegen *gen, const AstName *name);
Value codegen_text(Codegen *gen, const char *text); /* interned str */
Value codegen_module(Codegen *gen);                 /* the code of the tree */
typedef void (*UnitBody)(Unit *u, const void *node);
/* The code of a scope: body emits it; from the cache if there already. */
Value codegen_unit(Codegen *gen, Unit *outer, Scope *scope, const char *name, int32_t first_line,
                   UnitBody body, const void *node);
bool unit_is_visible(const Unit *u, Reg reg); /* the register of a variable, not a temporary */

/* ---- codegen_emit.c ---- */
void emit(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, int32_t imm);
void emit_named(Unit *u, Opcode op, uint32_t a, uint32_t b,
                AstName *mangled); /* GETATTR and its kind */
void emit_window(Unit *u, Opcode op, Reg a, Reg window, uint32_t c, int32_t imm, uint32_t count);
void emit_window_out(Unit *u, Opcode op, Reg window, Reg b, uint32_t c, int32_t imm,
                     uint32_t count);
void emit_collect(Unit *u, Opcode op, Reg collection, Reg source, uint32_t below);
void emit_jump(Unit *u, Opcode op, uint32_t a, uint32_t b, Label *label);
void emit_jump_full(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, Label *label);
void emit_goto(Unit *u, Label *label);
void emit_move(Unit *u, Reg dest, Reg src);
void emit_const(Unit *u, Value v, Reg dest);
void emit_none(Unit *u, Reg dest);
void emit_return(Unit *u, Reg src);
void emit_return_const(Unit *u, Value v);
void emit_end(Unit *u);                           /* what follows is not reached from here */
Reg emit_scratch_window(Unit *u, uint32_t count); /* low registers for a window, wide mode */
uint32_t emit_const_index(Unit *u, Value v);
void emit_label(Unit *u, Label *label);
void emit_loop_head(Unit *u, Label *label);
void emit_label_reach(
    Unit *u, Label *label); /* from here and from what follows: of a handler or a loop's body */
Reg emit_temp(Unit *u);
Reg emit_temps(Unit *u, uint32_t count);
void emit_range_open(Unit *u, Block *block);
void emit_range_close(Unit *u, Block *block);
void emit_at(Unit *u, AstSpan span);
bool emit_prologue(Unit *u);
void emit_thread_jumps(Unit *u);
void emit_reciprocal(Unit *u, Value divisor); /* into the data word of the division just emitted */
void emit_pair(Unit *u,
               Reg mark); /* the last two, if possible; temporaries from mark on are dead */

/* ---- codegen_name.c ---- */
Var name_resolve(Unit *u, AstName *id);
Var name_resolve_text(Unit *u, const char *text);
void name_load(Unit *u, const Var *var, Reg dest);
void name_check(Unit *u, const Var *var);
void name_store(Unit *u, const Var *var, Reg src);
void name_assigned(Unit *u, const Var *var); /* VAR_REG: its register has just been written */
void name_delete(Unit *u, const Var *var);
void name_unbind(Unit *u, const Var *var);
uint32_t name_const(Unit *u, AstName *id); /* constant: the mangled name */
AstName *name_mangle(Unit *u, AstName *id);
AstName *name_intern(Unit *u, const char *text);
Reg name_closure(
    Unit *u,
    const Scope *inner); /* tuple of the cells that inner's code is closed over, or NO_REG */
int32_t name_free_index(const Unit *u, const AstName *mangled); /* in code_scope->frees, or -1 */
void name_find_deleted(Unit *u, AstStmtSeq body);

/* ---- codegen_expr.c ---- */
void expr_to(Unit *u, AstExpr *e, Reg dest);
Reg expr_any(Unit *u, AstExpr *e,
             Reg hint); /* hint: a temporary to use if one is needed, or NO_REG */
Reg expr_operand(Unit *u, AstExpr *e, Reg hint,
                 const AstExpr *later); /* stays valid while `later` is evaluated */
void expr_effect(Unit *u, AstExpr *e);
void expr_binary(Unit *u, AstOperator op, bool in_place, Reg dest, Reg left, AstExpr *right);
void expr_assign(Unit *u, AstExpr *target, Reg value);
bool expr_may_bind(const Unit *u, const AstExpr *e);
AstSpan expr_attribute_span(AstSpan span, const AstExpr *attribute);
void expr_yield(Unit *u, Opcode op, Reg dest, Reg value, uint32_t c);
void expr_await(Unit *u, Reg dest, Reg value, uint32_t kind);
void expr_get_slice(Unit *u, AstExpr *slice, Reg object, Reg dest, AstSpan span);
void expr_set_slice(Unit *u, AstExpr *slice, Reg object, Reg value, AstSpan span);
Reg expr_key(Unit *u, AstExpr *slice); /* the key of a subscript; slices are built */

/* ---- codegen_condition.c ---- */
void condition_jump(Unit *u, AstExpr *e, bool when, Label *label);
void condition_compare(Unit *u, AstCmpOp op, Reg left, AstExpr *right, bool when, Label *label);
void condition_value(Unit *u, AstExpr *e, Reg dest); /* a comparison, and, or */
bool condition_constant(Unit *u, AstExpr *e, bool *truth);

/* ---- codegen_display.c: lists, tuples, sets, dicts, f-strings ---- */
void display_to(Unit *u, AstExpr *e, Reg dest);
void display_list(Unit *u, AstExprSeq elements, Reg dest, bool is_call, AstSpan span);
void display_tuple(Unit *u, AstExprSeq elements, Reg dest, AstSpan span);
void display_string(Unit *u, AstExpr *e, Reg dest);
void display_template(Unit *u, AstExpr *e, Reg dest);

/* ---- codegen_call.c ---- */
void call_to(Unit *u, AstExpr *e, Reg dest);
/* A call whose callable stands in `window` already, with `given` arguments behind the links. */
void call_finish(Unit *u, Reg window, uint32_t given, AstExprSeq args, AstKeywordSeq keywords,
                 AstSpan span);
void call_simple(Unit *u, Reg window, uint32_t count);
void call_class(Unit *u, Reg window, AstExprSeq bases, AstKeywordSeq keywords, Reg generic_base,
                AstSpan span);
void call_method_pair(Unit *u, Reg window, Reg pair,
                      uint32_t count); /* of LDSPECIAL, `count` arguments placed */
bool call_super_attribute(Unit *u, AstExpr *e,
                          Reg dest); /* super().name; false: not of that form */

/* ---- codegen_comprehension.c ---- */
void comprehension_to(Unit *u, AstExpr *e, Reg dest);

/* ---- codegen_function.c ---- */
void function_statement(Unit *u, AstStmt *s);
void function_lambda(Unit *u, AstExpr *e, Reg dest);
/* MKFUNC: the parts that `bits` name stand in `count` registers from `window` on, right below the
 * top. */
void function_make(Unit *u, Value code, const Scope *scope, Reg window, uint32_t bits,
                   uint32_t count, Reg dest);
void function_make_def(Unit *u, AstStmt *s, Reg dest, bool with_defaults);
uint32_t function_defaults(Unit *u, const AstArguments *args,
                           AstSpan span);                /* into new temporaries; the bits */
Reg function_decorators(Unit *u, AstExprSeq decorators); /* evaluated; the first one's window */
void function_apply_decorators(Unit *u, AstExprSeq decorators, Reg first);
int32_t function_first_line(AstSpan span, AstExprSeq decorators);
void function_docstring(Unit *u, AstStmtSeq body);

/* ---- codegen_annotation.c: annotations, type parameters, type aliases ---- */
bool annotation_function(Unit *u, AstStmt *def,
                         Reg dest); /* a def's __annotate__; false: it has no annotations */
void annotation_statement(Unit *u, AstStmt *s);
void annotation_body_begin(Unit *u, AstStmtSeq body);
void annotation_body_end(Unit *u, AstStmtSeq body);
void annotation_type_params(Unit *u, AstTypeParamSeq params, Reg dest);
void annotation_type_alias(Unit *u, AstStmt *s);
void annotation_generic(Unit *u, AstStmt *s,
                        Reg dest); /* a generic function or class: calls its TYPE_PARAMS code */

/* ---- codegen_class.c ---- */
void class_statement(Unit *u, AstStmt *s);
void class_make(Unit *u, AstStmt *s, Reg window,
                Reg generic_base); /* generic_base: a base more, or NO_REG */
void class_note_attribute(Unit *u, const AstExpr *target); /* self.name is assigned */

/* ---- codegen_statement.c ---- */
void statement(Unit *u, AstStmt *s);
void statements(Unit *u, AstStmtSeq body);

/* ---- codegen_assign.c ---- */
void assign_statement(Unit *u, AstStmt *s);
void assign_augmented(Unit *u, AstStmt *s);
void assign_delete(Unit *u, AstExpr *target);

/* ---- codegen_loop.c ---- */
void loop_for(Unit *u, AstStmt *s);
void loop_async_for(Unit *u, AstStmt *s);
void loop_while(Unit *u, AstStmt *s);
void loop_exit(Unit *u, AstStmt *s);
Label *loop_exit_label(Unit *u, AstStmtSeq body); /* where a body goes that is one break or continue
                                                     that unwinds nothing, else NULL */
void loop_return(Unit *u, AstStmt *s);
/* The last instruction, if it is the call `e` into `reg`, makes what only the one at `user` takes.
 */
void loop_mark_temporary(Unit *u, const AstExpr *e, Reg reg, uint32_t last, uint32_t user);
void loop_note(Unit *u, uint32_t start, Reg iterator); /* a loop over it that ends here */
void loop_next(Unit *u, Reg iterator, Reg item,
               Label *body); /* FORITER; item may be a register beyond 255 */
void loop_store_item(Unit *u, AstExpr *target,
                     Reg item); /* at the start of the body: assigns the item */
void loop_async_next(Unit *u, Reg iterator, Reg item, Label *end, Reg exception);

/* ---- codegen_try.c, codegen_with.c ---- */
void try_statement(Unit *u, AstStmt *s);
void try_star_statement(Unit *u, AstStmt *s);
void try_push(Unit *u, Block *block, BlockKind kind);
void try_pop(Unit *u, Block *block);
void try_leave(Unit *u, const Block *stop); /* emits what leaving every block up to `stop` takes */
void try_leave_done(Unit *u, const Block *stop,
                    Block *innermost); /* behind the jump: the ranges go on */
/* Handlers: R[exception] is handled from here on; what is raised meanwhile goes to the cleanup,
 * which _end emits after `end` of the whole statement was jumped to or the exception was raised
 * again. */
void try_handler_begin(Unit *u, Block *block, Label *cleanup, Reg exception);
void try_handler_end(Unit *u, Block *block);
bool try_needs_code(const Unit *u,
                    const Block *stop); /* whether leaving up to `stop` takes any code */
void with_statement(Unit *u, AstStmt *s);
void with_leave(Unit *u, Block *block);

/* ---- codegen_match.c ---- */
void match_statement(Unit *u, AstStmt *s);

/* ---- codegen_warning.c: SyntaxWarnings ---- */
void warning_of_source(Codegen *gen); /* takes over those of the parser */
void warning_show_all(Codegen *gen);  /* writes them to the standard error stream */
void warning_of_assert(Codegen *gen, const AstStmt *s);
void warning_of_compare(Codegen *gen, const AstExpr *e);
void warning_of_call(Codegen *gen, const AstExpr *e);
void warning_of_subscript(Codegen *gen, const AstExpr *e);
void warning_of_finally(Codegen *gen, AstStmtSeq body);

/* ---- fold.c ---- */
Value fold_expr(Codegen *gen, AstExpr *e); /* the constant that the expression is, or VALUE_UNSET */
Value fold_container(Codegen *gen,
                     AstExpr *e); /* for `in` and `for`: a constant display as tuple or frozenset */
Value fold_constant(Codegen *gen, const AstConstant *constant);
bool fold_truth(GenVM *vm, Value v);

#endif
