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
    if (!bio) return raise_memory(vm);
    vm->openssl->ASN1_TIME_print(bio, time);
    int size = vm->openssl->BIO_gets(bio, text, sizeof text);
    vm->openssl->BIO_free(bio);
    return str_new(vm, text, size < 0 ? 0 : (size_t)size);
}

static Value serial_value(GenVM *vm, X509 *cert) {
    BIO *bio = vm->openssl->BIO_new(vm->openssl->BIO_s_mem());
    char text[128];
    if (!bio) return raise_memory(vm);
    vm->openssl->i2a_ASN1_INTEGER(bio, vm->openssl->X509_get_serialNumber(cert));
    int size = vm->openssl->BIO_gets(bio, text, sizeof text);
    vm->openssl->BIO_free(bio);
    return str_new(vm, text, size < 0 ? 0 : (size_t)size);
}

static Value address_value(GenVM *vm, const ASN1_OCTET_STRING *address) {
    char text[INET6_ADDRSTRLEN];
    int family = address->length == 4 ? AF_INET : AF_INET6;
    if (address->length != 4 && address->length != 16) return str_from(vm, "<invalid>");
    return str_from(vm, inet_ntop(family, address->data, text, sizeof text));
}

static Value object_value_of(GenVM *vm, const ASN1_OBJECT *object) {
    char text[256];
    int size = vm->openssl->OBJ_obj2txt(text, sizeof text, object, 1);
    return size > 0 ? str_new(vm, text, strlen(text)) : str_from(vm, "");
}

static Value alternative(GenVM *vm, const GENERAL_NAME *name) {
    switch (name->type) {
    case GEN_DNS: return tuple_pack(vm, 2, str_from(vm, "DNS"), string_value(vm, name->d.dNSName));
    case GEN_EMAIL:
        return tuple_pack(vm, 2, str_from(vm, "email"), string_value(vm, name->d.rfc822Name));
    case GEN_URI:
        return tuple_pack(vm, 2, str_from(vm, "URI"),
                          string_value(vm, name->d.uniformResourceIdentifier));
    case GEN_DIRNAME:
        return tuple_pack(vm, 2, str_from(vm, "DirName"), name_value_of(vm, name->d.directoryName));
    case GEN_IPADD:
        return tuple_pack(vm, 2, str_from(vm, "IP Address"), address_value(vm, name->d.iPAddress));
    case GEN_RID:
        return tuple_pack(vm, 2, str_from(vm, "Registered ID"),
                          object_value_of(vm, name->d.registeredID));
    default: return VALUE_NONE;
    }
}

static bool append_uri(GenVM *vm, Value list, const GENERAL_NAME *name) {
    if (name->type != GEN_URI) return true;
    Value text = string_value(vm, name->d.uniformResourceIdentifier);
    return text != VALUE_ERROR && list_append(vm, list, text);
}

/* The list as a tuple, None when it is empty. */
static Value tuple_or_none(GenVM *vm, Value list) {
    if (list == VALUE_ERROR) return list;
    if (!AS_LIST(list)->count) return VALUE_NONE;
    return tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
}

/* Where to ask about the certificate: by OCSP (NID_ad_OCSP), or for its issuer's. */
static Value access_uris(GenVM *vm, X509 *cert, int method) {
    AUTHORITY_INFO_ACCESS *info = vm->openssl->X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    if (!info) return VALUE_NONE;
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(info, i);
        if (vm->openssl->OBJ_obj2nid(entry->method) == method &&
            !append_uri(vm, list, entry->location))
            list = VALUE_ERROR;
    }
    vm->openssl->AUTHORITY_INFO_ACCESS_free(info);
    return tuple_or_none(vm, list);
}

static bool append_point(GenVM *vm, Value list, const DIST_POINT *point) {
    if (!point->distpoint || point->distpoint->type != 0) return true; /* 0: full names */
    GENERAL_NAMES *names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (!append_uri(vm, list, sk_GENERAL_NAME_value(names, i))) return false;
    return true;
}

/* Where lists of revoked certificates are. */
static Value revocation_uris(GenVM *vm, X509 *cert) {
    CRL_DIST_POINTS *points =
        vm->openssl->X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    if (!points) return VALUE_NONE;
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < sk_DIST_POINT_num(points); i++)
        if (!append_point(vm, list, sk_DIST_POINT_value(points, i))) list = VALUE_ERROR;
    vm->openssl->CRL_DIST_POINTS_free(points);
    return tuple_or_none(vm, list);
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

static bool set_unless_none(GenVM *vm, Value dict, const char *name, Value v) {
    return v == VALUE_NONE || set(vm, dict, name, v);
}

static bool fill(GenVM *vm, Value dict, X509 *cert) {
    return set(vm, dict, "subject", name_value_of(vm, vm->openssl->X509_get_subject_name(cert))) &&
           set(vm, dict, "issuer", name_value_of(vm, vm->openssl->X509_get_issuer_name(cert))) &&
           set(vm, dict, "version", int_value(vm->openssl->X509_get_version(cert) + 1)) &&
           set(vm, dict, "serialNumber", serial_value(vm, cert)) &&
           set(vm, dict, "notBefore", time_value(vm, vm->openssl->X509_get0_notBefore(cert))) &&
           set(vm, dict, "notAfter", time_value(vm, vm->openssl->X509_get0_notAfter(cert))) &&
           set_unless_none(vm, dict, "subjectAltName", alternatives(vm, cert)) &&
           set_unless_none(vm, dict, "OCSP", access_uris(vm, cert, NID_ad_OCSP)) &&
           set_unless_none(vm, dict, "caIssuers", access_uris(vm, cert, NID_ad_ca_issuers)) &&
           set_unless_none(vm, dict, "crlDistributionPoints", revocation_uris(vm, cert));
}

Value tls_certificate_value(GenVM *vm, X509 *cert) {
    unsigned char *der = NULL;
    int size = vm->openssl->i2d_X509(cert, &der);
    Value bytes = size < 0 ? raise_memory(vm) : bytes_new(vm, der, (size_t)size);
    OPENSSL_free(der);
    return bytes;
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
