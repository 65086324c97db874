# Makefile for prerenderd (GNU make). `make help` lists the targets.
#
# Out of tree: build/$(MODE)/. MODE=release (default), debug, or sanitize (ASan + UBSan).
# CC=clang works as well. WERROR=1 turns warnings into errors, V=1 shows commands.
# CFLAGS and LDFLAGS are added to the project's own.

VERSION := 0.1.0
MODE    ?= release
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
BUILD   := build/$(MODE)$(if $(filter clang%,$(CC)),-clang)
Q       := $(if $(V),,@)
RUN     ?=# Arguments of `make run`, such as RUN=--pool.pages_max=8
TEST_MODE ?= sanitize# What `make test` runs its tests in
SIM_ARGS  ?=# Arguments of the simulator in `make sim`

PACKAGES := libuv libmicrohttpd libwebsockets jansson libsystemd gumbo zlib
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 -Wundef

ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DPRERENDERD_VERSION='"$(VERSION)"' $(WARNINGS) -I. -g
ALL_CFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
ALL_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -linih
TEST_LIBS  := $(shell pkg-config --libs check libcurl 2>/dev/null)
ifeq ($(MODE),release)
ALL_CFLAGS  += -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
ALL_LDFLAGS += -Wl,-z,relro,-z,now
else ifeq ($(MODE),sanitize)
ALL_CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
ALL_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(MODE),debug)
ALL_CFLAGS  += -O0
else
$(error MODE is "$(MODE)", but must be release, debug or sanitize)
endif
ALL_CFLAGS  += $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS += $(LDFLAGS)

FOLDERS  := config net pool document cdp http daemon
SOURCES  := $(filter-out daemon/main.c,$(wildcard $(FOLDERS:%=%/*.c)))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
PURE     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard pool/*.c cdp/render*.c) \
                cdp/traffic.c \
                $(filter-out document/parser.c,$(wildcard document/*.c)))
UNITS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
SIM      := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c))
POOL     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard pool/*.c))
CANARY_C := $(shell grep -l 'CANARY.CANARY_' pool/*.c)
CANARIES := $(shell awk '$$2 ~ /^CANARY_/ { sub(/CANARY_/, "", $$2); print $$2 }' pool/state.h)
SIMULATE := $(if $(SIM),$(BUILD)/tests/simulate)
FLEET    := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fleet/*.c) daemon/courier.c daemon/outbox.c)
FLEETSIM := $(BUILD)/tests/simulate_fleet
SYSTEM   := $(patsubst tests/system/%.c,$(BUILD)/tests/system/%,$(wildcard tests/system/test_*.c))
HARNESS  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/system/test_%.c,$(wildcard tests/system/*.c)) tests/suite.c)
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(shell grep -ls '^int main' bench/*.c))
# What unit tests share; each links what it needs of it.
SHARED   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/test_%,$(wildcard tests/*.c)) tests/system/process.c)
PEERS    := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/peers/*.c))
MEASURE  := $(filter-out $(BENCHES:%=%.o),$(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/*.c)))
SCRIPTED := $(wildcard tests/check_*.sh)
# Everything that style and format are checked of.
OWN      := $(wildcard $(FOLDERS:%=%/*.[ch]) tests/*.[ch] tests/*/*.[ch] bench/*.[ch] bench/peers/*.[ch])

all: $(BUILD)/prerenderd  ## build the daemon

programs: $(BUILD)/prerenderd $(UNITS) $(SIMULATE) $(FLEETSIM) $(SYSTEM) $(BENCHES) $(PEERS) $(BUILD)/tests/long/fleet  ## build everything, run nothing

run:  ## install what is missing, build, and serve on 127.0.0.1:4221
	@scripts/deps.sh run
	@$(MAKE) --no-print-directory all
	@exec $(BUILD)/prerenderd $(RUN)

test:  ## install what is missing, build, and run all tests under sanitizers
	@scripts/deps.sh test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory MODE=$(TEST_MODE) test-run

test-run: $(BUILD)/prerenderd $(UNITS) $(SIMULATE) $(FLEETSIM) $(SYSTEM) pages
	$(Q)scripts/run_tests.sh $(BUILD) $(UNITS) $(SCRIPTED) $(SIMULATE:%="% $(SIM_ARGS)") $(FLEETSIM) $(SYSTEM)

unit: $(UNITS)  ## run the unit tests (MODE=sanitize: under sanitizers, like the next two)
	$(Q)scripts/run_tests.sh $(BUILD) $(UNITS) $(SCRIPTED)

sim: $(SIMULATE)  ## run the simulator of the pool (SEED=n TRACE=1: one run, step by step)
	$(Q)$(SIMULATE) $(SIM_ARGS) $(SEED:%=--seed=%) $(if $(TRACE),--trace)

sim-long: $(SIMULATE)  ## run it for two million steps on seeds of their own
	$(Q)$(SIMULATE) --seeds=100001..101000 --steps=2000

fleet-sim: $(FLEETSIM)  ## simulate six hours of a fleet, then one with each known bug (SEED=n TRACE=1)
	$(Q)$(FLEETSIM) --seeds=1..6 --minutes=60 $(SEED:%=--seed=%) $(if $(TRACE),--trace)
	$(Q)$(if $(SEED),,scripts/fleet_canaries.sh $(FLEETSIM))

fleet-long: $(BUILD)/prerenderd $(BUILD)/tests/long/fleet  ## run three daemons behind a manager for a minute
	$(Q)$(BUILD)/tests/long/fleet

canaries: $(CANARIES:%=$(BUILD)/canary/%)  ## check that the simulator finds every known bug
	$(Q)scripts/canaries.sh $^

system: $(BUILD)/prerenderd $(SYSTEM) pages  ## run the daemon against a real browser
	$(Q)scripts/run_tests.sh $(BUILD) $(SYSTEM)

pages:
	$(Q)if [ -x tests/system/pages/install.sh ]; then tests/system/pages/install.sh; fi

valgrind: $(BUILD)/prerenderd $(UNITS)  ## run unit tests and one render under valgrind (not MODE=sanitize)
	$(Q)scripts/valgrind.sh $(BUILD) $(filter-out %/test_cdp,$(UNITS))

bench: $(BUILD)/prerenderd $(BENCHES) pages  ## measure the daemon with a real browser
	$(Q)set -e; for program in $(BENCHES); do echo "  BENCH $$program"; $$program; done

# One of them, with arguments: make bench-memory BENCH_ARGS="10000 20".
bench-%: $(BUILD)/bench/% $(BUILD)/prerenderd pages
	$(Q)$< $(BENCH_ARGS)

bench-peers: $(BUILD)/prerenderd $(PEERS)  ## compare with peers on real pages, and write bench/RESULTS.md
	$(Q)bench/peers/install.sh
	$(Q)node bench/peers/run.mjs $(BUILD)

deps:  ## install the Debian packages that building, serving and testing need
	@scripts/deps.sh test

check: style layers pure scenarios fmt-check  ## check everything that needs no test run

style:  ## check the rules of style that a script can see
	$(Q)scripts/check_style.sh $(OWN)

layers:  ## check which folder includes which
	$(Q)scripts/check_layers.sh .

pure: $(PURE)  ## check that pure parts need nothing but memory and string functions
	$(Q)scripts/check_pure.sh $(PURE)

scenarios:  ## check that every scenario has a test, or a reason for having none
	$(Q)scripts/scenarios.sh

fmt:  ## format all sources with clang-format
	clang-format -i $(OWN)

fmt-check:  ## check that they are
	$(Q)clang-format --dry-run --Werror $(OWN) && \
	    echo "fmt: $(words $(OWN)) files as clang-format wants them"

tidy:  ## analyse all sources with clang-tidy
	clang-tidy --quiet $(SOURCES) daemon/main.c -- $(ALL_CFLAGS)

conf: $(BUILD)/tests/test_config_print  ## write config/prerenderd.conf from the table of knobs
	$(BUILD)/tests/test_config_print --conf > config/prerenderd.conf

install: all  ## install below $(DESTDIR)$(PREFIX); an existing configuration stays
	install -D -m 755 $(BUILD)/prerenderd $(DESTDIR)$(PREFIX)/bin/prerenderd
	install -d $(DESTDIR)$(PREFIX)/share/doc/prerenderd
	install -m 644 LICENSE README.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/prerenderd
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(SYSCONFDIR)/prerenderd
	sed 's|/usr/local/|$(PREFIX)/|' prerenderd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/prerenderd.service
	install -m 644 prerenderd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/prerenderd.socket
	test -e $(DESTDIR)$(SYSCONFDIR)/prerenderd/prerenderd.conf || \
	    install -m 644 config/prerenderd.conf $(DESTDIR)$(SYSCONFDIR)/prerenderd/prerenderd.conf

uninstall:  ## remove what install wrote; a changed configuration stays
	rm -f $(DESTDIR)$(PREFIX)/bin/prerenderd $(DESTDIR)$(PREFIX)/lib/systemd/system/prerenderd.service \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/prerenderd.socket
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/prerenderd
	! cmp -s config/prerenderd.conf $(DESTDIR)$(SYSCONFDIR)/prerenderd/prerenderd.conf || \
	    rm $(DESTDIR)$(SYSCONFDIR)/prerenderd/prerenderd.conf
	rmdir $(DESTDIR)$(SYSCONFDIR)/prerenderd 2>/dev/null || true

dist:  ## pack the committed sources into build/
	@mkdir -p build
	git archive --prefix=prerenderd-$(VERSION)/ -o build/prerenderd-$(VERSION).tar.gz HEAD

clean:  ## remove build/
	rm -rf build

help:  ## this text
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

$(BUILD)/prerenderd: $(BUILD)/daemon/main.o $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(BUILD)/lib.a: $(OBJECTS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/shared.a: $(SHARED)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNITS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/tests/shared.a $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) $(TEST_LIBS)

# The simulator needs nothing but the pool.
$(BUILD)/tests/simulate: $(SIM) $(BUILD)/tests/pool_text.o $(POOL)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

# A fleet of them, and what tells a manager of each.
$(FLEETSIM): $(FLEET) $(filter-out %/sim/main.o,$(SIM)) $(BUILD)/tests/pool_text.o $(POOL)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

# The same with one known bug compiled into the pool.
$(BUILD)/canary/%: $(CANARY_C) $(wildcard pool/*.h) $(SIM) $(BUILD)/tests/pool_text.o $(POOL)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -DPOOL_CANARY=CANARY_$* -o $@ \
	    $(filter-out %.h $(CANARY_C:%.c=$(BUILD)/%.o),$^)

$(SYSTEM) $(BUILD)/tests/long/fleet: $(BUILD)/tests/%: $(BUILD)/tests/%.o $(HARNESS) $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) $(TEST_LIBS)

$(BENCHES) $(PEERS): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(MEASURE) $(HARNESS) $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) $(TEST_LIBS)

.PHONY: all programs run test test-run unit sim sim-long fleet-sim fleet-long canaries system pages bench valgrind deps check style \
        layers pure scenarios fmt fmt-check tidy conf install uninstall dist clean help
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
