/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * What the commands of the program share. Standard output is data, standard error is for people.
 * A command returns the exit status: 0 done, 1 something failed, 2 wrong usage.
 */

#include <mien/mien.h>

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One file per command. argv[0] is "mien <command>". */
int cli_analyze(int argc, char **argv);
int cli_detect(int argc, char **argv);
int cli_eval(int argc, char **argv);
int cli_model(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_train(int argc, char **argv);
int cli_search(int argc, char **argv);
int cli_difficulty(int argc, char **argv);
int cli_data(int argc, char **argv);
int cli_explain(int argc, char **argv);

/* The commands about people over time are a program of their own, mien-live, which lies beside this
 * one (live/main.c): becomes it, with these arguments. Comes back only when that failed. */
int cli_become_live(int argc, char **argv);

/* The last word of a program: data that did not reach its file or pipe is a failure. */
int cli_finish(int status);

/* Prints "mien: <message>" for people; returns EXIT_FAILED. */
int cli_fail(const mien_error *error);

/* Prints "<command>: <message>" and how to get help; returns EXIT_USAGE. */
int cli_wrong_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a JSON value and frees it; NULL stands for one that memory was lacking for. Returns the
 * exit status, after a message when there is no memory. */
int cli_print_json(json_t *value, size_t flags);

/* Numbers in arguments. false, after a message, when the text is none or out of range. */
bool cli_parse_int(const char *command, const char *option, const char *text, int64_t low,
                   int64_t high, int64_t *value);
bool cli_parse_real(const char *command, const char *option, const char *text, double low,
                    double high, double *value);

/* A size in an argument, two numbers of pixels such as "224x224". EXIT_DONE, or EXIT_USAGE after a
 * message. */
int cli_parse_size(const char *command, const char *option, const char *text, int *first,
                   int *second);

/* The folder in which this program lies. false: the system does not tell, or it is too long. */
bool cli_program_folder(char *buffer, size_t size);

/*
 * Where mien's data files lie: $MIEN_DATA, or beside the program (share/mien of an installation,
 * models/ of a source tree), or NULL for where it was installed. In the caller's buffer.
 */
const char *cli_data_folder(char *buffer, size_t size);

/* ---- Models and detectors, as several commands take them ---- */

typedef struct cli_setup {
    const char *model_path;    /* --model, else $MIEN_MODEL, else mien's own; NULL for none */
    const char *detector_path; /* --detector; "none" for none, NULL for the default */
    mien_model_options model;
    mien_detector_options detector;
    char data_folder[4096];
    char own_model[4112];
} cli_setup;

/* The options that cli_setup_option understands, for a getopt_long table. */
enum { CLI_DETECTOR_INPUT = 0x200 };
/* clang-format off */
#define CLI_MODEL_OPTIONS                          \
    {"model", required_argument, NULL, 'm'},       \
    {"sidecar", required_argument, NULL, 'S'},     \
    {"kernels", required_argument, NULL, 'k'},     \
    {"precision", required_argument, NULL, 'P'}
#define CLI_DETECTOR_OPTIONS                               \
    {"detector", required_argument, NULL, 'd'},            \
    {"detector-sidecar", required_argument, NULL, 'D'},    \
    {"scale-factor", required_argument, NULL, 'f'},        \
    {"min-neighbours", required_argument, NULL, 'n'},      \
    {"min-size", required_argument, NULL, 'z'},            \
    {"max-size", required_argument, NULL, 'Z'},            \
    {"min-score", required_argument, NULL, 's'},           \
    {"detector-input", required_argument, NULL, CLI_DETECTOR_INPUT}
/* clang-format on */
#define CLI_MODEL_HELP                                                                             \
    "  --model FILE            the network, an ONNX file (default: $MIEN_MODEL, else mien's "      \
    "own)\n"                                                                                       \
    "  --sidecar FILE          its settings, when they are not in the file\n"                      \
    "  --kernels NAME          avx512, avx2, generic or reference (default: the best here)\n"      \
    "  --precision NAME        f32, or bf16 where the processor has AVX-512 BF16: faster, "        \
    "rounded\n"                                                                                    \
    "                          (default: f32)\n"
#define CLI_DETECTOR_HELP                                                                          \
    "  --detector FILE|none    a cascade (.xml) or network (.onnx); none: the whole picture is\n"  \
    "                          one face (default: OpenCV's frontal face cascade)\n"                \
    "  --detector-sidecar FILE its settings, when they are not in the file\n"                      \
    "  --scale-factor X        cascades: from scale to scale, over 1 (default 1.1)\n"              \
    "  --min-neighbours N      cascades: windows that must agree (default 5)\n"                    \
    "  --min-size N            leave out faces under N pixels\n"                                   \
    "  --max-size N            leave out faces over N pixels\n"                                    \
    "  --min-score X           networks: least score, 0 to 1 (default: the detector's own)\n"      \
    "  --detector-input WxH    networks: pixels to fit a picture into; fewer are faster and\n"     \
    "                          lose small faces (default: the detector's own)\n"

void cli_setup_init(cli_setup *setup);

/* Takes one option. *status: EXIT_DONE, or EXIT_USAGE after a message. false: not one of its own.
 */
bool cli_setup_option(cli_setup *setup, const char *command, int option, const char *argument,
                      int *status);

/* Opens what the options say, after which the caller frees. Messages go to standard error. */
int cli_open_model(const cli_setup *setup, mien_model **model);
int cli_open_detector(const cli_setup *setup, mien_detector **detector);

/* Both at the same time, which halves the wait for the first result. The caller frees both,
 * whatever comes of it. */
int cli_open_both(const cli_setup *setup, mien_model **model, mien_detector **detector);

#endif
