/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_band.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

void band_memory_free(band_memory *memory)
{
    free(memory->shrunk);
    free(memory->resize_row);
    free(memory->sums);
    free(memory->squares);
    free(memory->windows.factors);
    free(memory->windows.offsets);
    raw_windows_free(&memory->found);
    *memory = (band_memory){0};
}

bool band_memory_allocate(const cascade_plan *plan, band_memory *memory)
{
    band_memory_free(memory);
    memory->shrunk = memory_zeroed(plan->band_pixels, sizeof *memory->shrunk);
    memory->resize_row = memory_zeroed((size_t)plan->width + 1, sizeof *memory->resize_row);
    memory->sums = memory_zeroed(plan->sum_entries, sizeof *memory->sums);
    memory->squares = memory_zeroed(plan->square_entries, sizeof *memory->squares);
    memory->windows.factors = memory_zeroed(plan->square_entries, sizeof(float));
    memory->windows.offsets = memory_zeroed(plan->band_windows + 1, sizeof(int32_t));
    bool done = memory->shrunk != NULL && memory->resize_row != NULL && memory->sums != NULL &&
                memory->squares != NULL && memory->windows.factors != NULL &&
                memory->windows.offsets != NULL;
    if (!done)
        band_memory_free(memory);
    return done;
}

/* The rows of the shrunk picture that the band's windows cover. */
static mien_image shrink(const cascade_kernels *kernels, const cascade_plan *plan,
                         const scan_band *band, int window_height, const mien_image *gray,
                         band_memory *memory)
{
    const scan_scale *scale = &plan->scales.scales[band->scale];
    mien_image rows = *gray;
    rows.height = band->end - 1 - band->first + window_height;
    if (scale->width == gray->width && scale->height == gray->height) {
        rows.data = image_row(gray, band->first);
        return rows;
    }
    rows.data = memory->shrunk;
    rows.width = scale->width;
    rows.stride = (size_t)scale->width;
    const image_tap *columns = plan->taps + scale->first_tap;
    const image_tap *row_taps = columns + scale->width + band->first;
    for (int y = 0; y < rows.height; y++)
        kernels->bilinear_row(gray, row_taps[y], columns, rows.width, memory->resize_row,
                              image_row(&rows, y));
    return rows;
}

static bool add_window(raw_windows *windows, const scan_scale *scale, int x, int y)
{
    raw_window window = {.x = (int)lrintf((float)x * scale->factor),
                         .y = (int)lrintf((float)y * scale->factor),
                         .width = scale->window_width,
                         .height = scale->window_height};
    return raw_windows_add(windows, &window);
}

static bool scan(const cascade_kernels *kernels, const cascade_layout *layout,
                 const scan_scale *scale, const scan_band *band, band_memory *memory)
{
    int rows = (band->end - band->first + scale->step - 1) / scale->step;
    int columns = (scale->columns + scale->step - 1) / scale->step;
    int count =
        kernels->scan_band(layout, memory->sums, memory->squares, rows, columns, &memory->windows);
    for (int i = 0; i < count; i++) {
        int offset = memory->windows.offsets[i];
        int x = offset % layout->row_offset * scale->step;
        int y = band->first + offset / layout->row_offset * scale->step;
        if (!add_window(&memory->found, scale, x, y))
            return false;
    }
    return true;
}

bool band_search(const cascade *model, const cascade_kernels *kernels, const cascade_plan *plan,
                 const scan_band *band, const mien_image *gray, band_memory *memory)
{
    const scan_scale *scale = &plan->scales.scales[band->scale];
    const cascade_layout *layout = &plan->layouts[scale->step - 1];
    mien_image rows = shrink(kernels, plan, band, model->height, gray, memory);
    kernels->fill_tables(layout, &rows, memory->sums, memory->squares);
    return scan(kernels, layout, scale, band, memory);
}
