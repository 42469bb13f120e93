/* exception.c - the exception classes: what they keep, how they are made and shown. Groups are
 * exception_group.c.
 *
 * All share one layout. Most classes only have `args`; those with attributes of their own belong to
 * a family, whose fields lie in Exception.value: StopIteration.value and SystemExit.code as they
 * are, those of the others as a List in the order of error.h's enum. Which family a class is of
 * follows from the nearest builtin class on its line of bases.
 */
#include "vm/type_private.h"

#include <stdio.h>

static Exception *self_exception(Value self) {
    return AS(Exception, self);
}

/* ---- families ---- */

typedef enum Family {
    FAMILY_PLAIN,
    FAMILY_STOP,
    FAMILY_EXIT,
    FAMILY_KEY,
    FAMILY_OS,
    FAMILY_SYNTAX,
    FAMILY_DECODE,
    FAMILY_ENCODE,
    FAMILY_TRANSLATE,
    FAMILY_IMPORT,
    FAMILY_NAME,
    FAMILY_ATTRIBUTE,
    FAMILY_GROUP,
} Family;

static TypeId builtin_id(const Type *type) {
    while (!type->is_builtin)
        type = type->base;
    while (type->id == 0 && type->base)
        type = type->base;
    return (TypeId)type->id;
}

static Family family_of_id(TypeId id) {
    while (id != TYPE_BASE_EXCEPTION) {
        switch ((int)id) {
        case EXC_STOP_ITERATION: return FAMILY_STOP;
        case EXC_SYSTEM_EXIT: return FAMILY_EXIT;
        case EXC_KEY_ERROR: return FAMILY_KEY;
        case EXC_OS_ERROR: return FAMILY_OS;
        case EXC_SYNTAX_ERROR: return FAMILY_SYNTAX;
        case EXC_UNICODE_DECODE_ERROR: return FAMILY_DECODE;
        case EXC_UNICODE_ENCODE_ERROR: return FAMILY_ENCODE;
        case EXC_UNICODE_TRANSLATE_ERROR: return FAMILY_TRANSLATE;
        case EXC_IMPORT_ERROR: return FAMILY_IMPORT;
        case EXC_NAME_ERROR: return FAMILY_NAME;
        case EXC_ATTRIBUTE_ERROR: return FAMILY_ATTRIBUTE;
        case EXC_BASE_EXCEPTION_GROUP: return FAMILY_GROUP;
        default: id = exception_type_def(id)->base;
        }
    }
    return FAMILY_PLAIN;
}

static Family family_of(GenVM *vm, Value self) {
    return family_of_id(builtin_id(type_of(vm, self)));
}

/* ---- fields ---- */

Value exception_get_field(Value self, int field) {
    Value value = self_exception(self)->value;
    return value == VALUE_UNSET ? VALUE_UNSET : AS_LIST(value)->items[field];
}

bool exception_set_field(GenVM *vm, Value self, int field, Value value) {
    Exception *exception = self_exception(self);
    if (exception->value == VALUE_UNSET) {
        Value unset[EXCEPTION_FIELDS];
        for (int i = 0; i < EXCEPTION_FIELDS; i++)
            unset[i] = VALUE_UNSET;
        Value list = list_from_array(vm, unset, EXCEPTION_FIELDS);
        if (list == VALUE_ERROR) return false;
        exception->value = list;
        gc_barrier(vm, exception);
    }
    List *list = AS_LIST(exception->value);
    list->items[field] = value;
    gc_barrier(vm, list);
    return true;
}

static bool set_fields(GenVM *vm, Value self, int first, const Value *values, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        if (!exception_set_field(vm, self, first + (int)i, values[i])) return false;
    return true;
}

bool exception_has_fields(GenVM *vm, Value self) {
    switch (family_of(vm, self)) {
    case FAMILY_PLAIN:
    case FAMILY_STOP:
    case FAMILY_EXIT:
    case FAMILY_KEY: return false;
    default: return true;
    }
}

static bool are_exceptions(Value tuple) {
    if (!is_kind(tuple, TYPE_TUPLE) || AS_TUPLE(tuple)->count == 0) return false;
    for (uint64_t i = 0; i < AS_TUPLE(tuple)->count; i++)
        if (!is_kind(AS_TUPLE(tuple)->items[i], KIND_EXCEPTION)) return false;
    return true;
}

bool exception_fields_valid(GenVM *vm, Value self) {
    const Value *fields = AS_LIST(self_exception(self)->value)->items;
    Family family = family_of(vm, self);
    Value object = fields[UNICODE_ERROR_OBJECT];
    switch (family) {
    case FAMILY_GROUP:
        return value_is_str(fields[GROUP_MESSAGE]) && are_exceptions(fields[GROUP_EXCEPTIONS]);
    case FAMILY_DECODE:
    case FAMILY_ENCODE:
    case FAMILY_TRANSLATE:
        if (family != FAMILY_TRANSLATE && !value_is_str(fields[UNICODE_ERROR_ENCODING]))
            return false;
        if (family == FAMILY_DECODE ? !is_kind(object, TYPE_BYTES) : !value_is_str(object))
            return false;
        return is_int(fields[UNICODE_ERROR_START]) && is_int(fields[UNICODE_ERROR_END]) &&
               value_is_str(fields[UNICODE_ERROR_REASON]);
    default: return true;
    }
}

Value exception_stop_value(GenVM *vm, Value self) {
    (void)vm;
    Value value = self_exception(self)->value;
    return value == VALUE_UNSET ? VALUE_NONE : value;
}

/* ---- making ---- */

static Value allocate(GenVM *vm, const Type *type, Value args) {
    Exception *exception = gc_new_raw(vm, sizeof *exception, KIND_EXCEPTION);
    if (!exception) return VALUE_ERROR;
    exception->header.shape = type->root_shape;
    exception->suppress_context = false;
    exception->args = args;
    exception->cause = exception->context = exception->traceback = VALUE_UNSET;
    exception->attributes = exception->value = VALUE_UNSET;
    return object_value(exception);
}

static bool init_exit(GenVM *vm, Exception *exception, const Tuple *args) {
    (void)vm;
    if (args->count) exception->value = args->count == 1 ? args->items[0] : exception->args;
    return true;
}

/* OSError(errno, strerror[, filename[, winerror[, filename2]]]) */
static bool init_os(GenVM *vm, Value self, const Tuple *args) {
    if (args->count < 2 || args->count > 5) return true;
    if (!set_fields(vm, self, OS_ERROR_ERRNO, args->items, 2)) return false;
    if (args->count == 2 || args->items[2] == VALUE_NONE) return true;
    bool counts = value_is_intlike(args->items[2]) &&
                  type_is_subclass(type_of(vm, self), vm->types[EXC_BLOCKING_IO_ERROR]);
    if (counts) return exception_set_field(vm, self, OS_ERROR_WRITTEN, args->items[2]);
    if (!exception_set_field(vm, self, OS_ERROR_FILENAME, args->items[2])) return false;
    if (args->count == 5 && !exception_set_field(vm, self, OS_ERROR_FILENAME2, args->items[4]))
        return false;
    Value shorter = tuple_from_array(vm, args->items, 2);
    if (shorter == VALUE_ERROR) return false;
    self_exception(self)->args = shorter;
    gc_barrier(vm, as_object(self));
    return true;
}

/* SyntaxError(msg[, (filename, lineno, offset, text[, end_lineno, end_offset])]) */
static bool init_syntax(GenVM *vm, Value self, const Tuple *args) {
    if (args->count && !exception_set_field(vm, self, SYNTAX_ERROR_MSG, args->items[0]))
        return false;
    if (args->count != 2) return true;
    uint64_t count;
    const Value *details = leaf_items(args->items[1], &count);
    if (!details || count < 4 || count > 7) {
        raise_type(vm, "function takes at least 4 arguments (%d given)", details ? (int)count : 1);
        return false;
    }
    if (count == 5) {
        raise_type(vm, "end_offset must be provided when end_lineno is provided");
        return false;
    }
    return set_fields(vm, self, SYNTAX_ERROR_FILENAME, details, count < 6 ? count : 6);
}

static bool expect(GenVM *vm, bool ok, int number, const char *wanted, Value got) {
    if (!ok) raise_type(vm, "argument %d must be %s, not %T", number, wanted, got);
    return ok;
}

static bool init_unicode(GenVM *vm, Value self, const Tuple *args, Family family) {
    uint64_t wanted = family == FAMILY_TRANSLATE ? 4 : 5;
    if (args->count != wanted) {
        raise_type(vm, "function takes exactly %d arguments (%d given)", (int)wanted,
                   (int)args->count);
        return false;
    }
    const Value *at = args->items;
    int number = 1;
    if (family != FAMILY_TRANSLATE && !expect(vm, value_is_str(at[0]), number++, "str", at[0]))
        return false;
    const Value *rest = family == FAMILY_TRANSLATE ? at : at + 1;
    bool right_object = family == FAMILY_DECODE
                            ? is_kind(rest[0], TYPE_BYTES) || is_kind(rest[0], TYPE_BYTEARRAY)
                            : value_is_str(rest[0]);
    if (family == FAMILY_DECODE && !right_object) {
        raise_type(vm, "a bytes-like object is required, not '%T'", rest[0]);
        return false;
    }
    if (!expect(vm, right_object, number++, "str", rest[0])) return false;
    for (int i = 1; i <= 2; i++, number++)
        if (!value_is_intlike(rest[i])) {
            raise_type(vm, "'%T' object cannot be interpreted as an integer", rest[i]);
            return false;
        }
    if (!expect(vm, value_is_str(rest[3]), number, "str", rest[3])) return false;
    if (family != FAMILY_TRANSLATE && !exception_set_field(vm, self, UNICODE_ERROR_ENCODING, at[0]))
        return false;
    return set_fields(vm, self, UNICODE_ERROR_OBJECT, rest, 4);
}

/* Takes the keywords that the family knows; others are a TypeError. */
static bool init_keywords(GenVM *vm, Value self, Value kwargs, Family family) {
    if (kwargs == VALUE_UNSET || AS_DICT(kwargs)->count == 0) return true;
    static const struct {
        Family family;
        Name name;
        int field;
    } known[] = {
        {FAMILY_IMPORT, NAME_name, IMPORT_ERROR_NAME},
        {FAMILY_IMPORT, NAME_path, IMPORT_ERROR_PATH},
        {FAMILY_IMPORT, NAME_name_from, IMPORT_ERROR_NAME_FROM},
        {FAMILY_NAME, NAME_name, NAME_ERROR_NAME},
        {FAMILY_ATTRIBUTE, NAME_name, ATTRIBUTE_ERROR_NAME},
        {FAMILY_ATTRIBUTE, NAME_obj, ATTRIBUTE_ERROR_OBJ},
    };
    uint32_t position = 0;
    Value key, value;
    bool takes_any = family == FAMILY_IMPORT || family == FAMILY_NAME || family == FAMILY_ATTRIBUTE;
    while (dict_next(AS_DICT(kwargs), &position, &key, &value)) {
        size_t i = 0, count = sizeof known / sizeof *known;
        while (i < count &&
               (known[i].family != family || !str_equal(name_value(vm, known[i].name), key)))
            i++;
        if (i < count) {
            if (!exception_set_field(vm, self, known[i].field, value)) return false;
            continue;
        }
        if (takes_any)
            raise_type(vm, "%T() got an unexpected keyword argument '%S'", self, key);
        else
            raise_type(vm, "%T() takes no keyword arguments", self);
        return false;
    }
    return true;
}

/* What __init__ does with the arguments, but for `args`. */
static bool init_family(GenVM *vm, Value self, Value args_tuple, Value kwargs, Family family) {
    Exception *exception = self_exception(self);
    const Tuple *args = AS_TUPLE(args_tuple);
    switch (family) {
    case FAMILY_PLAIN:
    case FAMILY_KEY:
    case FAMILY_NAME:
    case FAMILY_ATTRIBUTE: break;
    case FAMILY_STOP:
        if (args->count) exception->value = args->items[0];
        break;
    case FAMILY_EXIT: init_exit(vm, exception, args); break;
    case FAMILY_OS:
        if (!init_os(vm, self, args)) return false;
        break;
    case FAMILY_SYNTAX:
        if (!init_syntax(vm, self, args)) return false;
        break;
    case FAMILY_DECODE:
    case FAMILY_ENCODE:
    case FAMILY_TRANSLATE:
        if (!init_unicode(vm, self, args, family)) return false;
        break;
    case FAMILY_IMPORT:
        if (args->count == 1 && !exception_set_field(vm, self, IMPORT_ERROR_MSG, args->items[0]))
            return false;
        break;
    case FAMILY_GROUP:
        return true; /* all done when it is made; keywords are the class's own affair */
    }
    gc_barrier(vm, exception);
    return init_keywords(vm, self, kwargs, family);
}

/* OSError(2, "...") makes a FileNotFoundError. */
static Type *os_error_type(GenVM *vm, Type *type, const Tuple *args) {
    int64_t number;
    if (type->id != EXC_OS_ERROR || args->count < 2 || args->count > 5) return type;
    if (!value_is_intlike(args->items[0]) || !int_to_i64(args->items[0], &number)) return type;
    return vm->types[os_error_class(number)];
}

static Value construct_any(GenVM *vm, Type *type, Value args, Value kwargs) {
    Family family = family_of_id(builtin_id(type));
    if (family == FAMILY_GROUP) return exception_group_construct(vm, type, args, kwargs);
    if (family == FAMILY_OS) type = os_error_type(vm, type, AS_TUPLE(args));
    Value self = allocate(vm, type, args);
    if (self == VALUE_ERROR) return VALUE_ERROR;
    bool init_is_script = type->special[SP_INIT] != VALUE_UNSET;
    if (init_is_script && family != FAMILY_OS) return self;
    return init_family(vm, self, args, init_is_script ? VALUE_UNSET : kwargs, family) ? self
                                                                                      : VALUE_ERROR;
}

Value exception_allocate(GenVM *vm, Type *type, Value args) {
    return allocate(vm, type, args);
}

Value exception_new_plain(GenVM *vm, Type *type, const Value *args, uint32_t count) {
    if (family_of_id(builtin_id(type)) != FAMILY_PLAIN) return VALUE_UNSET;
    Value tuple = tuple_from_array(vm, args, count);
    return tuple == VALUE_ERROR ? VALUE_ERROR : allocate(vm, type, tuple);
}

Value exception_new_of(GenVM *vm, Type *type, Value args) {
    if (likely(type->id > TYPE_BASE_EXCEPTION && family_of_id((TypeId)type->id) == FAMILY_PLAIN))
        return allocate(vm, type, args);
    return construct_any(vm, type, args, VALUE_UNSET);
}

static Value exception_construct(GenVM *vm, Value *args) {
    if (!is_type(args[0]) || type_from(args[0])->instance_kind != KIND_EXCEPTION)
        return raise_type(vm, "BaseException.__new__(X): X is not a subtype of BaseException");
    return construct_any(vm, type_from(args[0]), args[1], args[2]);
}

static Value method_init(GenVM *vm, Value *args) {
    Family family = family_of(vm, args[0]);
    if (family == FAMILY_OS && type_of(vm, args[0])->special[SP_NEW] != VALUE_UNSET)
        return VALUE_NONE; /* the errno and the texts are what __new__ was given */
    Exception *exception = self_exception(args[0]);
    exception->args = args[1];
    gc_barrier(vm, exception);
    if (family == FAMILY_GROUP) return VALUE_NONE;
    return init_family(vm, args[0], args[1], args[2], family) ? VALUE_NONE : VALUE_ERROR;
}

static void trace(GenVM *vm, Object *object) {
    Exception *exception = (Exception *)object;
    gc_mark(vm, exception->args);
    gc_mark(vm, exception->cause);
    gc_mark(vm, exception->context);
    gc_mark(vm, exception->traceback);
    gc_mark(vm, exception->attributes);
    gc_mark(vm, exception->value);
}

/* ---- text ---- */

static Value field_or(Value self, int field, Value otherwise) {
    Value value = exception_get_field(self, field);
    return value == VALUE_UNSET ? otherwise : value;
}

static Value plain_str(GenVM *vm, Value self) {
    const Tuple *args = AS_TUPLE(self_exception(self)->args);
    if (args->count == 0) return vm->empty_str;
    return args->count == 1 ? value_str(vm, args->items[0])
                            : value_repr(vm, self_exception(self)->args);
}

/* Does its text need no script code. */
static bool is_plain(Value v) {
    return v == VALUE_UNSET || v == VALUE_NONE || is_exact(v, TYPE_STR) ||
           is_exact(v, TYPE_BYTES) || is_int(v);
}

static Value or_none(Value v) {
    return v == VALUE_UNSET ? VALUE_NONE : v;
}

static Value os_str(GenVM *vm, Value self) {
    Value number = exception_get_field(self, OS_ERROR_ERRNO),
          text = exception_get_field(self, OS_ERROR_STRERROR);
    Value filename = exception_get_field(self, OS_ERROR_FILENAME),
          second = exception_get_field(self, OS_ERROR_FILENAME2);
    bool named = filename != VALUE_UNSET && filename != VALUE_NONE;
    if (!named && (number == VALUE_UNSET || text == VALUE_UNSET)) return plain_str(vm, self);
    number = or_none(number), text = or_none(text); /* one may be named later, by its attribute */
    if (!is_plain(filename) || !is_plain(number) || !is_plain(text) || !is_plain(second))
        return native_twin(vm, TWIN_OS_ERROR_STR, 4, number, text, or_none(filename),
                           or_none(second));
    if (!named) return str_format(vm, "[Errno %S] %S", number, text);
    if (second == VALUE_UNSET || second == VALUE_NONE)
        return str_format(vm, "[Errno %S] %S: %V", number, text, filename);
    return str_format(vm, "[Errno %S] %S: %V -> %V", number, text, filename, second);
}

static Value base_name(GenVM *vm, Value path) {
    const Str *text = AS_STR(path);
    uint32_t start = text->size;
    while (start > 0 && text->data[start - 1] != '/')
        start--;
    return str_new(vm, text->data + start, text->size - start);
}

static Value syntax_str(GenVM *vm, Value self) {
    Value message = field_or(self, SYNTAX_ERROR_MSG, VALUE_NONE);
    Value filename = field_or(self, SYNTAX_ERROR_FILENAME, VALUE_NONE);
    Value line = field_or(self, SYNTAX_ERROR_LINENO, VALUE_NONE);
    bool has_file = value_is_str(filename), has_line = value_is_int(line);
    if (!has_file && !has_line) return value_str(vm, message);
    if (has_file && has_line)
        return str_format(vm, "%S (%S, line %S)", message, base_name(vm, filename), line);
    if (has_file) return str_format(vm, "%S (%S)", message, base_name(vm, filename));
    return str_format(vm, "%S (line %S)", message, line);
}

static Value decode_str(GenVM *vm, Value self) {
    Value encoding = exception_get_field(self, UNICODE_ERROR_ENCODING);
    Value object = exception_get_field(self, UNICODE_ERROR_OBJECT),
          reason = exception_get_field(self, UNICODE_ERROR_REASON);
    int64_t start, end;
    const uint8_t *data;
    size_t size;
    int_to_i64(exception_get_field(self, UNICODE_ERROR_START), &start);
    int_to_i64(exception_get_field(self, UNICODE_ERROR_END), &end);
    if (bytes_view(vm, object, &data, &size) && start >= 0 && (uint64_t)start < size &&
        end == start + 1)
        return str_format(vm, "'%S' codec can't decode byte 0x%02x in position %lld: %S", encoding,
                          (unsigned)data[start], (long long)start, reason);
    return str_format(vm, "'%S' codec can't decode bytes in position %lld-%lld: %S", encoding,
                      (long long)start, (long long)(end - 1), reason);
}

/* The character at `at`, escaped: \xe9, \u20ac, \U0001f600. False without memory. */
static bool escape_character(GenVM *vm, Value text, int64_t at, char *out, size_t size) {
    Value one = str_slice(vm, text, at, at + 1);
    uint32_t c = '?';
    if (one == VALUE_ERROR) return false;
    if (AS_STR(one)->size) {
        const unsigned char *u = (const unsigned char *)AS_STR(one)->data;
        if (u[0] < 0x80)
            c = u[0];
        else if (u[0] < 0xE0)
            c = (uint32_t)(u[0] & 31) << 6 | (u[1] & 63);
        else if (u[0] < 0xF0)
            c = (uint32_t)(u[0] & 15) << 12 | (uint32_t)(u[1] & 63) << 6 | (u[2] & 63);
        else
            c = (uint32_t)(u[0] & 7) << 18 | (uint32_t)(u[1] & 63) << 12 |
                (uint32_t)(u[2] & 63) << 6 | (u[3] & 63);
    }
    snprintf(out, size, c <= 0xFF ? "\\x%02x" : c <= 0xFFFF ? "\\u%04x" : "\\U%08x", c);
    return true;
}

static Value encode_str(GenVM *vm, Value self, Family family) {
    Value encoding = exception_get_field(self, UNICODE_ERROR_ENCODING);
    Value object = exception_get_field(self, UNICODE_ERROR_OBJECT),
          reason = exception_get_field(self, UNICODE_ERROR_REASON);
    int64_t start, end;
    int_to_i64(exception_get_field(self, UNICODE_ERROR_START), &start);
    int_to_i64(exception_get_field(self, UNICODE_ERROR_END), &end);
    bool one = start >= 0 && start < AS_STR(object)->length && end == start + 1;
    char character[16];
    if (one && !escape_character(vm, object, start, character, sizeof character))
        return VALUE_ERROR;
    if (family == FAMILY_TRANSLATE)
        return one ? str_format(vm, "can't translate character '%s' in position %lld: %S",
                                character, (long long)start, reason)
                   : str_format(vm, "can't translate characters in position %lld-%lld: %S",
                                (long long)start, (long long)(end - 1), reason);
    if (one)
        return str_format(vm, "'%S' codec can't encode character '%s' in position %lld: %S",
                          encoding, character, (long long)start, reason);
    return str_format(vm, "'%S' codec can't encode characters in position %lld-%lld: %S", encoding,
                      (long long)start, (long long)(end - 1), reason);
}

static Value text_of(GenVM *vm, Value self) {
    Family family = family_of(vm, self);
    const Exception *exception = self_exception(self);
    bool has_fields = exception->value != VALUE_UNSET;
    switch (family) {
    case FAMILY_KEY:
        if (AS_TUPLE(exception->args)->count == 1)
            return value_repr(vm, AS_TUPLE(exception->args)->items[0]);
        break;
    case FAMILY_OS: return os_str(vm, self);
    case FAMILY_SYNTAX: return syntax_str(vm, self);
    case FAMILY_DECODE: return has_fields ? decode_str(vm, self) : vm->empty_str;
    case FAMILY_ENCODE:
    case FAMILY_TRANSLATE: return has_fields ? encode_str(vm, self, family) : vm->empty_str;
    case FAMILY_IMPORT: {
        Value message = exception_get_field(self, IMPORT_ERROR_MSG);
        if (message != VALUE_UNSET && is_exact(message, TYPE_STR)) return message;
        break;
    }
    case FAMILY_GROUP: return exception_group_str(vm, self);
    case FAMILY_PLAIN: /* a class may have KeyError as a base beside the one that gives its layout
                        */
        if (AS_TUPLE(exception->args)->count == 1 && value_is_instance(vm, self, EXC_KEY_ERROR))
            return value_repr(vm, AS_TUPLE(exception->args)->items[0]);
        break;
    case FAMILY_STOP:
    case FAMILY_EXIT:
    case FAMILY_NAME:
    case FAMILY_ATTRIBUTE: break;
    }
    return plain_str(vm, self);
}

static Value exception_str(GenVM *vm, Value self) { /* of an exception of an exception ... */
    return native_enter(vm) ? native_left(vm, text_of(vm, self)) : VALUE_ERROR;
}

static Value repr(GenVM *vm, Value self) {
    Value args = self_exception(self)->args, name = type_of(vm, self)->name;
    if (AS_TUPLE(args)->count == 0) return str_format(vm, "%S()", name);
    bool one = AS_TUPLE(args)->count == 1;
    if (!native_enter(vm)) return VALUE_ERROR;
    Value inner = native_left(vm, value_repr(vm, one ? AS_TUPLE(args)->items[0] : args));
    if (inner == VALUE_ERROR) return VALUE_ERROR;
    if (inner == VALUE_TAIL) {
        native_drop_tail(vm);
        return native_twin(vm, TWIN_EXCEPTION_REPR, 2, name, args);
    }
    return str_format(vm, one ? "%S(%S)" : "%S%S", name, inner);
}

/* ---- attributes of all ---- */

static Value get_args(GenVM *vm, Value self) {
    return (void)vm, self_exception(self)->args;
}

static bool set_args(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) {
        raise_type(vm, "args may not be deleted");
        return false;
    }
    Value iterator = leaf_iter(vm, value), list = list_new(vm, 4), item = VALUE_UNSET;
    while (iterator != VALUE_TAIL && iterator != VALUE_ERROR && list != VALUE_ERROR) {
        item = leaf_next(vm, iterator);
        if (item == VALUE_TAIL || item == VALUE_ERROR || item == VALUE_END ||
            !list_append(vm, list, item))
            break;
    }
    if (item == VALUE_END) {
        self_exception(self)->args = list_to_tuple(vm, list);
        gc_barrier(vm, as_object(self));
        return self_exception(self)->args != VALUE_ERROR;
    }
    if (iterator == VALUE_TAIL || item == VALUE_TAIL) {
        native_drop_tail(vm);
        raise_type(vm, "args must be a builtin iterable, not %T", value);
    }
    return false;
}

static Value get_cause(GenVM *vm, Value self) {
    return (void)vm, or_none(self_exception(self)->cause);
}
static Value get_context(GenVM *vm, Value self) {
    return (void)vm, or_none(self_exception(self)->context);
}
static Value get_traceback(GenVM *vm, Value self) {
    return (void)vm, or_none(self_exception(self)->traceback);
}
static Value get_suppress(GenVM *vm, Value self) {
    return (void)vm, bool_value(self_exception(self)->suppress_context);
}

static bool check_exception_or_none(GenVM *vm, Value value, const char *what) {
    if (value != VALUE_UNSET && (value == VALUE_NONE || is_kind(value, KIND_EXCEPTION)))
        return true;
    if (value == VALUE_UNSET)
        raise_type(vm, "__%s__ may not be deleted", what);
    else
        raise_type(vm, "exception %s must be None or derive from BaseException", what);
    return false;
}

static bool set_cause(GenVM *vm, Value self, Value value) {
    if (!check_exception_or_none(vm, value, "cause")) return false;
    self_exception(self)->cause = value;
    self_exception(self)->suppress_context = true;
    gc_barrier(vm, as_object(self));
    return true;
}

static bool set_context(GenVM *vm, Value self, Value value) {
    if (!check_exception_or_none(vm, value, "context")) return false;
    self_exception(self)->context = value == VALUE_NONE ? VALUE_UNSET : value;
    gc_barrier(vm, as_object(self));
    return true;
}

static bool set_traceback(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || (value != VALUE_NONE && !is_kind(value, TYPE_TRACEBACK))) {
        if (value == VALUE_UNSET)
            raise_type(vm, "__traceback__ may not be deleted");
        else
            raise_type(vm, "__traceback__ must be a traceback or None");
        return false;
    }
    self_exception(self)->traceback = value == VALUE_NONE ? VALUE_UNSET : value;
    gc_barrier(vm, as_object(self));
    return true;
}

static bool set_suppress(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_bool(value)) {
        raise_type(vm, value == VALUE_UNSET ? "can't delete numeric/char attribute"
                                            : "attribute value type must be bool");
        return false;
    }
    self_exception(self)->suppress_context = value == VALUE_TRUE;
    return true;
}

static Value get_dict(GenVM *vm, Value self) {
    Dict *dict = instance_dict(vm, self);
    return dict ? object_value(dict) : VALUE_ERROR;
}

static bool set_dict(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_kind(value, TYPE_DICT)) {
        raise_type(vm, "__dict__ must be a dictionary");
        return false;
    }
    return instance_dict_replace(vm, self, AS_DICT(value));
}

static Value method_with_traceback(GenVM *vm, Value *args) {
    return set_traceback(vm, args[0], args[1]) ? args[0] : VALUE_ERROR;
}

static Value method_add_note(GenVM *vm, Value *args) {
    Value name = name_value(vm, NAME___notes__), notes = instance_get(vm, args[0], name);
    if (notes == VALUE_UNSET) {
        notes = list_new(vm, 1);
        if (notes == VALUE_ERROR || !instance_set(vm, args[0], name, notes)) return VALUE_ERROR;
    }
    if (!is_kind(notes, TYPE_LIST))
        return raise_type(vm, "Cannot add note: __notes__ is not a list");
    return list_append(vm, notes, args[1]) ? VALUE_NONE : VALUE_ERROR;
}

static Value method_setstate(GenVM *vm, Value *args) {
    if (args[1] == VALUE_NONE) return VALUE_NONE;
    if (!is_kind(args[1], TYPE_DICT)) return raise_type(vm, "state is not a dictionary");
    uint32_t position = 0;
    Value key, value;
    while (dict_next(AS_DICT(args[1]), &position, &key, &value))
        if (!value_is_str(key) || !intern_name(vm, &key) || !instance_set(vm, args[0], key, value))
            return vm->exception == VALUE_UNSET
                       ? raise_type(vm, "attribute name must be string, not '%T'", key)
                       : VALUE_ERROR;
    return VALUE_NONE;
}

/* ---- attributes of the families ---- */

static Value get_value(GenVM *vm, Value self) {
    return exception_stop_value(vm, self);
}
static bool set_value(GenVM *vm, Value self, Value value) {
    self_exception(self)->value = value == VALUE_UNSET ? VALUE_NONE : value;
    gc_barrier(vm, as_object(self));
    return true;
}

#define FIELD(name, place)                                                                         \
    static Value get_##name(GenVM *vm, Value self) {                                               \
        return (void)vm, field_or(self, place, VALUE_NONE);                                        \
    }                                                                                              \
    static bool set_##name(GenVM *vm, Value self, Value value) {                                   \
        return exception_set_field(vm, self, place, value == VALUE_UNSET ? VALUE_NONE : value);    \
    }
FIELD(field0, 0)
FIELD(field1, 1)
FIELD(field2, 2)
FIELD(field3, 3)
FIELD(field4, 4)
FIELD(field5, 5)
FIELD(field6, 6)
FIELD(field7, 7)

static Value get_written(GenVM *vm, Value self) {
    Value written = exception_get_field(self, OS_ERROR_WRITTEN);
    return written == VALUE_UNSET
               ? raise_attribute(vm, self, str_intern_from(vm, "characters_written", 18))
               : written;
}

static const AttributeDef stop_attributes[] = {
    {"value", get_value, set_value, "generator return value"}, {0}};
static const AttributeDef exit_attributes[] = {{"code", get_value, set_value, "exception code"},
                                               {0}};
static const AttributeDef os_attributes[] = {
    {"errno", get_field0, set_field0, "POSIX exception code"},
    {"strerror", get_field1, set_field1, "exception strerror"},
    {"filename", get_field2, set_field2, "exception filename"},
    {"filename2", get_field3, set_field3, "second exception filename"},
    {"characters_written", get_written, set_field4, NULL},
    {0},
};
static const AttributeDef syntax_attributes[] = {
    {"msg", get_field0, set_field0, "exception msg"},
    {"filename", get_field1, set_field1, "exception filename"},
    {"lineno", get_field2, set_field2, "exception lineno"},
    {"offset", get_field3, set_field3, "exception offset"},
    {"text", get_field4, set_field4, "exception text"},
    {"end_lineno", get_field5, set_field5, "exception end lineno"},
    {"end_offset", get_field6, set_field6, "exception end offset"},
    {"print_file_and_line", get_field7, set_field7, "exception print_file_and_line"},
    {0},
};
static const AttributeDef unicode_attributes[] = {
    {"encoding", get_field0, set_field0, "exception encoding"},
    {"object", get_field1, set_field1, "exception object"},
    {"start", get_field2, set_field2, "exception start"},
    {"end", get_field3, set_field3, "exception end"},
    {"reason", get_field4, set_field4, "exception reason"},
    {0},
};
static const AttributeDef import_attributes[] = {
    {"msg", get_field0, set_field0, "exception message"},
    {"name", get_field1, set_field1, "module name"},
    {"path", get_field2, set_field2, "module path"},
    {"name_from", get_field3, set_field3, "name imported from module"},
    {0},
};
static const AttributeDef name_attributes[] = {{"name", get_field0, set_field0, "name"}, {0}};
static const AttributeDef attribute_attributes[] = {
    {"name", get_field0, set_field0, "attribute name"},
    {"obj", get_field1, set_field1, "object"},
    {0},
};
static const AttributeDef group_attributes[] = {
    {"message", get_field0, NULL, "exception message"},
    {"exceptions", get_field1, NULL, "nested exceptions"},
    {0},
};

const AttributeDef *exception_type_attributes(TypeId id) {
    switch ((int)id) {
    case EXC_STOP_ITERATION: return stop_attributes;
    case EXC_SYSTEM_EXIT: return exit_attributes;
    case EXC_OS_ERROR: return os_attributes;
    case EXC_SYNTAX_ERROR: return syntax_attributes;
    case EXC_UNICODE_DECODE_ERROR:
    case EXC_UNICODE_ENCODE_ERROR:
    case EXC_UNICODE_TRANSLATE_ERROR: return unicode_attributes;
    case EXC_IMPORT_ERROR: return import_attributes;
    case EXC_NAME_ERROR: return name_attributes;
    case EXC_ATTRIBUTE_ERROR: return attribute_attributes;
    case EXC_BASE_EXCEPTION_GROUP: return group_attributes;
    default: return NULL;
    }
}

/* ---- the types ---- */

static const NativeDef construct = {"BaseException(cls, /, *args, **kwargs)", exception_construct,
                                    NULL};

static const NativeDef methods[] = {
    {"__init__(self, /, *args, **kwargs)", method_init,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"with_traceback(self, tb, /)", method_with_traceback,
     "Exception.with_traceback(tb) --\n    set self.__traceback__ to tb and return self."},
    {"add_note(self, note: str, /)", method_add_note,
     "Exception.add_note(note) --\n    add a note to the exception"},
    {"__setstate__(self, state, /)", method_setstate, NULL},
    {0},
};

static const AttributeDef attributes[] = {
    {"args", get_args, set_args, NULL},
    {"__cause__", get_cause, set_cause, "exception cause"},
    {"__context__", get_context, set_context, "exception context"},
    {"__suppress_context__", get_suppress, set_suppress, NULL},
    {"__traceback__", get_traceback, set_traceback, NULL},
    {"__dict__", get_dict, set_dict, NULL},
    {0},
};

const BuiltinType base_exception_type = {
    .name = "BaseException",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Exception),
    .doc = "Common base class for all exceptions",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .str = exception_str, .trace = trace},
};

static const BuiltinType exception_types[] = {
#define EXCEPTION(id, text, parent)                                                                \
    [EXC_##id - TYPE_KIND_COUNT] = {                                                               \
        .name = #text,                                                                             \
        .base = (TypeId)EXC_##parent,                                                              \
        .size = sizeof(Exception),                                                                 \
        .construct = &construct,                                                                   \
        .methods = EXC_##id == EXC_BASE_EXCEPTION_GROUP ? exception_group_methods : NULL},
#include "vm/exceptions.def"
#undef EXCEPTION
};

const BuiltinType *exception_type_def(TypeId id) {
    return &exception_types[id - TYPE_KIND_COUNT];
}
