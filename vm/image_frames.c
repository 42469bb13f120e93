/* image_frames.c - functions and suspended generators in images.
 *
 * A generator is saved with its place in the code and the registers that hold something: its
 * variables (which scripts can see), and of the temporaries those that will be read again
 * (liveness.c), each as
 *
 *     varint     distance from the register before, plus one, times two; plus one where the value
 * is followed by a word: a generator not started yet, which the instruction there alone will take
 * (generator.h). The list ends with 0 value
 *
 * What it delegates to is one of them; the links between the two are found again at
 * the first resume (generator_leaf).
 *
 * While an image is being read its generators are finished ones, so that nothing wakes them should
 * it be refused. The last check makes them what they were.
 */
#include "vm/continue.h"
#include "vm/image_private.h"
#include "vm/type_private.h"

/* ---- functions ---- */

void save_function_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, image_number_of(w, &((Function *)object)->code->header));
}

void save_function_body(ImageWriter *w, Object *object) {
    const Function *function = (const Function *)object;
    image_want_globals(w, function->globals, function->code);
    if (w->failed) return;
    image_put_number(w->out, image_number_of(w, &function->globals->header));
    image_put_byte(w->out, function->header.flags & (LIKE_NATIVE | NEVER_METHOD));
    image_put_pointer(w, function->closure);
    image_put_pointer(w, function->defaults);
    image_put_pointer(w, function->kwdefaults);
    image_put_pointer(w, function->dict);
    const Value values[] = {function->name,       function->qualname, function->module,
                            function->doc,        function->annotate, function->annotations,
                            function->type_params};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        image_put_value(w, values[i]);
}

Object *load_function_shell(ImageReader *r) {
    uint64_t code = image_get_number(r);
    if (code >= r->made || r->objects[code]->kind != TYPE_CODE)
        return image_bad(r, "a function without code"), NULL;
    Function *function = function_new(r->vm, (Code *)r->objects[code], NULL);
    return function ? &function->header : NULL;
}

bool load_function_body(ImageReader *r, Object *object) {
    Function *function = (Function *)object;
    uint64_t globals = image_get_number(r);
    if (globals >= r->made || r->objects[globals]->kind != TYPE_DICT)
        return image_bad(r, "a function without globals");
    function->globals = (Dict *)r->objects[globals];
    function->header.flags |= image_get_number(r) & (LIKE_NATIVE | NEVER_METHOD);
    if (!image_get_pointer(r, TYPE_TUPLE, &function->closure) ||
        !image_get_pointer(r, TYPE_TUPLE, &function->defaults) ||
        !image_get_pointer(r, TYPE_DICT, &function->kwdefaults) ||
        !image_get_pointer(r, TYPE_DICT, &function->dict) ||
        !image_get_kind(r, TYPE_STR, &function->name) ||
        !image_get_kind(r, TYPE_STR, &function->qualname))
        return false;
    Value *const rest[] = {&function->module, &function->doc, &function->annotate,
                           &function->annotations, &function->type_params};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (!image_get_optional(r, rest[i])) return false;
    if (function->dict) {
        uint32_t shape = shape_dict(r->vm, r->vm->shapes[object->shape].type);
        if (shape == SHAPE_NONE) return false;
        object->shape = shape;
    }
    gc_barrier(r->vm, function);
    return true;
}

static bool check_function(ImageReader *r, const Function *function) {
    const Code *code = function->code;
    uint64_t cells = code->freevars ? code->freevars->count : 0;
    uint64_t closed = function->closure ? function->closure->count : 0;
    if (cells != closed) return image_bad(r, "a function with a closure of another size");
    for (uint64_t i = 0; i < closed; i++)
        if (!is_kind(function->closure->items[i], TYPE_CELL))
            return image_bad(r, "a function whose closure holds no cells");
    if (function->defaults && function->defaults->count > code->arg_count)
        return image_bad(r, "a function with more defaults than parameters");
    bool annotated =
        function->annotations == VALUE_UNSET || is_kind(function->annotations, TYPE_DICT);
    bool generic =
        function->type_params == VALUE_UNSET || is_kind(function->type_params, TYPE_TUPLE);
    return (annotated && generic) || image_bad(r, "a function with attributes of wrong types");
}

/* ---- generators ---- */

/* Of its flags those that say who alone knows it, and has to close it. */
enum { GENERATOR_OF_OTHERS = GENERATOR_OF_LOOP | GENERATOR_OF_PARAMETER };

static uint8_t saved_flags(const Object *object) {
    if (object->kind == TYPE_ASYNC_GENERATOR) return AGEN_RUNNING | AGEN_CLOSED;
    return GENERATOR_OF_OTHERS | (object->kind == TYPE_COROUTINE ? COROUTINE_ORIGIN : 0);
}

/* An async generator's finalizer, a coroutine's origin. */
static bool is_hooked(const Object *object) {
    return object->kind == TYPE_ASYNC_GENERATOR ||
           (object->kind == TYPE_COROUTINE && object->flags & COROUTINE_ORIGIN);
}

void save_generator_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, image_number_of(w, &generator_function((Generator *)object)->header));
    image_put_class(w, object);
    image_put_byte(w->out, object->flags & saved_flags(object));
}

static uint32_t word_of(const Generator *generator, const Code *code) {
    return (uint32_t)(generator->pc - code->instrs);
}

/* Where one stands that runs in the frames of a task that is saved; NULL: it runs elsewhere. */
static const ImageRunning *running_of(const ImageWriter *w, const Generator *generator) {
    for (uint32_t i = 0; i < w->running_count; i++)
        if (w->running[i].generator == generator) return &w->running[i];
    return NULL;
}

/* Is it the iterator that a `yield from` under way goes through. */
static bool is_delegate_register(const Code *code, uint32_t reg, uint32_t word) {
    return op_is_delegation(code_op_before(code, word)) &&
           instr_b(code_instr_before(code, word)) == reg;
}

/* Does the register hold something that matters? */
static bool is_wanted(GenVM *vm, const Generator *generator, const Code *code, uint32_t reg,
                      uint32_t word) {
    Value v = generator->regs[reg];
    if (image_is_variable(code, reg, word) || !is_object(v)) return v != 0;
    return is_delegate_register(code, reg, word) || image_is_looped(code, reg, word) ||
           frame_register_is_live(vm, code, reg, word) ||
           (generator->header.state == GENERATOR_RUNNING &&
            frame_register_is_live(vm, code, reg, image_other_word(code, word)));
}

void image_put_register(ImageWriter *w, const Code *code, uint32_t distance, Value v) {
    const Instr *taker = NULL;
    if (is_kind(v, TYPE_GENERATOR) && generator_unstarted(AS(Generator, v)))
        taker = AS(Generator, v)->exit_pc;
    bool marked = taker >= code->instrs && taker < code->instrs + code->instr_count;
    image_put_number(w->out, (uint64_t)distance << 1 | marked);
    image_put_value(w, v);
    if (marked) image_put_number(w->out, (uint64_t)(taker - code->instrs));
}

/* Who has made a coroutine that is not started is told when it never is. */
static bool is_new_coroutine(const Generator *generator, GeneratorState state) {
    return generator->header.kind == TYPE_COROUTINE && state == GENERATOR_SUSPENDED &&
           generator->pc == generator_function((Generator *)(uintptr_t)generator)->entry;
}

static void put_maker(ImageWriter *w, const Generator *coroutine) {
    Value maker = coroutine->dest ? (Value)(uintptr_t)coroutine->dest : VALUE_UNSET;
    if (!w->whole || !is_kind(maker, TYPE_FUNCTION) || continue_is_stub(w->vm, AS(Function, maker)))
        maker = VALUE_UNSET;
    image_put_value(w, maker);
    if (maker == VALUE_UNSET) return;
    const Code *code = AS(Function, maker)->code;
    uint64_t word = (uint64_t)(coroutine->exit_pc - code->instrs);
    image_put_number(w->out, word > code->instr_count ? 0 : word);
}

void save_generator_body(ImageWriter *w, Object *object) {
    Generator *generator = (Generator *)object;
    const Code *code = generator_function(generator)->code;
    const ImageRunning *running =
        object->state == GENERATOR_RUNNING ? running_of(w, generator) : NULL;
    if (object->state == GENERATOR_RUNNING && !running) {
        image_refuse(w, object, "is running and cannot be saved");
        return;
    }
    image_put_byte(w->out, object->state);
    if (is_hooked(object)) image_put_value(w, *generator_hook(generator));
    if (object->state == GENERATOR_DONE) {
        image_put_extra(w, object);
        return;
    }
    uint32_t word = running ? running->word : word_of(generator, code);
    image_put_number(w->out, word);
    if (running)
        image_put_pointer(w, generator->parent && generator->root ? generator->root : NULL);
    if (is_new_coroutine(generator, (GeneratorState)object->state)) put_maker(w, generator);
    uint32_t last = 0;
    for (uint32_t reg = 0; reg < code->regs && !w->failed; reg++) {
        if (!is_wanted(w->vm, generator, code, reg, word)) {
            if (w->clears && is_object(generator->regs[reg])) generator->regs[reg] = VALUE_UNSET;
            continue;
        }
        image_put_register(w, code, reg - last + 1, generator->regs[reg]);
        last = reg;
    }
    image_put_number(w->out, 0);
    image_put_extra(w, object);
}

/* Types whose instances may be generators in another coat. */
static bool is_coat(const Type *type, TypeId kind) {
    switch (type->instance_kind) {
    case TYPE_COAT:
    case TYPE_MAP:
    case TYPE_FILTER:
    case TYPE_ENUMERATE:
    case TYPE_ZIP:
    case TYPE_SEQUENCE_ITERATOR:
    case TYPE_CALLABLE_ITERATOR:
    case TYPE_COROUTINE_WRAPPER:
    case TYPE_ASYNC_GENERATOR_STEP:
    case TYPE_ASYNC_GENERATOR_THROW:
    case TYPE_ANEXT_AWAITABLE: return kind == TYPE_GENERATOR;
    default: return type->instance_kind == kind;
    }
}

Object *load_generator_shell(ImageReader *r) {
    enum { GENERATOR_CODE = CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR };
    uint64_t number = image_get_number(r), class = image_get_number(r), flags = image_get_number(r);
    if (number >= r->made || r->objects[number]->kind != TYPE_FUNCTION)
        return image_bad(r, "a generator without a function"), NULL;
    Function *function = (Function *)r->objects[number];
    if (!(function->code->flags & GENERATOR_CODE))
        return image_bad(r, "a generator of a plain function"), NULL;
    Generator *generator = generator_remake(r->vm, function, flags & COROUTINE_ORIGIN);
    if (!generator) return NULL;
    generator->header.state = GENERATOR_DONE;
    generator->header.flags |= (uint8_t)flags & saved_flags(&generator->header);
    generator->dest = NULL;
    generator->exit_pc = NULL;
    if (class == 0) return &generator->header;
    if (class > r->made || r->objects[class - 1]->kind != TYPE_TYPE ||
        !is_coat((Type *)r->objects[class - 1], (TypeId)generator->header.kind))
        return image_bad(r, "a generator of a class that is none for generators"), NULL;
    generator = generator_wear(r->vm, generator, (Type *)r->objects[class - 1]);
    return generator ? &generator->header : NULL;
}

/* Until image_check_frames the generator is a finished one; `dest`, which only a running one has,
 * holds the state to come. */
static void note_state(Generator *generator, GeneratorState state) {
    generator->dest = (Value *)((uintptr_t)(GENERATOR_DONE - state) * sizeof(Value));
}

GeneratorState image_generator_state(const Generator *generator) {
    return (GeneratorState)(GENERATOR_DONE - (uintptr_t)generator->dest / sizeof(Value));
}

bool image_get_register(ImageReader *r, const Code *code, uint32_t *reg, Value *regs, bool *more) {
    uint64_t number = image_get_number(r), distance = number >> 1;
    if (r->vm->exception != VALUE_UNSET) return false;
    *more = number != 0;
    if (number == 0) return true;
    if (distance - 1 >= code->regs - (uint64_t)*reg)
        return image_bad(r, "a register that is not there");
    *reg += (uint32_t)(distance - 1);
    if (!image_get_optional(r, &regs[*reg])) return false;
    if (!(number & 1)) return true;
    uint64_t word = image_get_number(r);
    if (!is_kind(regs[*reg], TYPE_GENERATOR) || word >= code->instr_count)
        return image_bad(r, "a generator that nobody takes");
    AS(Generator, regs[*reg])->exit_pc = code->instrs + word;
    return true;
}

/* Until it comes to life the maker is its `root`. */
static bool get_maker(ImageReader *r, Generator *coroutine) {
    Function *maker;
    uint32_t word;
    if (!image_get_pointer(r, TYPE_FUNCTION, &maker)) return false;
    coroutine->root = (Generator *)(void *)maker;
    if (!maker) return true;
    if (!image_get_u32(r, &word) || !code_thaw(r->vm, maker->code)) return false;
    if (word > maker->code->instr_count) return image_bad(r, "a coroutine made beyond all code");
    coroutine->exit_pc = maker->code->instrs + word;
    return true;
}

bool load_generator_body(ImageReader *r, Object *object) {
    Generator *generator = (Generator *)object;
    const Code *code = generator_function(generator)->code;
    uint64_t state = image_get_number(r);
    if (state > GENERATOR_DONE || (state == GENERATOR_RUNNING && r->root != IMAGE_ROOT_TASK))
        return image_bad(r, "a generator in an unknown state");
    note_state(generator, (GeneratorState)state);
    if (is_hooked(object) && !image_get_optional(r, generator_hook(generator))) return false;
    if (object->kind == TYPE_COROUTINE && is_hooked(object) &&
        !is_kind(*generator_hook(generator), TYPE_TUPLE))
        return image_bad(r, "a coroutine's origin that is none");
    if (state == GENERATOR_DONE) return image_get_extra(r, object);
    uint32_t word, reg = 0;
    if (!image_get_u32(r, &word) || !code_thaw(r->vm, code)) return false;
    if (word > code->instr_count) return image_bad(r, "a generator beyond its code");
    generator->pc = code->instrs + word;
    if (state == GENERATOR_RUNNING) {
        Value root;
        r->running++;
        if (!image_get_optional(r, &root)) return false;
        if (root != VALUE_UNSET && !is_generator_like(root))
            return image_bad(r, "a root that is none");
        generator->root = root == VALUE_UNSET ? NULL : AS(Generator, root);
    }
    if (is_new_coroutine(generator, (GeneratorState)state) && !get_maker(r, generator))
        return false;
    for (bool more = true; more;)
        if (!image_get_register(r, code, &reg, generator->regs, &more)) return false;
    return image_get_extra(r, object);
}

/* ---- when all is loaded ---- */

Value image_generator_delegate(const Generator *generator) {
    return generator->regs[instr_b(generator->pc[-1])];
}

static bool check_place(ImageReader *r, const Generator *generator) {
    const Code *code = generator_function((Generator *)generator)->code;
    GeneratorState state = image_generator_state(generator);
    uint32_t word = word_of(generator, code);
    char message[120];
    if (state == GENERATOR_RUNNING) return true; /* image_task.c sees to it */
    if (word == 0 && state != GENERATOR_SUSPENDED)
        return image_bad(r, "a generator that waits nowhere");
    if (word > 0) {
        Opcode op = code_op_before(code, word);
        bool from = op_is_delegation(op);
        bool yields = op == OP_YIELD || op == OP_YIELDWRAP || from;
        if (state == GENERATOR_SUSPENDED ? !yields : !from)
            return image_bad(r, "a generator that stands at no yield");
    }
    if (state == GENERATOR_ITERATING && image_generator_delegate(generator) == VALUE_UNSET)
        return image_bad(r, "a generator that delegates to none");
    if (state == GENERATOR_DELEGATING &&
        !is_kind(image_generator_delegate(generator), TYPE_GENERATOR) &&
        !is_kind(image_generator_delegate(generator), TYPE_COROUTINE))
        return image_bad(r, "a generator that delegates to none");
    FrameCheck check = {.word = word, .count = code->regs, .dest = UINT32_MAX};
    /* A yield has stored None already: a loop that goes on with it stores nothing. */
    if (state != GENERATOR_SUSPENDED) check.dest = instr_a(code_instr_before(code, word));
    if (code_check_frame(r->vm, code, &check, generator->regs, message, sizeof message))
        return true;
    return image_bad_code(r, "generator", code, message);
}

/* Delegation must end. What is known to end has its flags cleared: each generator is passed twice.
 */
static bool check_delegation(ImageReader *r, Generator *start) {
    uint64_t steps = 0;
    for (Generator *at = start; image_generator_state(at) == GENERATOR_DELEGATING && !at->parent;
         at = AS(Generator, image_generator_delegate(at)))
        if (++steps > r->count) return image_bad(r, "generators that delegate in a circle");
    for (Generator *at = start; image_generator_state(at) == GENERATOR_DELEGATING && !at->parent;
         at = AS(Generator, image_generator_delegate(at)))
        at->parent = at; /* passed */
    return true;
}

static bool check_all(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        Object *object = r->objects[i];
        r->current = i;
        if (r->tags[i] == IMAGE_FUNCTION && !check_function(r, (Function *)object)) return false;
        if (r->tags[i] == IMAGE_GENERATOR &&
            image_generator_state((Generator *)object) != GENERATOR_DONE &&
            !check_place(r, (Generator *)object))
            return false;
        if (i % 64 == 0 && !native_charge(r->vm, 64)) return false;
    }
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tags[i] == IMAGE_GENERATOR && !check_delegation(r, (Generator *)r->objects[i]))
            return false;
    return true;
}

/* Nothing can be refused any more. */
static void bring_to_life(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        Object *object = r->objects[i];
        if (r->tags[i] == IMAGE_GENERATOR) {
            Generator *generator = (Generator *)object;
            generator->parent = NULL;
            object->state = (uint8_t)image_generator_state(generator);
            bool made = object->kind == TYPE_COROUTINE && generator_unstarted(generator);
            generator->dest =
                made && generator->root ? (Value *)(object_value(generator->root)) : NULL;
            if (made) generator->root = NULL;
            if (!generator_unstarted(generator)) generator->exit_pc = NULL;
        }
        if (r->tags[i] == IMAGE_INSTANCE &&
            type_find_special(r->vm, type_of(r->vm, object_value(object)), SP_DEL) != VALUE_UNSET)
            gc_finalizable(r->vm, object);
    }
}

bool image_check_frames(ImageReader *r, Value *root) {
    if (!check_all(r) || !image_build_task(r) || !image_take_root(r, root) ||
        !image_take_weakrefs(r))
        return false;
    bring_to_life(r);
    image_forget_finalized(r);
    image_take_files(r);
    image_start_task(r);
    return true;
}
