/* SPDX-License-Identifier: Apache-2.0 */

/* vendor.h's products by cuBLASLt, in float32. */

#include "train/cudnn/gpu.h"
#include "train/cudnn/vendor.h"

/*
 * cuBLASLt's matrices lie column by column, so that a row-major matrix is its transpose there:
 * y' = b' a' is what it computes, b first.
 */
typedef struct product_parts {
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t a, b, y;
} product_parts;

/* A row-major matrix as it is there. */
static cublasStatus_t lay(cublasLtMatrixLayout_t *layout, int64_t rows, int64_t columns)
{
    return cublasLtMatrixLayoutCreate(layout, CUDA_R_32F, (uint64_t)columns, (uint64_t)rows,
                                      columns);
}

static cublasStatus_t make_parts(const vendor_product_shape *s, product_parts *p)
{
    int32_t first = s->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    int32_t second = s->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    int64_t a_rows = s->transpose_a ? s->inner : s->rows;
    int64_t b_rows = s->transpose_b ? s->columns : s->inner;
    cublasStatus_t status = cublasLtMatmulDescCreate(&p->product, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmulDescSetAttribute(p->product, CUBLASLT_MATMUL_DESC_TRANSA, &first,
                                                sizeof first);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmulDescSetAttribute(p->product, CUBLASLT_MATMUL_DESC_TRANSB, &second,
                                                sizeof second);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = lay(&p->a, a_rows, s->rows + s->inner - a_rows);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = lay(&p->b, b_rows, s->columns + s->inner - b_rows);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = lay(&p->y, s->rows, s->columns);
    return status;
}

static void free_parts(product_parts *p)
{
    if (p->product != NULL)
        cublasLtMatmulDescDestroy(p->product);
    if (p->a != NULL)
        cublasLtMatrixLayoutDestroy(p->a);
    if (p->b != NULL)
        cublasLtMatrixLayoutDestroy(p->b);
    if (p->y != NULL)
        cublasLtMatrixLayoutDestroy(p->y);
}

void vendor_product(train_device *device, const vendor_product_shape *shape, const float *a,
                    const float *b, float *y)
{
    const float one = 1, zero = 0;
    product_parts p = {.product = NULL};
    if (device_failed(device))
        return;
    cublasStatus_t status = make_parts(shape, &p);
    if (status == CUBLAS_STATUS_SUCCESS)
        status =
            cublasLtMatmul(device->blas, p.product, &one, b, p.b, a, p.a, &zero, y, p.y, y, p.y,
                           NULL, device->product_workspace, GPU_PRODUCT_WORKSPACE, device->stream);
    gpu_blas(device, status, "a product");
    free_parts(&p);
}
