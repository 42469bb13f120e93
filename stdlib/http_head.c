/* http_head.c - module _http: the heads of requests and responses of HTTP/1.1 (RFC 9112), and what
 * frames their bodies. It is the native leaf under asyncio/http.gen; connections, bodies and
 * time-outs are not its matter.
 *
 * A head is read in one pass, byte by byte, by functions that are the states of a machine: each
 * takes the reader over its part of the grammar and says
 *
 *     MORE   the input ends within this part: come again with more of it
 *     DONE   the reader stands behind the part
 *     400..  the input is not HTTP: the status to refuse it with
 *
 * It is strict where leniency lets two parties read one message in two ways (request smuggling):
 * lines end in CR LF, there is no folding and no space before a colon, a length is digits, it is
 * said once and not together with a transfer coding, and the one coding known is "chunked".
 *
 * Texts stay bytes in the caller's buffer; header fields become Values only when fields() is asked.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"

#include <string.h>
#include <strings.h>

enum { MORE = 0, DONE = 1 }; /* and the statuses of HTTP, all above */
enum {
    BAD_REQUEST = 400,
    URI_TOO_LONG = 414,
    FIELDS_TOO_LARGE = 431,
    NOT_IMPLEMENTED = 501,
    VERSION_NOT_SUPPORTED = 505
};
enum { /* the flags of a head, as scripts see them */
       FLAG_CLOSE = 1,
       FLAG_KEEP_ALIVE = 2,
       FLAG_CONTINUE = 4, /* Expect: 100-continue */
       FLAG_UPGRADE = 8,
       FLAG_CHUNKED = 16
};
static const int64_t LARGEST_SIZE = (int64_t)1 << 60; /* of a body or a chunk, bytes */

typedef struct Span {
    const uint8_t *start, *end;
} Span;

typedef struct Reader {
    const uint8_t *at, *end;
} Reader;

typedef struct Head {
    Span method, target, reason; /* reason: of a response */
    int minor;                   /* of the version, 1.x */
    int status;                  /* of a response */
    int64_t length;              /* of the body in bytes, -1: not said */
    int flags;
    int hosts; /* Host fields */
    int64_t fields, most_fields;
} Head;

/* RFC 9110, 5.6.2: the characters of a token, a bit each. */
static bool is_token(uint8_t c) {
    static const uint32_t bits[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return bits[c >> 5] >> (c & 31) & 1;
}

/* What a field's value holds: text, spaces and tabs, and bytes above ASCII. */
static bool is_text(uint8_t c) {
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static bool span_is(Span span, const char *text) {
    size_t size = strlen(text);
    return (size_t)(span.end - span.start) == size &&
           !strncasecmp((const char *)span.start, text, size);
}

/* ---- the states ---- */

static int read_token(Reader *in, uint8_t stop, Span *token) {
    token->start = in->at;
    while (in->at < in->end && is_token(*in->at))
        in->at++;
    token->end = in->at;
    if (in->at == in->end) return MORE;
    if (*in->at != stop || token->end == token->start) return BAD_REQUEST;
    in->at++;
    return DONE;
}

static int read_line_end(Reader *in) {
    if (in->at == in->end) return MORE;
    if (*in->at != '\r') return BAD_REQUEST;
    if (in->at + 1 == in->end) return MORE;
    if (in->at[1] != '\n') return BAD_REQUEST;
    in->at += 2;
    return DONE;
}

static int read_target(Reader *in, Span *target) {
    target->start = in->at;
    while (in->at<in->end && * in->at> ' ' && *in->at < 0x7f)
        in->at++;
    target->end = in->at;
    if (in->at == in->end) return MORE;
    if (*in->at != ' ' || target->end == target->start) return BAD_REQUEST;
    in->at++;
    return DONE;
}

/* "HTTP/1.0" or "HTTP/1.1"; other versions are known as such. */
static int read_version(Reader *in, int *minor) {
    static const char name[] = "HTTP/";
    size_t there = (size_t)(in->end - in->at);
    if (memcmp(in->at, name, there < 5 ? there : 5) != 0) return BAD_REQUEST;
    if (there < 8) return MORE;
    const uint8_t *number = in->at + 5;
    if (number[0] < '0' || number[0] > '9' || number[1] != '.' || number[2] < '0' ||
        number[2] > '9')
        return BAD_REQUEST;
    if (number[0] != '1' || number[2] > '1') return VERSION_NOT_SUPPORTED;
    *minor = number[2] - '0';
    in->at += 8;
    return DONE;
}

/* A value without the spaces around it. */
static int read_value(Reader *in, Span *value) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
    value->start = in->at;
    while (in->at < in->end && is_text(*in->at))
        in->at++;
    value->end = in->at;
    while (value->end > value->start && (value->end[-1] == ' ' || value->end[-1] == '\t'))
        value->end--;
    return read_line_end(in);
}

/* The next field; *last: it was the empty line that ends them. */
static int read_field(Reader *in, Span *name, Span *value, bool *last) {
    if (in->at == in->end) return MORE;
    *last = *in->at == '\r';
    if (*last) return read_line_end(in);
    int state = read_token(in, ':', name);
    return state == DONE ? read_value(in, value) : state;
}

/* ---- what the fields say of the body ---- */

static int take_length(Head *head, Span value) {
    int64_t length = 0;
    if (value.start == value.end || head->length >= 0) return BAD_REQUEST;
    for (const uint8_t *at = value.start; at < value.end; at++) {
        if (*at < '0' || *at > '9' || length > LARGEST_SIZE / 10) return BAD_REQUEST;
        length = length * 10 + (*at - '0');
    }
    head->length = length;
    return DONE;
}

static int take_coding(Head *head, Span value) {
    if (head->minor < 1 || head->flags & FLAG_CHUNKED) return BAD_REQUEST;
    if (!span_is(value, "chunked")) return NOT_IMPLEMENTED;
    head->flags |= FLAG_CHUNKED;
    return DONE;
}

/* A list of tokens: "keep-alive, Upgrade". */
static int take_connection(Head *head, Span value) {
    const uint8_t *at = value.start;
    while (at < value.end) {
        while (at < value.end && (*at == ' ' || *at == '\t' || *at == ','))
            at++;
        Span option = {at, at};
        while (at < value.end && is_token(*at))
            at++;
        option.end = at;
        if (option.end == option.start && at < value.end) return BAD_REQUEST;
        if (span_is(option, "close")) head->flags |= FLAG_CLOSE;
        if (span_is(option, "keep-alive")) head->flags |= FLAG_KEEP_ALIVE;
        if (span_is(option, "upgrade")) head->flags |= FLAG_UPGRADE;
    }
    return DONE;
}

static int take_field(Head *head, Span name, Span value) {
    switch (name.end - name.start) { /* most fields are none of these: their length tells */
    case 4:
        if (span_is(name, "host")) head->hosts++;
        return DONE;
    case 6:
        if (span_is(name, "expect") && span_is(value, "100-continue")) head->flags |= FLAG_CONTINUE;
        return DONE;
    case 10: return span_is(name, "connection") ? take_connection(head, value) : DONE;
    case 14: return span_is(name, "content-length") ? take_length(head, value) : DONE;
    case 17: return span_is(name, "transfer-encoding") ? take_coding(head, value) : DONE;
    default: return DONE;
    }
}

static int read_fields(Reader *in, Head *head) {
    for (;;) {
        Span name, value;
        bool last;
        int state = read_field(in, &name, &value, &last);
        if (state != DONE) return state;
        if (last) break;
        if (++head->fields > head->most_fields) return FIELDS_TOO_LARGE;
        state = take_field(head, name, value);
        if (state != DONE) return state;
    }
    return head->flags & FLAG_CHUNKED && head->length >= 0 ? BAD_REQUEST : DONE;
}

static int read_request_line(Reader *in, Head *head) {
    while (in->end - in->at >= 2 && in->at[0] == '\r' && in->at[1] == '\n')
        in->at += 2; /* RFC 9112, 2.2: some clients send an empty line behind a body */
    if (in->end - in->at == 1 && *in->at == '\r') return MORE;
    int state = read_token(in, ' ', &head->method);
    if (state == DONE) state = read_target(in, &head->target);
    if (state == DONE) state = read_version(in, &head->minor);
    return state == DONE ? read_line_end(in) : state;
}

static int read_status_line(Reader *in, Head *head) {
    int state = read_version(in, &head->minor);
    if (state != DONE) return state;
    if (in->end - in->at < 5) return MORE;
    const uint8_t *at = in->at;
    if (*at++ != ' ') return BAD_REQUEST;
    for (int i = 0; i < 3; i++, at++) {
        if (*at < '0' || *at > '9') return BAD_REQUEST;
        head->status = head->status * 10 + (*at - '0');
    }
    if (head->status < 100 || (*at != ' ' && *at != '\r')) return BAD_REQUEST;
    in->at = at;
    return read_value(in, &head->reason);
}

/* ---- Values ---- */

/* ISO-8859-1 as a str. */
static Value text_of(GenVM *vm, Span span) {
    size_t size = (size_t)(span.end - span.start), high = 0;
    for (const uint8_t *at = span.start; at < span.end; at++)
        high += *at >> 7;
    if (!high) return str_new(vm, (const char *)span.start, size);
    StrBuilder out;
    builder_init(&out, vm);
    for (const uint8_t *at = span.start; at < span.end; at++)
        builder_put_char(&out, *at);
    return builder_finish(&out);
}

static Value intern_of(GenVM *vm, Span span) {
    return str_intern_from(vm, (const char *)span.start, (size_t)(span.end - span.start));
}

/* The input from `start` on, cut off at `most` bytes; *cut: it was. False with an exception
 * pending. */
static bool take_input(GenVM *vm, Value *args, Reader *in, bool *cut) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, args[0], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[0]), false;
    int64_t start = as_int(args[1]), most = as_int(args[2]);
    if (start < 0 || (uint64_t)start > size || most < 0)
        return raise_value(vm, "start is outside of the data"), false;
    *in = (Reader){data + start, data + size};
    *cut = (uint64_t)most < size - (uint64_t)start;
    if (*cut) in->end = in->at + most;
    return native_afford(vm, (uint64_t)(in->end - in->at) / 16);
}

static int64_t position(GenVM *vm, Value data, Reader *in) {
    const uint8_t *start;
    size_t size;
    bytes_view(vm, data, &start, &size);
    return in->at - start;
}

/* parse_request(data, start, most_bytes, most_fields) */
static Value parse_request(GenVM *vm, Value *args) {
    Reader in;
    bool cut;
    if (!take_input(vm, args, &in, &cut)) return VALUE_ERROR;
    Head head = {.length = -1, .most_fields = as_int(args[3])};
    int state = read_request_line(&in, &head);
    if (state == MORE && cut) return int_value(URI_TOO_LONG);
    int64_t fields = position(vm, args[0], &in);
    if (state == DONE) {
        state = read_fields(&in, &head);
        if (state == MORE && cut) return int_value(FIELDS_TOO_LARGE);
    }
    if (state == DONE && (head.hosts > 1 || (head.minor == 1 && !head.hosts))) state = BAD_REQUEST;
    if (state != DONE) return state == MORE ? VALUE_NONE : int_value(state);
    Value method = intern_of(vm, head.method), target = text_of(vm, head.target);
    if (method == VALUE_ERROR || target == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 7, int_value(position(vm, args[0], &in)), method, target,
                      int_value(head.minor), int_value(head.length), int_value(head.flags),
                      int_value(fields));
}

/* parse_response(data, start, most_bytes, most_fields) */
static Value parse_response(GenVM *vm, Value *args) {
    Reader in;
    bool cut;
    if (!take_input(vm, args, &in, &cut)) return VALUE_ERROR;
    Head head = {.length = -1, .most_fields = as_int(args[3])};
    int state = read_status_line(&in, &head);
    int64_t fields = position(vm, args[0], &in);
    if (state == DONE) state = read_fields(&in, &head);
    if (state == MORE && cut) return int_value(FIELDS_TOO_LARGE);
    if (state != DONE) return state == MORE ? VALUE_NONE : int_value(state);
    Value reason = text_of(vm, head.reason);
    if (reason == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 7, int_value(position(vm, args[0], &in)), int_value(head.status), reason,
                      int_value(head.minor), int_value(head.length), int_value(head.flags),
                      int_value(fields));
}

/* parse_fields(data, start, most_bytes, most_fields): also of the trailer of a body. */
static Value parse_fields(GenVM *vm, Value *args) {
    Reader in;
    bool cut;
    Value list = take_input(vm, args, &in, &cut) ? list_new(vm, 8) : VALUE_ERROR;
    if (list == VALUE_ERROR) return VALUE_ERROR;
    for (int64_t count = 0;; count++) {
        Span name, value;
        bool last;
        int state = read_field(&in, &name, &value, &last);
        if (state == MORE) return cut ? int_value(FIELDS_TOO_LARGE) : VALUE_NONE;
        if (state != DONE) return int_value(state);
        if (last) return tuple_pack(vm, 2, int_value(position(vm, args[0], &in)), list);
        if (count >= as_int(args[3])) return int_value(FIELDS_TOO_LARGE);
        Value key = text_of(vm, name), text = key == VALUE_ERROR ? key : text_of(vm, value);
        Value pair = text == VALUE_ERROR ? text : tuple_pack(vm, 2, key, text);
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) return VALUE_ERROR;
    }
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* parse_chunk(data, start, most_bytes): the line before a chunk; extensions are passed over. */
static Value parse_chunk(GenVM *vm, Value *args) {
    Reader in;
    bool cut;
    if (!take_input(vm, args, &in, &cut)) return VALUE_ERROR;
    Value again = cut ? int_value(BAD_REQUEST) : VALUE_NONE;
    int64_t size = 0;
    const uint8_t *start = in.at;
    for (int digit; in.at < in.end && (digit = hex_digit(*in.at)) >= 0; in.at++) {
        if (size > LARGEST_SIZE / 16) return int_value(BAD_REQUEST);
        size = size * 16 + digit;
    }
    if (in.at == in.end) return again;
    if (in.at == start) return int_value(BAD_REQUEST);
    if (*in.at == ';' || *in.at == ' ' || *in.at == '\t') {
        while (in.at < in.end && is_text(*in.at))
            in.at++;
    }
    int state = read_line_end(&in);
    if (state != DONE) return state == MORE ? again : int_value(state);
    return tuple_pack(vm, 2, int_value(size), int_value(position(vm, args[0], &in)));
}

/* ---- writing ---- */

static bool append_name(GenVM *vm, StrBuilder *out, Value name) {
    Str *text = value_is_str(name) ? AS_STR(name) : NULL;
    if (!text) return raise_type(vm, "header name must be str, not '%T'", name), false;
    bool valid = text->size > 0;
    for (size_t i = 0; valid && i < text->size; i++)
        valid = is_token((uint8_t)text->data[i]);
    if (!valid) return raise_value(vm, "Invalid header name %V", name), false;
    return builder_put(out, text->data, text->size);
}

/* A str is written as ISO-8859-1, its UTF-8 being one or two bytes a character then. */
static bool append_text(GenVM *vm, StrBuilder *out, Value value) {
    const uint8_t *at = (const uint8_t *)AS_STR(value)->data, *end = at + AS_STR(value)->size;
    while (at < end) {
        uint8_t byte = *at++;
        if (byte >= 0x80) {
            if (byte > 0xc3) return raise_value(vm, "Invalid header value %V", value), false;
            byte = (uint8_t)(byte << 6 | (*at++ & 0x3f));
        }
        if (!is_text(byte)) return raise_value(vm, "Invalid header value %V", value), false;
        if (!builder_put_byte(out, (char)byte)) return false;
    }
    return true;
}

static bool append_value(GenVM *vm, StrBuilder *out, Value value) {
    if (value_is_str(value)) return append_text(vm, out, value);
    if (is_int(value)) {
        Value text = str_format(vm, "%ld", (long)as_int(value));
        return text != VALUE_ERROR && append_text(vm, out, text);
    }
    return raise_type(vm, "header value must be str or int, not '%T'", value), false;
}

/* format_fields(start, fields): the start as it is, the lines of (name, value), the empty line. */
static Value format_fields(GenVM *vm, Value *args) {
    const uint8_t *start;
    size_t size;
    uint64_t count;
    bytes_view(vm, args[0], &start, &size);
    const Value *items = leaf_items(args[1], &count);
    if (!items) return raise_type(vm, "fields must be a list, not '%T'", args[1]);
    if (!native_afford(vm, count + size / 16)) return VALUE_ERROR;
    StrBuilder out;
    builder_init(&out, vm);
    builder_put(&out, (const char *)start, size);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t parts;
        const Value *pair = leaf_items(items[i], &parts);
        bool good = pair && parts == 2 && append_name(vm, &out, pair[0]);
        if (!pair || parts != 2) raise_type(vm, "a field must be a pair (name, value)");
        if (good) builder_put(&out, ": ", 2);
        if (!good || !append_value(vm, &out, pair[1])) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
        builder_put(&out, "\r\n", 2);
    }
    builder_put(&out, "\r\n", 2);
    return builder_finish_bytes(&out);
}

static const NativeDef functions[] = {
    {"parse_request(data, start: index, most_bytes: index, most_fields: index, /)", parse_request,
     "(end, method, target, minor version, length or -1, flags, start of the fields) of a "
     "request's "
     "head; None: it is not there as a whole; an int: the status to refuse it with."},
    {"parse_response(data, start: index, most_bytes: index, most_fields: index, /)", parse_response,
     "(end, status, reason, minor version, length or -1, flags, start of the fields) of a "
     "response's head; None: it is not there as a whole; an int: it is none."},
    {"parse_fields(data, start: index, most_bytes: index, most_fields: index, /)", parse_fields,
     "(end, [(name, value), ...]) of fields up to the empty line; None and an int as above."},
    {"parse_chunk(data, start: index, most_bytes: index, /)", parse_chunk,
     "(size, end) of the line before a chunk; None and an int as above."},
    {"format_fields(start: bytes, fields, /)", format_fields,
     "The bytes of a head: its first lines, fields from pairs (name, value), the empty line."},
    {NULL, NULL, NULL},
};

const NativeModule http_module = {"_http", functions, NULL};
