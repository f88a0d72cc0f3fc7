/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_COMMANDS_H
#define LIVE_COMMANDS_H

/*
 * The commands about people over time, which are a program of their own, mien-live. argv[0] is the
 * whole name of the command, such as "mien session"; they return the exit status (cli/cli.h).
 */

int command_live(int argc, char **argv);
int command_practice(int argc, char **argv);
int command_session(int argc, char **argv);
int command_report(int argc, char **argv);
int command_capture(int argc, char **argv);

#endif
