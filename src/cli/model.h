/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

/* The parts of `mien model`, one file each. argv[0] is the name of the part. */

/* mien model new: writes an untrained network. */
int cli_model_new(int argc, char **argv);

/* mien model calibrate: fits the temperature. */
int cli_model_calibrate(int argc, char **argv);

#endif
