/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/report_faces.h"
#include "engine/model.h"
#include "eval/chart.h"
#include "eval/history.h"
#include "eval/html.h"
#include "eval/report_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LOG_BYTES    ((size_t)64 << 20)
#define MAX_RECIPE_BYTES ((size_t)1 << 20)

/* ---- The page as a stream in memory ---- */

typedef struct page {
    FILE *out;
    char *text;
    size_t size;
} page;

static mien_status page_open(page *p, mien_error *error)
{
    *p = (page){0};
    p->out = open_memstream(&p->text, &p->size);
    return p->out != NULL ? MIEN_OK : error_no_memory(error, "a report", 0);
}

/* Writes the page to <folder>/report.html when all went well. */
static mien_status page_close(page *p, mien_status status, const char *folder, mien_error *error)
{
    char path[4096];
    if (p->out == NULL)
        return status;
    bool failed = ferror(p->out) != 0;
    failed = fclose(p->out) != 0 || failed;
    if (status == MIEN_OK && failed)
        status = error_no_memory(error, "a report", p->size);
    if (status == MIEN_OK && mkdir(folder, 0777) != 0 && errno != EEXIST)
        status =
            error_set(error, MIEN_IO, "cannot make the folder '%s': %s", folder, strerror(errno));
    snprintf(path, sizeof path, "%s/report.html", folder);
    if (status == MIEN_OK)
        status = file_write_atomic(path, p->text, p->size, error);
    free(p->text);
    return status;
}

/* ---- The run ---- */

static mien_status read_run_file(const char *folder, const char *name, size_t most, uint8_t **bytes,
                                 size_t *size, mien_error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_read(path, most, bytes, size, error);
}

static mien_status put_recipe(FILE *out, const char *folder, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status =
        read_run_file(folder, "recipe.txt", MAX_RECIPE_BYTES, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    fputs("<section>\n", out);
    html_heading(out, "Recipe", NULL);
    fputs("<pre>", out);
    html_text(out, (const char *)bytes);
    fputs("</pre>\n</section>\n", out);
    free(bytes);
    return MIEN_OK;
}

/* *epochs: how many the log holds; without one nothing is written. */
static mien_status put_history(FILE *out, const char *folder, size_t *epochs, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    history h;
    *epochs = 0;
    mien_status status = read_run_file(folder, "log.jsonl", MAX_LOG_BYTES, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = history_read((const char *)bytes, size, "log.jsonl", &h, error);
    free(bytes);
    if (status != MIEN_OK)
        return status;
    *epochs = h.count;
    if (h.count > 0)
        status = history_section(out, &h, error);
    history_free(&h);
    return status;
}

/* ---- The evaluation ---- */

enum { MOST_FACTS = 96 };

typedef struct facts {
    report_fact list[MOST_FACTS];
    size_t count;
} facts;

static void add_fact(facts *f, const char *name, const char *value)
{
    if (f->count < MOST_FACTS)
        f->list[f->count++] = (report_fact){name, value};
}

static void put_facts(FILE *out, const report_request *r)
{
    facts f = {0};
    char counted[200];
    const scoring *s = r->scoring;
    const setting_list *settings = &s->model->network.settings;
    snprintf(counted, sizeof counted,
             "%zu; left out: %zu by the protocol, %zu of classes that the model does not have, %zu "
             "without a face found",
             s->count, s->set->left_out, s->not_in_model, s->no_face);
    add_fact(&f, "model", r->model_path);
    add_fact(&f, "data", r->data_name);
    if (r->split_name != NULL)
        add_fact(&f, "split", r->split_name);
    add_fact(&f, "faces scored", counted);
    add_fact(&f, "mirror image",
             s->mirror ? "mean of the picture and its mirror image" : "not used");
    for (size_t i = 0; i < settings->count; i++)
        add_fact(&f, settings->entries[i].key, settings->entries[i].value);
    add_fact(&f, "scored by", "mien " MIEN_VERSION);
    fputs("<section>\n", out);
    html_heading(out, "What was scored", NULL);
    report_facts(out, f.list, f.count);
    fputs("</section>\n", out);
}

static void put_distribution(FILE *out, const dataset *set, const char *title)
{
    const char *names[DATASET_MAX_CLASSES];
    size_t counts[DATASET_MAX_CLASSES] = {0};
    for (int c = 0; c < set->class_count; c++)
        names[c] = set->class_names[c];
    for (size_t i = 0; i < set->count; i++)
        counts[set->samples[i].label]++;
    fprintf(out, "<div><h3>%s</h3>\n", title);
    chart_counts(out, title, names, counts, (size_t)set->class_count);
    fputs("</div>\n", out);
}

static void put_data(FILE *out, const report_request *r)
{
    fputs("<section>\n", out);
    html_heading(out, "Data", "How many pictures of each class there are.");
    fputs("<div class=\"pair\">\n", out);
    put_distribution(out, r->scoring->set, "scored");
    if (r->training != NULL)
        put_distribution(out, r->training, "learned from");
    fputs("</div>\n</section>\n", out);
}

static mien_status put_evaluation(FILE *out, const report_request *r, mien_error *error)
{
    const char *names[MIEN_MAX_CLASSES];
    for (int c = 0; c < mien_model_class_count(r->scoring->model); c++)
        names[c] = mien_model_class_name(r->scoring->model, c);
    report_scores scores = {.scores = r->scores,
                            .class_names = names,
                            .labels = r->scoring->labels,
                            .probabilities = r->scoring->probabilities,
                            .plain = r->plain};
    fputs("<section>\n", out);
    html_heading(out, "Result", NULL);
    report_figures(out, &scores);
    fputs("</section>\n", out);
    put_facts(out, r);
    report_confusion(out, &scores);
    report_classes(out, &scores);
    mien_status status = report_roc(out, &scores, error);
    if (status != MIEN_OK)
        return status;
    report_reliability(out, &scores);
    put_data(out, r);
    return r->pictures ? report_put_faces(out, r->scoring, r->model_path, error) : MIEN_OK;
}

mien_status report_write(const report_request *request, mien_error *error)
{
    page p;
    size_t epochs;
    char title[300];
    mien_status status = page_open(&p, error);
    if (status == MIEN_OK) {
        snprintf(title, sizeof title, "%s on %s%s%s", file_name(request->model_path),
                 file_name(request->data_name), request->split_name != NULL ? ", " : "",
                 request->split_name != NULL ? request->split_name : "");
        html_begin(p.out, title);
        if (request->run_folder != NULL)
            status = put_history(p.out, request->run_folder, &epochs, error);
    }
    if (status == MIEN_OK)
        status = put_evaluation(p.out, request, error);
    if (status == MIEN_OK && request->run_folder != NULL)
        status = put_recipe(p.out, request->run_folder, error);
    if (status == MIEN_OK)
        html_end(p.out);
    return page_close(&p, status, request->folder, error);
}

/* ---- A run by its folder ---- */

static mien_status score_run(scoring *s, eval_scores *scores, mien_error *error)
{
    mien_status status = scoring_run(s, error);
    if (status == MIEN_OK)
        status = eval_score(s->labels, s->probabilities, s->count, mien_model_class_count(s->model),
                            scores, error);
    return status;
}

mien_status report_run(const char *run_folder, const char *data_name, const dataset *training,
                       const dataset *validation, int64_t threads, mien_error *error)
{
    char path[4096];
    mien_model *model;
    snprintf(path, sizeof path, "%s/best.onnx", run_folder);
    mien_status status = mien_model_open(path, NULL, &model, error);
    if (status != MIEN_OK)
        return status;
    scoring s = {.model = model, .set = validation, .threads = threads};
    eval_scores *scores = memory_zeroed(1, sizeof *scores);
    status = scores != NULL ? score_run(&s, scores, error)
                            : error_no_memory(error, "scores", sizeof *scores);
    report_request request = {.folder = run_folder,
                              .model_path = path,
                              .data_name = data_name,
                              .split_name = "validation",
                              .scoring = &s,
                              .scores = scores,
                              .run_folder = run_folder,
                              .training = training,
                              .pictures = true};
    if (status == MIEN_OK)
        status = report_write(&request, error);
    scoring_free(&s);
    free(scores);
    mien_model_free(model);
    return status;
}

mien_status report_run_so_far(const char *run_folder, mien_error *error)
{
    page p;
    size_t epochs = 0;
    mien_status status = page_open(&p, error);
    if (status == MIEN_OK) {
        html_begin(p.out, "A training run");
        status = put_history(p.out, run_folder, &epochs, error);
    }
    if (status == MIEN_OK)
        status = put_recipe(p.out, run_folder, error);
    if (status == MIEN_OK)
        html_end(p.out);
    if (status == MIEN_OK && epochs == 0) {
        fclose(p.out);
        free(p.text);
        return MIEN_OK;
    }
    return page_close(&p, status, run_folder, error);
}
