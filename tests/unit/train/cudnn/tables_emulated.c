/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include "train/cudnn/cudnn.h"

const train_backend *tables_f32(void)
{
    return &train_backend_cudnn;
}

const train_backend *tables_bf16(void)
{
    return &train_backend_cudnn_bf16;
}

double tables_slack(void)
{
    return 1;
}

double tables_network_slack(void)
{
    return 1;
}
