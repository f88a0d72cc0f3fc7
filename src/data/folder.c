/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/builder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* folder/name, freed with free(); NULL when out of memory. */
static char *join_path(const char *folder, const char *name)
{
    size_t folder_length = strlen(folder);
    bool slash = folder_length != 0 && folder[folder_length - 1] == '/';
    size_t room;
    if (!size_add(folder_length, strlen(name) + 2, &room))
        return NULL;
    char *path = malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s%s%s", folder, slash ? "" : "/", name);
    return path;
}

static mien_status add_if_folder(file_list *folders, const char *parent, const char *name,
                                 mien_error *error)
{
    char *path = join_path(parent, name);
    if (path == NULL)
        return error_no_memory(error, "a path", strlen(parent) + strlen(name) + 2);
    mien_status status = MIEN_OK;
    if (file_is_folder(path))
        status = file_list_add(folders, path, error);
    free(path);
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    const char *const *first = a;
    const char *const *second = b;
    return strcmp(*first, *second);
}

/* The sub-folders of a folder in byte order, hidden ones left out. */
static mien_status list_class_folders(const char *folder, file_list *folders, mien_error *error)
{
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        mien_status status = errno == ENOENT || errno == ENOTDIR ? MIEN_NOT_FOUND : MIEN_IO;
        return error_set(error, status, "cannot open the folder '%s': %s", folder, strerror(errno));
    }
    mien_status status = MIEN_OK;
    const struct dirent *entry;
    while (status == MIEN_OK && (entry = readdir(stream)) != NULL)
        if (entry->d_name[0] != '.')
            status = add_if_folder(folders, folder, entry->d_name, error);
    closedir(stream);
    if (status == MIEN_OK && folders->count == 0)
        return error_set(error, MIEN_NOT_FOUND,
                         "'%s' has no sub-folders; a sub-folder of pictures per class is expected",
                         folder);
    if (status == MIEN_OK)
        qsort(folders->paths, folders->count, sizeof *folders->paths, compare_paths);
    return status;
}

static mien_status add_picture(dataset_builder *builder, const char *path, int label,
                               mien_pixel_format format, mien_error *error)
{
    size_t row = builder->set.count;
    dataset_sample *sample = dataset_builder_add(builder);
    if (sample == NULL)
        return error_no_memory(error, "the list of samples", (row + 1) * sizeof *sample);
    sample->label = label;
    sample->row = row;
    sample->path = memory_copy_string(path);
    if (sample->path == NULL)
        return error_no_memory(error, "a path", strlen(path) + 1);
    return mien_image_load(path, format, 0, &sample->image, error);
}

static mien_status add_class(dataset_builder *builder, const char *class_folder,
                             mien_pixel_format format, mien_error *error)
{
    int label = builder->set.class_count;
    mien_status status = dataset_builder_add_class(builder, file_name(class_folder), error);
    if (status != MIEN_OK)
        return status;
    file_list files = {0};
    status = file_list_add_folder(&files, class_folder, error);
    for (size_t i = 0; i < files.count && status == MIEN_OK; i++)
        status = add_picture(builder, files.paths[i], label, format, error);
    file_list_free(&files);
    return status;
}

mien_status dataset_read_folder(const char *folder, mien_pixel_format format, dataset *out,
                                mien_error *error)
{
    dataset_builder builder = {0};
    file_list classes = {0};
    mien_status status = list_class_folders(folder, &classes, error);
    for (size_t i = 0; i < classes.count && status == MIEN_OK; i++)
        status = add_class(&builder, classes.paths[i], format, error);
    if (status == MIEN_OK && builder.set.count == 0)
        status =
            error_set(error, MIEN_NOT_FOUND, "the class folders of '%s' hold no pictures", folder);
    file_list_free(&classes);
    return dataset_builder_finish(&builder, status, out);
}
