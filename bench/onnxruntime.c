/* SPDX-License-Identifier: Apache-2.0 */
#include "onnxruntime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The API is a table of functions whose order never changes; new versions only add to its end. The
 * functions used here are all of version 1.
 */
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_GRAPH_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_NUM_THREADS = 24,
    SET_INTER_OP_NUM_THREADS = 25,
    CREATE_TENSOR_WITH_DATA = 49,
    GET_TENSOR_MUTABLE_DATA = 51,
    CREATE_CPU_MEMORY_INFO = 69,
    RELEASE_ENV = 92,
    RELEASE_STATUS = 93,
    RELEASE_MEMORY_INFO = 94,
    RELEASE_SESSION = 95,
    RELEASE_VALUE = 96,
    RELEASE_SESSION_OPTIONS = 100
};

enum { API_VERSION = 1, LOG_ERROR = 3, OPTIMIZE_ALL = 99, TENSOR_FLOAT = 1 };
enum { ARENA_ALLOCATOR = 1, MEMORY_DEFAULT = 0 };

typedef void (*any_function)(void);
typedef void *object; /* of the library; a status is NULL when all is well */

typedef struct api_base {
    const any_function *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
} api_base;

typedef const char *(*error_message_function)(object status);
typedef object (*create_env_function)(int level, const char *name, object *env);
typedef object (*create_session_function)(object env, const char *path, object options,
                                          object *session);
typedef object (*create_function)(object *created);
typedef object (*set_int_function)(object options, int value);
typedef object (*create_memory_function)(int allocator, int kind, object *memory);
typedef object (*create_tensor_function)(object memory, void *data, size_t bytes,
                                         const int64_t *dims, size_t rank, int type, object *value);
typedef object (*run_function)(object session, object options, const char *const *input_names,
                               object const *inputs, size_t input_count,
                               const char *const *output_names, size_t output_count,
                               object *outputs);
typedef object (*tensor_data_function)(object value, void **data);
typedef void (*release_function)(object released);

struct peer {
    void *library;
    const any_function *api;
    object env, options, session, memory, input;
    const char *input_name;
    const char *const *output_names;
    size_t output_count;
    object *outputs; /* (output_count) */
};

static void release(const peer *p, int function, object released)
{
    if (released != NULL)
        ((release_function)p->api[function])(released);
}

/* true when the call succeeded; otherwise its complaint goes to message. */
static bool accept(const peer *p, object status, char *message, size_t message_size)
{
    if (status == NULL)
        return true;
    snprintf(message, message_size, "%s",
             ((error_message_function)p->api[GET_ERROR_MESSAGE])(status));
    release(p, RELEASE_STATUS, status);
    return false;
}

static bool load(peer *p, const char *path, char *message, size_t message_size)
{
    p->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (p->library == NULL) {
        snprintf(message, message_size, "%s", dlerror());
        return false;
    }
    const api_base *(*get_base)(void);
    *(void **)&get_base = dlsym(p->library, "OrtGetApiBase");
    p->api = get_base != NULL ? get_base()->get_api(API_VERSION) : NULL;
    if (p->api == NULL)
        snprintf(message, message_size, "'%s' is no ONNX Runtime", path);
    return p->api != NULL;
}

static object open_session(peer *p, const char *model_path, int threads)
{
    const any_function *api = p->api;
    object status = ((create_env_function)api[CREATE_ENV])(LOG_ERROR, "bench", &p->env);
    if (status == NULL)
        status = ((create_function)api[CREATE_SESSION_OPTIONS])(&p->options);
    if (status == NULL)
        status = ((set_int_function)api[SET_INTRA_OP_NUM_THREADS])(p->options, threads);
    if (status == NULL)
        status = ((set_int_function)api[SET_INTER_OP_NUM_THREADS])(p->options, 1);
    if (status == NULL)
        status = ((set_int_function)api[SET_GRAPH_OPTIMIZATION_LEVEL])(p->options, OPTIMIZE_ALL);
    if (status == NULL)
        status = ((create_session_function)api[CREATE_SESSION])(p->env, model_path, p->options,
                                                                &p->session);
    return status;
}

static object wrap_input(peer *p, const peer_tensor *input)
{
    size_t bytes = sizeof(float);
    for (size_t i = 0; i < input->rank; i++)
        bytes *= (size_t)input->dims[i];
    object status = ((create_memory_function)p->api[CREATE_CPU_MEMORY_INFO])(
        ARENA_ALLOCATOR, MEMORY_DEFAULT, &p->memory);
    if (status == NULL)
        status = ((create_tensor_function)p->api[CREATE_TENSOR_WITH_DATA])(
            p->memory, input->data, bytes, input->dims, input->rank, TENSOR_FLOAT, &p->input);
    return status;
}

peer *peer_open(const char *library, const char *model_path, const peer_tensor *input,
                const char *const *output_names, size_t output_count, int threads, char *message,
                size_t message_size)
{
    snprintf(message, message_size, "out of memory");
    peer *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->input_name = input->name;
    p->output_names = output_names;
    p->output_count = output_count;
    p->outputs = calloc(output_count, sizeof(object));
    if (p->outputs == NULL || !load(p, library, message, message_size) ||
        !accept(p, open_session(p, model_path, threads), message, message_size) ||
        !accept(p, wrap_input(p, input), message, message_size)) {
        peer_close(p);
        return NULL;
    }
    return p;
}

static void release_outputs(peer *p)
{
    for (size_t i = 0; i < p->output_count; i++) {
        release(p, RELEASE_VALUE, p->outputs[i]);
        p->outputs[i] = NULL;
    }
}

/* The library stays loaded: it has threads of its own. */
void peer_close(peer *p)
{
    if (p->api != NULL) {
        release_outputs(p);
        release(p, RELEASE_VALUE, p->input);
        release(p, RELEASE_MEMORY_INFO, p->memory);
        release(p, RELEASE_SESSION, p->session);
        release(p, RELEASE_SESSION_OPTIONS, p->options);
        release(p, RELEASE_ENV, p->env);
    }
    free(p->outputs);
    free(p);
}

bool peer_run(peer *p)
{
    char message[200];
    release_outputs(p);
    object status = ((run_function)p->api[RUN])(p->session, NULL, &p->input_name, &p->input, 1,
                                                p->output_names, p->output_count, p->outputs);
    return accept(p, status, message, sizeof message);
}

const float *peer_output(const peer *p, size_t index)
{
    void *data = NULL;
    ((tensor_data_function)p->api[GET_TENSOR_MUTABLE_DATA])(p->outputs[index], &data);
    return data;
}
