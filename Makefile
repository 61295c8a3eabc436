# SPDX-License-Identifier: GPL-2.0
# Builds the mtty module and its tests for one kernel, and runs them in a VM.
# "make help" lists the targets; tools/testing/selftests/vfio/migration/vm/
# has what they do.

CACHE	?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mtty-vfio
OUT	?= $(CURDIR)/build
JOBS	?= $(shell nproc)
TIMEOUT	?= 600
TEST_TIMEOUT ?=
RUN	?=
ADD	?=
TESTS	?=
ARGS	?=
ACCEL	?=
KERNEL	?=
ARCH	?= x86_64
LAB	?= 6.12
MTTY_GCOV ?=

VM	:= tools/testing/selftests/vfio/migration/vm
LABDIR	:= tools/testing/selftests/vfio/migration/lab
FUZZ	:= tools/testing/selftests/vfio/migration/fuzz

# What differs between architectures; another one than this machine's is built
# for by a cross compiler. Debian's arm64 kernel has no mdev, so that is built.
ifeq ($(ARCH),arm64)
DEBIAN	:= $(CACHE)/debian-6.12-arm64
BOOTS	:= arch/arm64/boot/Image
CROSS	:= aarch64-linux-gnu-
USER	:= $(DEBIAN)/user
else
override ARCH := x86_64
DEBIAN	:= $(CACHE)/debian-6.12
BOOTS	:= arch/x86/boot/bzImage
endif
export ARCH
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
else
KDIR	:= $(abspath $(KERNEL))
KIMAGE	:= $(KDIR)/$(BOOTS)
KHDR	:= $(if $(wildcard $(KDIR)/usr/include/linux/vfio.h),$(KDIR),$(KSRC))/usr/include
PARTS	:= source
B	:= $(OUT)/$(notdir $(KDIR))-$(shell echo $(KDIR) | cksum | cut -d' ' -f1)$(MTTY_GCOV:%=-gcov)
KMODS	:= $(B)/modules
# Without static keys it has nothing to patch while it runs.
CALM	:= $(shell grep -q '^CONFIG_JUMP_LABEL=y' $(KDIR)/.config || echo -p)
endif
PARTS	+= $(if $(USER),user)

STAGE	:= $(B)/stage
MTTY	:= $(STAGE)/samples/vfio-mdev/mtty
SELFTESTS := $(B)/selftests
LOCKED	:= flock $(B)/.lock
QUIET	:= $(if $(filter 1,$(V)),,-s)

# The user's words go to the scripts as they are, unexpanded by make, and not
# to the kernel's makefiles.
override RUN := $(value RUN)
export RUN ADD TESTS ARGS TEST_TIMEOUT ACCEL VERBOSE
MAKEOVERRIDES := $(filter V=% C=% CHECK=% W=%,$(MAKEOVERRIDES))

BOOT	:= -k $(KIMAGE) -m $(KMODS) -t $(MTTY)/mtty.ko -s $(SELFTESTS) \
	   -o $(B) -l $(TIMEOUT) $(MDEV:%=-x %/mdev.ko) $(USER:%=-u %) \
	   $(CALM) $(MTTY_GCOV:%=-g $(B)/counters.tar)
KBUILD	:= $(if $(CROSS),ARCH=$(ARCH) CROSS_COMPILE=$(CROSS)) \
	   CONFIG_DEBUG_INFO_BTF_MODULES= -j$(JOBS)
BOOT_VM	:= $(VM)/run.sh $(CACHE) $(BOOT)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1: /p' Makefile | \
		while IFS=: read -r target text; do \
			printf '  make %-15s %s\n' "$$target" "$$text"; \
		done

.PHONY: prepare
prepare: ## fetch what is missing: host packages, the kernel's parts
	@$(VM)/hostpkgs.sh
	@$(if $(CROSS),$(VM)/hostpkgs.sh $(ARCH))
	@$(VM)/fetch.sh $(DEBIAN) $(PARTS)
	@mkdir -p $(B)
ifneq ($(KERNEL),)
	@$(LOCKED) $(VM)/modules.sh $(KDIR) $(KMODS)
endif

.PHONY: stage
stage: prepare
	@$(LOCKED) $(VM)/stage.sh . $(KSRC) $(STAGE)

# The source as it is, for a kernel that was configured without it.
.PHONY: mdev
mdev: stage
	@mkdir -p $(MDEV)
	@cp -u $(KSRC)/drivers/vfio/mdev/* $(MDEV)
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(MDEV) $(KBUILD) \
		CONFIG_VFIO_MDEV=m modules

.PHONY: modules
modules: stage $(if $(MDEV),mdev) ## build mtty.ko; a warning is an error
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(MTTY) W=1 KCFLAGS=-Werror \
		$(KBUILD) MTTY_GCOV=$(MTTY_GCOV) \
		$(MDEV:%=KBUILD_EXTRA_SYMBOLS=%/Module.symvers) modules

.PHONY: selftests
selftests: stage ## build the tests
	@mkdir -p $(SELFTESTS)
	@+$(LOCKED) $(MAKE) $(QUIET) --no-print-directory \
		-C $(STAGE)/tools/testing/selftests/vfio/migration \
		OUTPUT=$(SELFTESTS) KHDR_INCLUDES="-isystem $(KHDR)" \
		USERCFLAGS=-Werror -j$(JOBS) $(CROSS:%=CROSS_COMPILE=%) \
		$(USER:%='USERLDFLAGS=-L%/usr/lib/aarch64-linux-gnu')

.PHONY: check
check: modules selftests ## run all tests; TESTS='a_test b_test' ARGS='-t case' select
	@$(VM)/check.sh $(KSRC) $(B) $(CACHE) $(BOOT)

# A real VMM, in a VM that has a QEMU, by a QEMU that can run that.
SYSTEMS	:= $(CACHE)/vmm-$(ARCH)
VMM_TESTS_x86_64 := ways config_last msi early_irq stop_copy failures reorder \
	     embedded before_data versions mdevctl libvirt
VMM_TESTS_arm64 := early_irq ways msi
VMM_TESTS := $(VMM_TESTS_$(ARCH):%=vmm/%.py)

.PHONY: systems
systems:
	@$(VM)/hostpkgs.sh vmm
	@$(VM)/roots.sh $(SYSTEMS)
	@$(VM)/fetch.sh $(DEBIAN) image

# The guest's kernel is Debian's, whatever the VM's is. KVM below KVM is no use here.
WITH_VMM = ADD="$(DEBIAN)/image/vmlinuz $(ADD)" ACCEL=$${ACCEL:-tcg}

.PHONY: check-vmm
check-vmm: modules selftests systems ## QEMU live-migrates a Linux guest that uses the device
	@$(WITH_VMM) NAME=check-vmm PROGRESS=1 REPORT=$(B)/check-vmm \
		TESTS="$${TESTS:-$(VMM_TESTS)}" TEST_TIMEOUT=$${TEST_TIMEOUT:-300} \
		$(VM)/check.sh $(KSRC) $(B) $(CACHE) $(BOOT) -v $(SYSTEMS) \
		-l $(if $(call given,TIMEOUT),$(TIMEOUT),1500)

.PHONY: shell-vmm
shell-vmm: modules selftests systems ## a shell in such a VM, to do it by hand; RUN= runs that
	@$(WITH_VMM) $(BOOT_VM) -v $(SYSTEMS) -n shell-vmm $(if $(RUN),,-i)

.PHONY: check-arm64-vmm
check-arm64-vmm: ## make check-vmm on arm64, where messages go through the ITS
	@+$(MAKE) --no-print-directory ARCH=arm64 check-vmm

.PHONY: check-arm64
check-arm64: ## make check in an arm64 VM: any target takes ARCH=arm64
	@+$(MAKE) --no-print-directory ARCH=arm64 check

# A kernel that looks at everything twice takes its time.
given = $(filter command environment,$(firstword $(origin $1)))
LAB_LIMITS = TIMEOUT=$(if $(call given,TIMEOUT),$(TIMEOUT),5400) \
	     TEST_TIMEOUT=$(or $(TEST_TIMEOUT),900)
# Where all is there that any test needs, but for what is newer than 6.12.
COMPLETE = MAY_SKIP="$${MAY_SKIP-no VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2}"
# $1: which kernel, $2: how long all that runs on it takes on two CPUs
in_lab	= kernel=$$($(LABDIR)/kernel.sh $1 $(CACHE)/debian-$(LAB) $(LAB) $(JOBS)) && \
	  $(if $(TESTS),,echo "the tests on it: some $2 minutes on two CPUs ..." &&) \
	  $(MAKE) --no-print-directory KERNEL="$$kernel" CACHE=$(CACHE) \
		  OUT=$(OUT) JOBS=$(JOBS) $(LAB_LIMITS)

.PHONY: lab
lab: lab-kasan lab-kcsan ## all tests on the lab kernels; LAB=7: of a newer series

.PHONY: lab-kasan
lab-kasan: ## all tests, each fault, on a kernel with KASAN, UBSAN, lockdep, kmemleak
	@+$(call in_lab,kasan,28) check BOTH_PATHS=1 $(COMPLETE)

# What many users do at once, and what comes in between.
RACES	:= fuzz_test irq_stress_test mmap_test precopy_test stress_test \
	   traffic_test config_churn_test data_fd_outlive_test data_fd_race_test

.PHONY: lab-kcsan
lab-kcsan: ## what happens at once, on a kernel that looks for data races (KCSAN)
	@+$(call in_lab,kcsan,4) check TESTS="$(or $(TESTS),$(RACES))" \
		$(COMPLETE)

.PHONY: coverage
coverage: ## which of the driver's lines and branches the tests run; HTML
	@$(VM)/hostpkgs.sh coverage
	@+$(call in_lab,gcov,5) MTTY_GCOV=1 coverage-report

.PHONY: coverage-report
coverage-report: check
	@$(LABDIR)/coverage.py . $(MTTY) $(B)/counters.tar \
		$(LABDIR)/coverage-reasons $(OUT)/coverage

.PHONY: demo
demo: modules selftests ## watch live migrations, step by step
	@RUN=/selftests/mig_demo $(BOOT_VM) -n demo

# The kernel's own mtty, unchanged. It is as old as the source that is fetched,
# so another kernel is measured without it.
KERNEL_MTTY := $(if $(KERNEL),,kernel-mtty)

.PHONY: kernel-mtty
kernel-mtty: prepare
	@$(VM)/fetch.sh $(DEBIAN) sample
	@mkdir -p $(B)/$@
	@cp $(DEBIAN)/sample/mtty.c $(B)/$@
	@echo 'obj-m := mtty.o' >$(B)/$@/Kbuild
	@+$(LOCKED) $(MAKE) $(QUIET) -C $(KDIR) M=$(B)/$@ $(KBUILD) modules

.PHONY: bench
bench: modules selftests $(KERNEL_MTTY) ## ours beside a reference and a target; ARGS=REPETITIONS
	@RUN='/selftests/bench.sh $(ARGS)' ADD='$(KERNEL_MTTY:%=$(B)/%/mtty.ko)' \
		$(BOOT_VM) -n bench \
		-r '$(VM)/bench.py $(B)/bench.json $(B)/bench.svg'

.PHONY: bench-config
bench-config: modules selftests ## what sending config space costs; ARGS=REPETITIONS
	@RUN='/selftests/bench_config.sh $(ARGS)' $(BOOT_VM) -n bench-config \
		-r '$(VM)/bench_config.py $(B)/bench-config.json'

.PHONY: fuzz
fuzz: ## host-side fuzzing of stream and uart; ARGS=SECONDS
	@$(VM)/hostpkgs.sh fuzz
	@+$(MAKE) $(QUIET) --no-print-directory -C $(FUZZ) \
		OUTPUT=$(abspath $(OUT))/fuzz
	@$(FUZZ)/run.sh $(abspath $(OUT))/fuzz $(ARGS)

.PHONY: vm
vm: modules ## boot, run RUN='COMMAND' with the files of ADD='FILE...' beside it
	@$(BOOT_VM) -n vm

.PHONY: shell
shell: modules ## boot, with a shell on this terminal
	@$(BOOT_VM) -n shell -i

.PHONY: lint
lint: stage ## checkpatch, kernel-doc, shellcheck; sparse, gcc's analyzer, coccinelle
	@$(VM)/hostpkgs.sh lint
	@echo "a minute or two on two CPUs:"
	@$(VM)/lint.sh $(KSRC)
	@$(VM)/analyze.sh $(KDIR) $(KSRC) $(MTTY) $(B)/lint

# Only what is known to be ours goes: OUT and CACHE may be anybody's directory.
.PHONY: clean
clean: ## remove what was built
	rm -rf $(B) $(OUT)/fuzz $(CURDIR)/build

.PHONY: distclean
distclean: clean ## and what was fetched
	rm -rf $(DEBIAN) $(SYSTEMS) $(CACHE)/accel
