/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

/* Who reads the content of a constant of the graph: the constant itself, or what a removed node
 * handed on as it was. */
typedef struct taker {
    int *root;    /* by value: the graph's constant whose content it has, or -1 */
    int *readers; /* by constant of the graph: values with its content that are read */
    int *reader;  /* by constant of the graph: one of them */
} taker;

static void find_roots(const nn_plan *plan, const nn_graph *graph, taker *t)
{
    for (size_t v = 0; v < plan->value_count; v++)
        t->root[v] = v < graph->value_count && graph->values[v].tensor.data != NULL ? (int)v : -1;
    for (size_t n = 0; n < plan->node_count; n++) {
        const plan_node *node = &plan->nodes[n];
        const plan_value *output = &plan->values[node->output];
        if (node->removed && output->tensor.data != NULL && !output->owns_data)
            t->root[node->output] = t->root[node->inputs[0]];
    }
}

static void find_readers(const nn_plan *plan, const plan_links *links, taker *t)
{
    for (size_t v = 0; v < plan->value_count; v++)
        if (t->root[v] >= 0 && links->uses[v] > 0) {
            t->readers[t->root[v]]++;
            t->reader[t->root[v]] = (int)v;
        }
}

mien_status plan_take_constants(nn_plan *plan, nn_graph *graph, mien_error *error)
{
    size_t count = plan->value_count;
    taker t = {memory_zeroed(count, sizeof *t.root), memory_zeroed(count, sizeof *t.readers),
               memory_zeroed(count, sizeof *t.reader)};
    plan_links links;
    mien_status status = plan_make_links(plan, count, &links, error);
    if (status == MIEN_OK && (t.root == NULL || t.readers == NULL || t.reader == NULL))
        status = error_no_memory(error, "a plan", count * sizeof *t.root);
    if (status == MIEN_OK) {
        find_roots(plan, graph, &t);
        find_readers(plan, &links, &t);
    }
    for (size_t v = 0; status == MIEN_OK && v < graph->value_count; v++)
        if (t.readers[v] == 1) {
            plan->values[t.reader[v]].owns_data = true;
            graph->values[v].tensor.data = NULL;
        }
    plan_free_links(&links);
    free(t.root);
    free(t.readers);
    free(t.reader);
    return status;
}
