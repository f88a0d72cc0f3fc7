/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

/*
 * Labelled sets of face pictures, held in memory: FER-2013's CSV with its official splits, FER+
 * votes laid over it, or a folder per class.
 */

#include "image/image.h"

#include <stdbool.h>

#define DATASET_MAX_CLASSES     64
#define DATASET_CLASS_NAME_SIZE 32

typedef enum dataset_split {
    DATASET_ALL,
    DATASET_TRAINING,    /* FER-2013 "Training"    */
    DATASET_PUBLIC_TEST, /* FER-2013 "PublicTest": for every choice */
    DATASET_PRIVATE_TEST /* FER-2013 "PrivateTest": scored once, for a finished model */
} dataset_split;

/* "Training", "PublicTest", "PrivateTest" or "all". false when the name is another. */
bool dataset_split_parse(const char *name, dataset_split *split);

/* The name that dataset_split_parse takes. */
const char *dataset_split_name(dataset_split split);

typedef struct dataset_sample {
    mien_image image;   /* owned by the data set */
    image_rect face;    /* in the picture, pixels; without width: all of it */
    int label;          /* 0..class_count-1 */
    size_t row;         /* row in the source, from 0; for folders: index in path order */
    const char *path;   /* folders: the file; else NULL. Owned by the data set */
    const float *votes; /* FER+: (class_count) shares that sum to 1; else NULL. Owned */
} dataset_sample;

typedef struct dataset {
    int class_count;
    char class_names[DATASET_MAX_CLASSES][DATASET_CLASS_NAME_SIZE];
    dataset_sample *samples;
    size_t count;
    size_t left_out; /* rows of the split that the protocol leaves out (FER+: unknown, NF) */
} dataset;

/*
 * Reads a FER-2013 CSV file (columns emotion, pixels, Usage in any order; pixels: 48*48 values
 * 0..255, row-major, grey), or the packed set that `mien data pack` makes of it. Samples of other
 * splits are passed over.
 * Classes: angry, disgust, fear, happy, sad, surprise, neutral.
 * Success: *out is the caller's, free with dataset_free; it has at least one sample. Failure: *out
 * is zeroed; MIEN_NOT_FOUND (no file, or no sample of the split), MIEN_IO, MIEN_UNSUPPORTED (the
 * file is still packed with xz), MIEN_MALFORMED with row (the header is row 1) and column in the
 * message, MIEN_OUT_OF_MEMORY.
 */
mien_status dataset_read_fer_csv(const char *path, dataset_split split, dataset *out,
                                 mien_error *error);

/*
 * The same pictures with the labels of FER+ (Barsoum et al. 2016; fer2013new.csv layout: Usage,
 * Image name, neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF;
 * ten votes a row, in the row order of the FER-2013 file). The label is the majority of all ten
 * columns (the largest count, whether or not above half); rows whose majority is unknown or NF,
 * whose image name is empty, or whose majority is a tie are left out and counted. votes: the shares
 * over the 8 expressions. A packed set has its own votes: its path is both. Classes: neutral,
 * happy, surprise, sad, angry, disgust, fear, contempt. MIEN_MALFORMED too when the two files have
 * different numbers of rows or disagree about Usage.
 */
mien_status dataset_read_fer_plus(const char *path, const char *votes_path, dataset_split split,
                                  dataset *out, mien_error *error);

/*
 * Reads a folder with a sub-folder per class (class names in byte order of the folder names; a
 * class folder may be empty or have folders of its own), pictures decoded to grey or colour as
 * wanted. Hidden files, and files beside the class folders, are passed over.
 * Success: *out is the caller's, free with dataset_free. Failure: *out is zeroed; MIEN_NOT_FOUND
 * (no folder, no class folder or no picture), MIEN_LIMIT (too many classes, a class name too long),
 * and the errors of mien_image_load, which name the file: a file that is no picture is one.
 */
mien_status dataset_read_folder(const char *folder, mien_pixel_format format, dataset *out,
                                mien_error *error);

/*
 * Keeps the samples of these classes, which then are the set's, in this order; votes are shares
 * among them. Samples of other classes are freed. MIEN_NOT_FOUND (the set has no class of a name;
 * the message lists its own), MIEN_LIMIT (more than DATASET_MAX_CLASSES, a name too long); then the
 * set is as it was.
 */
mien_status dataset_select_classes(dataset *set, const char *const *names, int count,
                                   mien_error *error);

/*
 * Moves the samples whose file name begins with prefix to *held, a set of the same classes. Both
 * keep their order. Success: *held is the caller's. Failure: *held is zeroed and the set as it was;
 * MIEN_NOT_FOUND (none of them, or nothing but them, or no files), MIEN_OUT_OF_MEMORY.
 */
mien_status dataset_hold_out(dataset *set, const char *prefix, dataset *held, mien_error *error);

/* Removes the samples for which keep, (count), is false. */
void dataset_keep(dataset *set, const bool *keep);

/* Where the face of a sample is: its face, or the whole picture. */
image_rect dataset_face(const dataset_sample *sample);

void dataset_free(dataset *set);

#endif
