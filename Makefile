# SPDX-License-Identifier: GPL-2.0
# Builds the mtty module and its tests for one kernel, and runs them in a VM.
# "make help" lists the targets; tools/testing/selftests/vfio/lab/ has what they do.

# The user sets these, on the command line or in the environment.
GIVEN	:= ACCEL ADD ARCH ARGS CACHE JOBS KERNEL LAB OUT RUN TESTS TEST_TIMEOUT \
	   TIMEOUT V VERBOSE
# These count on the command line only, because an environment may have such a
# name for another purpose. C, CHECK and W are the kernel's.
SPOKEN	:= BOTH_PATHS C CHECK MAY_SKIP MTTY_GCOV STATUS W
# Programs need these from the environment. Nothing else of it reaches this makefile,
# its scripts or the kernel's makefiles: each of them would take a variable that
# happens to have the right name, such as USER or KBUILD_OUTPUT, for its own.
KEPT	:= APT_CONFIG CCACHE_% HOME LOGNAME NO_COLOR PATH SSL_CERT_DIR SSL_CERT_FILE \
	   TERM TMPDIR USER XDG_CACHE_HOME %_proxy %_PROXY \
	   MAKEFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMERR MAKE_TERMOUT MFLAGS SHELL

# Variables of one origin: command or environment
from = $(foreach name,$(.VARIABLES),$(if $(filter $1,$(firstword $(origin $(name)))),$(name)))
given = $(filter override,$(origin $1))

UNKNOWN	:= $(filter-out $(GIVEN) $(SPOKEN),$(call from,command))
$(if $(UNKNOWN),$(error $(UNKNOWN): no such variable; there are: $(sort $(GIVEN) $(SPOKEN))))
$(foreach name,$(filter-out $(KEPT) $(GIVEN),$(call from,environment)), \
	$(eval override undefine $(name)))
# The user's words are not expanded by make: a "$" in them is the VM's.
$(foreach name,$(GIVEN) $(SPOKEN), \
	$(if $(filter command environment,$(firstword $(origin $(name)))), \
		$(eval override $(name) := $$(value $(name)))))
MAKEOVERRIDES :=
# These have values from before the environment was forgotten; "name" is that of the loops.
name	:=
unexport GIVEN SPOKEN KEPT UNKNOWN MAKEOVERRIDES from given name

# Scripts read what programs print, so it must be in one language.
export LC_ALL := C
# Running a script must not leave files beside it.
export PYTHONDONTWRITEBYTECODE := 1

# The standard wants a relative one to be ignored.
XDG	:= $(value XDG_CACHE_HOME)
CACHE	?= $(if $(filter /%,$(firstword $(XDG))),$(XDG),$(value HOME)/.cache)/mtty-vfio
OUT	?= $(CURDIR)/build
JOBS	?= $(shell nproc)
TIMEOUT	?= 600
ARCH	?= x86_64
LAB	?= 6.12
export ACCEL ADD ARCH ARGS BOTH_PATHS MAY_SKIP RUN TESTS TEST_TIMEOUT VERBOSE
unexport CACHE JOBS KERNEL LAB OUT TIMEOUT V C CHECK MTTY_GCOV STATUS W

# The functions of make split a name at each space, and the shell, kbuild and QEMU's
# options give these characters a meaning of their own.
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
$(if $(STATUS),$(if $(filter-out vm shell-vmm,$(or $(MAKECMDGOALS),help)), \
	$(error STATUS is for the targets vm and shell-vmm)))
$(call check_number,JOBS,$(JOBS))
$(call check_number,TIMEOUT,$(TIMEOUT))
$(if $(TEST_TIMEOUT),$(call check_number,TEST_TIMEOUT,$(TEST_TIMEOUT)))
$(call check_number,LAB,$(LAB),.)
override CACHE := $(abspath $(CACHE))
override OUT := $(abspath $(OUT))
override ARCH := $(patsubst x86,x86_64,$(ARCH))
$(if $(filter-out x86_64 arm64,$(or $(ARCH),none)),$(error ARCH is x86_64 or arm64, not '$(ARCH)'))

# One word of a shell, whatever is in it.
quoted = '$(subst ','\'',$1)'
# The variables that this makefile or the kernel's take from the command line alone
passed = $(foreach name,$1,$(if $(call given,$(name)),$(name)=$(call quoted,$($(name)))))
SELF	= $(MAKE) --no-print-directory $(call passed,CACHE OUT JOBS KERNEL LAB TIMEOUT V C CHECK W)

DIR_LAB	:= tools/testing/selftests/vfio/lab

# The differences between architectures; another one than this machine's is built
# for by a cross compiler. Debian's arm64 kernel has no mdev, so that is built.
ifeq ($(ARCH),arm64)
DEBIAN	:= $(CACHE)/debian-6.12-arm64
BOOTS	:= arch/arm64/boot/Image
CROSS	:= aarch64-linux-gnu-
VM_ROOT	:= $(DEBIAN)/user
else
DEBIAN	:= $(CACHE)/debian-6.12
BOOTS	:= arch/x86/boot/bzImage
CROSS	:=
VM_ROOT	:=
endif
KSRC	:= $(DEBIAN)/src

# All that is built depends on the kernel, so each has its own directory.
ifeq ($(KERNEL),)
KDIR	:= $(DEBIAN)/build
KIMAGE	:= $(DEBIAN)/image/vmlinuz
KMODS	:= $(DEBIAN)/image/modules
KHDR	:= $(KSRC)/usr/include
PARTS	:= image headers source
B	:= $(OUT)/$(notdir $(DEBIAN))
MDEV	:= $(if $(filter arm64,$(ARCH)),$(B)/mdev)
CALM	:=
else
KDIR	:= $(abspath $(KERNEL))
KIMAGE	:= $(KDIR)/$(BOOTS)
KHDR	:= $(if $(wildcard $(KDIR)/usr/include/linux/vfio.h),$(KDIR),$(KSRC))/usr/include
PARTS	:= source
B	:= $(OUT)/$(notdir $(KDIR))-$(shell echo $(KDIR) | cksum | cut -d' ' -f1)$(MTTY_GCOV:%=-gcov)
KMODS	:= $(B)/modules
MDEV	:=
# Without static keys it has nothing to patch while it runs.
CALM	:= $(shell grep -qs '^CONFIG_JUMP_LABEL=y' $(KDIR)/.config || echo -p)
endif
PARTS	+= $(if $(VM_ROOT),user)

STAGE	:= $(B)/stage
MTTY	:= $(STAGE)/samples/vfio-mdev/mtty
SELFTESTS := $(B)/selftests
LOCKED	:= flock $(B)/.lock
QUIET	:= $(if $(filter 1,$(V)),,-s)
MARKED	:= $(DIR_LAB)/get/marked.sh

BOOT	:= -k $(KIMAGE) -m $(KMODS) -t $(MTTY)/mtty.ko -s $(SELFTESTS) \
	   -o $(B) -l $(TIMEOUT) $(MDEV:%=-x %/mdev.ko) $(VM_ROOT:%=-u %) \
	   $(CALM) $(MTTY_GCOV:%=-g $(B)/counters.tar)
KBUILD	:= $(if $(CROSS),ARCH=$(ARCH) CROSS_COMPILE=$(CROSS)) \
	   CONFIG_DEBUG_INFO_BTF_MODULES= -j$(JOBS) $(call passed,V C CHECK)
BOOT_VM	:= $(DIR_LAB)/boot/run.sh $(CACHE) $(BOOT)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1: /p' Makefile | \
		while IFS=: read -r target text; do \
			printf '  make %-15s %s\n' "$$target" "$$text"; \
		done

.PHONY: prepare
prepare: ## fetch what is missing: host packages, the kernel's parts
	@$(DIR_LAB)/get/hostpkgs.sh
	@$(if $(CROSS),$(DIR_LAB)/get/hostpkgs.sh $(ARCH))
	@$(DIR_LAB)/get/fetch.sh $(DEBIAN) $(PARTS)
	@$(MARKED) claim $(B)
	@$(MARKED) check $(B)
ifneq ($(KERNEL),)
	@$(LOCKED) $(DIR_LAB)/boot/modules.sh $(KDIR) $(KMODS)
endif

.PHONY: stage
stage: prepare
	@$(LOCKED) $(DIR_LAB)/get/stage.sh . $(KSRC) $(STAGE)

# The source as it is, for a kernel that was configured without it.
.PHONY: mdev
mdev: stage
	@mkdir -p $(MDEV)
	@$(LOCKED) cp -u $(KSRC)/drivers/vfio/mdev/* $(MDEV)
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(MDEV) $(KBUILD) \
		CONFIG_VFIO_MDEV=m modules

.PHONY: modules
modules: stage $(if $(MDEV),mdev) ## build mtty.ko; a warning is an error
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(MTTY) W=$(or $(W),1) KCFLAGS=-Werror \
		$(KBUILD) MTTY_GCOV=$(MTTY_GCOV) \
		$(MDEV:%=KBUILD_EXTRA_SYMBOLS=%/Module.symvers) modules

# The VM has no libraries, so all is linked statically.
.PHONY: selftests
selftests: stage ## build the tests
	@mkdir -p $(B)/objects
	@+$(LOCKED) $(MAKE) $(QUIET) --no-print-directory \
		-C $(STAGE)/tools/testing/selftests/vfio/migration \
		$(call passed,V) OUTPUT=$(B)/objects INSTALL_PATH=$(SELFTESTS) \
		KHDR_INCLUDES="-isystem $(KHDR)" USERCFLAGS=-Werror -j$(JOBS) \
		$(CROSS:%=CROSS_COMPILE=%) \
		USERLDFLAGS=-static install
	@cp -rL $(STAGE)/tools/testing/selftests/kselftest $(SELFTESTS)

.PHONY: check
check: modules selftests ## run all tests; TESTS='a_test b_test' ARGS='-t case' select
	@$(DIR_LAB)/check/check.sh $(KSRC) $(B) $(CACHE) $(BOOT)

# A real VMM, in a VM that has a QEMU, by a QEMU that can run that.
SYSTEMS	:= $(CACHE)/vmm-$(ARCH)
VMM_TESTS_x86_64 := ways config_last msi early_irq stop_copy failures reorder \
	     embedded before_data versions mdevctl libvirt
VMM_TESTS_arm64 := early_irq ways msi
VMM_TESTS := $(VMM_TESTS_$(ARCH):%=qemu/%.py)

.PHONY: systems
systems: stage
	@+$(LOCKED) $(MAKE) $(QUIET) --no-print-directory -C $(DIR_LAB)/qemu \
		OUTPUT=$(SELFTESTS)/qemu $(CROSS:%=CROSS_COMPILE=%) \
		CFLAGS=-I$(CURDIR)/samples/vfio-mdev/mtty
	@$(DIR_LAB)/get/hostpkgs.sh vmm
	@$(DIR_LAB)/get/roots.sh $(SYSTEMS)
	@$(DIR_LAB)/get/fetch.sh $(DEBIAN) image

# The guest's kernel is Debian's, whatever the VM's is. KVM below KVM is no use here.
WITH_VMM = ADD="$(DEBIAN)/image/vmlinuz $$ADD" ACCEL=$${ACCEL:-tcg}

.PHONY: check-vmm
check-vmm: modules selftests systems ## QEMU live-migrates a Linux guest that uses the device
	@$(WITH_VMM) NAME=check-vmm PROGRESS=1 REPORT=$(B)/check-vmm \
		TESTS="$${TESTS:-$(VMM_TESTS)}" TEST_TIMEOUT=$${TEST_TIMEOUT:-300} \
		$(DIR_LAB)/check/check.sh $(KSRC) $(B) $(CACHE) $(BOOT) -v $(SYSTEMS) \
		-l $(if $(call given,TIMEOUT),$(TIMEOUT),1500)

.PHONY: shell-vmm
shell-vmm: no-status modules selftests systems ## a shell in such a VM, to do it by hand; RUN= runs that
	@$(WITH_VMM) $(BOOT_VM) -v $(SYSTEMS) -n shell-vmm $(if $(RUN),$(SAY_STATUS),-i)

.PHONY: check-arm64-vmm
check-arm64-vmm: ## make check-vmm on arm64, where messages go through the ITS
	@+$(SELF) ARCH=arm64 check-vmm

.PHONY: check-arm64
check-arm64: ## make check in an arm64 VM: any target takes ARCH=arm64
	@+$(SELF) ARCH=arm64 check

# A kernel that looks at everything twice takes its time.
LAB_LIMITS = TIMEOUT=$(if $(call given,TIMEOUT),$(TIMEOUT),5400) \
	     TEST_TIMEOUT=$(or $(TEST_TIMEOUT),900)
# Where all is there that any test needs, but for what is newer than 6.12.
COMPLETE = MAY_SKIP=$(call quoted,$(if $(call given,MAY_SKIP),$(MAY_SKIP),no \
	   VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2))
# $1: which kernel, $2: how long all that runs on it takes on two CPUs
in_lab	= kernel=$$($(DIR_LAB)/kernels/kernel.sh $1 $(CACHE)/debian-$(LAB) $(LAB) $(JOBS)) && \
	  $(if $(TESTS),,echo "the tests on it: some $2 minutes on two CPUs ..." &&) \
	  $(SELF) KERNEL="$$kernel" $(LAB_LIMITS)

.PHONY: lab
lab: lab-kasan lab-kcsan ## all tests on the lab kernels; LAB=7: of a newer series

.PHONY: lab-kasan
lab-kasan: ## all tests, each fault, on a kernel with KASAN, UBSAN, lockdep, kmemleak
	@+$(call in_lab,kasan,28) check BOTH_PATHS=1 $(COMPLETE)

# Tests of many users at once, and of what comes in between
RACES	:= fuzz_test irq_bound_test irq_stress_test mmap_test precopy_test stress_test \
	   traffic_test config_rewrite_test data_fd_outlive_test data_fd_race_test

.PHONY: lab-kcsan
lab-kcsan: ## what happens at once, on a kernel that looks for data races (KCSAN)
	@+$(call in_lab,kcsan,4) check TESTS=$(call quoted,$(or $(TESTS),$(RACES))) \
		$(COMPLETE)

.PHONY: coverage
coverage: ## which of the driver's lines and branches the tests run; HTML
	@$(DIR_LAB)/get/hostpkgs.sh coverage
	@+$(call in_lab,gcov,5) MTTY_GCOV=1 coverage-report

.PHONY: coverage-report
coverage-report: check
	@$(MARKED) claim $(OUT)/coverage
	@$(DIR_LAB)/report/coverage.py . $(MTTY) $(B)/counters.tar \
		$(DIR_LAB)/report/coverage-reasons $(OUT)/coverage

.PHONY: demo
demo: modules selftests ## watch live migrations, step by step
	@RUN=/selftests/mig_demo $(BOOT_VM) -n demo

# The kernel's own mtty, unchanged. It is as old as the source that is fetched,
# so another kernel is measured without it.
KERNEL_MTTY := $(if $(KERNEL),,kernel-mtty)

.PHONY: kernel-mtty
kernel-mtty: prepare
	@$(DIR_LAB)/get/fetch.sh $(DEBIAN) sample
	@mkdir -p $(B)/$@
	@$(LOCKED) cp -u $(DEBIAN)/sample/mtty.c $(B)/$@
	@$(LOCKED) sh -c 'echo "obj-m := mtty.o" >$(B)/$@/Kbuild'
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(B)/$@ $(KBUILD) modules

.PHONY: bench
bench: modules selftests $(KERNEL_MTTY) ## ours beside a reference and a target; ARGS=REPETITIONS
	@RUN="/selftests/bench.sh $$ARGS" ADD='$(KERNEL_MTTY:%=$(B)/%/mtty.ko)' \
		$(BOOT_VM) -n bench \
		-r '$(DIR_LAB)/report/bench.py $(B)/bench.json $(B)/bench.svg'

.PHONY: bench-config
bench-config: modules selftests ## what sending config space costs; ARGS=REPETITIONS
	@RUN="/selftests/bench_config.sh $$ARGS" $(BOOT_VM) -n bench-config \
		-r '$(DIR_LAB)/report/bench_config.py $(B)/bench-config.json'

.PHONY: fuzz
fuzz: ## host-side fuzzing of stream and uart; ARGS=SECONDS
	@$(DIR_LAB)/get/hostpkgs.sh fuzz
	@$(DIR_LAB)/get/fetch.sh $(DEBIAN) source
	@$(MARKED) claim $(OUT)/fuzz
	@+$(MAKE) $(QUIET) --no-print-directory -C $(DIR_LAB)/fuzz OUTPUT=$(OUT)/fuzz \
		KSRC=$(KSRC)
	@$(DIR_LAB)/fuzz/run.sh $(OUT)/fuzz $$ARGS

# make itself ends with 2, whatever a recipe ends with. The file is emptied first: one
# of an earlier run must not be taken for this one's.
SAY_STATUS := $(if $(STATUS),-e $(call quoted,$(STATUS)))

.PHONY: no-status
no-status:
	@$(if $(STATUS),: >$(call quoted,$(STATUS)))

.PHONY: vm
vm: no-status modules ## boot, run RUN='COMMAND' with the files of ADD='FILE...' beside it
	@$(BOOT_VM) -n vm $(SAY_STATUS)

.PHONY: shell
shell: modules ## boot, with a shell on this terminal
	@$(BOOT_VM) -n shell -i

.PHONY: lint
lint: stage ## checkpatch, kernel-doc, shellcheck; sparse, gcc's analyzer, coccinelle
	@$(DIR_LAB)/get/hostpkgs.sh lint
	@echo "a minute or two on two CPUs:"
	@$(DIR_LAB)/lint/lint.sh $(KSRC)
	@$(DIR_LAB)/lint/analyze.sh $(KDIR) $(KSRC) $(MTTY) $(B)/lint

# OUT and CACHE may have anybody's files. What was made here has a mark, and that
# alone goes.
.PHONY: clean
clean: ## remove what was built, for all kernels
	@$(MARKED) clean $(OUT)

.PHONY: distclean
distclean: clean ## and all that was fetched, for all architectures
	@$(MARKED) clean $(CACHE)
