# All memory of a VM comes by vm/memory.h: nothing else calls malloc but the places named here, which
# hold none that lasts or that is one VM's.
# skip: asan one build is enough
# skip: stress one build is enough
# skip: debug one build is enough
cd "$GEN_ROOT" || exit 1
grep -rlE '(^|[^_a-zA-Z.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf|reallocarray)\(' \
    --include='*.c' vm parser stdlib | LC_ALL=C sort
