/* csv.c - module _csv_lines: the lines of CSV files as fields, and rows as lines. Dialects, readers
 * and writers are csv.gen's.
 *
 * A line is read by a machine whose states are those of CPython's reader, since the corners of CSV
 * are what that one does: a quote within a field, text behind a closing quote, escaped line ends.
 * Runs of ordinary characters are taken as one. A record that goes on in the next line is handed
 * out as a tuple, and back with that line:
 *
 *     parse_line(line, options, None) -> list     the fields of the record
 *                                     -> tuple    it is not complete: (fields, text, state,
 * unquoted)
 *                                     -> str      what is wrong with it
 */
#include "stdlib/modules.h"
#include "vm/objects.h"
#include "vm/objects/text.h"

typedef enum State {
    START_RECORD,
    START_FIELD,
    ESCAPED,
    IN_FIELD,
    IN_QUOTED,
    ESCAPED_IN_QUOTED,
    QUOTE_IN_QUOTED,
    LINE_END,
    AFTER_ESCAPED_LINE_END
} State;

enum { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE, QUOTE_STRINGS, QUOTE_NOTNULL };
static const uint32_t END_OF_LINE = 0xffffffff; /* behind the last character */
static const uint32_t NO_CHAR = 0xfffffffe;     /* a character that a dialect does not have */

static const char FIELD_TOO_LONG[] = "field larger than field limit (%ld)";
static const char BEHIND_QUOTE[] = "'%S' expected after '%S'";

typedef struct Options { /* of a dialect, and the limit of a field's length */
    uint32_t delimiter, quote, escape;
    bool double_quote, skip_space, strict;
    int64_t quoting, limit;
    Str *line_end;
} Options;

typedef struct Scan {
    GenVM *vm;
    const Options *options;
    Value fields;    /* the list of those that are complete */
    StrBuilder text; /* of the current one */
    int64_t length;  /* of it, in code points */
    State state;
    bool unquoted;     /* the current field */
    const char *error; /* NULL: none */
} Scan;

static uint32_t char_of(Value v) {
    if (v == VALUE_NONE) return NO_CHAR;
    const char *text = AS_STR(v)->data;
    return utf8_take(&text);
}

static bool is_char(Value v) {
    return value_is_str(v) && AS_STR(v)->length == 1;
}

static bool are_options(const Value *items) {
    bool quotes = is_char(items[1]) ||
                  (items[1] == VALUE_NONE && is_int(items[6]) && as_int(items[6]) == QUOTE_NONE);
    return is_char(items[0]) && quotes && (is_char(items[2]) || items[2] == VALUE_NONE) &&
           value_is_str(items[5]) && is_int(items[6]) && is_int(items[8]);
}

/* (delimiter, quotechar, escapechar, doublequote, skipinitialspace, lineterminator, quoting,
 * strict, limit), as csv.gen makes it. */
static bool options_of(GenVM *vm, Value v, Options *out) {
    uint64_t count;
    const Value *items = leaf_items(v, &count);
    if (!items || count != 9 || !are_options(items))
        return raise_type(vm, "no options of a dialect"), false;
    *out = (Options){char_of(items[0]),      char_of(items[1]),      char_of(items[2]),
                     items[3] == VALUE_TRUE, items[4] == VALUE_TRUE, items[7] == VALUE_TRUE,
                     as_int(items[6]),       as_int(items[8]),       AS_STR(items[5])};
    return true;
}

/* ---- reading ---- */

static bool is_line_end(uint32_t c) {
    return c == '\n' || c == '\r' || c == END_OF_LINE;
}

static bool too_long(Scan *scan, int64_t more) {
    scan->length += more;
    if (scan->length <= scan->options->limit) return false;
    scan->error = FIELD_TOO_LONG;
    return true;
}

static void add_char(Scan *scan, uint32_t c) {
    if (!too_long(scan, 1)) builder_put_char(&scan->text, c);
}

/* The value of the field that ends; VALUE_ERROR when it is to be a number and is none. */
static Value field_value(Scan *scan) {
    int64_t quoting = scan->options->quoting;
    GenVM *vm = scan->vm;
    if (scan->unquoted && !scan->text.size &&
        (quoting == QUOTE_NOTNULL || quoting == QUOTE_STRINGS))
        return VALUE_NONE;
    Value text = str_new(vm, scan->text.data, scan->text.size);
    if (text == VALUE_ERROR || !scan->unquoted || !scan->text.size ||
        (quoting != QUOTE_NONNUMERIC && quoting != QUOTE_STRINGS))
        return text;
    double number;
    if (float_parse(scan->text.data, scan->text.size, &number)) return float_value(vm, number);
    return raise_value(vm, "could not convert string to float: %V", text);
}

static void save_field(Scan *scan) {
    Value value = field_value(scan);
    if (value == VALUE_ERROR || !list_append(scan->vm, scan->fields, value))
        scan->error = ""; /* an exception is pending */
    scan->text.size = 0;
    scan->length = 0;
    scan->unquoted = true;
}

static void end_field(Scan *scan, uint32_t c) {
    save_field(scan);
    scan->state = c == END_OF_LINE ? START_RECORD : LINE_END;
}

static void start_field(Scan *scan, uint32_t c) {
    const Options *options = scan->options;
    scan->unquoted = true;
    if (is_line_end(c)) {
        end_field(scan, c);
    } else if (c == options->quote && options->quoting != QUOTE_NONE) {
        scan->unquoted = false;
        scan->state = IN_QUOTED;
    } else if (c == options->escape) {
        scan->state = ESCAPED;
    } else if (c == ' ' && options->skip_space) {
        scan->state = START_FIELD;
    } else if (c == options->delimiter) {
        save_field(scan);
        scan->state = START_FIELD;
    } else {
        add_char(scan, c);
        scan->state = IN_FIELD;
    }
}

static void in_field(Scan *scan, uint32_t c) {
    if (is_line_end(c)) {
        end_field(scan, c);
    } else if (c == scan->options->escape) {
        scan->state = ESCAPED;
    } else if (c == scan->options->delimiter) {
        save_field(scan);
        scan->state = START_FIELD;
    } else {
        add_char(scan, c);
        scan->state = IN_FIELD;
    }
}

static void in_quoted(Scan *scan, uint32_t c) {
    if (c == END_OF_LINE) return;
    if (c == scan->options->escape)
        scan->state = ESCAPED_IN_QUOTED;
    else if (c == scan->options->quote)
        scan->state = scan->options->double_quote ? QUOTE_IN_QUOTED : IN_FIELD;
    else
        add_char(scan, c);
}

static void behind_quote(Scan *scan, uint32_t c) {
    const Options *options = scan->options;
    if (c == options->quote) {
        add_char(scan, c);
        scan->state = IN_QUOTED;
    } else if (c == options->delimiter) {
        save_field(scan);
        scan->state = START_FIELD;
    } else if (is_line_end(c)) {
        end_field(scan, c);
    } else if (!options->strict) {
        add_char(scan, c);
        scan->state = IN_FIELD;
    } else {
        scan->error = BEHIND_QUOTE;
    }
}

static void escaped(Scan *scan, uint32_t c, State next) {
    bool line_end = c == '\n' || c == '\r';
    add_char(scan, c == END_OF_LINE ? '\n' : c);
    scan->state = line_end && next == IN_FIELD ? AFTER_ESCAPED_LINE_END : next;
}

static void take_char(Scan *scan, uint32_t c) {
    switch (scan->state) {
    case START_RECORD:
        if (c == END_OF_LINE) break;
        if (is_line_end(c))
            scan->state = LINE_END;
        else
            start_field(scan, c);
        break;
    case START_FIELD: start_field(scan, c); break;
    case ESCAPED: escaped(scan, c, IN_FIELD); break;
    case AFTER_ESCAPED_LINE_END:
        if (c != END_OF_LINE) in_field(scan, c);
        break;
    case IN_FIELD: in_field(scan, c); break;
    case IN_QUOTED: in_quoted(scan, c); break;
    case ESCAPED_IN_QUOTED: escaped(scan, c, IN_QUOTED); break;
    case QUOTE_IN_QUOTED: behind_quote(scan, c); break;
    case LINE_END:
        if (c == END_OF_LINE)
            scan->state = START_RECORD;
        else if (!is_line_end(c))
            scan->error =
                "new-line character seen in unquoted field - do you need to open the file "
                "with newline=''?";
        break;
    }
}

/* Takes the ordinary characters of a field at once: ASCII, and none that means something. */
static const char *take_run(Scan *scan, const char *at, const char *end) {
    const Options *options = scan->options;
    if (scan->state != IN_FIELD && scan->state != IN_QUOTED) return at;
    const char *start = at;
    bool quoted = scan->state == IN_QUOTED;
    for (; at < end; at++) {
        uint8_t c = (uint8_t)*at;
        if (c >= 0x80 || c == options->escape) break;
        if (quoted ? c == options->quote : c == options->delimiter || c == '\n' || c == '\r') break;
    }
    if (at > start && !too_long(scan, at - start))
        builder_put(&scan->text, start, (size_t)(at - start));
    return at;
}

static Value finish(Scan *scan) {
    GenVM *vm = scan->vm;
    if (scan->error) {
        builder_drop(&scan->text);
        if (!*scan->error) return VALUE_ERROR;
        const Options *options = scan->options;
        if (scan->error == FIELD_TOO_LONG)
            return str_format(vm, FIELD_TOO_LONG, (long)options->limit);
        if (scan->error != BEHIND_QUOTE) return str_from(vm, scan->error);
        Value delimiter = str_from_char(vm, options->delimiter);
        Value quote = options->quote == NO_CHAR ? vm->empty_str : str_from_char(vm, options->quote);
        return str_format(vm, BEHIND_QUOTE, delimiter, quote);
    }
    if (scan->state == START_RECORD) {
        builder_drop(&scan->text);
        return scan->fields;
    }
    Value text = builder_finish(&scan->text);
    if (text == VALUE_ERROR) return text;
    return tuple_pack(vm, 4, scan->fields, text, int_value((int)scan->state),
                      bool_value(scan->unquoted));
}

static bool resume(Scan *scan, Value pending) {
    if (pending == VALUE_NONE) {
        scan->fields = list_new(scan->vm, 8);
        return scan->fields != VALUE_ERROR;
    }
    uint64_t count;
    const Value *items = leaf_items(pending, &count);
    if (!items || count != 4 || !is_kind(items[0], TYPE_LIST) || !value_is_str(items[1]) ||
        !is_int(items[2]) || as_int(items[2]) < 0 || as_int(items[2]) > AFTER_ESCAPED_LINE_END)
        return raise_type(scan->vm, "no record that goes on"), false;
    scan->fields = items[0];
    scan->length = (int64_t)AS_STR(items[1])->length;
    scan->state = (State)as_int(items[2]);
    scan->unquoted = items[3] == VALUE_TRUE;
    return builder_put_str(&scan->text, items[1]);
}

/* parse_line(line, options, pending) */
static Value parse_line(GenVM *vm, Value *args) {
    Options options;
    if (!options_of(vm, args[1], &options)) return VALUE_ERROR;
    Scan scan = {.vm = vm, .options = &options, .state = START_RECORD, .unquoted = true};
    builder_init(&scan.text, vm);
    Str *line = AS_STR(args[0]);
    if (!native_afford(vm, line->size / 8) || !resume(&scan, args[2])) {
        builder_drop(&scan.text);
        return VALUE_ERROR;
    }
    const char *at = line->data, *end = at + line->size;
    for (uint64_t turn = 0; !scan.error; turn++) {
        if (args[2] == VALUE_NONE && !native_glance(vm, turn)) {
            builder_drop(&scan.text);
            return VALUE_ERROR;
        }
        at = take_run(&scan, at, end);
        if (at == end || scan.error) break;
        take_char(&scan, utf8_take(&at));
    }
    if (!scan.error) take_char(&scan, END_OF_LINE);
    return finish(&scan);
}

/* ---- writing ---- */

typedef enum Kind { KIND_STR, KIND_NUMBER, KIND_NONE, KIND_OTHER } Kind;

typedef struct Join {
    GenVM *vm;
    const Options *options;
    StrBuilder line;
    const char *error;
} Join;

static Kind kind_of(Value v) {
    if (value_is_str(v)) return KIND_STR;
    if (v == VALUE_NONE) return KIND_NONE;
    return value_is_intlike(v) || value_is_float(v) ? KIND_NUMBER : KIND_OTHER;
}

static bool wants_quotes(const Options *options, Kind kind) {
    switch (options->quoting) {
    case QUOTE_NONNUMERIC: return kind != KIND_NUMBER;
    case QUOTE_ALL: return true;
    case QUOTE_STRINGS: return kind == KIND_STR;
    case QUOTE_NOTNULL: return kind != KIND_NONE;
    default: return false;
    }
}

static bool is_special(const Options *options, uint32_t c) {
    if (c == options->delimiter || c == options->escape || c == options->quote || c == '\n' ||
        c == '\r')
        return true;
    const char *at = options->line_end->data, *end = at + options->line_end->size;
    while (at < end)
        if (utf8_take(&at) == c) return true;
    return false;
}

/* Whether the field has a character for which it must be quoted. */
static bool needs_quotes(Join *join, Str *text) {
    const Options *options = join->options;
    if (options->quoting == QUOTE_NONE) return false;
    for (const char *at = text->data, *end = at + text->size, *looked = at; at < end;) {
        uint32_t c = utf8_take(&at);
        if (!text_look(join->vm, at, &looked)) return join->line.failed = true;
        if (c == ' ' && options->delimiter == ' ') return true;
        if (is_special(options, c) &&
            (c == options->quote ? options->double_quote : c != options->escape))
            return true;
    }
    return false;
}

static void put_text(Join *join, Str *text) {
    const Options *options = join->options;
    for (const char *at = text->data, *end = at + text->size; at < end && !join->line.failed;) {
        uint32_t c = utf8_take(&at);
        if (is_special(options, c)) {
            bool escape = options->quoting == QUOTE_NONE || c == options->escape;
            if (c == options->quote && options->quoting != QUOTE_NONE) {
                if (options->double_quote)
                    builder_put_char(&join->line, c);
                else
                    escape = true;
            }
            if (escape && options->escape == NO_CHAR) {
                join->error = "need to escape, but no escapechar set";
                return;
            }
            if (escape) builder_put_char(&join->line, options->escape);
        }
        builder_put_char(&join->line, c);
    }
}

static void put_field(Join *join, Value field, Kind kind, bool first) {
    const Options *options = join->options;
    Value text = kind == KIND_NONE ? str_from(join->vm, "") : leaf_str(join->vm, field);
    bool quoted = wants_quotes(options, kind) || needs_quotes(join, AS_STR(text));
    if (!AS_STR(text)->size && options->delimiter == ' ' && options->skip_space) {
        if (options->quoting == QUOTE_NONE ||
            (kind == KIND_NONE &&
             (options->quoting == QUOTE_STRINGS || options->quoting == QUOTE_NOTNULL))) {
            join->error =
                "empty field must be quoted if delimiter is a space and skipinitialspace is true";
            return;
        }
        quoted = true;
    }
    if (!first) builder_put_char(&join->line, options->delimiter);
    if (quoted) builder_put_char(&join->line, options->quote);
    put_text(join, AS_STR(text));
    if (quoted) builder_put_char(&join->line, options->quote);
}

/* A row of one empty field would be an empty line, which is no row. */
static void put_lonely_field(Join *join, Kind kind) {
    int64_t quoting = join->options->quoting;
    if (quoting == QUOTE_NONE ||
        (kind == KIND_NONE && (quoting == QUOTE_STRINGS || quoting == QUOTE_NOTNULL))) {
        join->error = "single empty field record must be quoted";
        return;
    }
    builder_put_char(&join->line, join->options->quote);
    builder_put_char(&join->line, join->options->quote);
}

static bool is_leaf(Value v) {
    return kind_of(v) != KIND_OTHER && (is_exact(v, TYPE_STR) || v == VALUE_NONE || is_int(v) ||
                                        is_float(v) || is_bool(v) || is_exact(v, TYPE_INT));
}

/* join_row(fields, kinds, options): the line, (message,) of an error, or None when a field is to be
 * made a str by script code first; `kinds`, a list of Kinds, tells what the fields were then. */
static Value join_row(GenVM *vm, Value *args) {
    Options options;
    uint64_t count, kind_count = 0;
    const Value *fields = leaf_items(args[0], &count);
    const Value *kinds = args[1] == VALUE_NONE ? NULL : leaf_items(args[1], &kind_count);
    if (!fields || (kinds && kind_count != count)) return raise_type(vm, "fields must be a list");
    if (!options_of(vm, args[2], &options)) return VALUE_ERROR;
    uint64_t size = count * 8;
    for (uint64_t i = 0; i < count; i++) {
        if (!is_leaf(fields[i])) return VALUE_NONE;
        if (value_is_str(fields[i])) size += AS_STR(fields[i])->size;
        if (!native_glance(vm, i)) return VALUE_ERROR;
    }
    if (!native_afford(vm, size / 8)) return VALUE_ERROR;
    Join join = {.vm = vm, .options = &options};
    builder_init_work(&join.line, vm);
    Kind kind = KIND_STR;
    for (uint64_t i = 0; i < count && !join.error && !join.line.failed; i++) {
        kind = kinds ? (Kind)as_int(kinds[i]) : kind_of(fields[i]);
        put_field(&join, fields[i], kind, i == 0);
    }
    if (!join.error && count && !join.line.size) put_lonely_field(&join, kind);
    if (join.error && !join.line.failed) {
        builder_drop(&join.line);
        return tuple_pack(vm, 1, str_from(vm, join.error));
    }
    builder_put(&join.line, options.line_end->data, options.line_end->size);
    return builder_finish(&join.line);
}

static const NativeDef functions[] = {
    {"parse_line(line: str, options: tuple, pending, /)", parse_line,
     "The fields of a line; a tuple when the record goes on; a str when it is wrong."},
    {"join_row(fields, kinds, options: tuple, /)", join_row,
     "The line of a row; None when a field is not a str, number or None; (message,) of an error."},
    {NULL, NULL, NULL},
};

const NativeModule csv_module = {"_csv_lines", functions, NULL};
