/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_faces.h"

#include "base/error.h"
#include "cli/explainer.h"
#include "engine/model.h"
#include "eval/curves.h"
#include "eval/figures.h"
#include "eval/html.h"
#include "eval/report_page.h"

enum { MISTAKES = 24, MAPS = 10, MAP_SIDE = 96 /* pixels */ };

/* What the pictures are made with. */
typedef struct painter {
    const scoring *scoring;
    const char *model_path;
    mien_analyzer *analyzer;
    explainer *explainer; /* NULL: no maps */
    int side;             /* of faces without maps, pixels */
} painter;

/* A face of the page with the pictures that it owns. */
typedef struct painted {
    explanation pictures;
    report_face face;
} painted;

static const float *row_of(const scoring *s, size_t index)
{
    return s->probabilities + index * (size_t)mien_model_class_count(s->model);
}

static mien_status paint(painter *p, size_t index, bool with_maps, painted *to, mien_error *error)
{
    const scoring *s = p->scoring;
    const mien_image *image = &s->set->samples[s->samples[index]].image;
    int apparent = eval_argmax(row_of(s, index), mien_model_class_count(s->model));
    const mien_face *faces;
    size_t count;
    *to = (painted){.face = {.label = mien_model_class_name(s->model, s->labels[index]),
                             .apparent = mien_model_class_name(s->model, apparent),
                             .confidence = (double)row_of(s, index)[apparent]}};
    mien_status status = mien_analyzer_run(p->analyzer, image, &faces, &count, error);
    if (status != MIEN_OK)
        return status;
    /* A face that only the mirror image shows is not cut out. */
    mien_face whole = {.width = (float)image->width, .height = (float)image->height};
    const mien_face *face = count > 0 ? scoring_largest_face(faces, count) : &whole;
    if (!with_maps)
        return explainer_cut_out(s->model, image, face, p->side, &to->pictures.face, error);
    return explainer_run(p->explainer, image, face, apparent, MAP_SIDE, &to->pictures, error);
}

/* One row of faces: the samples whose indices are given. */
static mien_status put_row(FILE *out, painter *p, const size_t *indices, size_t count,
                           bool with_maps, mien_error *error)
{
    painted painted_faces[MISTAKES] = {0};
    report_face faces[MISTAKES] = {0};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        painted *to = &painted_faces[i];
        status = paint(p, indices[i], with_maps, to, error);
        faces[i] = to->face;
        faces[i].face = &to->pictures.face;
        faces[i].cam = with_maps ? &to->pictures.cam : NULL;
        faces[i].guided = with_maps ? &to->pictures.guided : NULL;
    }
    if (status == MIEN_OK)
        status = report_faces(out, faces, count, error);
    for (size_t i = 0; i < count; i++)
        explanation_free(&painted_faces[i].pictures);
    return status;
}

static mien_status put_mistakes(FILE *out, painter *p, mien_error *error)
{
    const scoring *s = p->scoring;
    size_t order[MISTAKES];
    eval_search search = {.right = false, .label = -1, .most = MISTAKES};
    size_t count = eval_most_confident(s->labels, s->probabilities, s->count,
                                       mien_model_class_count(s->model), &search, order);
    html_heading(out, "The most confident mistakes",
                 count > 0 ? "Some are mistakes of the labels. This page holds faces of the data "
                             "set: pass it on only as the data set's terms allow."
                           : "There is no mistake.");
    return put_row(out, p, order, count, false, error);
}

/* The most confident face of each class that was read rightly, or wrongly. */
static size_t one_of_each_class(const scoring *s, bool right, size_t *indices)
{
    size_t found = 0;
    int classes = mien_model_class_count(s->model);
    for (int c = 0; c < classes && found < MAPS; c++) {
        eval_search search = {.right = right, .label = c, .most = 1};
        if (eval_most_confident(s->labels, s->probabilities, s->count, classes, &search,
                                &indices[found]) > 0)
            found++;
    }
    return found;
}

static mien_status put_maps(FILE *out, painter *p, mien_error *error)
{
    static const char *const names[] = {"Wrong", "Right"};
    mien_status status = MIEN_OK;
    for (int right = 1; status == MIEN_OK && right >= 0; right--) {
        size_t indices[MAPS];
        size_t count = one_of_each_class(p->scoring, right != 0, indices);
        if (count == 0)
            continue;
        fprintf(out, "<h3>%s</h3>\n", names[right]);
        status = put_row(out, p, indices, count, true, error);
    }
    return status;
}

static mien_status put_explained(FILE *out, painter *p, mien_error *error)
{
    mien_error why;
    mien_status status = explainer_create(p->scoring->model, p->model_path, &p->explainer, &why);
    fputs("<section>\n", out);
    html_heading(out, "What the network looked at",
                 "The most confident face of each class. Beside each, Grad-CAM (the brighter, the "
                 "more a place speaks for the apparent class) and guided backpropagation (details "
                 "that a lighter or darker pixel would make count more).");
    if (status == MIEN_OK) {
        status = put_maps(out, p, error);
    } else if (status == MIEN_UNSUPPORTED) {
        fputs("<p>There are no maps: ", out);
        html_text(out, why.message);
        fputs("</p>\n", out);
        status = MIEN_OK;
    } else if (error != NULL) {
        *error = why;
    }
    fputs("</section>\n", out);
    return status;
}

mien_status report_put_faces(FILE *out, const scoring *s, const char *model_path, mien_error *error)
{
    const prep_settings *prep = &s->model->network.prep;
    int longer = prep->width > prep->height ? prep->width : prep->height;
    painter p = {
        .scoring = s, .model_path = model_path, .side = longer < MAP_SIDE ? longer : MAP_SIDE};
    mien_status status = mien_analyzer_create(s->model, s->detector, &p.analyzer, error);
    if (status == MIEN_OK)
        status = put_mistakes(out, &p, error);
    if (status == MIEN_OK)
        status = put_explained(out, &p, error);
    explainer_free(p.explainer);
    mien_analyzer_free(p.analyzer);
    return status;
}
