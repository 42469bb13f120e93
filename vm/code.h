/* code.h - compiled code: instructions, constants, and the tables that say where they came from.
 *
 * An instruction is one 64-bit word, little-endian: op8 | a8 << 8 | b8 << 16 | c8 << 24 | imm32
 * << 32. a, b, c name registers of the frame unless opcodes.def says otherwise; imm is signed. Jump
 * distances are in instruction words from the word after the instruction. Some instructions are
 * followed by data words (caches), each led by an OP_SKIP so that the stream can be resumed at any
 * word.
 */
#ifndef GEN_CODE_H
#define GEN_CODE_H

#include "vm/vm.h"

typedef enum Opcode {
#define OP(name, words, format) OP_##name,
#include "vm/opcodes.def"
#undef OP
    OP_COUNT
} Opcode;

typedef enum Intrinsic { /* operand c of INTRINSIC */
#define INTRINSIC(name) INTRINSIC_##name,
#include "vm/intrinsics.def"
#undef INTRINSIC
} Intrinsic;

static inline Instr instr_make(Opcode op, unsigned a, unsigned b, unsigned c, int32_t imm) {
    return (Instr)op | (Instr)(a & 255) << 8 | (Instr)(b & 255) << 16 | (Instr)(c & 255) << 24 |
           (Instr)(uint32_t)imm << 32;
}
static inline Opcode instr_op(Instr i) {
    return (Opcode)(i & 255);
}
static inline unsigned instr_a(Instr i) {
    return (i >> 8) & 255;
}
static inline unsigned instr_b(Instr i) {
    return (i >> 16) & 255;
}
static inline unsigned instr_c(Instr i) {
    return (i >> 24) & 255;
}
static inline int32_t instr_imm(Instr i) {
    return (int32_t)(i >> 32);
}

/* Operand c of FORMAT: JOINSTR takes the result, so a small int or an immediate float may stay what
 * it is. */
enum { FORMAT_PART = 4 };

/* The data word of FLOORDIVK and MODK, which begins with its opcode as all do: the quotient of a
 * small int below 2^31 is the upper half of that int, tag and all, times the word. OP_SKIP1 alone:
 * there is no such factor. */
enum { RECIPROCAL_BITS = 31 };
Instr code_reciprocal(Value divisor);

typedef struct ExceptionRange { /* innermost first in the table */
    uint32_t start, end;        /* words: start <= pc of the raising instruction < end */
    uint32_t handler;           /* word */
    uint32_t reg;               /* register that receives the exception */
} ExceptionRange;

typedef struct InlinedVariable { /* of a comprehension that is compiled into the code around it */
    uint32_t start, end;         /* words between which it exists */
    uint32_t reg;
    uint32_t name; /* constant */
} InlinedVariable;

typedef struct LoopRange { /* words of a for loop, and the register of its iterator */
    uint32_t start, end, reg;
} LoopRange;

typedef struct Position { /* of one instruction word; line 0: none */
    uint32_t line, end_line;
    uint32_t col, end_col; /* UTF-8 byte offsets in their lines, 0-based */
} Position;

enum { /* CodeObject.flags; the first values are CPython's co_flags */
       CODE_OPTIMIZED = 1,
       CODE_NEWLOCALS = 2,
       CODE_VARARGS = 4,
       CODE_VARKEYWORDS = 8,
       CODE_NESTED = 16,
       CODE_GENERATOR = 32,
       CODE_COROUTINE = 128,
       CODE_ITERABLE_COROUTINE = 256,
       CODE_ASYNC_GENERATOR = 512,
       CODE_HAS_DOCSTRING = 0x4000000,
       CODE_METHOD = 0x8000000,
       CODE_NAMESPACE = 1 << 16, /* a class body or module: names live in a dict, register 0 holds
                                    it in class bodies */
       CODE_MODULE = 1 << 17,
       CODE_CLASS = 1 << 18,
       CODE_STUB = 1 << 20, /* the code of continuation frames */
       CODE_PRELUDE =
           1 << 19, /* the engine's own Gen code: hidden from tracebacks and frame walks */
};

/* How the arguments of a call with keywords become parameters of a plain function: bind_function.c.
 */
enum { CODE_PLANS = 4, CODE_PLAN_PARAMS = 32 };
typedef struct CodePlan {
    Value names;           /* of the keywords: the tuple of the calling code */
    uint8_t given;         /* arguments before them */
    uint8_t first_default; /* the first parameter that takes its default; UINT8_MAX: none */
    bool named_defaults;   /* keyword-only parameters do, too */
    uint8_t from[CODE_PLAN_PARAMS];
} CodePlan;

typedef struct Code {
    Object header; /* kind TYPE_CODE */
    Instr *instrs;
    uint32_t instr_count;
    uint32_t const_count;
    Value *consts;
    uint32_t regs; /* registers of a frame, parameters and temporaries included */
    uint32_t flags;
    uint32_t arg_count; /* positional parameters (positional-only included) */
    uint32_t posonly_count, kwonly_count;
    uint32_t local_count; /* registers 0..local_count-1 are the locals, parameters first (then
                           *args, **kwargs) */
    uint32_t first_line;
    uint32_t range_count;
    ExceptionRange *ranges;
    Position *positions; /* one per instruction word */
    Tuple *varnames;     /* names of the local registers; co_varnames */
    Tuple *
        cellvars; /* names of locals that live in cells; cell_regs[i] is the register of the i-th */
    Tuple *freevars; /* names, in closure order */
    uint32_t *cell_regs;
    uint32_t loop_count;
    LoopRange *loops;         /* those that may be over a generator; innermost first */
    uint32_t iterated_params; /* bit p: all that the code does with parameter p is to iterate it */
    uint32_t inlined_count;
    InlinedVariable *inlined;       /* innermost first */
    Value name, qualname, filename; /* str */
    Value doc;                      /* str or VALUE_NONE */
    Value source_lines; /* VALUE_UNSET, or the source as str where it is not a file (-c, REPL) */
    Buffer *plans;      /* CODE_PLANS of CodePlan, by their names; NULL before there is one */
    Bytes *image; /* its SHA-256 (16 bytes of it) and its serial form, once they were wanted: see
                     image_code.c */
    const uint8_t *frozen; /* NULL, or the instructions, constants and tables of the library's code
                              while nobody has called it: image_code.c */
    const uint8_t *frozen_start; /* of its module */
    Tuple *frozen_names;
    Buffer *storage[7]; /* what the pointers above point into: instrs consts ranges positions
                           cell_regs inlined loops */
} Code;

bool image_thaw_body(GenVM *vm, struct Code *code);
/* Before the arrays of a code are looked at that may never have been called. False with MemoryError
 * pending. */
static inline bool code_thaw(GenVM *vm, const Code *code) {
    return likely(!code->frozen) || image_thaw_body(vm, (Code *)(uintptr_t)code);
}

Code *code_new(GenVM *vm); /* empty; NULL with MemoryError pending */
uint32_t code_window_size(const Code *code,
                          Instr instr); /* how many registers its window operand spans */

typedef enum CodePart {
    CODE_INSTRS,
    CODE_CONSTS,
    CODE_RANGES,
    CODE_POSITIONS,
    CODE_CELL_REGS,
    CODE_INLINED,
    CODE_LOOPS
} CodePart;
/* `size` bytes for one of the arrays, which the Code then points to; NULL with MemoryError pending.
 * The caller sets the counts, and fills the room before anything else can see the Code. */
void *code_reserve(GenVM *vm, Code *code, CodePart part, size_t size);

typedef struct OpInfo {
    const char *name;
    uint8_t words;
    char format[5]; /* a, b, c, imm: see opcodes.def */
} OpInfo;
extern const OpInfo
    code_op_info[256]; /* indexed by Opcode; numbers that are none have 1 word and no name */

/* The two instructions that a pair (pairs.def) stands for; for others `first` is the opcode itself.
 */
typedef struct OpPair {
    uint8_t first, second; /* second: OP_NOP where there is no pair */
} OpPair;
OpPair code_pair(Opcode op);
bool code_falls_through(Opcode op); /* can the instruction behind it come next? */

/* Is GETITER all that reads the register? */
bool code_only_iterates(const Code *code, uint32_t reg);

/* A listing of the instructions, one line each, and of the codes among the constants: a str. */
Value code_disassemble(GenVM *vm, Code *code);

/* Checks the structure: known instructions, registers and constants that exist, jumps to
 * instructions, windows inside the frame. False with a message; with an empty one, as with the
 * other checks here, there was no memory to find out. */
bool code_verify(GenVM *vm, const Code *code, char *message, size_t size);

/* The same for code that comes out of an image, and more: parameters and names that the binder
 * finds, constants of the kinds that instructions take for granted, and registers that hold what
 * they are used as, whichever way the code runs. Nothing that the interpreter does with it can go
 * wrong. */
bool code_verify_image(GenVM *vm, const Code *code, char *message, size_t size);

/* Whether `regs` can be the registers of a frame of (verified) code that stands before `word`. */
typedef struct FrameCheck {
    uint32_t word;
    uint32_t
        count; /* registers that are the frame's own; what is behind must not be read any more */
    uint32_t dest;       /* the register that the frame's callee stores in; UINT32_MAX: none */
    uint32_t dest_count; /* if not 0: as many registers, by the instruction itself */
    bool iterator;       /* what is stored is an iterator */
    bool raises;         /* the callee never returns: it can only raise */
    bool trusted; /* ... is what the code wants there: the library's own functions see to it */
} FrameCheck;
bool code_check_frame(GenVM *vm, const Code *code, const FrameCheck *check, const Value *regs,
                      char *message, size_t size);
/* Sets holds[i] to whether register i of such a frame can hold anything that will be read; false:
 * it cannot be told. */
bool code_frame_contents(GenVM *vm, const Code *code, uint32_t word, uint8_t *holds);
bool code_verify_flow(GenVM *vm, const Code *code, char *message,
                      size_t size); /* the half of it in verify_flow.c */

/* What the compiler emitted where the interpreter has written a form of its own (OP_X_SUFFIX). */
Opcode code_generic_op(const Code *code, Opcode op);

/* The instruction that a frame standing before `word` is in or has done: `word` is behind its first
 * word or its last. OP_COUNT: none. */
Opcode code_op_before(const Code *code, uint32_t word);
static inline bool op_is_delegation(Opcode op) {
    return op == OP_YIELDFROM || op == OP_YIELDFROMH;
}

/* imm of YIELDFROMH: where the exception is that is handled in the frame, and where the one is kept
 * that its resumer handles. */
enum { HANDLING_REGS = 1 << 15 }; /* registers beyond are none for it */
static inline int32_t code_handling(uint32_t exception, uint32_t outer) {
    return (int32_t)(exception | outer << 16);
}
static inline uint32_t handling_exception(Instr instr) {
    return (uint32_t)instr_imm(instr) & 0xFFFF;
}
static inline uint32_t handling_outer(Instr instr) {
    return (uint32_t)instr_imm(instr) >> 16;
}
Instr code_instr_before(const Code *code, uint32_t word); /* the same; 0: none does */

#endif
