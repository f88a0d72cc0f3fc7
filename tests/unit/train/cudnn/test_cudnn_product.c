/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How products are asked of cuBLASLt, with the few functions of it that are called made here, as
 * its manual describes them: matrices column by column, on the host. No GPU is needed.
 */

#include "support.h"

#include "train/cudnn/gpu.h"
#include "train/cudnn/vendor.h"

#include <math.h>

/* ---- cuBLASLt ---- */

typedef struct fake_layout {
    uint64_t rows, columns;
    int64_t leading;
} fake_layout;

typedef struct fake_product {
    int32_t transpose[2];
} fake_product;

static long alive; /* descriptors that were made and not destroyed */

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t leading)
{
    fake_layout *made = malloc(sizeof *made);
    assert_int_equal(type, CUDA_R_32F);
    assert_true(leading >= (int64_t)rows);
    *made = (fake_layout){rows, columns, leading};
    *layout = (cublasLtMatrixLayout_t)made;
    alive++;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(const cublasLtMatrixLayout_t layout)
{
    free(layout);
    alive--;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    assert_true(compute == CUBLAS_COMPUTE_32F && scale == CUDA_R_32F);
    *desc = calloc(1, sizeof(fake_product));
    alive++;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(const cublasLtMatmulDesc_t desc)
{
    free(desc);
    alive--;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t size)
{
    fake_product *product = (fake_product *)desc;
    bool second = attribute == CUBLASLT_MATMUL_DESC_TRANSB;
    assert_true(second || attribute == CUBLASLT_MATMUL_DESC_TRANSA);
    assert_int_equal(size, sizeof(int32_t));
    memcpy(&product->transpose[second], value, size);
    return CUBLAS_STATUS_SUCCESS;
}

static float at(const float *matrix, const fake_layout *layout, bool transposed, uint64_t row,
                uint64_t column)
{
    uint64_t r = transposed ? column : row, c = transposed ? row : column;
    assert_true(r < layout->rows && c < layout->columns);
    return matrix[r + c * (uint64_t)layout->leading];
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                              cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                              cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
                              void *workspace, size_t workspace_size, cudaStream_t stream)
{
    const fake_product *product = (const fake_product *)desc;
    const fake_layout *la = (const fake_layout *)a_layout, *lb = (const fake_layout *)b_layout;
    const fake_layout *ld = (const fake_layout *)d_layout;
    bool ta = product->transpose[0] == CUBLAS_OP_T, tb = product->transpose[1] == CUBLAS_OP_T;
    uint64_t inner = ta ? la->rows : la->columns;
    (void)handle, (void)algo, (void)workspace, (void)workspace_size, (void)stream;
    assert_true(c == d && c_layout == d_layout);
    assert_true(*(const float *)alpha == 1 && *(const float *)beta == 0);
    assert_int_equal(inner, tb ? lb->columns : lb->rows);
    for (uint64_t column = 0; column < ld->columns; column++)
        for (uint64_t row = 0; row < ld->rows; row++) {
            double sum = 0;
            for (uint64_t i = 0; i < inner; i++)
                sum += (double)at(a, la, ta, row, i) * (double)at(b, lb, tb, i, column);
            ((float *)d)[row + column * (uint64_t)ld->leading] = (float)sum;
        }
    return CUBLAS_STATUS_SUCCESS;
}

bool gpu_blas(train_device *device, cublasStatus_t status, const char *what)
{
    (void)device;
    assert_string_equal(what, "a product");
    return status == CUBLAS_STATUS_SUCCESS;
}

bool device_failed(const train_device *device)
{
    (void)device;
    return false;
}

/* ---- Products ---- */

static void check_product(const vendor_product_shape *s, test_random *random)
{
    train_device device = {.stream = NULL};
    float a[64], b[64], y[64];
    for (int i = 0; i < 64; i++) {
        a[i] = test_random_float(random);
        b[i] = test_random_float(random);
        y[i] = NAN;
    }
    vendor_product(&device, s, a, b, y);
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < s->columns; c++) {
            double sum = 0;
            for (int64_t i = 0; i < s->inner; i++)
                sum += (double)a[s->transpose_a ? i * s->rows + r : r * s->inner + i] *
                       (double)b[s->transpose_b ? c * s->inner + i : i * s->columns + c];
            assert_float_equal(y[r * s->columns + c], sum, 1e-6);
        }
    assert_int_equal(alive, 0);
}

static void test_products_lie_as_asked(void **state)
{
    (void)state;
    test_random random = {3};
    for (int i = 0; i < 4 * 64; i++) {
        vendor_product_shape s = {.rows = 1 + i % 4 * 2,
                                  .columns = 1 + i / 4 % 4 * 2,
                                  .inner = 2 + i / 16 % 4 * 2,
                                  .transpose_a = i / 64 % 2 == 1,
                                  .transpose_b = i / 128 == 1};
        check_product(&s, &random);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_products_lie_as_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
