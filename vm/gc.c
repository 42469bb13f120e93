/* gc.c - the heap: size-class blocks, a non-moving generational collector, accounting.
 *
 *   small objects   32 KB blocks, aligned to their size; all cells of a block have one size. A
 * bitmap in the block's head has a bit per 16 bytes, set at the start of each marked object.
 * Allocation bumps through the runs of unmarked cells between marked ones, so sweeping is what
 * allocation does anyway. large objects   malloc, listed in heap->large, freed by the collection
 * that finds them unmarked. starter         the first block of a VM, from which all size classes
 * take short runs until it is full, so that a small VM touches few pages; what dies there is not
 * used again.
 *
 * Generations are sticky mark bits: a minor collection keeps the marks of the last one, so marked =
 * old, and traces only what is reachable from the roots and from remembered old objects (those a
 * barrier saw changed). A full collection clears the marks first. All of this happens at
 * safepoints; see gc.h for the rule.
 *
 * On a big heap a collection is made in slices, a CYCLE, between which the program goes on:
 *
 *     clear marks, so many blocks a slice | mark from the roots, so many bytes a slice | finish
 *     (a full one only)
 *
 * The same barrier that keeps generations right keeps a cycle right: what was marked and is changed
 * is remembered and traced again at the end, when the roots are, too. Meanwhile no free cell can be
 * told from one not yet marked: so allocation takes new blocks, and there are no minor collections.
 * Each slice marks several times the bytes that ask for the next one, which bounds both.
 */
#include "vm/gc.h"
#include "vm/frame.h"
#include "vm/generator.h"
#include "vm/finalize.h"
#include "vm/identity.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/weak.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BLOCK_SIZE = 32768,
    GRANULE = GC_GRANULE,
    BITMAP_WORDS = BLOCK_SIZE / GRANULE / 64,
    SMALL_LIMIT = GC_SMALL, /* up to here a size class every 16 bytes */
    BLOCK_LIMIT = 8192,     /* larger objects are malloc's */
    CLASS_COUNT = SMALL_LIMIT / GRANULE + 10,
    STARTER = CLASS_COUNT, /* has the starter block, and no cells of its own */
    CLASSES_IN_ALL,
    LINE = 128,           /* bytes of the starter block that are of one size class */
    STARTER_SIZE = 24576, /* of its BLOCK_SIZE bytes it has these */
    STARTER_RUN = 512,    /* bytes that a class takes of it at once, at most; or one cell */
    PIECE = 4096,         /* a run is handed out in pieces, so that the accounts are not far off */
    LARGE_STEP_BYTES = 256, /* of a large object that cost a step: filling it is work */
    CHUNK_BLOCKS = 8,       /* blocks are got from the system this many at a time, fewer at first */
    FEW_CHUNKS = 16,        /* a heap of more is got in pieces of HUGE_PAGE */
    HUGE_PAGE = 2 << 20,
    FINALIZABLE_FIRST = 64, /* places in the list of objects to be finalized */
    FINALIZABLE_SPARE = 32, /* of them these are left when more are asked for */
};
/* Allocation between two minor collections, a quarter of the old objects where that is more: so
 * what is traced again and again, such as a list that grows, costs a fixed part of each allocation.
 */
#define YOUNG_BYTES ((uint64_t)3 << 20)
/* With fewer old objects than that there is little to trace: a small program stays smaller. */
#define YOUNG_BYTES_FIRST ((uint64_t)2 << 20)
/* What minor collections let grow old and die unseen in a small heap, which a full one goes through
 * in a millisecond. */
#define FULL_MIN_BYTES ((uint64_t)2 << 20)
/* Heaps of fewer old bytes are marked at once; a slice marks SLICE_MARK bytes or clears the marks
 * of SLICE_BLOCKS blocks, about a millisecond's work, each time SLICE_YOUNG bytes were allocated.
 */
#ifdef GEN_STRESS_GC
#define CYCLE_MIN_BYTES ((uint64_t)1)
#define YOUNG_AT_ONCE ((uint64_t)1 << 16)
enum { SLICE_MARK = 1 << 16, SLICE_BLOCKS = 64, SLICE_YOUNG = 0, SLICE_ITEMS = 16 };
#else
#define CYCLE_MIN_BYTES ((uint64_t)24 << 20)
#define YOUNG_AT_ONCE ((uint64_t)6 << 20) /* more young bytes are collected in slices, too */
enum { SLICE_MARK = 3 << 20, SLICE_BLOCKS = 512, SLICE_YOUNG = 1 << 20, SLICE_ITEMS = 8192 };
#endif

typedef struct Block {
    uint64_t bitmap[BITMAP_WORDS];
    uint32_t cell_size;  /* 0: the starter block */
    uint32_t live_bytes; /* marked so far */
    uint64_t padding;
    char cells[];
} Block;

typedef struct SizeClass {
    GcArea *area;  /* the piece being handed out: in GenVM.areas, or `large` */
    GcArea large;  /* that of the classes above SMALL_LIMIT */
    char *run_end; /* end of the run the piece is from */
    Block *block;  /* the block the run is in */
    Block **blocks;
    uint32_t count, capacity, cursor;
    uint32_t cell_size;
} SizeClass;

typedef enum Cycle { CYCLE_NONE, CYCLE_CLEARING, CYCLE_MARKING, CYCLE_MARKING_AGAIN } Cycle;

typedef struct Partial { /* a big container of which a cycle has marked the first items */
    Object *object;
    uint64_t next;
} Partial;

typedef struct Chunk { /* of memory that blocks are made in */
    void *start;
    size_t size; /* as it was got */
    char *blocks;
} Chunk;

typedef struct Heap {
    SizeClass classes[CLASSES_IN_ALL];
    char *starter_next, *starter_end; /* what is left of the starter block */
    Object **large;
    uint32_t large_count, large_capacity;
    Object **mark_stack;
    uint32_t mark_count, mark_capacity;
    bool mark_overflow;
    Object **remembered;
    uint32_t remembered_count, remembered_capacity;
    Object **finalizable;
    uint32_t finalizable_count, finalizable_capacity;
    uint32_t finalizable_at_first; /* of the streams that a new VM has */
    Chunk *chunks;
    uint32_t chunk_count, chunk_capacity;
    char *spare, *spare_end; /* blocks not yet given to a class */
    uint64_t young_bytes;    /* since the last collection */
    uint64_t young_limit;    /* young_bytes that ask for a collection */
    uint64_t old_bytes;      /* marked */
    uint64_t full_at;        /* old_bytes that ask for a full collection */
    uint64_t limit, beyond;  /* memory budget, see gc_set_limit; UINT64_MAX: none */
    uint64_t collections, full_collections;
    Cycle cycle;
    uint32_t clear_class, clear_block; /* the next block whose marks are to be cleared */
    uint64_t cycle_bytes;              /* old_bytes when the cycle began */
    bool cycle_full;
    uint32_t traced_shape; /* the last whose type was marked */
    Partial *partials;
    uint32_t partial_count, partial_capacity;
} Heap;

typedef struct LargePrefix { /* in front of a large object */
    uint64_t size;
    Value extra; /* see gc_extra_word */
} LargePrefix;

static inline LargePrefix *prefix_of(const Object *object) {
    return (LargePrefix *)(uintptr_t)object - 1;
}

static const uint16_t big_classes[] = {640, 768, 1024, 1280, 1536, 2048, 2720, 4080, 5440, 8160};

static inline Block *block_of(const void *object) {
    return (Block *)((uintptr_t)object & ~(uintptr_t)(BLOCK_SIZE - 1));
}

static inline uint32_t class_index(size_t size) {
    if (likely(size <= SMALL_LIMIT)) return (uint32_t)((size + GRANULE - 1) / GRANULE) - 1;
    uint32_t i = 0;
    while (big_classes[i] < size)
        i++;
    return SMALL_LIMIT / GRANULE + i;
}

/* ---- the starter block ---- */

/* The size of the cells in each of its lines, in granules. */
static uint16_t *line_sizes(Block *starter) {
    return (uint16_t *)starter->cells;
}

static COLD uint32_t starter_cell_size(const void *cell) {
    Block *block = block_of(cell);
    return (uint32_t)line_sizes(block)[(size_t)((const char *)cell - (char *)block) / LINE] *
           GRANULE;
}

static inline uint32_t cell_size_of(const Block *block, const void *cell) {
    return likely(block->cell_size) ? block->cell_size : starter_cell_size(cell);
}

/* The bytes of a few cells of a class; 0: they have no room any more. */
static uint32_t starter_run(const Heap *heap, const SizeClass *class) {
    uint32_t size = class->cell_size, bytes = size * 4 < STARTER_RUN ? size * 4 : STARTER_RUN;
    if (bytes < size) bytes = size;
    bytes = (bytes + LINE - 1) & ~(uint32_t)(LINE - 1);
    return (size_t)(heap->starter_end - heap->starter_next) < bytes ? 0 : bytes;
}

static void take_starter_run(Heap *heap, SizeClass *class, uint32_t bytes) {
    uint32_t size = class->cell_size;
    char *run = heap->starter_next;
    heap->starter_next += bytes;
    Block *block = block_of(run);
    for (uint32_t at = 0; at < bytes; at += LINE)
        line_sizes(block)[(size_t)(run + at - (char *)block) / LINE] = (uint16_t)(size / GRANULE);
    class->block = NULL;
    class->area->next = run;
    class->area->end = class->run_end = run + bytes / size * size;
    heap->young_bytes += bytes / size * size;
}

/* ---- small helpers over growing pointer arrays ---- */

static bool grow_pointers(GenVM *vm, Object ***array, uint32_t *capacity) {
    uint32_t grown = *capacity ? *capacity * 2 : 64;
    Object **larger = memory_raw(vm, *array, *capacity * sizeof **array, grown * sizeof **array);
    if (!larger) return false;
    *array = larger;
    *capacity = grown;
    return true;
}

bool gc_push_pointer(GenVM *vm, Object ***array, uint32_t *count, uint32_t *capacity,
                     Object *object) {
    if (*count == *capacity && !grow_pointers(vm, array, capacity)) return false;
    (*array)[(*count)++] = object;
    return true;
}

static void free_pointers(GenVM *vm, void *array, uint32_t capacity) {
    if (array) memory_raw(vm, array, capacity * sizeof(void *), 0);
}

static void free_large(GenVM *vm, Object *object) {
    LargePrefix *prefix = prefix_of(object);
    memory_raw(vm, prefix, sizeof *prefix + prefix->size, 0);
}

/* ---- chunks ---- */

/* Memory for blocks, aligned to `alignment`: a power of two, and the size of a block at least. Of a
 * host whose function aligns as malloc does, more is asked for. */
static bool new_chunk(GenVM *vm, size_t size, size_t alignment, Chunk *chunk) {
    *chunk = (Chunk){.size = size};
    if (!vm->allocate) {
        if (posix_memalign(&chunk->start, alignment, size) != 0) return false;
        chunk->blocks = chunk->start;
        return true;
    }
    chunk->size = size + alignment;
    chunk->start = memory_raw(vm, NULL, 0, chunk->size);
    chunk->blocks =
        (char *)(((uintptr_t)chunk->start + alignment - 1) & ~(uintptr_t)(alignment - 1));
    return chunk->start != NULL;
}

static void free_chunk(GenVM *vm, Chunk chunk) {
    memory_raw(vm, chunk.start, chunk.size, 0);
}

static bool add_chunk(GenVM *vm, Chunk chunk) {
    Heap *heap = vm->heap;
    if (heap->chunk_count == heap->chunk_capacity) {
        uint32_t capacity = heap->chunk_capacity ? heap->chunk_capacity * 2 : 16;
        Chunk *larger = memory_raw(vm, heap->chunks, heap->chunk_capacity * sizeof *larger,
                                   capacity * sizeof *larger);
        if (!larger) return false;
        heap->chunks = larger;
        heap->chunk_capacity = capacity;
    }
    heap->chunks[heap->chunk_count++] = chunk;
    return true;
}

/* ---- life of the heap ---- */

static bool finalize_natively(GenVM *vm, Object *object);
static Block *new_block(GenVM *vm, SizeClass *class);

bool gc_init(GenVM *vm) {
    Heap *heap = memory_raw(vm, NULL, 0, sizeof *heap);
    if (!heap) return false;
    memset(heap, 0, sizeof *heap);
    vm->heap = heap;
    heap->full_at = FULL_MIN_BYTES;
    heap->young_limit = YOUNG_BYTES_FIRST;
    heap->finalizable = memory_raw(vm, NULL, 0, FINALIZABLE_FIRST * sizeof *heap->finalizable);
    if (!heap->finalizable) return false;
    heap->finalizable_capacity = FINALIZABLE_FIRST;
    gc_set_limit(vm, vm->memory_limit, vm->memory_limit);
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        SizeClass *class = &heap->classes[i];
        bool small = i < SMALL_LIMIT / GRANULE;
        class->cell_size = small ? (i + 1) * GRANULE : big_classes[i - SMALL_LIMIT / GRANULE];
        class->area = small ? &vm->areas[i + 1] : &class->large;
    }
    SizeClass *starter = &heap->classes[STARTER];
    starter->area = &starter->large;
    Block *block = new_block(vm, starter);
    if (!block) return false;
    size_t lines = sizeof *block + BLOCK_SIZE / LINE * sizeof(uint16_t);
    heap->starter_next = (char *)block + (lines + LINE - 1) / LINE * LINE;
    heap->starter_end = (char *)block + STARTER_SIZE;
    return true;
}

void gc_free_heap(GenVM *vm) {
    Heap *heap = vm->heap;
    if (!heap) return;
    for (uint32_t i = 0; i < heap->finalizable_count; i++)
        finalize_natively(vm, heap->finalizable[i]);
    for (uint32_t i = 0; i < heap->large_count; i++)
        free_large(vm, heap->large[i]);
    for (uint32_t i = 0; i < CLASSES_IN_ALL; i++)
        free_pointers(vm, heap->classes[i].blocks, heap->classes[i].capacity);
    for (uint32_t i = 0; i < heap->chunk_count; i++)
        free_chunk(vm, heap->chunks[i]);
    memory_raw(vm, heap->chunks, heap->chunk_capacity * sizeof *heap->chunks, 0);
    free_pointers(vm, heap->large, heap->large_capacity);
    free_pointers(vm, heap->mark_stack, heap->mark_capacity);
    memory_raw(vm, heap->partials, heap->partial_capacity * sizeof *heap->partials, 0);
    free_pointers(vm, heap->remembered, heap->remembered_capacity);
    free_pointers(vm, heap->finalizable, heap->finalizable_capacity);
    memory_raw(vm, heap, sizeof *heap, 0);
    vm->heap = NULL;
}

/* What it would take on the heap. */
static uint64_t shared_size(const Object *object) {
    size_t size = 0;
    switch (object->kind) {
    case TYPE_STR: size = sizeof(Str) + ((const Str *)object)->size + 1; break;
    case TYPE_TUPLE: size = sizeof(Tuple) + ((const Tuple *)object)->count * sizeof(Value); break;
    case TYPE_TYPE: size = sizeof(Type); break;
    case TYPE_NATIVE: size = sizeof(NativeFunction); break;
    default: return 0; /* a singleton */
    }
    return (size + GRANULE - 1) & ~(size_t)(GRANULE - 1);
}

uint64_t gc_object_size(const Object *object) {
    if (!object) return 0;
    if (object->gc & GC_PERMANENT) return shared_size(object);
    if (object->gc & GC_LARGE) return sizeof(LargePrefix) + prefix_of(object)->size;
    return cell_size_of(block_of(object), object);
}

uint64_t gc_live_bytes(GenVM *vm) {
    const Heap *heap = vm->heap;
    return (heap->cycle ? heap->cycle_bytes : heap->old_bytes) + heap->young_bytes +
           vm->outside_bytes;
}
void gc_set_limit(GenVM *vm, uint64_t bytes, uint64_t beyond) {
    vm->heap->limit = bytes ? bytes : UINT64_MAX;
    vm->heap->beyond = bytes ? beyond : UINT64_MAX;
}
uint64_t gc_collection_count(GenVM *vm, bool full) {
    return full ? vm->heap->full_collections : vm->heap->collections;
}

/* ---- allocation ---- */

/* Garbage may be all that is in the way: the next safepoint looks for it. */
static COLD void *no_memory(GenVM *vm) {
    vm->poll |= POLL_GC_FULL;
    raise_memory(vm);
    return NULL;
}

void gc_use_huge_pages(void *start, size_t size) {
#ifdef MADV_HUGEPAGE
    /* All of its pages: memory of two kinds is copied where it grows, not moved by the system. */
    uintptr_t page = (uintptr_t)getpagesize() - 1, from = (uintptr_t)start & ~page;
    (void)madvise((void *)from, ((uintptr_t)start + size - from + page) & ~page, MADV_HUGEPAGE);
#else
    (void)start, (void)size;
#endif
}

static Block *new_block(GenVM *vm, SizeClass *class) {
    Heap *heap = vm->heap;
    if (heap->spare == heap->spare_end) {
        bool huge = heap->chunk_count >= FEW_CHUNKS;
        size_t blocks = huge                     ? HUGE_PAGE / BLOCK_SIZE
                        : heap->chunk_count == 0 ? 1 /* the starter */
                        : heap->chunk_count < 5  ? CHUNK_BLOCKS / 2
                                                 : CHUNK_BLOCKS;
        Chunk chunk;
        size_t size = heap->chunk_count ? blocks * BLOCK_SIZE : STARTER_SIZE;
        if (!new_chunk(vm, size, huge ? HUGE_PAGE : BLOCK_SIZE, &chunk)) {
            blocks = 1; /* there may be memory for as much */
            if (!new_chunk(vm, BLOCK_SIZE, BLOCK_SIZE, &chunk)) return NULL;
        } else if (huge) {
            gc_use_huge_pages(chunk.blocks, HUGE_PAGE);
        }
        if (!add_chunk(vm, chunk)) {
            free_chunk(vm, chunk);
            return NULL;
        }
        heap->spare = chunk.blocks;
        heap->spare_end = heap->spare + blocks * BLOCK_SIZE;
    }
    Block *block = (Block *)heap->spare;
    if (!gc_push_pointer(vm, (Object ***)&class->blocks, &class->count, &class->capacity,
                         (Object *)block))
        return NULL;
    heap->spare += BLOCK_SIZE;
    memset(block, 0, sizeof *block);
    block->cell_size = class->cell_size;
    return block;
}

static char *block_end(const Block *block) {
    uint32_t cells = (uint32_t)(BLOCK_SIZE - sizeof(Block)) / block->cell_size;
    return (char *)block->cells + (size_t)cells * block->cell_size;
}

static inline bool bit_at(const Block *block, const char *cell) {
    size_t granule = (size_t)(cell - (const char *)block) / GRANULE;
    return block->bitmap[granule / 64] >> (granule % 64) & 1;
}

/* Has the cell been handed out: behind what is left of its class's run there may be anything. */
static bool is_handed_out(const Heap *heap, uint32_t c, uint32_t b, const char *cell) {
    const SizeClass *class = &heap->classes[c];
    const Block *block = class->blocks[b];
    if (c == STARTER) {
        if (cell >= heap->starter_next || cell < block->cells) return false;
        for (uint32_t i = 0; i < CLASS_COUNT; i++)
            if (cell >= heap->classes[i].area->next && cell < heap->classes[i].run_end)
                return false;
        return true;
    }
    if (cell < block->cells || (size_t)(cell - block->cells) % class->cell_size) return false;
    if (bit_at(block, cell)) return true;
    return block == class->block ? cell < class->area->next : b < class->cursor;
}

/* True as well of garbage. */
bool gc_is_identified(GenVM *vm, uintptr_t address) {
    const Heap *heap = vm->heap;
    const Object *object = (const Object *)address;
    for (uint32_t i = 0; i < heap->large_count; i++)
        if (heap->large[i] == object) return object->gc & GC_IDENTIFIED;
    const Block *block = block_of(object);
    for (uint32_t c = 0; address % GRANULE == 0 && c < CLASSES_IN_ALL; c++)
        for (uint32_t b = 0; b < heap->classes[c].count; b++)
            if (heap->classes[c].blocks[b] == block)
                return is_handed_out(heap, c, b, (const char *)object) &&
                       object->gc & GC_IDENTIFIED;
    return false;
}

/* The next marked object at or after `cell`, or the end of the block. */
static char *next_marked(const Block *block, char *cell, char *end) {
    size_t granule = (size_t)(cell - (const char *)block) / GRANULE;
    size_t word = granule / 64;
    uint64_t bits = block->bitmap[word] & (~(uint64_t)0 << (granule % 64));
    while (!bits) {
        if (++word == BITMAP_WORDS) return end;
        bits = block->bitmap[word];
    }
    return (char *)block + (word * 64 + (size_t)__builtin_ctzll(bits)) * GRANULE;
}

/* Sets the area and run_end to the next run of free cells from `cell` on; false at the end of the
 * block. */
static bool next_run(SizeClass *class, char *cell) {
    Block *block = class->block;
    char *end = block_end(block);
    while (cell < end && bit_at(block, cell))
        cell += class->cell_size;
    if (cell >= end) return false;
    class->area->next = class->area->end = cell;
    class->run_end = next_marked(block, cell, end);
    return true;
}

static void take_piece(GenVM *vm, SizeClass *class) {
    GcArea *area = class->area;
    size_t left = (size_t)(class->run_end - area->next);
    size_t step = PIECE / class->cell_size * class->cell_size;
    if (step < class->cell_size) step = class->cell_size;
    if (left > step) left = step;
    area->end = area->next + left;
    vm->heap->young_bytes += left;
    if (vm->heap->young_bytes >= vm->heap->young_limit) vm->poll |= POLL_GC;
}

static char *take_cell(SizeClass *class) {
    char *cell = class->area->next;
    class->area->next += class->cell_size;
    return cell;
}

COLD bool gc_fail(GenVM *vm) {
    if (vm->failing_count > 1) {
        vm->failing_count--;
        vm->failing_allocation = 1;
    }
    if (vm->failing_asked && !vm->failing_asked()) return false;
    raise_memory(vm);
    return true;
}

static COLD char *refill(GenVM *vm, SizeClass *class) {
    Heap *heap = vm->heap;
    for (;;) {
        if (class->area->next < class->run_end ||
            (class->block && next_run(class, class->run_end))) {
            take_piece(vm, class);
            return take_cell(class);
        }
        uint32_t run = starter_run(heap, class);
        if (run) {
            if (!gc_check_size(vm, run)) return NULL;
            take_starter_run(heap, class, run);
            return take_cell(class);
        }
        Block *block = NULL;
        while (!block && class->cursor < class->count) {
            block = class->blocks[class->cursor++];
            if (block->live_bytes > BLOCK_SIZE / 10 * 6)
                block = NULL; /* too full to be worth the scan */
        }
        if (!block) {
            if (gc_check_size(vm, BLOCK_SIZE)) block = new_block(vm, class);
            class->cursor = class->count;
        }
        if (!block) return NULL;
        class->block = block;
        class->area->next = class->area->end = class->run_end = block->cells;
    }
}

static COLD void *new_large(GenVM *vm, size_t size) {
    Heap *heap = vm->heap;
    if (!gc_check_size(vm, size)) return NULL;
    size_t total = (size + 7) & ~(size_t)7;
    LargePrefix *prefix = memory_raw(vm, NULL, 0, sizeof *prefix + total);
    Object *object = (Object *)(prefix + 1);
    if (prefix && total >= 2 * (size_t)HUGE_PAGE) gc_use_huge_pages(prefix, total);
    if (!prefix ||
        !gc_push_pointer(vm, &heap->large, &heap->large_count, &heap->large_capacity, object)) {
        if (prefix) memory_raw(vm, prefix, sizeof *prefix + total, 0);
        return no_memory(vm);
    }
    *prefix = (LargePrefix){.size = total};
    native_spend(vm, total / LARGE_STEP_BYTES);
    *object = (Object){.gc = GC_LARGE};
    heap->young_bytes += total;
    if (heap->young_bytes >= heap->young_limit) vm->poll |= POLL_GC;
    return object;
}

static void *new_cell(GenVM *vm, size_t size) {
    SizeClass *class = &vm->heap->classes[class_index(size)];
    char *cell = class->area->next < class->area->end ? take_cell(class) : refill(vm, class);
    if (unlikely(!cell)) return no_memory(vm);
    *(Object *)cell = (Object){0};
    return cell;
}

void *gc_new_slow(GenVM *vm, size_t size, TypeId kind) {
    bool large = size > BLOCK_LIMIT - GRANULE * 2;
    Object *object = large ? new_large(vm, size) : new_cell(vm, size);
    if (unlikely(!object)) return NULL;
    object->shape = kind;
    object->kind = (uint8_t)kind;
    gc_spoil(object, size);
    return object;
}

/* Builtin types whose own instances have the extra word, too. */
#define GC_ATTRIBUTED_CASES                                                                        \
    case TYPE_FILE:                                                                                \
    case TYPE_FILE_RAW:                                                                            \
    case TYPE_BUFFERED_READER:                                                                     \
    case TYPE_BUFFERED_WRITER:                                                                     \
    case TYPE_BUFFERED_RANDOM:                                                                     \
    case TYPE_BYTES_IO:                                                                            \
    case TYPE_STRING_IO

static bool is_attributed(TypeId kind) {
    switch (kind) {
    GC_ATTRIBUTED_CASES:
        return true;
    default: return false;
    }
}

void *gc_new_of(GenVM *vm, size_t size, TypeId kind, struct Type *cls) {
    bool script_class = !cls->is_builtin, attributed = script_class || is_attributed(kind);
    Object *object = gc_new(vm, size + (attributed ? sizeof(Value) : 0), kind);
    if (unlikely(!object)) return NULL;
    object->shape = cls->root_shape;
    if (script_class) object->state = OBJECT_SUBCLASS;
    if (attributed) *gc_extra_word(vm, object) = VALUE_UNSET;
    return object;
}

Value *gc_extra_word(GenVM *vm, Object *object) {
    (void)vm;
    if (object->gc & GC_LARGE) return &prefix_of(object)->extra;
    return (Value *)((char *)object + cell_size_of(block_of(object), object)) - 1;
}

/* ---- buffers ---- */

Buffer *gc_buffer_new(GenVM *vm, size_t capacity) {
    size_t size = sizeof(Buffer) + capacity;
    Buffer *buffer = gc_new_raw(vm, size, TYPE_BUFFER);
    if (unlikely(!buffer)) return NULL;
    buffer->capacity = capacity;
    return buffer;
}

Buffer *gc_buffer_resize(GenVM *vm, Buffer *buffer, size_t capacity) {
    Heap *heap = vm->heap;
    if (!buffer) return gc_buffer_new(vm, capacity);
    if ((buffer->header.gc & GC_LARGE) && sizeof(Buffer) + capacity > BLOCK_LIMIT) {
        if (gc_must_fail(vm)) return NULL;
        uint64_t old_capacity = buffer->capacity;
        if (capacity > old_capacity && !gc_check_size(vm, capacity - old_capacity)) return NULL;
        uint32_t i = heap->large_count;
        while (heap->large[i - 1] != &buffer->header)
            i--;
        size_t total = (sizeof(Buffer) + capacity + 7) & ~(size_t)7;
        LargePrefix *prefix = prefix_of(&buffer->header);
        prefix = memory_raw(vm, prefix, sizeof *prefix + prefix->size, sizeof *prefix + total);
        if (!prefix) return no_memory(vm);
        if (total >= 2 * (size_t)HUGE_PAGE) gc_use_huge_pages(prefix, total);
        prefix->size = total;
        native_spend(vm, total / LARGE_STEP_BYTES);
        Buffer *moved = (Buffer *)(prefix + 1);
        heap->large[i - 1] = &moved->header;
        moved->capacity = capacity;
        if (capacity > old_capacity) heap->young_bytes += capacity - old_capacity;
        if (heap->young_bytes >= heap->young_limit) vm->poll |= POLL_GC;
        if (moved != buffer) gc_replace_remembered(vm, &buffer->header, &moved->header);
        return moved;
    }
    Buffer *larger = gc_buffer_new(vm, capacity);
    if (!larger) return NULL;
    memcpy(larger->data, buffer->data, buffer->capacity < capacity ? buffer->capacity : capacity);
    gc_buffer_free(vm, buffer);
    return larger;
}

void gc_replace_remembered(GenVM *vm, Object *from, Object *to) {
    for (uint32_t i = 0; i < vm->heap->remembered_count; i++)
        if (vm->heap->remembered[i] == from) vm->heap->remembered[i] = to;
}

static void take_off(uint64_t *count, uint64_t bytes) {
    *count -= bytes < *count ? bytes : *count;
}

void gc_buffer_free(GenVM *vm, Buffer *buffer) {
    Heap *heap = vm->heap;
    if (!buffer || !(buffer->header.gc & GC_LARGE) || buffer->header.gc & GC_REMEMBERED) return;
    for (uint32_t i = heap->large_count; i-- > 0;) {
        if (heap->large[i] != &buffer->header) continue;
        heap->large[i] = heap->large[--heap->large_count];
        uint64_t bytes = prefix_of(&buffer->header)->size;
        bool old = buffer->header.gc & GC_MARKED;
        if (old) take_off(&heap->old_bytes, bytes);
        if (heap->cycle && (old || bytes > heap->young_bytes))
            take_off(&heap->cycle_bytes, bytes);
        else if (!old)
            take_off(&heap->young_bytes, bytes);
        free_large(vm, &buffer->header);
        return;
    }
}

/* What is used may be garbage, which only the next safepoint can tell, where the limit is enforced.
 */
bool gc_has_room(GenVM *vm, uint64_t bytes) {
    uint64_t used = gc_live_bytes(vm), limit = vm->heap->limit, beyond = vm->heap->beyond;
    if (unlikely(bytes > beyond || bytes >= (uint64_t)1 << 46)) return false;
    if (likely(used + bytes <= limit)) return true;
    vm->poll |= POLL_GC;
    return used + bytes - limit <= beyond;
}

bool gc_check_size(GenVM *vm, uint64_t bytes) {
    if (likely(gc_has_room(vm, bytes))) return true;
    raise_memory(vm);
    return false;
}

/* ---- marking ---- */

void gc_remember(GenVM *vm, Object *object) {
    Heap *heap = vm->heap;
    if (object->gc & GC_PERMANENT) return;
    if (gc_push_pointer(vm, &heap->remembered, &heap->remembered_count, &heap->remembered_capacity,
                        object))
        object->gc |= GC_REMEMBERED;
    else
        heap->mark_overflow = true; /* it is found another way: mark_rest */
}

/* More places are asked for while there still are some: so that it is MemoryError for the script,
 * soon, when there are none to be had, but no object whose finalizer is never called. */
static COLD void more_finalizable(GenVM *vm) {
    Heap *heap = vm->heap;
    uint32_t grown = heap->finalizable_capacity * 2;
    Object **larger = memory_raw(vm, heap->finalizable, heap->finalizable_capacity * sizeof *larger,
                                 grown * sizeof *larger);
    if (!larger) {
        vm->poll |= POLL_MEMORY;
        return;
    }
    heap->finalizable = larger;
    heap->finalizable_capacity = grown;
}

void gc_finalizable(GenVM *vm, void *pointer) {
    Heap *heap = vm->heap;
    Object *object = pointer;
    if (unlikely(heap->finalizable_count + FINALIZABLE_SPARE > heap->finalizable_capacity))
        more_finalizable(vm);
    if (unlikely(heap->finalizable_count == heap->finalizable_capacity)) return;
    heap->finalizable[heap->finalizable_count++] = object;
    object->gc |= GC_FINALIZABLE;
}

void gc_begin_finalizable(GenVM *vm) {
    vm->heap->finalizable_at_first = vm->heap->finalizable_count;
}

void gc_forget_finalized(GenVM *vm) {
    Heap *heap = vm->heap;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < heap->finalizable_count; i++)
        if (heap->finalizable[i]->gc & GC_FINALIZABLE)
            heap->finalizable[kept++] = heap->finalizable[i];
    heap->finalizable_count = kept;
}

void gc_each_finalizable(GenVM *vm, void (*visit)(GenVM *vm, Object *object, void *context),
                         void *context) {
    Heap *heap = vm->heap;
    for (uint32_t i = 0; i < heap->finalizable_count; i++)
        visit(vm, heap->finalizable[i], context);
}

static void push_mark(GenVM *vm, Object *object) {
    Heap *heap = vm->heap;
    if (!gc_push_pointer(vm, &heap->mark_stack, &heap->mark_count, &heap->mark_capacity, object))
        heap->mark_overflow = true;
}

void gc_mark_object(GenVM *vm, Object *object) {
    if (object->gc & (GC_MARKED | GC_PERMANENT)) return;
    Heap *heap = vm->heap;
    object->gc |= GC_MARKED;
    if (unlikely(object->gc & GC_LARGE)) {
        heap->old_bytes += prefix_of(object)->size;
    } else {
        Block *block = block_of(object);
        size_t granule = (size_t)((char *)object - (char *)block) / GRANULE;
        block->bitmap[granule / 64] |= (uint64_t)1 << (granule % 64);
        uint32_t size = cell_size_of(block, object);
        block->live_bytes += size;
        heap->old_bytes += size;
    }
    if (object->kind == TYPE_BUFFER) return;
    bool leaf = object->kind == TYPE_STR ? !((Str *)object)->extra : object->kind == TYPE_BYTES;
    if (!leaf || object->state & OBJECT_SUBCLASS) push_mark(vm, object); /* attributes */
}

/* Do instances of subclasses of this builtin kind keep their attributes in the extra word? */
bool gc_has_extra_word(const Object *object) {
    switch (object->kind) {
    case TYPE_OBJECT:
    case TYPE_TYPE:
    case TYPE_FUNCTION:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR:
    case TYPE_HOST:
    case TYPE_BUFFER:
    case TYPE_MODULE:
    case TYPE_NATIVE:
    case TYPE_NATIVE_METHOD:
    case TYPE_TASK:
    case TYPE_THREAD: return false;
    case TYPE_GENERATOR:
        return object->flags & GENERATOR_ATTRIBUTES;
    GC_ATTRIBUTED_CASES:
        return true;
    default: return object->kind != KIND_EXCEPTION && object->state == OBJECT_SUBCLASS;
    }
}

/* Puts off the items of a container that is too big for a slice; false: it is not. */
static bool put_off(GenVM *vm, Object *object, uint64_t count) {
    Heap *heap = vm->heap;
    if (likely(count <= SLICE_ITEMS) || !heap->cycle) return false;
    if (heap->partial_count == heap->partial_capacity) {
        uint32_t capacity = heap->partial_capacity ? heap->partial_capacity * 2 : 16;
        Partial *larger = memory_raw(vm, heap->partials, heap->partial_capacity * sizeof *larger,
                                     capacity * sizeof *larger);
        if (!larger) return false;
        heap->partials = larger;
        heap->partial_capacity = capacity;
    }
    heap->partials[heap->partial_count++] = (Partial){object, 0};
    return true;
}

/* Marks the next items of the container put off last. One that changes meanwhile is remembered. */
static void mark_items(GenVM *vm) {
    Heap *heap = vm->heap;
    Partial *partial = &heap->partials[heap->partial_count - 1];
    bool is_list = partial->object->kind == TYPE_LIST;
    List *list = (List *)partial->object;
    Tuple *tuple = (Tuple *)partial->object;
    const Value *items = is_list ? list->items : tuple->items;
    uint64_t count = is_list ? list->count : tuple->count;
    uint64_t end = partial->next + SLICE_ITEMS < count ? partial->next + SLICE_ITEMS : count;
    for (uint64_t i = partial->next; i < end; i++)
        gc_mark(vm, items[i]);
    if (end >= count)
        heap->partial_count--;
    else
        partial->next = end;
}

/* What keeps a class written in Gen alive, besides who holds it: its instances. */
static inline void mark_type(GenVM *vm, const Object *object) {
    uint32_t shape = object->shape;
    if (shape < TYPE_COUNT || shape == vm->heap->traced_shape) return;
    vm->heap->traced_shape = shape;
    gc_mark_object(vm, &vm->shapes[shape].type->header);
}

static void trace(GenVM *vm, Object *object) {
    mark_type(vm, object);
    switch (object->kind) {
    case TYPE_LIST: {
        List *list = (List *)object;
        gc_mark_pointer(vm, list->buffer);
        if (put_off(vm, object, list->count)) break;
        for (uint64_t i = 0; i < list->count; i++)
            gc_mark(vm, list->items[i]);
        break;
    }
    case TYPE_TUPLE: {
        Tuple *tuple = (Tuple *)object;
        if (put_off(vm, object, tuple->count)) break;
        for (uint64_t i = 0; i < tuple->count; i++)
            gc_mark(vm, tuple->items[i]);
        break;
    }
    case TYPE_OBJECT: {
        Instance *instance = (Instance *)object;
        gc_mark(vm, instance->extra);
        for (unsigned i = 0; i < object->state; i++)
            gc_mark(vm, instance->slots[i]);
        break;
    }
    case TYPE_CELL: gc_mark(vm, ((Cell *)object)->value); break;
    case TYPE_HOST: {
        HostObject *host = (HostObject *)object;
        gc_mark(vm, host->attributes);
        Type *type = vm->shapes[object->shape].type;
        if (type->slots.trace) type->slots.trace(vm, object);
        break;
    }
    default: {
        Type *type = vm->types[object->kind];
        if (type && type->slots.trace) type->slots.trace(vm, object);
    }
    }
    if (gc_has_extra_word(object)) gc_mark(vm, *gc_extra_word(vm, object));
}

static void drain(GenVM *vm) {
    Heap *heap = vm->heap;
    do {
        while (heap->mark_count)
            trace(vm, heap->mark_stack[--heap->mark_count]);
        if (heap->partial_count) mark_items(vm);
    } while (heap->mark_count || heap->partial_count);
}

typedef void (*Visitor)(GenVM *vm, Object *object);

static void each_marked_in(GenVM *vm, Block *block, Visitor visit) {
    for (uint32_t w = 0; w < BITMAP_WORDS; w++)
        for (uint64_t bits = block->bitmap[w]; bits; bits &= bits - 1)
            visit(vm,
                  (Object *)((char *)block + (w * 64 + (size_t)__builtin_ctzll(bits)) * GRANULE));
}

/* Calls visit on every marked object. */
static void each_marked(GenVM *vm, Visitor visit) {
    Heap *heap = vm->heap;
    for (uint32_t c = 0; c < CLASSES_IN_ALL; c++)
        for (uint32_t b = 0; b < heap->classes[c].count; b++)
            each_marked_in(vm, heap->classes[c].blocks[b], visit);
    for (uint32_t i = 0; i < heap->large_count; i++)
        if (heap->large[i]->gc & GC_MARKED) visit(vm, heap->large[i]);
}

static void unmark(GenVM *vm, Object *object) {
    (void)vm;
    object->gc &= (uint8_t) ~(GC_MARKED | GC_REMEMBERED);
}

static void clear_marks(GenVM *vm) {
    Heap *heap = vm->heap;
    each_marked(vm, unmark);
    for (uint32_t c = 0; c < CLASSES_IN_ALL; c++)
        for (uint32_t b = 0; b < heap->classes[c].count; b++) {
            memset(heap->classes[c].blocks[b]->bitmap, 0,
                   sizeof heap->classes[c].blocks[b]->bitmap);
            heap->classes[c].blocks[b]->live_bytes = 0;
        }
    heap->remembered_count = 0;
    heap->old_bytes = 0;
    heap->traced_shape = 0;
}

/* Classes die in full collections only. */
static void mark_roots(GenVM *vm, bool full) {
    vm_mark_roots(vm);
    if (full)
        shapes_mark_native(vm);
    else
        shapes_mark(vm);
}

/* All that is reached from what is marked. Where a list could not grow, of objects to be traced or
 * of those that a barrier saw changed, their children are found another way. */
static void mark_rest(GenVM *vm) {
    Heap *heap = vm->heap;
    drain(vm);
    while (heap->mark_overflow) {
        heap->mark_overflow = false;
        each_marked(vm, trace);
        drain(vm);
    }
}

static void mark_everything(GenVM *vm, bool full) {
    mark_roots(vm, full);
    mark_rest(vm);
}

static void trace_remembered(GenVM *vm) {
    Heap *heap = vm->heap;
    for (uint32_t i = 0; i < heap->remembered_count; i++) {
        heap->remembered[i]->gc &= (uint8_t)~GC_REMEMBERED;
        trace(vm, heap->remembered[i]);
    }
    heap->remembered_count = 0;
}

/* ---- after marking ---- */

static bool finalize_natively(GenVM *vm, Object *object) {
    void (*finalize)(GenVM *, Object *) = finalize_native(vm, object);
    if (finalize) finalize(vm, object);
    return finalize != NULL;
}

void gc_trace_children(GenVM *vm, Object *object) {
    trace(vm, object);
    mark_rest(vm);
}

bool gc_has_finalizable(GenVM *vm) {
    const Heap *heap = vm->heap;
    uint32_t native = 0;
    for (uint32_t i = 0; i < heap->finalizable_count; i++) {
        Object *object = heap->finalizable[i];
        if (finalize_is_finished(object)) continue;
        if (!vm->shapes[object->shape].type->slots.finalize) return true;
        native++;
    }
    return native != heap->finalizable_at_first;
}

static void finalize_unreached(GenVM *vm) {
    Heap *heap = vm->heap;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < heap->finalizable_count; i++) {
        Object *object = heap->finalizable[i];
        if (object->gc & GC_MARKED) {
            heap->finalizable[kept++] = object;
        } else {
            object->gc &= (uint8_t)~GC_FINALIZABLE;
            finalize_natively(vm, object);
        }
    }
    heap->finalizable_count = kept;
}

/* What else is written in C is finalized now. */
static void find_finalizers(GenVM *vm) {
    Heap *heap = vm->heap;
    uint32_t pending_from = vm->pending_count, natives = 0;
    if (finalize_find_candidates(vm, heap->finalizable, &heap->finalizable_count, &natives)) {
        finalize_take_candidates(vm, heap->finalizable, &heap->finalizable_count);
    }
    vm->pending_total += vm->pending_count - pending_from;
    for (uint32_t i = pending_from; i < vm->pending_count; i++)
        gc_mark_object(vm, vm->pending_finalizers[i]);
    if (vm->main_leaves) gc_mark(vm, vm->main_module); /* of its objects only __del__ is called */
    mark_rest(vm);
    if (natives) finalize_unreached(vm);
}

static void free_unmarked_large(GenVM *vm) {
    Heap *heap = vm->heap;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < heap->large_count; i++) {
        if (heap->large[i]->gc & GC_MARKED)
            heap->large[kept++] = heap->large[i];
        else
            free_large(vm, heap->large[i]);
    }
    heap->large_count = kept;
}

#ifdef GEN_STRESS_GC
static void poison(Heap *heap) {
    for (uint32_t c = 0; c < CLASS_COUNT; c++)
        for (uint32_t b = 0; b < heap->classes[c].count; b++) {
            Block *block = heap->classes[c].blocks[b];
            for (char *cell = block->cells; cell < block_end(block); cell += block->cell_size)
                if (!bit_at(block, cell)) memset(cell, 0xDB, block->cell_size);
        }
}
#endif

/* Everything reachable is marked: the rest goes. */
static void sweep(GenVM *vm, bool full) {
    Heap *heap = vm->heap;
    weakrefs_clear(vm);
    find_finalizers(vm);
    weakrefs_sweep(vm);
    identities_sweep(vm);
    heap->traced_shape = 0;
    if (full) {
        shapes_sweep(vm);
        mark_rest(vm);
    }
    str_sweep_interned(vm, full);
    vm->found.dict = NULL;
    image_codes_sweep(vm);
    types_forget_lookups(vm);
    if (vm->shape_moves) {
        each_marked(vm, shapes_move);
        shapes_moved(vm);
    }
    if (full && shapes_want_recycling(vm)) {
        each_marked(vm, shapes_forget_in_code);
        shapes_recycle(vm);
    }
    free_unmarked_large(vm);
    if (full) {
        heap->full_collections++;
        heap->full_at = heap->old_bytes * 2 > FULL_MIN_BYTES ? heap->old_bytes * 2 : FULL_MIN_BYTES;
    }
    for (uint32_t c = 0; c < CLASS_COUNT; c++) {
        SizeClass *class = &heap->classes[c];
        class->area->next = class->area->end = class->run_end = NULL;
        class->block = NULL;
        class->cursor = 0;
    }
    heap->young_bytes = 0;
    heap->young_limit = heap->old_bytes < YOUNG_BYTES_FIRST ? YOUNG_BYTES_FIRST
                        : heap->old_bytes / 4 > YOUNG_BYTES ? heap->old_bytes / 4
                                                            : YOUNG_BYTES;
#ifdef GEN_STRESS_GC
    poison(heap);
#endif
}

/* ---- cycles ---- */

/* A full one, or one of the young objects alone, which keeps the marks. */
static void cycle_begin(GenVM *vm, bool full) {
    Heap *heap = vm->heap;
    for (uint32_t c = 0; c < CLASS_COUNT; c++) {
        SizeClass *class = &heap->classes[c];
        class->block = NULL; /* but the run at hand is free */
        class->cursor = class->count;
    }
    heap->cycle_bytes = heap->old_bytes;
    heap->cycle_full = full;
    heap->young_limit = heap->young_bytes + SLICE_YOUNG;
    heap->partial_count = 0;
    if (full) {
        heap->cycle = CYCLE_CLEARING;
        heap->clear_class = heap->clear_block = 0;
        heap->old_bytes = 0;
    } else {
        heap->cycle = CYCLE_MARKING;
        mark_roots(vm, false);
        trace_remembered(vm);
    }
}

static void clear_block(GenVM *vm, Block *block) {
    each_marked_in(vm, block, unmark);
    memset(block->bitmap, 0, sizeof block->bitmap);
    block->live_bytes = 0;
}

static void clear_slice(GenVM *vm) {
    Heap *heap = vm->heap;
    for (uint32_t done = 0; done < SLICE_BLOCKS; done++) {
        while (heap->clear_block == heap->classes[heap->clear_class].count) {
            heap->clear_block = 0;
            if (++heap->clear_class < CLASSES_IN_ALL) continue;
            for (uint32_t i = 0; i < heap->large_count; i++)
                unmark(vm, heap->large[i]);
            heap->remembered_count = 0; /* nothing is marked, so nothing need be */
            heap->cycle = CYCLE_MARKING;
            mark_roots(vm, true);
            return;
        }
        clear_block(vm, heap->classes[heap->clear_class].blocks[heap->clear_block++]);
    }
}

static void mark_slice(GenVM *vm) {
    Heap *heap = vm->heap;
    uint64_t end = heap->old_bytes + SLICE_MARK;
    uint32_t items = 0; /* of big containers: mostly marked already when they are traced again */
    while (heap->old_bytes < end && items < 32) {
        if (heap->mark_count)
            trace(vm, heap->mark_stack[--heap->mark_count]);
        else if (heap->partial_count)
            mark_items(vm), items++;
        else
            break;
    }
}

/* True when the cycle is finished. When all is marked for the first time, much may have changed
 * meanwhile; when for the second, what is left is little. */
static bool cycle_slice(GenVM *vm) {
    Heap *heap = vm->heap;
    heap->young_limit = heap->young_bytes + SLICE_YOUNG;
    if (heap->cycle == CYCLE_CLEARING) {
        clear_slice(vm);
        return false;
    }
    mark_slice(vm);
    if (heap->mark_count || heap->partial_count) return false;
    if (heap->cycle == CYCLE_MARKING) {
        heap->cycle = CYCLE_MARKING_AGAIN;
        mark_roots(vm, heap->cycle_full);
        trace_remembered(vm);
        return false;
    }
    trace_remembered(vm);
    mark_everything(vm, heap->cycle_full);
    heap->cycle = CYCLE_NONE;
    return true;
}

static void collect_at_once(GenVM *vm) {
    Heap *heap = vm->heap;
    heap->cycle = CYCLE_NONE;
    heap->mark_count = heap->partial_count = 0;
    clear_marks(vm);
    mark_everything(vm, true);
    sweep(vm, true);
}

static void collect_young(GenVM *vm) {
    trace_remembered(vm);
    mark_everything(vm, false);
    sweep(vm, false);
}

#ifdef GEN_STRESS_GC
void gc_stress_cycle(GenVM *vm) {
    vm->heap->full_at = 0;
}
#endif

void gc_collect(GenVM *vm, bool full) {
    Heap *heap = vm->heap;
    vm->poll &= ~(uint32_t)(POLL_GC | POLL_GC_FULL);
    bool wanted = heap->old_bytes >= heap->full_at, big = heap->old_bytes >= CYCLE_MIN_BYTES;
    bool whole = full || vm->shape_moves || (!heap->cycle && wanted && !big);
    heap->collections += !vm->in_prelude && (whole || !heap->cycle);
    if (vm->in_prelude) /* somebody holds values that nothing refers to: later */
        vm->poll |= full ? POLL_GC_FULL : POLL_GC;
    else if (whole)
        collect_at_once(vm);
    else if (!heap->cycle && (wanted || (big && heap->young_bytes > YOUNG_AT_ONCE)))
        cycle_begin(vm, wanted);
    else if (!heap->cycle)
        collect_young(vm);
    else if (cycle_slice(vm))
        sweep(vm, heap->cycle_full);
}
