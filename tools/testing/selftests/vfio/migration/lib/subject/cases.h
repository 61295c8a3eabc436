/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A case names the clauses that it judges. They are in a section of the program, so that
 * "PROGRAM --cases" can list them without running anything.
 */
#ifndef VMIG_CASES_H
#define VMIG_CASES_H

/**
 * struct vmig_case - what a case judges
 * @fixture:	its fixture
 * @test:	its name
 * @clauses:	ids of uapi/clauses; the last one is NULL
 * @destructive: what it may do to a device that is in use elsewhere, or NULL
 */
struct vmig_case {
	const char *fixture;
	const char *test;
	const char *const *clauses;
	const char *destructive;
};

/**
 * CLAUSE_TEST_F - TEST_F() that judges clauses
 * @_fixture:	the fixture
 * @_test:	its name
 *
 * The other arguments are ids of uapi/clauses.
 */
#define CLAUSE_TEST_F(_fixture, _test, ...) \
	CASE_RECORD(_fixture, _test, NULL, __VA_ARGS__); \
	TEST_F(_fixture, _test)

/**
 * DESTRUCTIVE_TEST_F - CLAUSE_TEST_F() that may harm a device
 * @_fixture:	the fixture
 * @_test:	its name
 * @_why:	what it does, such as "writes invalid data"
 *
 * A device that was given is spared, unless VFIO_DESTRUCTIVE is set.
 */
#define DESTRUCTIVE_TEST_F(_fixture, _test, _why, ...) \
	CASE_RECORD(_fixture, _test, _why, __VA_ARGS__); \
	TEST_F(_fixture, _test)

#define CASE_RECORD(_fixture, _test, _why, ...) \
	static const char *const _fixture##_##_test##_clauses[] = { __VA_ARGS__, NULL }; \
	static const struct vmig_case _fixture##_##_test##_case \
	__attribute__((section("vmig_cases"), used)) = { \
		.fixture = #_fixture, \
		.test = #_test, \
		.clauses = _fixture##_##_test##_clauses, \
		.destructive = _why, \
	}

/* The section. Weak: a program may have no such case. */
extern const struct vmig_case __start_vmig_cases[] __attribute__((weak));
extern const struct vmig_case __stop_vmig_cases[] __attribute__((weak));

/** vmig_case_find - the record of a case; NULL if it has none */
const struct vmig_case *vmig_case_find(const char *fixture, const char *test);

/**
 * vmig_case_print - a line of "PROGRAM --cases": name, clauses, what it may destroy
 * @fixture:	of the case
 * @variant:	of the fixture; "" if it has none
 * @test:	of the case
 */
void vmig_case_print(const char *fixture, const char *variant, const char *test);

#endif /* VMIG_CASES_H */
