/* SPDX-License-Identifier: Apache-2.0 */
/* Written by make_goldens.py; do not edit. */
#ifndef TESTS_OPENCV_GOLDENS_H
#define TESTS_OPENCV_GOLDENS_H

#include <stdint.h>

/* cv2.resize with INTER_LINEAR_EXACT; the source of case i has seed i + 1. */
static const struct bilinear_case {
    int channels, width, height, new_width, new_height;
    uint32_t hash;
} bilinear_cases[] = {{1, 5, 3, 2, 2, 0x457b02bfu},     {3, 53, 41, 52, 14, 0x4b5dfe08u},
                      {4, 22, 70, 83, 32, 0xea72a240u}, {1, 47, 17, 43, 15, 0x52013dc1u},
                      {3, 3, 6, 42, 7, 0x0be13de7u},    {4, 46, 19, 2, 4, 0x49266ca0u},
                      {1, 17, 10, 71, 2, 0x514a1580u},  {3, 67, 50, 77, 7, 0x96bc2cccu},
                      {4, 5, 2, 66, 68, 0x39abd717u},   {1, 5, 50, 19, 65, 0x21089af8u},
                      {3, 68, 65, 2, 5, 0x631d5003u},   {4, 23, 34, 82, 64, 0x9e95b09du},
                      {1, 2, 1, 89, 34, 0xc778aee5u},   {3, 37, 25, 28, 62, 0xf208c052u},
                      {4, 59, 69, 74, 79, 0xb6aa0d0eu}, {1, 36, 20, 5, 5, 0x200757f2u},
                      {3, 2, 3, 39, 47, 0x60ffd3e1u},   {4, 13, 42, 53, 28, 0x7621da01u},
                      {1, 23, 42, 69, 33, 0xa0705728u}, {3, 37, 17, 26, 83, 0x67daf615u},
                      {4, 2, 6, 5, 1, 0x1122c775u},     {1, 41, 59, 3, 38, 0x1dc5983au},
                      {3, 61, 19, 35, 75, 0xf3bc4e93u}, {4, 27, 16, 33, 24, 0xcc5979adu},
                      {1, 4, 5, 60, 30, 0xece53033u},   {3, 41, 59, 3, 1, 0x7d234563u},
                      {4, 70, 54, 47, 21, 0xd4751d67u}, {1, 32, 10, 46, 74, 0x74965b0fu},
                      {3, 1, 5, 63, 73, 0xf3ffe7e8u},   {4, 30, 34, 80, 36, 0xe3c2832fu},
                      {1, 57, 4, 6, 3, 0x61123643u},    {3, 29, 27, 50, 51, 0x01931c7fu},
                      {4, 6, 5, 72, 67, 0x0ec2f28du},   {1, 3, 26, 31, 32, 0xb88fde8fu},
                      {3, 59, 48, 29, 33, 0xf2e8e273u}, {4, 30, 15, 4, 2, 0x0d31dcafu},
                      {1, 3, 6, 49, 22, 0xfb9163e7u},   {3, 63, 31, 16, 27, 0x517e8e6du},
                      {4, 9, 67, 69, 79, 0xb1aadaa3u},  {1, 37, 40, 77, 28, 0xe79f85b7u},
                      {3, 2, 5, 4, 2, 0x1200b4efu},     {4, 39, 65, 37, 27, 0xb9d08ebdu},
                      {1, 39, 41, 54, 70, 0x16f13128u}, {3, 16, 48, 7, 72, 0x4f36c249u},
                      {4, 3, 3, 64, 12, 0x8d9098f7u},   {1, 8, 62, 1, 1, 0xe80c2f78u},
                      {3, 8, 33, 24, 68, 0x893833c0u},  {4, 29, 25, 28, 44, 0x6113798fu},
                      {1, 2, 5, 84, 17, 0xd0d057b4u},   {3, 52, 8, 49, 47, 0x250d4b0du},
                      {4, 24, 55, 3, 1, 0x34a450f5u},   {1, 14, 68, 32, 2, 0x9ec3ca01u},
                      {3, 1, 6, 76, 18, 0x46082b9du},   {4, 12, 52, 18, 85, 0xb66dcfe9u},
                      {1, 18, 3, 59, 42, 0x68cefd35u},  {3, 65, 13, 6, 3, 0xbae5dc85u},
                      {4, 6, 6, 26, 22, 0x19594098u},   {1, 14, 64, 80, 71, 0x5861207du},
                      {3, 20, 47, 38, 19, 0x25eb2038u}, {4, 62, 15, 2, 87, 0x6d09a848u}};

/* cv2.resize with INTER_AREA; the source of case i has seed 100 + i. */
static const uint8_t area_0[] = {149, 110, 91, 123, 140, 133, 115, 155, 135, 158, 111, 75};
static const uint8_t area_1[] = {134, 116, 109, 131, 107, 168, 171, 164, 151, 116, 74,  94,
                                 179, 134, 156, 97,  102, 188, 104, 89,  120, 141, 119, 102,
                                 122, 123, 117, 169, 144, 155, 175, 155, 108, 99,  177, 194};
static const uint8_t area_2[] = {126, 149, 126, 85,  144, 129, 146, 162, 132, 142, 124, 127,
                                 107, 155, 144, 124, 124, 140, 117, 157, 123, 136, 142, 120};
static const uint8_t area_3[] = {129, 138, 129, 124, 139, 118, 136, 139, 131, 128, 140, 122, 104,
                                 121, 138, 139, 112, 101, 136, 128, 166, 122, 124, 139, 131};
static const uint8_t area_4[] = {131, 126, 138};
static const struct area_case {
    int channels, width, height, new_width, new_height;
    const uint8_t *pixels;
} area_cases[] = {{1, 9, 7, 4, 3, area_0},
                  {3, 8, 6, 4, 3, area_1},
                  {4, 11, 5, 3, 2, area_2},
                  {1, 31, 17, 5, 5, area_3},
                  {3, 5, 5, 1, 1, area_4}};

/* cv2.integral3; case i has seed 200 + i; squares modulo 2^32. */
static const struct integral_case {
    int width, height;
    uint32_t sum_hash, squares_hash, tilted_hash;
} integral_cases[] = {{1, 1, 0x0c858837u, 0xb16fbd3bu, 0x0c858837u},
                      {1, 9, 0x21817976u, 0xd5352d59u, 0xb60bd321u},
                      {9, 1, 0x5e7f08a7u, 0x0765e145u, 0x9968ed75u},
                      {2, 2, 0xb76ea9f1u, 0x533aea2eu, 0x5f6ac84bu},
                      {13, 8, 0x7a2b7bfau, 0x22c2d7bbu, 0xad248ac9u},
                      {40, 61, 0x3080f8dcu, 0xc869e420u, 0x85c94d94u},
                      {300, 280, 0x77b74bc9u, 0xb4057807u, 0x0a361e5fu}};

/* cv2.cvtColor of 97 x 101 pixels of seed 300 as RGB, BGR, RGBA, BGRA to grey. */
static const uint32_t gray_hashes[] = {0x02098e31u, 0xab854125u, 0x3f9ce4eau, 0xfd3db2edu};

#endif
