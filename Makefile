# Makefile for prerenderd (GNU make). `make help` lists the targets.
#
# Out of tree: build/$(MODE)/. MODE=release (default), debug, or sanitize (ASan + UBSan).
# CC=clang works as well. WERROR=1 turns warnings into errors, V=1 shows commands.

VERSION := 0.1.0
MODE    ?= release
PREFIX  ?= /usr/local
BUILD   := build/$(MODE)$(if $(filter clang%,$(CC)),-clang)
Q       := $(if $(V),,@)

PACKAGES := libuv libmicrohttpd libwebsockets jansson libsystemd
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 -Wundef

ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DPRERENDERD_VERSION='"$(VERSION)"' $(WARNINGS) -I. -g
ALL_CFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
ALL_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -linih
TEST_LIBS  := $(shell pkg-config --libs check libcurl 2>/dev/null)
ifeq ($(MODE),release)
ALL_CFLAGS += -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
else ifeq ($(MODE),sanitize)
ALL_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
ALL_LDFLAGS += -fsanitize=address,undefined
else
ALL_CFLAGS += -O0
endif
ifdef WERROR
ALL_CFLAGS += -Werror
endif
ALL_CFLAGS  += $(CFLAGS)
ALL_LDFLAGS += $(LDFLAGS)

FOLDERS  := config pool cdp http daemon
SOURCES  := $(filter-out daemon/main.c,$(wildcard $(FOLDERS:%=%/*.c)))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
UNITS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
SIM      := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c))
SYSTEM   := $(patsubst tests/system/%.c,$(BUILD)/tests/system/%,$(wildcard tests/system/test_*.c))
HARNESS  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/system/test_%.c,$(wildcard tests/system/*.c)))

all: $(BUILD)/prerenderd  ## build the daemon

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

$(UNITS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) $(TEST_LIBS)

$(BUILD)/tests/simulate: $(SIM) $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(SYSTEM): $(BUILD)/tests/system/%: $(BUILD)/tests/system/%.o $(HARNESS) $(BUILD)/lib.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) $(TEST_LIBS)

clean:  ## remove build/
	rm -rf build

help:  ## this text
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: all clean help
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
