/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/assignment.h"

/* Tries every way: the least sum over min(rows, columns) pairs. */
static double least(const double *cost, size_t rows, size_t columns, size_t row, unsigned taken,
                    size_t skips)
{
    if (row == rows)
        return 0;
    double best = skips > 0 ? least(cost, rows, columns, row + 1, taken, skips - 1) : 1e300;
    for (size_t j = 0; j < columns; j++) {
        if ((taken & 1u << j) != 0)
            continue;
        double sum =
            cost[row * columns + j] + least(cost, rows, columns, row + 1, taken | 1u << j, skips);
        best = sum < best ? sum : best;
    }
    return best;
}

static double sum_of(const double *cost, size_t rows, size_t columns, const size_t *column_of)
{
    unsigned taken = 0;
    size_t pairs = 0;
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        if (column_of[i] == ASSIGNMENT_NONE)
            continue;
        assert_true(column_of[i] < columns);
        assert_int_equal(taken & 1u << column_of[i], 0);
        taken |= 1u << column_of[i];
        sum += cost[i * columns + column_of[i]];
        pairs++;
    }
    assert_int_equal(pairs, rows < columns ? rows : columns);
    return sum;
}

static void test_least_sum_of_all_ways(void **state)
{
    (void)state;
    test_random random = {.state = 7};
    assignment_scratch kept = {0};
    for (int round = 0; round < 400; round++) {
        double cost[36];
        size_t column_of[6];
        size_t rows = (size_t)test_random_int(&random, 1, 6);
        size_t columns = (size_t)test_random_int(&random, 1, 6);
        for (size_t i = 0; i < rows * columns; i++)
            cost[i] = test_random_int(&random, 0, 4) == 0 ? 1e9 : test_random_int(&random, -9, 9);
        mien_error error;
        assert_ok(assignment_solve(&kept, cost, rows, columns, column_of, &error), &error);
        double expected = least(cost, rows, columns, 0, 0, rows > columns ? rows - columns : 0);
        assert_true(sum_of(cost, rows, columns, column_of) == expected);
    }
    assignment_scratch_free(&kept);
}

static void test_nothing_to_assign(void **state)
{
    (void)state;
    size_t column_of[2] = {5, 5};
    assignment_scratch kept = {0};
    assert_ok(assignment_solve(&kept, NULL, 2, 0, column_of, NULL), NULL);
    assert_true(column_of[0] == ASSIGNMENT_NONE && column_of[1] == ASSIGNMENT_NONE);
    assert_ok(assignment_solve(&kept, NULL, 0, 3, column_of, NULL), NULL);
    assignment_scratch_free(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_sum_of_all_ways),
        cmocka_unit_test(test_nothing_to_assign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
