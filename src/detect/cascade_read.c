/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_reader.h"

#include "base/memory.h"

#define MAX_FILE_BYTES ((size_t)256 << 20) /* keeps every count within int */

/* Whether the corners that a feature looks up are all within the window. */
static bool rect_fits(const cascade *model, const cascade_rect *rect, bool tilted)
{
    int64_t left = rect->x, top = rect->y;
    int64_t right = left + rect->width, bottom = top + rect->height;
    if (tilted) {
        left -= rect->height;
        bottom += rect->width;
    }
    return rect->width > 0 && rect->height > 0 && left >= 0 && top >= 0 && right <= model->width &&
           bottom <= model->height;
}

static mien_status read_rect(cascade_reader *reader, cascade_rect *rect)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    number_list list = cascade_numbers(&text);
    double weight;
    if ((status = cascade_next_integer(reader, &list, &rect->x)) != MIEN_OK ||
        (status = cascade_next_integer(reader, &list, &rect->y)) != MIEN_OK ||
        (status = cascade_next_integer(reader, &list, &rect->width)) != MIEN_OK ||
        (status = cascade_next_integer(reader, &list, &rect->height)) != MIEN_OK ||
        (status = cascade_next_number(reader, &list, &weight)) != MIEN_OK)
        return status;
    rect->weight = (float)weight;
    return cascade_no_more_numbers(reader, &list);
}

static mien_status read_rects(cascade_reader *reader, cascade_feature *feature, int *count)
{
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more) {
        if (*count == CASCADE_FEATURE_RECTS)
            return xml_malformed(&reader->scanner, token.position,
                                 "a feature has more than %d rectangles", CASCADE_FEATURE_RECTS);
        if ((status = read_rect(reader, &feature->rects[(*count)++])) != MIEN_OK)
            return status;
    }
    return status;
}

static mien_status check_feature(cascade_reader *reader, const cascade_feature *feature,
                                 int rect_count, size_t position)
{
    const cascade *model = reader->model;
    if (rect_count == 0)
        return xml_malformed(&reader->scanner, position, "a feature has no rectangle");
    for (int i = 0; i < rect_count; i++) {
        const cascade_rect *rect = &feature->rects[i];
        if (!rect_fits(model, rect, feature->tilted))
            return xml_malformed(&reader->scanner, position,
                                 "%s rectangle %d %d %d %d is not within the window of %d x %d",
                                 feature->tilted ? "tilted" : "upright", rect->x, rect->y,
                                 rect->width, rect->height, model->width, model->height);
    }
    return MIEN_OK;
}

static mien_status read_feature(cascade_reader *reader, size_t position)
{
    cascade_feature feature = {0};
    int rect_count = 0, tilted = 0;
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more) {
        if (xml_slice_is(token.text, "rects"))
            status = read_rects(reader, &feature, &rect_count);
        else if (xml_slice_is(token.text, "tilted"))
            status = cascade_read_integer(reader, &tilted);
        else
            status = cascade_skip_element(reader);
        if (status != MIEN_OK)
            return status;
    }
    if (status != MIEN_OK)
        return status;
    feature.tilted = tilted != 0;
    status = check_feature(reader, &feature, rect_count, position);
    if (status != MIEN_OK)
        return status;
    reader->model->has_tilted |= feature.tilted;
    return cascade_add_feature(reader->model, &feature) ? MIEN_OK : cascade_out_of_memory(reader);
}

static mien_status check_window(cascade_reader *reader, size_t position)
{
    int width = reader->model->width, height = reader->model->height;
    if (width < 3 || height < 3)
        return xml_malformed(&reader->scanner, position,
                             "<width> and <height>, 3 or more, must come before <features>; "
                             "they are %d and %d",
                             width, height);
    if ((int64_t)width * height > CASCADE_MAX_WINDOW_AREA)
        return xml_fail(&reader->scanner, MIEN_LIMIT, position,
                        "the window of %d x %d has more than %d pixels", width, height,
                        CASCADE_MAX_WINDOW_AREA);
    return MIEN_OK;
}

static mien_status read_features(cascade_reader *reader, size_t position)
{
    xml_token token;
    bool more;
    mien_status status = check_window(reader, position);
    if (status != MIEN_OK)
        return status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more)
        if ((status = read_feature(reader, token.position)) != MIEN_OK)
            return status;
    return status;
}

static mien_status read_stage_type(cascade_reader *reader)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    reader->is_boosted = xml_slice_is(text.text, "BOOST");
    if (!reader->is_boosted)
        return xml_fail(&reader->scanner, MIEN_UNSUPPORTED, text.position,
                        "stages of type '%.*s'; only BOOST is read", xml_shown_length(text.text),
                        text.text.start);
    return MIEN_OK;
}

static mien_status read_feature_type(cascade_reader *reader)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    reader->is_haar = xml_slice_is(text.text, "HAAR");
    if (!reader->is_haar)
        return xml_fail(&reader->scanner, MIEN_UNSUPPORTED, text.position,
                        "features of type '%.*s'; use a cascade with HAAR features, such as "
                        "haarcascade_frontalface_default.xml",
                        xml_shown_length(text.text), text.text.start);
    return MIEN_OK;
}

static mien_status read_part(cascade_reader *reader, const xml_token *part)
{
    xml_slice name = part->text;
    if (xml_slice_is(name, "stageType"))
        return read_stage_type(reader);
    if (xml_slice_is(name, "featureType"))
        return read_feature_type(reader);
    if (xml_slice_is(name, "width"))
        return cascade_read_integer(reader, &reader->model->width);
    if (xml_slice_is(name, "height"))
        return cascade_read_integer(reader, &reader->model->height);
    if (xml_slice_is(name, "stageNum"))
        return cascade_read_integer(reader, &reader->announced_stages);
    if (xml_slice_is(name, "stages"))
        return cascade_read_stages(reader);
    if (xml_slice_is(name, "features"))
        return read_features(reader, part->position);
    return cascade_skip_element(reader);
}

static mien_status check_whole(cascade_reader *reader, size_t position)
{
    const cascade *model = reader->model;
    const xml_scanner *scanner = &reader->scanner;
    if (!reader->is_boosted || !reader->is_haar)
        return xml_malformed(scanner, position, "<%s> is missing; is this a cascade of OpenCV?",
                             reader->is_boosted ? "featureType" : "stageType");
    if (model->stage_count == 0 || model->feature_count == 0)
        return xml_malformed(scanner, position, "the cascade has no %s",
                             model->stage_count == 0 ? "stages" : "features");
    if (reader->announced_stages != -1 && (size_t)reader->announced_stages != model->stage_count)
        return xml_malformed(scanner, position, "the cascade has %zu stages and announces %d",
                             model->stage_count, reader->announced_stages);
    if ((size_t)reader->highest_feature >= model->feature_count)
        return xml_malformed(scanner, reader->highest_feature_position,
                             "feature %d does not exist, there are %zu", reader->highest_feature,
                             model->feature_count);
    return MIEN_OK;
}

static mien_status read_cascade(cascade_reader *reader, const xml_token *element)
{
    if (xml_slice_is(element->type_id, "opencv-haar-classifier"))
        return xml_fail(&reader->scanner, MIEN_UNSUPPORTED, element->position,
                        "a cascade in the form of OpenCV 1; use one in the form of "
                        "opencv_traincascade (type_id \"opencv-cascade-classifier\"), such as "
                        "haarcascade_frontalface_default.xml");
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more)
        if ((status = read_part(reader, &token)) != MIEN_OK)
            return status;
    return status == MIEN_OK ? check_whole(reader, token.position) : status;
}

static mien_status read_document(cascade_reader *reader)
{
    xml_token token;
    bool more;
    mien_status status = xml_next(&reader->scanner, &token);
    if (status != MIEN_OK)
        return status;
    if (token.kind != XML_OPEN || !xml_slice_is(token.text, "opencv_storage"))
        return xml_malformed(&reader->scanner, token.position,
                             "<opencv_storage> is expected first; is this a cascade of OpenCV?");
    status = cascade_next_child(reader, &token, &more);
    if (status == MIEN_OK && !more)
        return xml_malformed(&reader->scanner, token.position, "the file holds no cascade");
    if (status == MIEN_OK)
        status = read_cascade(reader, &token);
    while (status == MIEN_OK && token.kind != XML_END)
        status = xml_next(&reader->scanner, &token);
    return status;
}

mien_status cascade_read(const void *xml, size_t size, const char *name, cascade **out,
                         mien_error *error)
{
    *out = NULL;
    if (size > MAX_FILE_BYTES)
        return error_set(error, MIEN_LIMIT, "'%s' has %zu bytes, the limit is %zu", name, size,
                         MAX_FILE_BYTES);
    cascade_reader reader = {.scanner = xml_scan(xml, size, name, error),
                             .model = memory_zeroed(1, sizeof **out),
                             .locale = newlocale(LC_ALL_MASK, "C", (locale_t)0),
                             .announced_stages = -1,
                             .highest_feature = -1};
    mien_status status = MIEN_OK;
    if (reader.model == NULL || reader.locale == (locale_t)0)
        status = cascade_out_of_memory(&reader);
    else
        status = read_document(&reader);
    if (reader.locale != (locale_t)0)
        freelocale(reader.locale);
    if (status == MIEN_OK)
        *out = reader.model;
    else
        cascade_free(reader.model);
    return status;
}
