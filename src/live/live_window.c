/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_window.h"

#include "cli/canvas.h"

#include "base/error.h"
#include "base/memory.h"

#include <SDL.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the line of words, pixels. */
enum { LINE_HEIGHT = 28, FONT_SIZE = 13, PADDING = 10 };

/* The least that the window can be made, pixels. */
enum { MIN_WIDTH = 320, MIN_HEIGHT = 180 };

struct live_window {
    char *title;
    SDL_Window *window; /* NULL until the first picture */
    SDL_Renderer *renderer;
    SDL_Texture *picture;
    int picture_width, picture_height;
    SDL_Texture *line;
    canvas line_canvas;
    char left[256], right[256];
};

static mien_status fail(const char *what, mien_error *error)
{
    return error_set(error, MIEN_IO, "%s: %s; add --no-window to do without", what, SDL_GetError());
}

/* Where there is no display SDL is content with one that nobody sees, unless told which to take. */
static bool can_be_seen(void)
{
    const char *driver = SDL_GetCurrentVideoDriver();
    return SDL_getenv("SDL_VIDEODRIVER") != NULL || driver == NULL ||
           (strcmp(driver, "offscreen") != 0 && strcmp(driver, "dummy") != 0);
}

static mien_status open_display(mien_error *error)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    bool found = SDL_Init(SDL_INIT_VIDEO) == 0;
    if (found && can_be_seen())
        return MIEN_OK;
    const char *why = found ? "none was found" : SDL_GetError();
    mien_status status =
        error_set(error, MIEN_IO,
                  "there is no display for a window (%s); add --no-window to print only, or run it "
                  "where DISPLAY or WAYLAND_DISPLAY names a display",
                  why);
    SDL_Quit();
    return status;
}

mien_status live_window_open(const char *title, live_window **out, mien_error *error)
{
    *out = NULL;
    mien_status status = open_display(error);
    if (status != MIEN_OK)
        return status;
    live_window *w = memory_zeroed(1, sizeof *w);
    if (w == NULL || (w->title = memory_copy_string(title)) == NULL) {
        free(w);
        SDL_Quit();
        return error_no_memory(error, "a window", sizeof *w);
    }
    *out = w;
    return MIEN_OK;
}

void live_window_close(live_window *w)
{
    if (w == NULL)
        return;
    if (w->picture != NULL)
        SDL_DestroyTexture(w->picture);
    if (w->line != NULL)
        SDL_DestroyTexture(w->line);
    if (w->renderer != NULL)
        SDL_DestroyRenderer(w->renderer);
    if (w->window != NULL)
        SDL_DestroyWindow(w->window);
    SDL_Quit();
    canvas_free(&w->line_canvas);
    free(w->title);
    free(w);
}

/* ---- Making ---- */

/* As large as the picture and the line under it, smaller in proportion where the screen is. */
static void first_size(const mien_image *image, int *width, int *height)
{
    SDL_Rect screen;
    double scale = 1;
    if (SDL_GetDisplayUsableBounds(0, &screen) == 0 && screen.w > 0 && screen.h > LINE_HEIGHT) {
        scale = SDL_min(scale, (double)screen.w / image->width);
        scale = SDL_min(scale, (double)(screen.h - LINE_HEIGHT) / image->height);
    }
    *width = SDL_max((int)(image->width * scale), MIN_WIDTH);
    *height = SDL_max((int)(image->height * scale) + LINE_HEIGHT, MIN_HEIGHT);
}

static mien_status make_window(live_window *w, const mien_image *image, mien_error *error)
{
    int width, height;
    if (w->renderer != NULL)
        return MIEN_OK;
    first_size(image, &width, &height);
    if (w->window == NULL)
        w->window = SDL_CreateWindow(w->title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED,
                                     width, height, SDL_WINDOW_RESIZABLE);
    if (w->window == NULL)
        return fail("no window can be opened", error);
    SDL_SetWindowMinimumSize(w->window, MIN_WIDTH, MIN_HEIGHT);
    w->renderer = SDL_CreateRenderer(w->window, -1, 0);
    return w->renderer != NULL ? MIEN_OK : fail("nothing can be drawn in the window", error);
}

/* BGRA8 pixels in a texture, which is made anew when the size is another. */
static mien_status fill_texture(live_window *w, SDL_Texture **texture, const mien_image *image,
                                mien_error *error)
{
    int width = 0, height = 0;
    if (*texture != NULL)
        SDL_QueryTexture(*texture, NULL, NULL, &width, &height);
    if (width != image->width || height != image->height) {
        if (*texture != NULL)
            SDL_DestroyTexture(*texture);
        *texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888,
                                     SDL_TEXTUREACCESS_STREAMING, image->width, image->height);
    }
    if (*texture == NULL || SDL_UpdateTexture(*texture, NULL, image->data, (int)image->stride) != 0)
        return fail("the picture cannot be shown", error);
    return MIEN_OK;
}

/* ---- Drawing ---- */

static mien_status draw_line(live_window *w, int width, mien_error *error)
{
    canvas *c = &w->line_canvas;
    mien_status status = MIEN_OK;
    if (c->surface == NULL || cairo_image_surface_get_width(c->surface) != width) {
        canvas_free(c);
        status = canvas_create(width, LINE_HEIGHT, c, error);
    }
    if (status != MIEN_OK)
        return status;
    double baseline = LINE_HEIGHT * 0.5 + FONT_SIZE * 0.36;
    double left = canvas_text_width(c, FONT_SIZE, w->left);
    double right = canvas_text_width(c, FONT_SIZE, w->right);
    cairo_set_source_rgb(c->cr, 0.11, 0.12, 0.14);
    cairo_paint(c->cr);
    cairo_set_source_rgb(c->cr, 0.93, 0.93, 0.93);
    canvas_text(c, PADDING, baseline, FONT_SIZE, w->left);
    if (left + right + 4 * PADDING <= width) {
        cairo_set_source_rgb(c->cr, 0.60, 0.62, 0.66);
        canvas_text(c, width - PADDING - right, baseline, FONT_SIZE, w->right);
    }
    mien_image view;
    status = canvas_view(c, &view, error);
    return status == MIEN_OK ? fill_texture(w, &w->line, &view, error) : status;
}

/* The picture in the middle of what is above the line, as large as fits. */
static SDL_Rect place_picture(const live_window *w, int width, int height)
{
    int room = SDL_max(height - LINE_HEIGHT, 1);
    double scale = SDL_min((double)width / w->picture_width, (double)room / w->picture_height);
    int across = SDL_max((int)(w->picture_width * scale + 0.5), 1);
    int down = SDL_max((int)(w->picture_height * scale + 0.5), 1);
    return (SDL_Rect){(width - across) / 2, (room - down) / 2, across, down};
}

static mien_status draw(live_window *w, mien_error *error)
{
    int width, height;
    if (w->picture == NULL)
        return MIEN_OK;
    if (SDL_GetRendererOutputSize(w->renderer, &width, &height) != 0)
        return fail("nothing can be drawn in the window", error);
    mien_status status = draw_line(w, width, error);
    if (status != MIEN_OK)
        return status;
    SDL_Rect place = place_picture(w, width, height);
    SDL_Rect line = {0, height - LINE_HEIGHT, width, LINE_HEIGHT};
    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 255);
    if (SDL_RenderClear(w->renderer) != 0 ||
        SDL_RenderCopy(w->renderer, w->picture, NULL, &place) != 0 ||
        SDL_RenderCopy(w->renderer, w->line, NULL, &line) != 0)
        return fail("nothing can be drawn in the window", error);
    SDL_RenderPresent(w->renderer);
    return MIEN_OK;
}

mien_status live_window_show(live_window *w, const mien_image *image, const char *left,
                             const char *right, mien_error *error)
{
    mien_status status = make_window(w, image, error);
    if (status == MIEN_OK)
        status = fill_texture(w, &w->picture, image, error);
    if (status != MIEN_OK)
        return status;
    w->picture_width = image->width;
    w->picture_height = image->height;
    return live_window_say(w, left, right, error);
}

mien_status live_window_say(live_window *w, const char *left, const char *right, mien_error *error)
{
    snprintf(w->left, sizeof w->left, "%s", left);
    snprintf(w->right, sizeof w->right, "%s", right);
    return draw(w, error);
}

/* ---- Keys ---- */

static void note_key(SDL_Keycode key, live_keys *keys)
{
    keys->quit |= key == SDLK_q || key == SDLK_ESCAPE;
    keys->pause ^= key == SDLK_SPACE;
    keys->snapshot |= key == SDLK_s;
    keys->mode ^= key == SDLK_m;
}

void live_window_poll(live_window *w, live_keys *keys)
{
    SDL_Event event;
    bool covered = false;
    *keys = (live_keys){0};
    while (SDL_PollEvent(&event) != 0) {
        if (event.type == SDL_QUIT)
            keys->quit = true;
        else if (event.type == SDL_KEYDOWN && event.key.repeat == 0)
            note_key(event.key.keysym.sym, keys);
        else if (event.type == SDL_WINDOWEVENT)
            covered |= event.window.event == SDL_WINDOWEVENT_EXPOSED ||
                       event.window.event == SDL_WINDOWEVENT_SIZE_CHANGED;
    }
    if (covered)
        draw(w, NULL);
}
