/* tls_certificate.c - module _ssl: the fields of a certificate, as SSLSocket.getpeercert() shows
 * them. */
#include "stdlib/tls.h"

#include <arpa/inet.h>
#include <string.h>

static bool set(GenVM *vm, Value dict, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return v != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, AS_DICT(dict), key, v);
}

static Value string_value(GenVM *vm, const ASN1_STRING *string) {
    unsigned char *text = NULL;
    int size = vm->openssl->ASN1_STRING_to_UTF8(&text, string);
    Value v = str_decode_utf8(vm, size < 0 ? "" : (const char *)text, size < 0 ? 0 : (size_t)size,
                              "replace");
    OPENSSL_free(text);
    return v;
}

/* ((('commonName', 'localhost'),), ...) */
static Value name_value_of(GenVM *vm, X509_NAME *name) {
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < vm->openssl->X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = vm->openssl->X509_NAME_get_entry(name, i);
        const char *key = vm->openssl->OBJ_nid2ln(
            vm->openssl->OBJ_obj2nid(vm->openssl->X509_NAME_ENTRY_get_object(entry)));
        Value text = string_value(vm, vm->openssl->X509_NAME_ENTRY_get_data(entry));
        Value pair = text == VALUE_ERROR ? text : tuple_pack(vm, 2, str_from(vm, key), text);
        Value set_of = pair == VALUE_ERROR ? pair : tuple_pack(vm, 1, pair);
        if (set_of == VALUE_ERROR || !list_append(vm, list, set_of)) list = VALUE_ERROR;
    }
    return list == VALUE_ERROR ? list
                               : tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
}

static Value time_value(GenVM *vm, const ASN1_TIME *time) {
    BIO *bio = vm->openssl->BIO_new(vm->openssl->BIO_s_mem());
    char text[64];
    vm->openssl->ASN1_TIME_print(bio, time);
    int size = vm->openssl->BIO_gets(bio, text, sizeof text);
    vm->openssl->BIO_free(bio);
    return str_new(vm, text, size < 0 ? 0 : (size_t)size);
}

static Value serial_value(GenVM *vm, X509 *cert) {
    BIO *bio = vm->openssl->BIO_new(vm->openssl->BIO_s_mem());
    char text[128];
    vm->openssl->i2a_ASN1_INTEGER(bio, vm->openssl->X509_get_serialNumber(cert));
    int size = vm->openssl->BIO_gets(bio, text, sizeof text);
    vm->openssl->BIO_free(bio);
    return str_new(vm, text, size < 0 ? 0 : (size_t)size);
}

static Value alternative(GenVM *vm, const GENERAL_NAME *name) {
    char text[INET6_ADDRSTRLEN];
    switch (name->type) {
    case GEN_DNS: return tuple_pack(vm, 2, str_from(vm, "DNS"), string_value(vm, name->d.dNSName));
    case GEN_EMAIL:
        return tuple_pack(vm, 2, str_from(vm, "email"), string_value(vm, name->d.rfc822Name));
    case GEN_URI:
        return tuple_pack(vm, 2, str_from(vm, "URI"),
                          string_value(vm, name->d.uniformResourceIdentifier));
    case GEN_IPADD: {
        int family = name->d.iPAddress->length == 4 ? AF_INET : AF_INET6;
        inet_ntop(family, name->d.iPAddress->data, text, sizeof text);
        return tuple_pack(vm, 2, str_from(vm, "IP Address"), str_from(vm, text));
    }
    default: return VALUE_NONE;
    }
}

static Value alternatives(GenVM *vm, X509 *cert) {
    GENERAL_NAMES *names = vm->openssl->X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (!names) return VALUE_NONE;
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < sk_GENERAL_NAME_num(names); i++) {
        Value pair = alternative(vm, sk_GENERAL_NAME_value(names, i));
        if (pair == VALUE_NONE) continue;
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) list = VALUE_ERROR;
    }
    vm->openssl->GENERAL_NAMES_free(names);
    return list == VALUE_ERROR ? list
                               : tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
}

static bool fill(GenVM *vm, Value dict, X509 *cert) {
    Value more = VALUE_NONE;
    return set(vm, dict, "subject", name_value_of(vm, vm->openssl->X509_get_subject_name(cert))) &&
           set(vm, dict, "issuer", name_value_of(vm, vm->openssl->X509_get_issuer_name(cert))) &&
           set(vm, dict, "version", int_value(vm->openssl->X509_get_version(cert) + 1)) &&
           set(vm, dict, "serialNumber", serial_value(vm, cert)) &&
           set(vm, dict, "notBefore", time_value(vm, vm->openssl->X509_get0_notBefore(cert))) &&
           set(vm, dict, "notAfter", time_value(vm, vm->openssl->X509_get0_notAfter(cert))) &&
           (more = alternatives(vm, cert)) != VALUE_ERROR &&
           (more == VALUE_NONE || set(vm, dict, "subjectAltName", more));
}

Value tls_decode_certificate(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, args[0], &data, &size)) return raise_type(vm, "bytes are required");
    X509 *cert = vm->openssl->d2i_X509(NULL, &data, (long)size);
    if (!cert) return raise_value(vm, "not a certificate");
    Value dict = dict_new(vm);
    if (dict != VALUE_ERROR && !fill(vm, dict, cert)) dict = VALUE_ERROR;
    vm->openssl->X509_free(cert);
    return dict;
}
