# Builds, tests, measures and installs Gen. The one idea: sources are found by wildcard and each
# variant of the build (release, debug, asan, stress) has a folder of its own, chosen by V=, so that
# adding a source file or switching a variant needs no edit here. `make help` lists the targets.
#
#   make                     build/        what is shipped: -O2, assertions off
#   make V=debug             build/debug   -O1, assertions on
#   make V=asan              build/asan    AddressSanitizer and UndefinedBehaviorSanitizer
#   make V=stress            build/stress  a collection at every safepoint, freed memory poisoned
#   make V=fuzz CC=clang     build/fuzz    as asan, for libFuzzer: see `make fuzz`
#   make V=tsan              build/tsan    ThreadSanitizer
#   make CC=clang WERROR=1   another compiler; warnings are errors

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# The version is the public header's.
header_version = $(shell sed -n 's/^\#define GEN_VERSION_$(1) *\([0-9]*\).*/\1/p' vm/genvm.h)
MAJOR := $(call header_version,MAJOR)
VERSION := $(MAJOR).$(call header_version,MINOR).$(call header_version,PATCH)

PREFIX ?= /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man

# ---- variants ----------------------------------------------------------------------------------

V ?= release
ifeq ($(V),release)
B := build
# No C++ exception passes through, so nothing unwinds the stack; debuggers have .debug_frame.
VARIANT_FLAGS = -O2 -DNDEBUG -fno-asynchronous-unwind-tables -fno-unwind-tables
# What a script does not run in its loops is made small.
SMALL := $(wildcard parser/*.c vm/image*.c vm/verify*.c vm/genvm*.c) \
	stdlib/init.c stdlib/io.c stdlib/sys.c vm/bind_like_native.c vm/budget.c vm/code.c vm/disasm.c \
	vm/engine_module.c vm/generator_fork.c vm/objects/bytearray.c vm/objects/bytes_format.c vm/objects/bytes_io.c \
	vm/objects/bytes_methods.c vm/objects/charmap.c vm/objects/codec.c vm/objects/complex.c vm/objects/exception.c \
	vm/objects/exception_group.c vm/objects/file.c vm/objects/file_buffered_type.c vm/objects/file_raw.c \
	vm/objects/file_text_type.c vm/objects/float_methods.c vm/objects/frame.c vm/objects/function.c \
	vm/objects/generic_alias.c vm/objects/hex.c vm/objects/int_methods.c vm/objects/lock.c \
	vm/objects/mapping_proxy.c vm/objects/memoryview.c vm/objects/memoryview_items.c vm/objects/module.c \
	vm/objects/namespace.c vm/objects/property.c vm/objects/resource.c vm/objects/str_fields.c \
	vm/objects/str_format.c vm/objects/string_io.c vm/objects/super.c vm/objects/type_object.c \
	vm/objects/unicode_names.c vm/objects/union.c vm/objects/weakref.c vm/objects/wrapping.c vm/paths.c \
	vm/objects/format_number.c \
	vm/engine_object.c vm/error.c vm/finalize.c vm/objects/async_generator.c vm/objects/file_script.c \
	vm/objects/file_wait.c vm/objects/object.c vm/objects/quitter.c vm/objects/text_natives.c vm/offload.c vm/sizeof.c \
	vm/shape_sweep.c vm/shared.c vm/slot_wrappers.c vm/suggest.c vm/task.c vm/threads.c vm/ticket.c vm/traceback.c \
	vm/type_new.c vm/vm.c vm/warn.c vm/builtins.c vm/objects/bytes.c vm/objects/containers.c vm/objects/dict_views.c \
	vm/objects/int_power.c vm/objects/set.c vm/objects/str_type.c
$(foreach source,$(SMALL),$(eval FLAGS_$(source:.c=) = -Os))
else ifeq ($(V),debug)
B := build/debug
VARIANT_FLAGS = -O1 -DGEN_DEBUG
else ifeq ($(V),asan)
B := build/asan
VARIANT_FLAGS = -O1 -DGEN_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-sanitize=nonnull-attribute \
	-fno-omit-frame-pointer
else ifeq ($(V),tsan)
B := build/tsan
VARIANT_FLAGS = -O1 -DNDEBUG -fsanitize=thread
else ifeq ($(V),stress)
B := build/stress
VARIANT_FLAGS = -O1 -DGEN_DEBUG -DGEN_STRESS_GC
else ifeq ($(V),fuzz)
B := build/fuzz
VARIANT_FLAGS = -O1 -DGEN_DEBUG -DGEN_LIBFUZZER -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=all -fno-sanitize=nonnull-attribute,function -fno-omit-frame-pointer
else
$(error V=$(V) is not a variant: release, debug, asan, stress, tsan or fuzz)
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
# Objects of every type share the heap's memory, whose cells are reused for other types: no aliasing by
# type. Copying no bytes from NULL is allowed, as the next C standard has it: no conclusions from it.
LANG_FLAGS = -std=gnu11 -D_GNU_SOURCE -I. -fPIC -fvisibility=hidden -fno-semantic-interposition -ffp-contract=off \
	-fno-strict-aliasing -fno-delete-null-pointer-checks
WARN_FLAGS = -Wall -Wextra -Wshadow -Werror=implicit-function-declaration -Werror=int-conversion \
	-Werror=incompatible-pointer-types -Werror=return-type $(if $(WERROR),-Werror)
COMPILE = $(CCACHE) $(CC) $(LANG_FLAGS) $(VARIANT_FLAGS) $(WARN_FLAGS) $(CFLAGS) $(CPPFLAGS)
LINK = $(CC) $(VARIANT_FLAGS) $(CFLAGS) $(LDFLAGS)
# Relocations in the short form, where the linker writes it and this machine's libc reads it.
SHORT_RELOCATIONS = $(shell cat build/short_relocations)

# A line says what is being made; VERBOSE=1 shows the commands.
Q := $(if $(VERBOSE),,@)
say = @printf '  %-4s %s\n' $(1) $(2)

# ---- sources -----------------------------------------------------------------------------------

VM_SRC := $(sort $(wildcard vm/*.c vm/*/*.c))
PARSER_SRC := $(sort $(wildcard parser/*.c parser/*/*.c))
STDLIB_SRC := $(sort $(wildcard stdlib/*.c stdlib/*/*.c))
STDLIB_HEADERS := $(wildcard stdlib/*.h)
# UV=0 builds without libuv, and so without module _uv, on which asyncio rests.
ifeq ($(UV),0)
STDLIB_SRC := $(filter-out stdlib/uv_%,$(STDLIB_SRC))
STDLIB_HEADERS := $(filter-out stdlib/uv_%,$(STDLIB_HEADERS))
override CPPFLAGS += -DGEN_NO_UV
endif
# TLS=0 builds without OpenSSL, and so without module _ssl. (Even with it only its headers are needed
# here: the module loads the libraries when a script imports it.)
ifeq ($(TLS),0)
STDLIB_SRC := $(filter-out stdlib/tls% stdlib/openssl%,$(STDLIB_SRC))
STDLIB_HEADERS := $(filter-out stdlib/tls% stdlib/openssl%,$(STDLIB_HEADERS))
override CPPFLAGS += -DGEN_NO_TLS
endif
# BZ2=0 and LZMA=0 build without modules _bz2 and _lzma. (These libraries, too, are loaded on import.)
ifeq ($(BZ2),0)
STDLIB_SRC := $(filter-out stdlib/bz2.c,$(STDLIB_SRC))
override CPPFLAGS += -DGEN_NO_BZ2
endif
ifeq ($(LZMA),0)
STDLIB_SRC := $(filter-out stdlib/lzma.c,$(STDLIB_SRC))
override CPPFLAGS += -DGEN_NO_LZMA
endif
STDLIB_GEN := $(shell find stdlib -name '*.gen' 2>/dev/null | LC_ALL=C sort)
# LIBRARY=0 builds the engine with its compiler, builtins, sys and the modules that these themselves import,
# and nothing else of the library: scripts import what the host gives them. Without the names of characters,
# too, which are module unicodedata's.
ifeq ($(LIBRARY),0)
BASE_MODULES := _structseq abc codecs copyreg functools io linecache snapshot types warnings
STDLIB_SRC := $(addprefix stdlib/,init.c io.c sys.c thread_wait.c)
STDLIB_HEADERS :=
STDLIB_GEN := $(filter stdlib/prelude/% $(BASE_MODULES:%=stdlib/%.gen),$(STDLIB_GEN))
override CPPFLAGS += -DGEN_NO_LIBRARY -DGEN_NO_UV
# The parts of the file lie next to each other, not each from a page of its own on: 8 KB; nothing is
# skipped before loops: 16 KB.
override LDFLAGS += -Wl,-z,noseparate-code
VARIANT_FLAGS += -fno-align-jumps -fno-align-loops
endif
REPL_SRC := $(sort $(wildcard repl/*.c))

object = $(patsubst %.c,$(B)/obj/%.o,$(1))
VM_OBJ := $(call object,$(VM_SRC))
PARSER_OBJ := $(call object,$(PARSER_SRC))
STDLIB_OBJ := $(call object,$(STDLIB_SRC)) $(B)/obj/stdlib_frozen.o
LIB_OBJ := $(VM_OBJ) $(PARSER_OBJ) $(STDLIB_OBJ)
REPL_OBJ := $(call object,$(REPL_SRC))

# A library is linked only when a source includes its header.
includes = $(if $(STDLIB_SRC),$(shell grep -lE '^ *\# *include <$(1)' $(STDLIB_SRC) $(STDLIB_HEADERS) 2>/dev/null))
LIBS := -lutf8proc -lgmp -lm \
	$(if $(call includes,pcre2.h),-lpcre2-8) \
	$(if $(call includes,zlib.h),-lz) \
	$(if $(call includes,uv.h),-luv)

# ---- the build ---------------------------------------------------------------------------------

PRODUCTS := $(B)/gen $(B)/libgenvm.a $(B)/libgenvm.so $(B)/genvm.pc

all: $(PRODUCTS) ## build gen, the libraries and genvm.pc (the default)
	@:

$(B)/gen: $(REPL_OBJ) $(B)/libgenvm.a build/short_relocations
	$(call say,LINK,$@)
	$(Q)$(LINK) $(SHORT_RELOCATIONS) -o $@ $(REPL_OBJ) $(B)/libgenvm.a $(LIBS)

# One object whose internal names are local: a host that links the archive meets gen_* and no more.
$(B)/libgenvm.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(B)/obj/genvm.o $(LIB_OBJ)
	$(Q)objcopy --localize-hidden $(B)/obj/genvm.o
	$(Q)$(AR) rcs $@ $(B)/obj/genvm.o

$(B)/libgenvm.so: $(B)/libgenvm.so.$(VERSION)
	@ln -sf libgenvm.so.$(VERSION) $(B)/libgenvm.so.$(MAJOR)
	@ln -sf libgenvm.so.$(MAJOR) $@

$(B)/libgenvm.so.$(VERSION): $(LIB_OBJ) build/short_relocations
	$(call say,LINK,$@)
	$(Q)$(LINK) -shared -Wl,-soname,libgenvm.so.$(MAJOR) $(if $(filter asan tsan,$(V)),,-Wl,-z,defs) \
		$(SHORT_RELOCATIONS) -o $@ $(LIB_OBJ) $(LIBS)

build/short_relocations:
	@mkdir -p build
	@echo 'int main(void) { return 0; }' | $(CC) -x c -o $@.try -Wl,-z,pack-relative-relocs - 2>/dev/null && \
		$@.try && echo '-Wl,-z,pack-relative-relocs' > $@ || : > $@
	@rm -f $@.try

$(B)/genvm.pc: FORCE | $(B)/obj
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' \
		'Name: genvm' 'Description: A Python-like language whose frames can all be suspended' \
		'Version: $(VERSION)' 'Libs: -L$${libdir} -lgenvm' 'Libs.private: $(strip $(LIBS))' \
		'Cflags: -I$${includedir}' | { $(keep_if_changed); }

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) $(FLAGS_$*) -MMD -MP -c -o $@ $<

$(B)/obj/stdlib_frozen.o: $(B)/stdlib_frozen.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# The modules written in Gen, compiled by the compiler that is being built. The file changes only when
# their code does.
$(B)/stdlib_frozen.c: $(B)/stdlib_frozen.stamp ;

$(B)/stdlib_frozen.stamp: $(B)/freeze $(STDLIB_GEN) $(B)/stdlib_list
	$(call say,GEN,$(B)/stdlib_frozen.c)
	$(Q)$(B)/freeze stdlib $(STDLIB_GEN) > $(B)/stdlib_frozen.new
	@cmp -s $(B)/stdlib_frozen.new $(B)/stdlib_frozen.c || cp $(B)/stdlib_frozen.new $(B)/stdlib_frozen.c
	@rm $(B)/stdlib_frozen.new
	@touch $@

$(B)/freeze: $(B)/obj/scripts/build/freeze.o $(VM_OBJ) $(PARSER_OBJ)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# Files that change only when what they say changes: objects are rebuilt when a flag is.
keep_if_changed = new=$@.$$$$; cat > $$new; if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(B)/flags: FORCE | $(B)/obj
	@echo '$(CC) $(COMPILE) $(LDFLAGS) $(SMALL)' | { $(keep_if_changed); }

$(B)/stdlib_list: FORCE | $(B)/obj
	@echo '$(STDLIB_GEN)' | { $(keep_if_changed); }

$(B)/obj:
	@mkdir -p $@

FORCE:
.PHONY: FORCE all run test oracle stress suspend out-of-memory fuzz fuzz-every-byte sanitize tsan bench check format install uninstall clean help

-include $(shell find $(B)/obj $(B)/programs -name '*.d' 2>/dev/null)

# ---- tests -------------------------------------------------------------------------------------
#
# The runner judges the command and the host programs of any variant, so there is one of it.

RUNNER := build/tests/runner

$(RUNNER): tests/runner.c tests/case.c tests/case.h build/tests/cases.def
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Wshadow $(if $(WERROR),-Werror) -Ibuild/tests \
		-o $@ tests/runner.c tests/case.c -lcriterion

build/tests/cases.def: FORCE
	@mkdir -p $(@D)
	@scripts/build/list_cases | { $(keep_if_changed); }

# Host programs: the examples of embedding, as C11 and as C++, and those under tests/. They see the
# public header alone. link_vm and link_parser are linked with parts of the library, whole, to prove
# that those parts need no other.
with_output = $(filter $(basename $(wildcard $(1:.c=.out))),$(basename $(wildcard $(1))))
EXAMPLES := $(call with_output,scripts/embed/*.c)
HOSTS := $(call with_output,tests/*/*.c)
LINK_TESTS := $(filter %/link_vm %/link_parser %/front_end %/every_way %/handlers_that_lead_back,$(HOSTS))
PROGRAMS := $(EXAMPLES:%=$(B)/programs/%-c11) $(EXAMPLES:%=$(B)/programs/%-cpp) \
	$(HOSTS:%=$(B)/programs/%-c11)
HOST_FLAGS = -I$(B)/include $(VARIANT_FLAGS) -g -Wall -Wextra -Wshadow $(if $(WERROR),-Werror)

$(B)/include/genvm.h: vm/genvm.h
	@mkdir -p $(@D)
	@cp $< $@

$(filter-out $(LINK_TESTS:%=$(B)/programs/%-c11),$(filter %-c11,$(PROGRAMS))): \
		$(B)/programs/%-c11: %.c $(B)/include/genvm.h $(B)/libgenvm.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=c11 -pedantic $(HOST_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libgenvm.a $(LIBS) -lpthread

$(filter %-cpp,$(PROGRAMS)): $(B)/programs/%-cpp: %.c $(B)/include/genvm.h $(B)/libgenvm.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) -x c++ -std=c++17 -pedantic $(HOST_FLAGS) -MMD -MP -MF $@.d -o $@ $< -x none \
		$(B)/libgenvm.a $(LIBS) -lpthread

$(B)/programs/tests/embed/link_vm-c11: tests/embed/link_vm.c $(VM_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -std=gnu11 -D_GNU_SOURCE -I. $(WARN_FLAGS) -o $@ $^ $(LIBS)

$(B)/programs/tests/embed/link_parser-c11: tests/embed/link_parser.c $(VM_OBJ) $(PARSER_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -std=gnu11 -D_GNU_SOURCE -I. $(WARN_FLAGS) -o $@ $^ $(LIBS)

# This one tests the parser from inside, by its own headers.
$(B)/programs/tests/parser/front_end-c11: tests/parser/front_end.c $(VM_OBJ) $(PARSER_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -std=gnu11 -D_GNU_SOURCE -I. $(WARN_FLAGS) -o $@ $^ $(LIBS)

# These look at the frames and the code of tasks.
$(addprefix $(B)/programs/tests/suspend/,every_way-c11 handlers_that_lead_back-c11): \
		$(B)/programs/%-c11: %.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -std=gnu11 -D_GNU_SOURCE -I. -Ivm $(WARN_FLAGS) -o $@ $^ $(LIBS) -lpthread

.PHONY: test-programs run-tests
test-programs: all $(RUNNER) $(PROGRAMS)

# FILTER='language/*' chooses among the tests, RUNNER_FLAGS passes any of Criterion's options.
run-tests: test-programs
	@scripts/run-tests $(V) $(B) $(if $(FILTER),--filter '$(FILTER)') $(RUNNER_FLAGS)

test: run-tests ## build and run every test (FILTER='language/*' for some of them)

sanitize: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@+$(MAKE) --no-print-directory V=asan run-tests

stress: ## run the tests with a collection at every safepoint
	@+$(MAKE) --no-print-directory V=stress run-tests

# TARGET=image, source or api; FUZZ_FLAGS are libFuzzer's. What it finds new goes to build/fuzz/TARGET,
# what it trips over to build/fuzz/TARGET-*.
TARGET ?= image
CORPUS_image = tests/fuzz/images
CORPUS_source = tests/language
CORPUS_api = tests/fuzz/calls
LEAKS_api = 1
FUZZ_FLAGS ?= -max_total_time=600
$(B)/fuzz-%: tests/fuzz/%.c $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) -Ivm -fsanitize=fuzzer -o $@ $< $(LIB_OBJ) $(LIBS)

fuzz: ## feed damaged images, sources (TARGET=source) or calls of the API (TARGET=api) to a build with sanitizers
	@+$(MAKE) --no-print-directory V=fuzz CC=clang build/fuzz/fuzz-$(TARGET)
	@mkdir -p build/fuzz/$(TARGET)
	@ASAN_OPTIONS=detect_leaks=$(or $(LEAKS_$(TARGET)),0) build/fuzz/fuzz-$(TARGET) $(FUZZ_FLAGS) \
		-artifact_prefix=build/fuzz/$(TARGET)- build/fuzz/$(TARGET) $(CORPUS_$(TARGET))

# No fuzzer: a list of damages, tried out one by one; takes hours for all images.
IMAGES ?= $(wildcard tests/fuzz/images/*)
$(B)/fuzz-every_byte: tests/fuzz/every_byte.c tests/fuzz/image.c $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) -Ivm -o $@ $< $(LIB_OBJ) $(LIBS)

fuzz-every-byte: ## damage each byte of each image of the corpus in turn (IMAGES='FILE...')
	@+$(MAKE) --no-print-directory V=fuzz CC=clang build/fuzz/fuzz-every_byte
	@ASAN_OPTIONS=detect_leaks=0 build/fuzz/fuzz-every_byte $(IMAGES)

tsan: ## run the tests of VMs on many threads under ThreadSanitizer
	@+$(MAKE) --no-print-directory V=tsan FILTER='@(embed/@(threads|thread_hops|two_vms)_c11|*/*interpreter_pool*)' run-tests

suspend: test-programs ## run the tests of language, builtins and the library saved, killed and resumed every few steps
	@for steps in 3 7 13 101; do scripts/suspend $$steps || exit 1; done
	@scripts/suspend 101 tests/stdlib

# OOM_FLAGS are those of scripts/out-of-memory, which tells what they mean.
OOM_FLAGS ?=
out-of-memory: ## run the tests of the language and the builtins with every allocation failing in turn
	@+$(MAKE) --no-print-directory V=debug build/debug/programs/tests/limits/out_of_memory-c11
	@scripts/out-of-memory $(OOM_FLAGS)

oracle: ## prove the expected outputs right by running the tests under CPython
	@scripts/oracle

bench: all ## measure time and instructions beside the targets and the other interpreters
	@tests/bench/run
	@tests/bench/async_run
	@tests/bench/http_run
	@tests/bench/files_run
	@tests/bench/embed
	@tests/bench/imports
	@tests/bench/budget
	@tests/bench/size

check: ## check layout, include directions, lengths and forbidden words
	@scripts/check

# ---- running, installing and the rest ----------------------------------------------------------

run: all ## build, then run the tour of the language
	@build/gen scripts/examples/tour.gen

install: all ## install below PREFIX (/usr/local), staged in DESTDIR
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(INCLUDEDIR) $(MANDIR)/man1)
	install -m 755 $(B)/gen $(DESTDIR)$(BINDIR)/gen
	install -m 644 $(B)/libgenvm.a $(DESTDIR)$(LIBDIR)/libgenvm.a
	install -m 755 $(B)/libgenvm.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libgenvm.so.$(VERSION)
	ln -sf libgenvm.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libgenvm.so.$(MAJOR)
	ln -sf libgenvm.so.$(MAJOR) $(DESTDIR)$(LIBDIR)/libgenvm.so
	install -m 644 $(B)/genvm.pc $(DESTDIR)$(LIBDIR)/pkgconfig/genvm.pc
	install -m 644 vm/genvm.h $(DESTDIR)$(INCLUDEDIR)/genvm.h
	install -m 644 repl/gen.1 $(DESTDIR)$(MANDIR)/man1/gen.1
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/gen $(DESTDIR)$(LIBDIR)/libgenvm.a $(DESTDIR)$(LIBDIR)/libgenvm.so* \
		$(DESTDIR)$(LIBDIR)/pkgconfig/genvm.pc $(DESTDIR)$(INCLUDEDIR)/genvm.h \
		$(DESTDIR)$(MANDIR)/man1/gen.1

format: ## lay out every C file by .clang-format
	clang-format -i $$(git ls-files '*.c' '*.h')

clean: ## remove everything that was built
	rm -rf build

help: ## print this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-22s%s\n", $$1, $$2}'
	@echo "  V=release|debug|asan|stress|tsan|fuzz chooses the variant; CC, CFLAGS, WERROR=1, VERBOSE=1, PREFIX, DESTDIR too"
