/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DATA_H
#define CLI_DATA_H

/* The sub-commands of mien data. argv[0] is "mien data <name>"; they return the exit status. */

int cli_data_preview(int argc, char **argv);
int cli_data_pack(int argc, char **argv);

#endif
