/* image_values.c - numbers, text, bytes, lists and tuples in images; exceptions, memoryviews and
 * StringIO, whose layouts are not plain fields.
 *
 * What has no references is whole in its shell, so that it can be hashed when tables are built.
 */
#include "vm/image_private.h"
#include "vm/objects/files.h"
#include "vm/objects/memoryview.h"
#include "vm/objects/text.h"
#include "vm/type_private.h"

/* ---- the attributes of instances of subclasses ---- */

void image_put_extra(ImageWriter *w, Object *object) {
    if (gc_has_extra_word(object)) image_put_value(w, *gc_extra_word(w->vm, object));
}

bool image_get_extra(ImageReader *r, Object *object) {
    Dict *extra;
    if (!gc_has_extra_word(object)) return true;
    if (!image_get_pointer(r, TYPE_DICT, &extra)) return false;
    if (!extra) return true;
    uint32_t shape = shape_dict(r->vm, r->vm->shapes[object->shape].type);
    if (shape == SHAPE_NONE) return false;
    object->shape = shape;
    *gc_extra_word(r->vm, object) = object_value(extra);
    gc_barrier(r->vm, object);
    return true;
}

/* ---- str ---- */

void save_str_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
    image_put_byte(w->out, object->flags & STR_INTERNED ? 1 : 0);
    image_put_text(w->out, object_value(object));
}
void save_str_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

static Str *new_of_str_class(ImageReader *r, Type *type, const uint8_t *data, size_t size) {
    if (size > UINT32_MAX / 2) return image_bad(r, "a str is too large"), NULL;
    Str *str = gc_new_of(r->vm, sizeof(Str) + size + 1, TYPE_STR, type);
    if (!str) return NULL;
    char *text = (char *)(str + 1);
    memcpy(text, data, size);
    text[size] = 0;
    str->size = (uint32_t)size;
    str->header.flags = text_scan(text, size, &str->length);
    str->data = text;
    return str;
}

Object *load_str_shell(ImageReader *r) {
    Type *type;
    uint64_t interned, size;
    const uint8_t *data;
    if (!image_get_class(r, TYPE_STR, &type)) return NULL;
    interned = image_get_number(r);
    if (!image_get_count(r, &size, 1) || !image_get_bytes(r, &data, size)) return NULL;
    if (!image_check_text(data, size)) return image_bad(r, "a str is not UTF-8"), NULL;
    if (!type->is_builtin) return (Object *)new_of_str_class(r, type, data, size);
    Value str = interned ? str_intern_from(r->vm, (const char *)data, size)
                         : str_new(r->vm, (const char *)data, size);
    return str == VALUE_ERROR ? NULL : as_object(str);
}
bool load_str_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}

/* ---- bytes, bytearray ---- */

void save_bytes_shell(ImageWriter *w, Object *object) {
    const Bytes *bytes = (const Bytes *)object;
    image_put_class(w, object);
    image_put_number(w->out, bytes->size);
    image_put(w->out, bytes->data, bytes->size);
}
void save_bytes_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

Object *load_bytes_shell(ImageReader *r) {
    Type *type;
    uint64_t size;
    const uint8_t *data;
    if (!image_get_class(r, TYPE_BYTES, &type) || !image_get_count(r, &size, 1) ||
        !image_get_bytes(r, &data, size) || !gc_check_size(r->vm, size))
        return NULL;
    Bytes *bytes = gc_new_of(r->vm, sizeof *bytes + size + 1, TYPE_BYTES, type);
    if (!bytes) return NULL;
    bytes->size = size;
    memcpy(bytes->data, data, size);
    return &bytes->header;
}
bool load_bytes_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}

void save_bytearray_shell(ImageWriter *w, Object *object) {
    const ByteArray *array = (const ByteArray *)object;
    const uint8_t *data = NULL;
    size_t size = 0;
    bytes_view(w->vm, object_value(array), &data, &size);
    image_put_class(w, object);
    image_put_number(w->out, size);
    image_put(w->out, data, size);
}
void save_bytearray_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

Object *load_bytearray_shell(ImageReader *r) {
    Type *type;
    uint64_t size;
    const uint8_t *data;
    if (!image_get_class(r, TYPE_BYTEARRAY, &type) || !image_get_count(r, &size, 1) ||
        !image_get_bytes(r, &data, size))
        return NULL;
    ByteArray *array = gc_new_of(r->vm, sizeof *array, TYPE_BYTEARRAY, type);
    if (!array || !bytearray_resize(r->vm, array, size)) return NULL;
    if (size) memcpy(array->buffer->data, data, size);
    return &array->header;
}
bool load_bytearray_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}

/* ---- int, float ---- */

void save_int_shell(ImageWriter *w, Object *object) {
    const BigInt *big = (const BigInt *)object;
    int64_t count = big->size < 0 ? -big->size : big->size;
    image_put_class(w, object);
    image_put_number(w->out, image_zigzag(big->size));
    for (int64_t i = 0; i < count; i++)
        image_put_long(w->out, big->limbs[i]);
}
void save_int_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

/* Exactly an int is a BigInt only when it does not fit a small one. */
static bool is_normal(const BigInt *big, uint64_t count, bool exact) {
    if (count && big->limbs[count - 1] == 0) return false;
    if (!exact || count > 1) return true;
    if (!count) return false;
    return big->size < 0 ? big->limbs[0] > (uint64_t)1 << 61 : big->limbs[0] >= (uint64_t)1 << 61;
}

Object *load_int_shell(ImageReader *r) {
    Type *type;
    if (!image_get_class(r, TYPE_INT, &type)) return NULL;
    uint64_t number = image_get_number(r), count = (number >> 1) + (number & 1);
    if (count > (size_t)(r->end - r->at) / 8) return image_bad(r, "it is cut off"), NULL;
    BigInt *big = gc_new_of(r->vm, sizeof *big + count * 8, TYPE_INT, type);
    if (!big) return NULL;
    big->size = number & 1 ? -(int64_t)count : (int64_t)count;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_long(r, &big->limbs[i])) return NULL;
    if (!is_normal(big, count, type->is_builtin)) return image_bad(r, "an int is not normal"), NULL;
    return &big->header;
}
bool load_int_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}

void save_float_shell(ImageWriter *w, Object *object) {
    uint64_t bits;
    memcpy(&bits, &((const FloatBox *)object)->number, sizeof bits);
    image_put_class(w, object);
    image_put_long(w->out, bits);
}
void save_float_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

Object *load_float_shell(ImageReader *r) {
    Type *type;
    uint64_t bits;
    if (!image_get_class(r, TYPE_FLOAT, &type) || !image_get_long(r, &bits)) return NULL;
    FloatBox *box = gc_new_of(r->vm, sizeof *box, TYPE_FLOAT, type);
    if (!box) return NULL;
    memcpy(&box->number, &bits, sizeof bits);
    bool is_nan = box->number != box->number; /* a NaN may be an object of its own */
    if (type->is_builtin && !is_nan && is_float(float_encode(box->number)))
        return image_bad(r, "a float is not normal"), NULL;
    return &box->header;
}
bool load_float_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}

/* ---- list, tuple ---- */

static void put_items(ImageWriter *w, const Value *items, uint64_t count) {
    for (uint64_t i = 0; i < count && !w->failed; i++)
        image_put_value(w, items[i]);
}

void save_list_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
    image_put_byte(w->out, object->flags); /* a list that is being sorted has one */
    image_put_number(w->out, ((const List *)object)->count);
}
void save_list_body(ImageWriter *w, Object *object) {
    put_items(w, ((const List *)object)->items, ((const List *)object)->count);
    image_put_extra(w, object);
}

/* The bodies are further on: the items are counted there. */
Object *load_list_shell(ImageReader *r) {
    Type *type;
    uint64_t count;
    if (!image_get_class(r, TYPE_LIST, &type)) return NULL;
    uint64_t flags = image_get_number(r);
    if (!image_get_count(r, &count, 1)) return NULL;
    List *list = gc_new_of(r->vm, sizeof *list, TYPE_LIST, type);
    if (!list || (count && !list_reserve(r->vm, list, count))) return NULL;
    for (uint64_t i = 0; i < count; i++)
        list->items[i] = VALUE_NONE;
    list->count = count;
    list->header.flags = (uint8_t)(flags & 1);
    return &list->header;
}

static bool get_items(ImageReader *r, Object *owner, Value *items, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_value(r, &items[i])) return false;
    gc_barrier(r->vm, owner);
    return true;
}

bool load_list_body(ImageReader *r, Object *object) {
    List *list = (List *)object;
    return get_items(r, object, list->items, list->count) && image_get_extra(r, object);
}

void save_tuple_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
    image_put_number(w->out, ((const Tuple *)object)->count);
}
void save_tuple_body(ImageWriter *w, Object *object) {
    for (uint64_t i = 0; i < ((const Tuple *)object)->count; i++)
        if (((const Tuple *)object)->items[i] == VALUE_UNSET) {
            image_refuse(w, object,
                         "the arguments of a native that is being called cannot be saved");
            return;
        }
    put_items(w, ((const Tuple *)object)->items, ((const Tuple *)object)->count);
    image_put_extra(w, object);
}

Object *load_tuple_shell(ImageReader *r) {
    Type *type;
    uint64_t count;
    if (!image_get_class(r, TYPE_TUPLE, &type) || !image_get_count(r, &count, 1)) return NULL;
    if (count == 0 && type->is_builtin) return as_object(r->vm->empty_tuple);
    Tuple *tuple = gc_new_of(r->vm, sizeof *tuple + count * sizeof(Value), TYPE_TUPLE, type);
    if (!tuple) return NULL;
    tuple->count = count;
    for (uint64_t i = 0; i < count; i++)
        tuple->items[i] = VALUE_NONE;
    return &tuple->header;
}
bool load_tuple_body(ImageReader *r, Object *object) {
    Tuple *tuple = (Tuple *)object;
    return get_items(r, object, tuple->items, tuple->count) && image_get_extra(r, object);
}

/* ---- exceptions ---- */

void save_exception_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
    image_put_byte(w->out, ((const Exception *)object)->suppress_context);
}

void save_exception_body(ImageWriter *w, Object *object) {
    Exception *exception = (Exception *)object;
    image_put_value(w, exception->args);
    image_put_value(w, exception->cause);
    image_put_value(w, exception->context);
    image_put_value(w, exception->traceback);
    image_put_value(w, exception->attributes);
    bool fields =
        exception->value != VALUE_UNSET && exception_has_fields(w->vm, object_value(object));
    image_put_byte(w->out, fields);
    if (fields)
        put_items(w, AS_LIST(exception->value)->items, EXCEPTION_FIELDS);
    else
        image_put_value(w, exception->value);
}

Object *load_exception_shell(ImageReader *r) {
    Type *type;
    if (!image_get_class(r, KIND_EXCEPTION, &type)) return NULL;
    Value exception = exception_allocate(r->vm, type, r->vm->empty_tuple);
    if (exception == VALUE_ERROR) return NULL;
    AS(Exception, exception)->suppress_context = image_get_number(r) != 0;
    return as_object(exception);
}

static bool get_exception_value(ImageReader *r, Exception *exception) {
    bool fields = image_get_number(r) != 0;
    if (!fields) {
        if (!image_get_optional(r, &exception->value)) return false;
        return exception->value == VALUE_UNSET ||
               !exception_has_fields(r->vm, object_value(exception)) ||
               image_bad(r, "an exception without its fields");
    }
    if (!exception_has_fields(r->vm, object_value(exception)))
        return image_bad(r, "an exception with fields that it has not");
    Value values[EXCEPTION_FIELDS];
    for (int i = 0; i < EXCEPTION_FIELDS; i++)
        if (!image_get_optional(r, &values[i])) return false;
    exception->value = list_from_array(r->vm, values, EXCEPTION_FIELDS);
    return exception->value != VALUE_ERROR;
}

bool load_exception_body(ImageReader *r, Object *object) {
    Exception *exception = (Exception *)object;
    Object *attributes, *context, *traceback;
    if (!image_get_kind(r, TYPE_TUPLE, &exception->args) ||
        !image_get_optional(r, &exception->cause) ||
        !image_get_pointer(r, KIND_EXCEPTION, &context) ||
        !image_get_pointer(r, TYPE_TRACEBACK, &traceback) ||
        !image_get_pointer(r, TYPE_DICT, &attributes))
        return false;
    exception->context = context ? object_value(context) : VALUE_UNSET;
    exception->traceback = traceback ? object_value(traceback) : VALUE_UNSET;
    exception->attributes = attributes ? object_value(attributes) : VALUE_UNSET;
    bool cause = exception->cause == VALUE_UNSET || exception->cause == VALUE_NONE ||
                 is_kind(exception->cause, KIND_EXCEPTION);
    if (!cause) return image_bad(r, "an exception's cause is none");
    if (attributes) {
        uint32_t shape = shape_dict(r->vm, r->vm->shapes[object->shape].type);
        if (shape == SHAPE_NONE) return false;
        object->shape = shape;
    }
    return get_exception_value(r, exception);
}

/* ---- memoryview ---- */

void save_memoryview_shell(ImageWriter *w, Object *object) {
    const MemoryView *view = (const MemoryView *)object;
    image_put_byte(w->out, view->ndim);
    image_put_byte(w->out, (uint8_t)view->format->code);
    image_put_byte(w->out, view->readonly);
    image_put_number(w->out, image_zigzag(view->offset));
    for (unsigned i = 0; i < 2u * view->ndim; i++)
        image_put_number(w->out, image_zigzag(view->dims[i]));
}
void save_memoryview_body(ImageWriter *w, Object *object) {
    image_put_value(w, ((const MemoryView *)object)->object);
}

static int64_t get_signed(ImageReader *r) {
    uint64_t number = image_get_number(r);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

Object *load_memoryview_shell(ImageReader *r) {
    uint64_t ndim = image_get_number(r), code = image_get_number(r), readonly = image_get_number(r);
    const MemoryFormat *format = code < 128 ? memory_format((char)code) : NULL;
    if (ndim > 64 || !format) return image_bad(r, "a memoryview of an unknown form"), NULL;
    MemoryView *view = gc_new(r->vm, sizeof *view + 2 * ndim * sizeof(int64_t), TYPE_MEMORYVIEW);
    if (!view) return NULL;
    view->object = VALUE_UNSET;
    view->format = format;
    view->ndim = (uint8_t)ndim;
    view->readonly = readonly != 0;
    view->offset = get_signed(r);
    for (uint64_t i = 0; i < 2 * ndim; i++)
        view->dims[i] = get_signed(r);
    return &view->header;
}

/* Does every item lie within the object? */
static bool lies_inside(const MemoryView *view, size_t size) {
    const int64_t most = (int64_t)1 << 40;
    if (view->offset < 0 || view->offset > most) return false;
    int64_t low = view->offset, high = view->offset + view->format->size;
    for (unsigned i = 0; i < view->ndim; i++) {
        int64_t length = view_shape(view)[i], stride = view_strides(view)[i];
        if (length < 0 || length > most || stride > most || stride < -most) return false;
        if (length == 0) return true;
        if (length - 1 > most / (stride < 0 ? -stride + 1 : stride + 1)) return false;
        *(stride < 0 ? &low : &high) += (length - 1) * stride;
    }
    return low >= 0 && high >= 0 && (uint64_t)high <= size;
}

bool load_memoryview_body(ImageReader *r, Object *object) {
    MemoryView *view = (MemoryView *)object;
    Value of;
    if (!image_get_optional(r, &of)) return false;
    if (of == VALUE_UNSET) return true;
    bool array = is_kind(of, TYPE_BYTEARRAY);
    const uint8_t *data;
    size_t size;
    if ((!array && !is_kind(of, TYPE_BYTES)) || !bytes_view(r->vm, of, &data, &size))
        return image_bad(r, "a memoryview of what has no bytes");
    if (!lies_inside(view, size)) return image_bad(r, "a memoryview beyond its object");
    view->object = of;
    view->readonly |= !array;
    if (array) {
        AS(ByteArray, of)->exports++;
        gc_finalizable(r->vm, view);
    }
    return true;
}

/* ---- StringIO ---- */

void save_string_io_shell(ImageWriter *w, Object *object) {
    uint8_t bits[3];
    uint64_t at;
    Value text = string_io_state(w->vm, object_value(object), &at, bits);
    if (text == VALUE_ERROR) {
        w->failed = true;
        return;
    }
    image_put_class(w, object);
    image_put(w->out, bits, sizeof bits);
    image_put_number(w->out, at);
    image_put_text(w->out, text);
}
void save_string_io_body(ImageWriter *w, Object *object) {
    image_put_extra(w, object);
}

Object *load_string_io_shell(ImageReader *r) {
    Type *type;
    const uint8_t *bits, *data;
    uint64_t size;
    if (!image_get_class(r, TYPE_STRING_IO, &type) || !image_get_bytes(r, &bits, 3)) return NULL;
    uint64_t at = image_get_number(r);
    if (!image_get_count(r, &size, 1) || !image_get_bytes(r, &data, size)) return NULL;
    if (!image_check_text(data, size)) return image_bad(r, "a StringIO's text is not UTF-8"), NULL;
    Value file = string_io_restore(r->vm, type, (const char *)data, size, at, bits);
    if (file == VALUE_UNSET) image_bad(r, "a StringIO of an unknown form");
    return is_object(file) ? as_object(file) : NULL;
}
bool load_string_io_body(ImageReader *r, Object *object) {
    return image_get_extra(r, object);
}
