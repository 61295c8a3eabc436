# SPDX-License-Identifier: GPL-2.0
# Builds the mtty module and its tests for one kernel, and runs them in a VM.
# "make help" lists the targets; the scripts are in tools/testing/selftests/vfio/lab/.

# Variables for the user, on the command line or in the environment
VARS_USER := ACCEL ADD ARCH ARGS CACHE DEMO JOBS KERNEL LAB MATRIX MUTANTS OUT RUN STOCK TESTS \
	   TEST_TIMEOUT TIMEOUT V VERBOSE
# On the command line only: the environment may use such a name for another purpose.
# C, CHECK and W are the kernel's.
VARS_COMMAND := BASE BOTH_PATHS C CHECK DEVICE MAY_SKIP MTTY_GCOV MUTANTS_KERNEL STATUS W
# Programs need these from the environment. All others are removed: this makefile, its
# scripts or the kernel's makefiles might use a variable of that name, such as B or
# KBUILD_OUTPUT.
VARS_KEPT := APT_CONFIG CCACHE_% HOME LOGNAME NO_COLOR PATH SSL_CERT_DIR SSL_CERT_FILE \
	   TERM TMPDIR USER XDG_CACHE_HOME %_proxy %_PROXY \
	   MAKEFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMERR MAKE_TERMOUT MFLAGS SHELL

# Variables of one origin: command or environment
vars_from = $(foreach name,$(.VARIABLES),$(if $(filter $1,$(firstword $(origin $(name)))),$(name)))
is_set = $(filter override,$(origin $1))

UNKNOWN	:= $(filter-out $(VARS_USER) $(VARS_COMMAND),$(call vars_from,command))
$(if $(UNKNOWN),$(error $(UNKNOWN): no such variable; there are: $(sort $(VARS_USER) $(VARS_COMMAND))))
$(foreach name,$(filter-out $(VARS_KEPT) $(VARS_USER),$(call vars_from,environment)), \
	$(eval override undefine $(name)))
# make does not expand values of the user: a "$" in them is for the VM's shell.
$(foreach name,$(VARS_USER) $(VARS_COMMAND), \
	$(if $(filter command environment,$(firstword $(origin $(name)))), \
		$(eval override $(name) := $$(value $(name)))))
MAKEOVERRIDES :=
# Set before the environment was removed; "name" is the variable of the loops.
name	:=
unexport VARS_USER VARS_COMMAND VARS_KEPT UNKNOWN MAKEOVERRIDES vars_from is_set name

# Scripts parse the output of programs, so it must be in one language.
export LC_ALL := C
# Python writes no files beside a script.
export PYTHONDONTWRITEBYTECODE := 1

# The XDG specification: a relative path is ignored.
XDG	:= $(value XDG_CACHE_HOME)
CACHE	?= $(if $(filter /%,$(firstword $(XDG))),$(XDG),$(value HOME)/.cache)/mtty-vfio
OUT	?= $(CURDIR)/build
JOBS	?= $(shell nproc)
TIMEOUT	?= 600
ARCH	?= x86_64
DEVICE	?= mtty
LAB	?= 6.12
STOCK	?= 6.12
export ACCEL ADD ARCH ARGS BOTH_PATHS MATRIX MAY_SKIP MUTANTS MUTANTS_KERNEL RUN TESTS
export TEST_TIMEOUT VERBOSE
unexport BASE CACHE DEMO DEVICE JOBS KERNEL LAB OUT STOCK TIMEOUT V C CHECK MTTY_GCOV STATUS W

# These characters are special to make, the shell, kbuild or QEMU's options.
comma	:= ,
SPECIAL	:= \ " ' ` $$ \# % * ? [ ] { } ( ) < > | & ; : ! ^ $(comma)
is_special = $(strip $(filter-out 1,$(words $1))$(subst /$(firstword $1)/,,/$1/) \
	     $(foreach c,$(SPECIAL),$(findstring $c,$1))$(filter ~%,$1))
# $1: what it is, $2: its name
check_path = $(if $(call is_special,$2),$(error $1 is '$2': it must be one path, \
	     without spaces and without any of $(SPECIAL)))
check_dir = $(call check_path,$1,$2)$(if $(filter /,$(abspath $2)),$(error $1 must not be /))
without = $(if $1,$(call without,$(wordlist 2,99,$1),$(subst $(firstword $1),,$2)),$2)
check_number = $(if $(if $2,$(call without,0 1 2 3 4 5 6 7 8 9 $3,$2),empty), \
	       $(error $1 must be a number, not '$2'))

$(call check_path,the directory of this makefile,$(CURDIR))
$(call check_dir,CACHE,$(CACHE))
$(call check_dir,OUT,$(OUT))
$(if $(KERNEL),$(call check_dir,KERNEL,$(KERNEL)))
$(if $(BASE),$(call check_dir,BASE,$(BASE)))
$(if $(STATUS),$(if $(filter-out vm shell-vmm,$(or $(MAKECMDGOALS),help)), \
	$(error STATUS is for the targets vm and shell-vmm)))
$(call check_number,JOBS,$(JOBS))
$(call check_number,TIMEOUT,$(TIMEOUT))
$(if $(TEST_TIMEOUT),$(call check_number,TEST_TIMEOUT,$(TEST_TIMEOUT)))
$(call check_number,LAB,$(LAB),.)
$(if $(filter-out quick full,$(or $(DEMO),quick)),$(error DEMO is quick or full, not '$(DEMO)'))
override CACHE := $(abspath $(CACHE))
override OUT := $(abspath $(OUT))
override ARCH := $(patsubst x86,x86_64,$(ARCH))
$(if $(filter-out x86_64 arm64,$(or $(ARCH),none)),$(error ARCH is x86_64 or arm64, not '$(ARCH)'))
$(if $(filter-out 1,$(words $(STOCK)))$(filter-out 6.12 7 7-rt,$(STOCK)), \
	$(error STOCK is 6.12, 7 or 7-rt, not '$(STOCK)'))
$(if $(filter-out 6.12,$(STOCK)),$(if $(filter arm64,$(ARCH)),$(error STOCK=$(STOCK) is for x86_64)))

# One word for a shell
quoted = '$(subst ','\'',$1)'
# Settings on the command line, for another make
pass_vars = $(foreach name,$1,$(if $(call is_set,$(name)),$(name)=$(call quoted,$($(name)))))
SUBMAKE	= $(MAKE) --no-print-directory \
	  $(call pass_vars,CACHE OUT JOBS KERNEL LAB STOCK TIMEOUT V C CHECK W)

DIR_LAB	:= tools/testing/selftests/vfio/lab

# arm64 is built with a cross compiler. Debian's kernels for arm64 and with PREEMPT_RT have no mdev,
# so it is built.
ifeq ($(ARCH),arm64)
DEBIAN	:= $(CACHE)/debian-6.12-arm64
SOURCES	:= $(DEBIAN)
BUILT_IMAGE	:= arch/arm64/boot/Image
CROSS	:= aarch64-linux-gnu-
VM_ROOT	:= $(DEBIAN)/user
else
# STOCK is a series and a flavour; flavours have the same source.
DEBIAN	:= $(CACHE)/debian-$(STOCK)
SOURCES	:= $(CACHE)/debian-$(STOCK:%-rt=%)
BUILT_IMAGE	:= arch/x86/boot/bzImage
CROSS	:=
VM_ROOT	:=
endif
KSRC	:= $(SOURCES)/src
FETCH	:= $(DIR_LAB)/get/fetch.sh -s $(STOCK:%-rt=%)
FETCH_KERNEL := $(FETCH) $(if $(filter %-rt,$(STOCK)),-f rt) $(DEBIAN)
# A newer kernel's tools do not run on Debian 12.
COMPILER := $(if $(KERNEL)$(filter 6.12,$(STOCK)),,$(SOURCES)/compiler)
WITH_COMPILER := $(COMPILER:%=$(DIR_LAB)/get/with-usr.sh %)
# The name that fetch.sh gives it
IMAGE	:= $(DEBIAN)/image-$(firstword $(shell cksum <$(DIR_LAB)/boot/modules.sh))

# Each kernel has a build directory.
ifeq ($(KERNEL),)
KDIR	:= $(DEBIAN)/build
KIMAGE	:= $(IMAGE)/vmlinuz
KMODS	:= $(IMAGE)/modules
KHDR	:= $(KSRC)/usr/include
PARTS	:= image headers
B	:= $(OUT)/$(notdir $(DEBIAN))
MDEV	:= $(if $(filter arm64,$(ARCH))$(filter %-rt,$(STOCK)),$(B)/mdev)
NO_PATCH :=
else
KDIR	:= $(abspath $(KERNEL))
KIMAGE	:= $(KDIR)/$(BUILT_IMAGE)
KHDR	:= $(if $(wildcard $(KDIR)/usr/include/linux/vfio.h),$(KDIR),$(KSRC))/usr/include
PARTS	:=
B	:= $(OUT)/$(notdir $(KDIR))-$(shell echo $(KDIR) | cksum | cut -d' ' -f1)$(MTTY_GCOV:%=-gcov)
KMODS	:= $(B)/modules
MDEV	:=
# Without static keys a kernel does not patch itself while it runs.
NO_PATCH := $(shell grep -qs '^CONFIG_JUMP_LABEL=y' $(KDIR)/.config || echo -p)
endif

STAGE	:= $(B)/stage
MTTY	:= $(STAGE)/samples/vfio-mdev/mtty
SELFTESTS := $(B)/selftests
LOCKED	:= flock $(B)/.lock
QUIET	:= $(if $(filter 1,$(V)),,-s)
MARKED	:= $(DIR_LAB)/get/marked.sh

BOOT	:= -k $(KIMAGE) -m $(KMODS) -t $(MTTY)/mtty.ko -s $(SELFTESTS) \
	   -o $(B) -l $(TIMEOUT) $(MDEV:%=-x %/mdev.ko) $(VM_ROOT:%=-u %) \
	   $(NO_PATCH) $(MTTY_GCOV:%=-g $(B)/counters.tar)
KBUILD	:= $(if $(CROSS),ARCH=$(ARCH) CROSS_COMPILE=$(CROSS)) \
	   CONFIG_DEBUG_INFO_BTF_MODULES= -j$(JOBS) $(call pass_vars,V C CHECK)
BOOT_VM	:= $(DIR_LAB)/boot/run.sh $(CACHE) $(BOOT)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1: /p' Makefile | \
		while IFS=: read -r target text; do \
			printf '  make %-15s %s\n' "$$target" "$$text"; \
		done

.PHONY: prepare
prepare: ## fetch missing host packages and parts of the kernel
	@$(DIR_LAB)/get/hostpkgs.sh
	@$(if $(CROSS),$(DIR_LAB)/get/hostpkgs.sh $(ARCH))
	@$(FETCH) $(SOURCES) source $(if $(COMPILER),compiler) $(if $(VM_ROOT),user)
	@$(FETCH_KERNEL) $(PARTS)
	@$(MARKED) claim $(B)
	@$(MARKED) check $(B)
ifneq ($(KERNEL),)
	@$(LOCKED) $(DIR_LAB)/boot/modules.sh $(KDIR) $(KMODS)
endif

.PHONY: stage
stage: prepare
	@$(LOCKED) $(DIR_LAB)/get/stage.sh . $(KSRC) $(STAGE)

# The unchanged source, for a kernel that was configured without mdev
.PHONY: mdev
mdev: stage
	@mkdir -p $(MDEV)
	@$(LOCKED) cp -u $(KSRC)/drivers/vfio/mdev/* $(MDEV)
	@+$(LOCKED) $(WITH_COMPILER) $(MAKE) $(QUIET) -C $(KDIR) M=$(MDEV) $(KBUILD) \
		CONFIG_VFIO_MDEV=m modules

.PHONY: modules
modules: stage $(if $(MDEV),mdev) ## build mtty.ko; a warning is an error
	@+$(LOCKED) $(WITH_COMPILER) $(MAKE) $(QUIET) -C $(KDIR) M=$(MTTY) W=$(or $(W),1) \
		KCFLAGS=-Werror $(KBUILD) MTTY_GCOV=$(MTTY_GCOV) \
		$(MDEV:%=KBUILD_EXTRA_SYMBOLS=%/Module.symvers) modules

# The VM has no libraries, so all is linked statically.
.PHONY: selftests
selftests: stage ## build the tests
	@mkdir -p $(B)/objects
	@+$(LOCKED) $(MAKE) $(QUIET) --no-print-directory \
		-C $(STAGE)/tools/testing/selftests/vfio/migration \
		$(call pass_vars,V) OUTPUT=$(B)/objects INSTALL_PATH=$(SELFTESTS) \
		KHDR_INCLUDES="-isystem $(KHDR)" USERCFLAGS=-Werror -j$(JOBS) \
		$(CROSS:%=CROSS_COMPILE=%) \
		USERLDFLAGS=-static STRICT=1 install
	@$(LOCKED) cp -rLu $(STAGE)/tools/testing/selftests/kselftest $(SELFTESTS)

# More than CPUs, as some programs wait. Counters of gcov are those of one VM.
VMS	= $(if $(MTTY_GCOV),1,$(shell expr $(JOBS) '*' 3 / 2))

# The begin of a command that repeats a test; a failure prints it.
again	= AGAIN=$(call quoted,$(strip make $1 $(call pass_again,ARCH KERNEL)))
pass_again = $(foreach name,$1,$(if $(filter-out x86_64,$($(name))),$(name)=$($(name))))

# Each program has a time limit, so a VM gets enough for a busy machine.
.PHONY: check
check: modules selftests ## run all tests in VMs; TESTS='a_test b_test' ARGS='-t case' select
	@$(call again,check) VMS=$(VMS) $(DIR_LAB)/check/check.sh $(KSRC) $(B) $(CACHE) $(BOOT) \
		-l $(if $(call is_set,TIMEOUT),$(TIMEOUT),1800)

# They need no VM.
.PHONY: check-runner
check-runner: prepare ## the tests of this makefile and its scripts, on this machine
	@$(DIR_LAB)/get/hostpkgs.sh docs
	@AGAIN='make check-runner' TESTS=runner_test.sh NAME=runner TEST_TIMEOUT=$${TEST_TIMEOUT:-900} $(DIR_LAB)/check/check.sh $(KSRC) $(B) $(CACHE) $(BOOT)

# The tests with QEMU. The VM has a QEMU, and is run by a QEMU that can emulate KVM.
SYSTEMS	:= $(CACHE)/vmm-$(ARCH)
test_list = $(shell sed '/^\#/d' $(DIR_LAB)/check/tests-$1)
VMM_TESTS = $(if $(filter arm64,$(ARCH)),$(call test_list,vmm-arm64), \
	    $(patsubst $(DIR_LAB)/%,%,$(wildcard $(DIR_LAB)/qemu/*.py)))

# TESTS=quick is a list, too.
VMM_SELECTED = $(if $(filter quick,$(TESTS)),$(call test_list,vmm-quick), \
	       $(or $(TESTS),$(VMM_TESTS)))

# Pictures are not required.
WITHOUT_PICTURES := $(DIR_LAB)/get/hostpkgs.sh report || echo "continuing without pictures" >&2

.PHONY: systems
systems: stage
	@+$(LOCKED) $(MAKE) $(QUIET) --no-print-directory -C $(DIR_LAB)/qemu \
		OUTPUT=$(SELFTESTS)/qemu $(CROSS:%=CROSS_COMPILE=%) \
		CFLAGS=-I$(CURDIR)/samples/vfio-mdev/mtty
	@$(DIR_LAB)/get/hostpkgs.sh vmm
	@$(WITHOUT_PICTURES)
	@$(DIR_LAB)/get/roots.sh $(SYSTEMS)
	@$(FETCH_KERNEL) image

# QEMU with the patches of qemu/series, for the tests that begin with that word
BUILD_QEMU = $(DIR_LAB)/qemu/series/build.sh $(CACHE)/qemu-$(ARCH) $(JOBS)
NEEDS_QEMU = $(filter qemu/series_%,$(VMM_SELECTED))

.PHONY: qemu
qemu: ## build QEMU with the patches for the proposal, once; prints its path
	@$(DIR_LAB)/get/hostpkgs.sh vmm
	@$(BUILD_QEMU)

# The guest's kernel is Debian's, with any kernel of the VM. TCG: nested KVM does not work.
WITH_VMM = $(if $1,qemu=$$($(BUILD_QEMU)) &&) \
	   ADD="$(IMAGE)/vmlinuz $(if $1,$$qemu) $$ADD" ACCEL=$${ACCEL:-tcg}

.PHONY: check-vmm
check-vmm: modules selftests systems ## QEMU live-migrates a guest that uses the device; TESTS=quick
	@$(call WITH_VMM,$(NEEDS_QEMU)) $(call again,check-vmm) VMS=$(JOBS) NAME=check-vmm PROGRESS=1 REPORT=$(B)/check-vmm \
		TESTS=$(call quoted,$(VMM_SELECTED)) TEST_TIMEOUT=$${TEST_TIMEOUT:-900} \
		$(DIR_LAB)/check/check.sh $(KSRC) $(B) $(CACHE) $(BOOT) -v $(SYSTEMS) \
		-l $(if $(call is_set,TIMEOUT),$(TIMEOUT),2700)

.PHONY: shell-vmm
shell-vmm: no-status modules selftests systems ## a shell in a VM that has QEMU; RUN= runs a command
	@$(call WITH_VMM,) $(BOOT_VM) -v $(SYSTEMS) -n shell-vmm $(if $(RUN),$(STATUS_OPTION),-i)

.PHONY: check-arm64-vmm
check-arm64-vmm: ## make check-vmm on arm64, where MSIs pass the ITS
	@+$(SUBMAKE) ARCH=arm64 check-vmm

.PHONY: check-arm64
check-arm64: ## make check in an arm64 VM: any target takes ARCH=arm64
	@+$(SUBMAKE) ARCH=arm64 check

# The checkers in a lab kernel make it slow.
LAB_LIMITS = TIMEOUT=$(if $(call is_set,TIMEOUT),$(TIMEOUT),5400) \
	     TEST_TIMEOUT=$(or $(TEST_TIMEOUT),900)
# A lab kernel has all that tests need, except what is newer than 6.12. Clauses that do not
# concern mtty, which has no MSI-X, are not applicable. No other skips.
NO_SKIPS = MAY_SKIP=$(call quoted,$(if $(call is_set,MAY_SKIP),$(MAY_SKIP),no \
	   VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2|^not applicable: ))
# $1: which kernel, $2: minutes that its tests take on two CPUs
in_lab	= kernel=$$($(DIR_LAB)/kernels/kernel.sh $1 $(CACHE)/debian-$(LAB) $(LAB) $(JOBS)) && \
	  $(if $(TESTS),,echo "the tests on it: some $2 minutes on two CPUs ..." &&) \
	  $(SUBMAKE) KERNEL="$$kernel" $(LAB_LIMITS)

.PHONY: lab
lab: lab-kasan lab-kcsan ## the tests on lab kernels; LAB=7: a newer series

.PHONY: lab-kasan
lab-kasan: ## all tests on a kernel with KASAN, UBSAN, lockdep, kmemleak
	@+$(call in_lab,kasan,25) check BOTH_PATHS=1 $(NO_SKIPS)

.PHONY: lab-kcsan
lab-kcsan: ## the concurrent tests on a kernel with KCSAN (data races)
	@+$(call in_lab,kcsan,4) check \
		TESTS=$(call quoted,$(or $(TESTS),$(call test_list,kcsan))) \
		$(NO_SKIPS)

# Deliberate faults, and which case of the tests fails on each
.PHONY: mutants
mutants: modules selftests ## do the tests notice faults? MUTANTS='driver/uart/*' selects
	@$(DIR_LAB)/mutants/run.py . $(KSRC) $(B) $(CACHE) $(JOBS) \
		$(call pass_vars,CACHE KERNEL LAB V) -- $(BOOT) \
		-l $(if $(call is_set,TIMEOUT),$(TIMEOUT),1800)

# "newer": those of features that 6.12 does not have
LAB_MUTANTS := lab-mutants-kasan lab-mutants-kcsan lab-mutants-newer
.PHONY: lab-mutants $(LAB_MUTANTS)
lab-mutants: $(LAB_MUTANTS) ## make mutants, for faults that only a lab kernel shows

lab-mutants-kasan lab-mutants-kcsan: lab-mutants-%:
	@+$(call in_lab,$*,10) mutants MUTANTS_KERNEL=$*

lab-mutants-newer: override LAB := 7
lab-mutants-newer:
	@+$(call in_lab,kasan,10) mutants MUTANTS_KERNEL=newer

.PHONY: coverage
coverage: ## lines and branches of the driver that the tests run; HTML
	@$(DIR_LAB)/get/hostpkgs.sh coverage
	@+$(call in_lab,gcov,5) MTTY_GCOV=1 coverage-report

.PHONY: coverage-report
coverage-report: check
	@$(MARKED) claim $(OUT)/coverage
	@$(DIR_LAB)/report/coverage.py . $(MTTY) $(B)/counters.tar $(OUT)/coverage

.PHONY: demo
demo: prepare ## show live migrations, step by step; DEMO=full: of each kind
	@$(DIR_LAB)/quiet.sh 'building the driver and the tests' $(SUBMAKE) modules selftests
	@[ -n "$$NO_COLOR" ] || [ "$$TERM" = dumb ] || [ ! -t 1 ] || colour=--colour; \
	RUN="/selftests/mig_demo $(if $(filter full,$(DEMO)),--full) $$colour" $(BOOT_VM) -n demo \
		-r 'python3 $(DIR_LAB)/boot/output.py $(B)/log/demo.txt'

# Nothing is run for it. Results of tests are judged anew, with the parser of the kernel's source.
.PHONY: report
report: ## a page of the latest results in OUT: tests, clauses, mutants, speed, ...; HTML
	@$(DIR_LAB)/get/hostpkgs.sh
	@$(WITHOUT_PICTURES)
	@$(if $(wildcard $(OUT)/*/log/*.ktap),$(FETCH) $(SOURCES) source)
	@$(DIR_LAB)/report/page.py . $(KSRC) $(OUT)

# The kernel's own mediated devices, unchanged, from the source of the same kernel
SAMPLES	:= $(if $(KERNEL),$(firstword $(wildcard $(KDIR)/source/samples/vfio-mdev \
		   $(KDIR)/samples/vfio-mdev) none),$(SOURCES)/samples)
KERNEL_SAMPLES := kernel-mtty kernel-mdpy kernel-mbochs

.PHONY: $(KERNEL_SAMPLES)
$(KERNEL_SAMPLES): kernel-%: prepare
	@$(if $(KERNEL),,$(FETCH) $(SOURCES) samples)
	@[ -e $(SAMPLES)/$*.c ] || { echo "error: no source of samples/vfio-mdev/$*.c in $(KDIR)" >&2; \
		exit 1; }
	@mkdir -p $(B)/$@
	@$(LOCKED) cp -u $(SAMPLES)/*.[ch] $(B)/$@
	@$(LOCKED) sh -c 'echo "obj-m := $*.o" >$(B)/$@/Kbuild'
	@+$(LOCKED) $(WITH_COMPILER) $(MAKE) $(QUIET) -C $(KDIR) M=$(B)/$@ $(KBUILD) modules

# The tree of KERNEL= may have no source, so there it is not measured.
KERNEL_MTTY := $(if $(KERNEL),,kernel-mtty)

# The conformance suite. lab/conformance/devices has a file for each DEVICE. A VM that hangs is
# noticed before its time limit.
CONFORMANCE := $(DIR_LAB)/conformance
DEVICES	:= $(notdir $(wildcard $(CONFORMANCE)/devices/*))
$(if $(filter-out 1,$(words $(DEVICE)))$(filter-out $(DEVICES),$(DEVICE)), \
	$(error DEVICE is one of $(DEVICES), not '$(DEVICE)'))
# The target that builds its module
DEVICE_MODULE := $(patsubst mtty,modules,$(firstword $(subst /, ,$(shell \
		 sed -n 's/^Module: //p' $(CONFORMANCE)/devices/$(DEVICE)))))

.PHONY: conformance
ifneq ($(if $(KERNEL),,$(call is_set,LAB)),)
conformance:
	@+$(call in_lab,kasan,2) TEST_TIMEOUT=$(or $(TEST_TIMEOUT),60) DEVICE=$(DEVICE) $@
else
conformance: selftests $(DEVICE_MODULE) ## the conformance suite on DEVICE=mtty, kernel-mtty, vfio-pci, ...
	@$(CONFORMANCE)/run.py $(DEVICE) $(B) $(CACHE) $(BOOT) \
		-l $(if $(call is_set,TIMEOUT),$(TIMEOUT),3600)
endif

.PHONY: conformance-dist
conformance-dist: selftests ## an archive of the conformance suite, for a machine with hardware
	@mkdir -p $(B)/conformance
	@$(CONFORMANCE)/dist.sh $(SELFTESTS) \
		$(B)/conformance/vfio-migration-conformance-$(ARCH).tar.xz \
		$(notdir $(basename $(wildcard $(DIR_LAB)/../migration/uapi/*_test.c)))

.PHONY: bench
bench: modules selftests $(KERNEL_MTTY) ## measure mtty against references; ARGS=REPETITIONS
	@$(WITHOUT_PICTURES)
	@RUN="/selftests/bench.sh $$ARGS" ADD='$(KERNEL_MTTY:%=$(B)/%/mtty.ko)' \
		$(BOOT_VM) -n bench \
		-r '$(DIR_LAB)/report/bench.py $(B)/bench.json $(B)/bench.svg'

.PHONY: bench-config
bench-config: modules selftests ## measure the cost of sending config space; ARGS=REPETITIONS
	@RUN="/selftests/bench_config.sh $$ARGS" $(BOOT_VM) -n bench-config \
		-r '$(DIR_LAB)/report/bench_config.py $(B)/bench-config.json'
	@if [ -s $(B)/check-vmm.tar ]; then \
		echo && $(DIR_LAB)/report/qemu_config.py $(B)/check-vmm.tar; \
	else \
		echo "make check-vmm adds the figures of QEMU."; \
	fi

.PHONY: fuzz
fuzz: ## fuzz stream parser, UART and config rules on the host; ARGS=SECONDS
	@$(DIR_LAB)/get/hostpkgs.sh fuzz
	@$(FETCH) $(SOURCES) source
	@$(MARKED) claim $(OUT)/fuzz
	@+$(MAKE) $(QUIET) --no-print-directory -C $(DIR_LAB)/fuzz OUTPUT=$(OUT)/fuzz \
		KSRC=$(KSRC)
	@$(DIR_LAB)/fuzz/run.sh $(OUT)/fuzz $$ARGS

# make exits with 2 for each failure, so the status goes to a file. It is emptied first: it
# may have the status of an earlier run.
STATUS_OPTION := $(if $(STATUS),-e $(call quoted,$(STATUS)))

.PHONY: no-status
no-status:
	@$(if $(STATUS),: >$(call quoted,$(STATUS)))

.PHONY: vm
vm: no-status modules selftests ## boot a VM, run RUN='COMMAND' with the files ADD='FILE...'
	@$(BOOT_VM) -n vm $(STATUS_OPTION)

.PHONY: shell
shell: modules selftests ## a shell in a VM
	@$(BOOT_VM) -n shell -i

.PHONY: install-module
install-module: ## build mtty for the kernel of this machine with DKMS, install and load it
	@$(DIR_LAB)/install/install.sh install

.PHONY: remove-module
remove-module: ## undo install-module
	@$(DIR_LAB)/install/install.sh remove

# The module that DKMS has built must pass a test in the VM.
.PHONY: check-install
check-install: modules selftests ## install-module, into a directory, for the kernel of the VM
	@$(DIR_LAB)/get/hostpkgs.sh install
	@$(DIR_LAB)/install/install.sh -s $(KDIR) -r $(B)/dkms install
	@RUN=/selftests/arc_test $(BOOT_VM) -n install -t $(B)/dkms/mtty.ko

.PHONY: lint
lint: modules selftests ## checkpatch, kernel-doc, shellcheck, clauses; sparse, analyzer, coccinelle, circles
	@$(DIR_LAB)/get/hostpkgs.sh lint
	@echo "a minute or two on two CPUs:"
	@failed=; \
	$(DIR_LAB)/lint/lint.sh $(KSRC) || failed=1; \
	$(DIR_LAB)/lint/analyze.sh $(KDIR) $(KSRC) $(MTTY) $(B)/lint || failed=1; \
	$(DIR_LAB)/lint/circles.sh $(MTTY) $(B)/objects $(B)/lint || failed=1; \
	[ -z "$$failed" ] || { echo "lint: FAIL, see above"; exit 1; }; \
	echo "lint: PASS, no findings"

.PHONY: docs
docs: ## all pages as HTML; a warning of Sphinx is an error
	@$(DIR_LAB)/get/hostpkgs.sh docs
	@$(FETCH) $(SOURCES) source sphinx
	@$(MARKED) claim $(OUT)/docs
	@$(DIR_LAB)/docs/build.sh . $(KSRC) $(SOURCES)/sphinx $(OUT)/docs

# Their commands get the settings of this make, and nothing else of it.
PAGES	:= README.md $(sort $(wildcard Documentation/*/*.rst $(DIR_LAB)/docs/*.rst))
PAGES_SELECTED = $(if $(TESTS),$(foreach name,$(TESTS),$(or $(filter $(name) %/$(name),$(PAGES)), \
		 $(error no page $(name); there are: $(notdir $(PAGES))))),$(PAGES))
check_pages = $(DIR_LAB)/docs/check.py --change '~/.cache/mtty-vfio=$(CACHE)' \
	--change '/tmp/my-client=$(B)/my-client' \
	--before 'unset MAKEFLAGS MFLAGS MAKELEVEL TESTS ARGS; make() { command make $(call pass_vars,CACHE OUT JOBS KERNEL TIMEOUT) "$$@"; }' \
	--cc 'gcc -isystem $(KHDR) -Iinclude/uapi' --vm $(call quoted,$(BOOT_VM) -n docs) \
	--shell-vmm $(call quoted,$(call WITH_VMM,) $(BOOT_VM) -v $(SYSTEMS) -n docs-vmm) $1

.PHONY: docs-check
docs-check: modules selftests systems ## run the commands of all pages, and compare what they show; TESTS=qemu.rst
	@$(call check_pages,$(PAGES_SELECTED))

.PHONY: tutorial
tutorial: modules selftests ## the same for the tutorial only
	@$(call check_pages,Documentation/driver-api/vfio-migration-tutorial.rst)

# A copy of a whole kernel tree, with this work in it. Its other files are hard links, where the
# file system allows it.
TREE	= $(OUT)/tree-$(LAB)

.PHONY: tree
tree: ## put the driver and the tests into a copy of the kernel LAB=6.12 or 7, in OUT/tree-LAB
	@$(DIR_LAB)/get/hostpkgs.sh kernel
	@$(DIR_LAB)/get/fetch.sh -s $(LAB) $(CACHE)/debian-$(LAB) kernel
	@$(MARKED) claim $(TREE)
	@$(DIR_LAB)/tree/copy.sh $(CACHE)/debian-$(LAB)/kernel $(TREE)/kernel
	@$(DIR_LAB)/tree/overlay.sh $(TREE)/kernel

.PHONY: kconfig
kconfig: tree ## the entry in samples/Kconfig, in 30 configurations of LAB=6.12 or 7; some 5 minutes
	@$(DIR_LAB)/tree/kconfig.sh $(TREE)/kernel $(TREE)/kconfig $$ARGS

# Each step is built against the default kernel, or that of KERNEL=, if the version is that of BASE.
.PHONY: series
series: prepare ## this work as patches for the kernel tree BASE=PATH, in OUT/series
	@$(DIR_LAB)/get/hostpkgs.sh series
	@[ -n $(call quoted,$(BASE)) ] || { echo "error: BASE=PATH, a kernel tree, is missing" >&2; \
		exit 1; }
	@$(MARKED) claim $(OUT)/series
	@$(DIR_LAB)/series/series.py $(call quoted,$(BASE)) $(OUT)/series $(KDIR) \
		$(KHDR)

# As KernelCI, LKFT and LAVA configure a kernel and run the tests
.PHONY: check-merge
check-merge: tree ## does make kselftest-merge set all options that the tests need?
	@$(DIR_LAB)/ci/merge.sh $(TREE)/kernel $(TREE)/ci

.PHONY: check-tarball
check-tarball: modules check-merge ## the archive of kselftest in a VM, by run_kselftest.sh; TESTS= selects
	@$(DIR_LAB)/ci/check.sh $(KSRC) $(TREE)/kernel $(TREE)/ci $(JOBS) $(MTTY)/mtty.ko \
		$(CACHE) $(BOOT) -l $(if $(call is_set,TIMEOUT),$(TIMEOUT),3600)

FOREIGN	:= build-arm64 build-clang build-i386 build-s390x build-ppc64
.PHONY: $(FOREIGN)
$(FOREIGN): build-%: tree
	@$(DIR_LAB)/get/hostpkgs.sh $*
	@$(DIR_LAB)/matrix/foreign.sh $* $(TREE)/kernel $(TREE)/$* $(JOBS)

.PHONY: build-foreign
build-foreign: $(FOREIGN) ## driver and tests for arm64, i386, s390x, ppc64, and by clang; in OUT/tree-LAB

# Its configurations set ARCH, KERNEL, LAB and STOCK.
RUN_MATRIX = $(DIR_LAB)/matrix/matrix.py $1 . $(KSRC) $(OUT) $(MAKE) \
	     $(call pass_vars,CACHE JOBS TIMEOUT V)
.PHONY: matrix matrix-table
matrix: prepare ## the tests on several kernels, builds for more, one table; MATRIX='rt-7 i386' selects
	@$(MARKED) claim $(OUT)/matrix
	@+$(call RUN_MATRIX)

matrix-table: prepare ## print the table of make matrix again, and run nothing
	@$(MARKED) claim $(OUT)/matrix
	@$(call RUN_MATRIX,-n)

CLAUSES_RST := Documentation/driver-api/vfio-migration-clauses.rst
STATES_SVG := Documentation/driver-api/vfio-migration-states.svg
UAPI_CLAUSES := tools/testing/selftests/vfio/migration/uapi/clauses

.PHONY: clauses
clauses: ## write page and picture of the clauses anew, after a change of clauses or their tests
	@page=$$($(DIR_LAB)/lint/clauses.py --rst) && printf '%s\n' "$$page" >$(CLAUSES_RST)
	@page=$$($(DIR_LAB)/docs/states.py $(UAPI_CLAUSES)) && printf '%s\n' "$$page" >$(STATES_SVG)

# OUT and CACHE may have other files: only directories with the mark are removed.
.PHONY: clean
clean: ## remove the builds for all kernels
	@[ ! -e $(OUT)/report.html ] || $(DIR_LAB)/report/page.py --remove $(OUT)
	@$(MARKED) clean $(OUT)

.PHONY: distclean
distclean: clean ## and all downloads
	@$(MARKED) clean $(CACHE)
