# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# The environment affects only the variables that README names.

# Variables of the kernel's makefiles, compilers, shells and other programs
hostile_names=(
	USER LOGNAME NAME B M O V0 CC CPP LD AR AS CFLAGS CPPFLAGS LDFLAGS KCFLAGS KAFLAGS
	LLVM CLANG_FLAGS CROSS_COMPILE KBUILD_OUTPUT KBUILD_EXTRA_SYMBOLS KBUILD_VERBOSE
	KERNELRELEASE LOCALVERSION INSTALL_MOD_PATH TARGETS OUTPUT KHDR_INCLUDES SRCARCH
	USERCFLAGS USERLDFLAGS EXTRA_CFLAGS CONFIG_VFIO_MDEV W C CHECK CF Q quiet srctree
	CPATH C_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH GREP_OPTIONS CDPATH ENV
	POSIXLY_CORRECT TZ COLUMNS LS_COLORS PERL5OPT PYTHONPATH TAR_OPTIONS XZ_OPT
	PROGRESS REPORT BOTH_PATHS MAY_SKIP MTTY_GCOV STATUS KERNEL_SOURCE PRINT_LOCK QUEUE BOOTING
	LC_CTYPE LANG LANGUAGE
)

# The names of the Makefile's variables
own_names() {
	sed -nE 's/^(override )?([A-Za-z_0-9]+)[[:space:]]*[:?+]?=.*/\2/p' Makefile
	grep -oE '\$\([A-Za-z_0-9]+\)' Makefile | tr -d '$()'
}

users_names() {
	sed -n '/^VARS_USER/,/[^\\]$/p' Makefile | tr -s ':=\\\t ' '\n' | grep -v VARS_USER
	echo HOME PATH SHELL MAKE CURDIR | tr ' ' '\n'
}

# Sets environment: values that break a program that uses them. USER and LOGNAME are kept,
# for programs.
set_hostile() {
	local name

	environment=()
	while read -r name; do
		environment+=("$name=garbage $name")
	done < <({ own_names; printf '%s\n' "${hostile_names[@]}"; } | sort -u |
		grep -vxF "$(users_names)")
	[ ${#environment[@]} -gt 100 ] || fail "only ${#environment[@]} names"
}

# Prints the variables of the Makefile and their values.
variables() {
	plain_make -np "$@" help 2>/dev/null |
		awk '/^#/ { ours = /from .Makefile./; next } ours && !/^MAKE/' | sort
}

# Runner: README, the user sets variables; the environment changes no others.
case_own_variables() {
	local arguments

	for arguments in ARCH=x86_64 ARCH=arm64 KERNEL=/none; do
		environment=()
		variables $arguments >"$dir/usual"
		[ "$(wc -l <"$dir/usual")" -gt 60 ] || fail "the Makefile has no variables"
		set_hostile
		variables $arguments >"$dir/hostile"
		diff "$dir/usual" "$dir/hostile" || fail "the environment changes variables"
	done
}

# Runner: programs that the Makefile calls get only known variables.
case_environment_of_children() {
	local print='print-environment: ; @env'

	environment=(LC_ALL=de_DE.UTF-8)
	plain_make -s --eval "$print" print-environment | sort >"$dir/usual"
	set_hostile
	environment+=(LC_ALL=de_DE.UTF-8 'BASH_FUNC_sed%%=() { echo no; }')
	plain_make -s --eval "$print" print-environment | sort >"$dir/hostile"
	diff "$dir/usual" <(grep -vE '^(USER|LOGNAME)=' "$dir/hostile") ||
		fail "variables of the environment are passed"
	grep -qx LC_ALL=C "$dir/usual" || fail "LC_ALL is not C"
	grep -q '^RUN=' "$dir/usual" || fail "RUN is lost"
}

# Runner: make does not expand values of the user.
case_users_words() {
	local print='print-words: ; @printf "%s|" "$$RUN" "$$ADD" "$$TESTS" "$$ARGS"'
	local words="a  \$HOME \$(B) \`b\` 'c' \"d\" V=1 #e"

	plain_make -s --eval "$print" RUN="$words" ADD="$words" TESTS="$words" \
		ARGS="$words" print-words >"$dir/line"
	environment=(RUN="$words" ADD="$words" TESTS="$words" ARGS="$words")
	plain_make -s --eval "$print" print-words >"$dir/env"
	[ "$(cat "$dir/line")" = "$words|$words|$words|$words|" ] || {
		cat "$dir/line"
		fail "words of the command line are changed"
	}
	cmp "$dir/line" "$dir/env" || fail "words of the environment are changed"
}

# Runner: an unknown variable is an error.
case_unknown_variable() {
	refuses 'TEST: no such variable' TEST=uart_test check
	refuses 'B: no such variable' B=/tmp clean
	refuses "TIMEOUT must be a number, not '1m'" TIMEOUT=1m vm
	refuses "JOBS must be a number, not '-1'" JOBS=-1 vm
	refuses "LAB must be a number, not '../7'" LAB=../7 lab
	environment=(ARCH=riscv)
	refuses "ARCH is x86_64 or arm64, not 'riscv'" modules
}

# fake_program NAME: standard input is a stub, first in PATH.
fake_program() {
	mkdir -p "$plain/bin"
	cat >"$plain/bin/$1"
	chmod +x "$plain/bin/$1"
	export PATH=$plain/bin:$PATH
}

# A kernel's tree and a cache for "make modules" and "make vm". Its makefile writes its
# environment and variables to files.
fake_kernel() {
	local tree=$plain/kernel cache=$plain/cache/debian-6.12

	mkdir -p "$tree/arch/x86/boot" "$cache/src/tools/testing/selftests/kselftest"
	touch "$tree/arch/x86/boot/bzImage" "$tree/modules.order" "$tree/.config"
	printf '%s.ko\n' virtio_pci virtio_console vfio vfio_iommu_type1 mdev \
		>"$tree/modules.builtin"
	touch "$cache/.lock"
	printf '%s\n' 'install: ; @mkdir -p $(INSTALL_PATH) && echo test >$(INSTALL_PATH)/a_test' \
		>"$cache/src/tools/testing/selftests/lib.mk"
	# Nothing is fetched: a cache that is not complete is an error.
	fake_program apt-get <<<'#!/bin/sh
		exit 1'
	(srcarch=x86
	 eval "$(sed -n '/^source_parts=/,/^)/p' "$here/../get/fetch.sh")"
	 printf '%s\n' "${source_parts[@]}") | cksum >"$cache/source.done"
	echo 6.12 >"$cache/version"
	printf '%s\n' 'modules: ; @env | sort >$(CURDIR)/environment; \
		echo "M=$(M) W=$(W) O=$(O) V=$(V) CC=$(CC) KCFLAGS=$(KCFLAGS)" \
			>$(CURDIR)/variables; \
		echo module >$(M)/mtty.ko' >"$tree/Makefile"
	fake_arguments=(KERNEL="$tree" CACHE="$plain/cache" OUT="$plain/out" JOBS=1)
}

# Runner: the kernel's makefiles get nothing of the environment.
case_kernel_build() {
	fake_kernel
	plain_make "${fake_arguments[@]}" modules
	sort "$plain/kernel/environment" "$plain/kernel/variables" >"$dir/usual"
	grep -q 'M=.*/stage/samples/vfio-mdev/mtty W=1 ' "$dir/usual" || fail "M is missing"
	rm -r "$plain/out"
	set_hostile
	plain_make "${fake_arguments[@]}" modules || fail "make modules fails"
	sort "$plain/kernel/environment" "$plain/kernel/variables" |
		grep -vE '^(USER|LOGNAME)=' >"$dir/hostile"
	diff "$dir/usual" "$dir/hostile" || fail "variables of the environment are passed"
}

# fake_kernels [PACKAGE KERNEL]...: an apt with these metapackages. It prints German unless LC_ALL
# is C.
fake_kernels() {
	fake_program apt-get <<<'#!/bin/sh'
	fake_program dpkg <<-'SCRIPT'
		#!/bin/sh
		echo amd64
	SCRIPT
	fake_program apt-cache <<-SCRIPT
		#!/bin/sh
		word='Hängt ab von'
		[ "\$LC_ALL" != C ] || word=Depends
		[ "\$1" = depends ] && shift || exit 0
		for package; do
			set -- $*
			while [ \$# -gt 0 ]; do
				[ "\$1" != "\$package" ] || echo "  \$word: linux-image-\$2"
				shift 2
			done
		done
	SCRIPT
}

# Runner: of the metapackages of Debian 12 and 13 that with 6.12 is taken.
case_kernel_of_each_debian() {
	fake_kernels linux-image-amd64 6.1.0-56-amd64 linux-image-6.12-amd64 6.12.1+deb12-amd64
	"$here/../get/fetch.sh" "$plain/12" image >"$dir/output" 2>&1 || true
	file_has "$dir/output" 'fetching linux-image-6.12.1+deb12-amd64 '
	fake_kernels linux-image-amd64 6.12.1+deb13-amd64
	"$here/../get/fetch.sh" "$plain/13" image >"$dir/output" 2>&1 || true
	file_has "$dir/output" 'fetching linux-image-6.12.1+deb13-amd64 '
	fake_kernels linux-image-amd64 6.1.0-56-amd64
	"$here/../get/fetch.sh" "$plain/old" image >"$dir/output" 2>&1 || true
	file_has "$dir/output" 'apt knows no kernel 6.12'
}

# Runner: the language of the user does not matter.
case_language() {
	fake_kernels linux-image-6.12-amd64 6.12.1
	LC_ALL=de_DE.UTF-8 LANGUAGE=de "$here/../get/fetch.sh" "$plain/cache" image \
		>"$dir/output" 2>&1 || true
	cat "$dir/output"
	grep -q 'fetching linux-image-6.12.1' "$dir/output" || fail "the kernel is not found"
}

# Runner: lab-kasan and lab-kcsan pass the variables to the make that runs the tests.
case_lab_variables() {
	local words="a_test b_test" skip="no such thing, 'really'"

	fake_kernel
	scratch_checkout "$plain/mtty"
	mkdir -p include samples/vfio-mdev/mtty tools/testing/selftests/vfio/migration
	touch samples/vfio-mdev/mtty/Kbuild
	cd tools/testing/selftests/vfio || exit 1
	printf 'install: ; @mkdir -p $(INSTALL_PATH)\n' >migration/Makefile
	printf '#!/bin/sh\necho %s\n' "$plain/kernel" >lab/kernels/kernel.sh
	printf '#!/bin/sh\nenv >%s\necho "$*" >>%s\n' "$plain/seen" "$plain/seen" >lab/check/check.sh
	chmod +x lab/kernels/kernel.sh
	cd "$plain/mtty" || exit 1
	fake_arguments=("${fake_arguments[@]:1}")
	plain_make -s "${fake_arguments[@]}" ARGS='-t $x' lab-kasan
	grep -qxF "BOTH_PATHS=1" "$plain/seen" && grep -qxF 'TEST_TIMEOUT=900' "$plain/seen" &&
		grep -qxF 'MAY_SKIP=no VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2|^not applicable: ' "$plain/seen" &&
		grep -qxF 'ARGS=-t $x' "$plain/seen" && grep -q -- ' -l 5400 ' "$plain/seen" &&
		grep -qx VMS=1 "$plain/seen" ||
		fail "lab-kasan: $(cat "$plain/seen")"
	plain_make -s "${fake_arguments[@]}" TESTS="$words" MAY_SKIP="$skip" TIMEOUT=7 \
		TEST_TIMEOUT=8 JOBS=2 lab-kcsan
	grep -qxF "TESTS=$words" "$plain/seen" && grep -qxF 'TEST_TIMEOUT=8' "$plain/seen" &&
		grep -qxF "MAY_SKIP=$skip" "$plain/seen" && grep -q -- ' -l 7 ' "$plain/seen" &&
		grep -qx VMS=3 "$plain/seen" ||
		fail "lab-kcsan: $(cat "$plain/seen")"
	[ -n "$(find "$plain/out" -maxdepth 1 -name 'kernel-*')" ] || fail "OUT is another one"
}
