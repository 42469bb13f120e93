# Builds, tests, measures and installs Gen. The one idea: sources are found by wildcard and each
# variant of the build (release, debug, asan, stress) has a folder of its own, chosen by V=, so that
# adding a source file or switching a variant needs no edit here. `make help` lists the targets.
#
#   make                     build/        what is shipped: -O2, assertions off
#   make V=debug             build/debug   -O1, assertions on
#   make V=asan              build/asan    AddressSanitizer and UndefinedBehaviorSanitizer
#   make V=stress            build/stress  a collection at every safepoint, freed memory poisoned
#   make CC=clang WERROR=1   another compiler; warnings are errors

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# The version is the public header's, when there is one.
header_version = $(shell sed -n 's/^\#define GEN_VERSION_$(1) *\([0-9]*\).*/\1/p' vm/genvm.h 2>/dev/null)
MAJOR := $(or $(call header_version,MAJOR),0)
MINOR := $(or $(call header_version,MINOR),1)
PATCH := $(or $(call header_version,PATCH),0)
VERSION := $(MAJOR).$(MINOR).$(PATCH)

PREFIX ?= /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man

# ---- variants ----------------------------------------------------------------------------------

V ?= release
ifeq ($(V),release)
B := build
VARIANT_FLAGS = -O2 -DNDEBUG
else ifeq ($(V),debug)
B := build/debug
VARIANT_FLAGS = -O1 -DGEN_DEBUG
else ifeq ($(V),asan)
B := build/asan
VARIANT_FLAGS = -O1 -DGEN_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
else ifeq ($(V),stress)
B := build/stress
VARIANT_FLAGS = -O1 -DGEN_DEBUG -DGEN_STRESS_GC
else
$(error V=$(V) is not a variant: release, debug, asan or stress)
endif

# ---- compiler ----------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),clang++,g++)
endif
CCACHE := $(if $(findstring ccache,$(CC)),,$(shell command -v ccache 2>/dev/null))
CFLAGS ?= -g
# Objects of every type share the heap's memory, whose cells are reused for other types.
LANG_FLAGS = -std=gnu11 -D_GNU_SOURCE -I. -fPIC -fvisibility=hidden -fno-semantic-interposition \
	-fno-strict-aliasing
WARN_FLAGS = -Wall -Wextra -Wshadow $(if $(WERROR),-Werror)
COMPILE = $(CCACHE) $(CC) $(LANG_FLAGS) $(VARIANT_FLAGS) $(WARN_FLAGS) $(CFLAGS) $(CPPFLAGS)
LINK = $(CC) $(VARIANT_FLAGS) $(CFLAGS) $(LDFLAGS)

# ---- sources -----------------------------------------------------------------------------------

VM_SRC := $(sort $(wildcard vm/*.c vm/*/*.c))
PARSER_SRC := $(sort $(wildcard parser/*.c parser/*/*.c))
STDLIB_SRC := $(sort $(wildcard stdlib/*.c stdlib/*/*.c))
REPL_SRC := $(sort $(wildcard repl/*.c))
STDLIB_GEN := $(shell find stdlib -name '*.gen' 2>/dev/null | LC_ALL=C sort)

object = $(patsubst %.c,$(B)/obj/%.o,$(1))
VM_OBJ := $(call object,$(VM_SRC))
PARSER_OBJ := $(call object,$(PARSER_SRC))
STDLIB_OBJ := $(call object,$(STDLIB_SRC)) $(B)/obj/stdlib_sources.o
LIB_OBJ := $(VM_OBJ) $(PARSER_OBJ) $(STDLIB_OBJ)
REPL_OBJ := $(call object,$(REPL_SRC))

# A library is linked only when a source includes its header.
includes = $(if $(STDLIB_SRC),$(shell grep -lE '^ *\# *include <$(1)' $(STDLIB_SRC) 2>/dev/null))
LIBS := -lutf8proc -lgmp -lm \
	$(if $(call includes,pcre2.h),-lpcre2-8) \
	$(if $(call includes,zlib.h),-lz) \
	$(if $(call includes,uv.h),-luv) \
	$(if $(call includes,openssl/),-lssl -lcrypto)

# ---- the build ---------------------------------------------------------------------------------

ifneq ($(VM_SRC),)
PRODUCTS := $(if $(REPL_SRC),$(B)/gen) $(B)/libgenvm.a $(B)/libgenvm.so $(B)/genvm.pc
endif

all: $(PRODUCTS) ## build gen, the libraries and genvm.pc (the default)
	@$(if $(PRODUCTS),:,echo "no sources in vm/ yet: nothing to build")

$(B)/gen: $(REPL_OBJ) $(B)/libgenvm.a
	$(LINK) -o $@ $^ $(LIBS)

# One object whose internal names are local: a host that links the archive meets gen_* and no more.
$(B)/libgenvm.a: $(LIB_OBJ)
	@rm -f $@
	$(LD) -r -o $(B)/obj/genvm.o $(LIB_OBJ)
	objcopy --localize-hidden $(B)/obj/genvm.o
	$(AR) rcs $@ $(B)/obj/genvm.o

$(B)/libgenvm.so: $(B)/libgenvm.so.$(VERSION)
	@ln -sf libgenvm.so.$(VERSION) $(B)/libgenvm.so.$(MAJOR)
	@ln -sf libgenvm.so.$(MAJOR) $@

$(B)/libgenvm.so.$(VERSION): $(LIB_OBJ)
	$(LINK) -shared -Wl,-soname,libgenvm.so.$(MAJOR) $(if $(filter asan,$(V)),,-Wl,-z,defs) \
		-o $@ $(LIB_OBJ) $(LIBS)

$(B)/genvm.pc: Makefile $(wildcard vm/genvm.h) | $(B)/obj
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' \
		'Name: genvm' 'Description: A Python-like language whose frames can all be suspended' \
		'Version: $(VERSION)' 'Libs: -L$${libdir} -lgenvm' 'Libs.private: $(strip $(LIBS))' \
		'Cflags: -I$${includedir}' > $@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(FLAGS_$*) -MMD -MP -c -o $@ $<

$(B)/obj/stdlib_sources.o: build/stdlib_sources.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# The modules written in Gen, as one table of bytes.
build/stdlib_sources.c: build/embed_sources $(STDLIB_GEN) build/stdlib_list
	build/embed_sources stdlib $(STDLIB_GEN) > $@

build/embed_sources: scripts/build/embed_sources.c | $(B)/obj
	@mkdir -p build
	$(CC) -std=gnu11 -O1 -Wall -Wextra -o $@ $<

# Files that change only when what they say changes: objects are rebuilt when a flag is.
$(B)/flags: FORCE | $(B)/obj
	@echo '$(CC) $(COMPILE) $(LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(COMPILE) $(LDFLAGS)' > $@

build/stdlib_list: FORCE | $(B)/obj
	@echo '$(STDLIB_GEN)' | cmp -s - $@ || echo '$(STDLIB_GEN)' > $@

$(B)/obj:
	@mkdir -p $@

FORCE:
.PHONY: FORCE all run test stress sanitize oracle bench check format install uninstall clean help

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- running and testing -----------------------------------------------------------------------

run: all ## build, then run the tour of the language
	@build/gen scripts/examples/tour.gen

format: ## lay out every C file by .clang-format
	clang-format -i $$(git ls-files '*.c' '*.h')

clean: ## remove everything that was built
	rm -rf build

help: ## print this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s%s\n", $$1, $$2}'
	@echo "  V=release|debug|asan|stress chooses the variant; CC, CFLAGS, WERROR=1, PREFIX, DESTDIR work as usual"
