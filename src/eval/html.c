/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/html.h"

#include "base/utf8.h"
#include "image/codec/codec.h"

#include <stdlib.h>

static const char style[] =
    ":root{--paper:#fff;--ink:#1b1f24;--soft:#5b6570;--line:#d5dae0;--panel:#f5f7f9;"
    "--accent:0 114 178;--c0:#d55e00;--c1:#009e73;--c2:#b8578f;--c3:#a88f00;--c4:#0072b2;"
    "--c5:#e69f00;--c6:#3f9fd8;--c7:#7a7a7a}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e9ec;--soft:#9aa4ae;"
    "--line:#3a424a;--panel:#1d2226;--accent:86 180 233;--c0:#ff8a3d;--c1:#2fc99b;--c2:#df8fc0;"
    "--c3:#f0e442;--c4:#4aa8e8;--c5:#ffb938;--c6:#8fd0f5;--c7:#b5b5b5}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.2rem;max-width:67rem;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif;-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:.4rem 0}h2{font-size:1.2rem;margin:2rem 0 .2rem}"
    "h3{font-size:1rem;margin:1rem 0 .3rem}\n"
    "p{margin:.3rem 0 .8rem}.note,figcaption,caption{color:var(--soft);font-size:.87rem}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}"
    "caption{text-align:left;padding-bottom:.3rem}"
    "th,td{padding:.22rem .6rem;text-align:right;border-bottom:1px solid var(--line)}"
    "th:first-child{text-align:left}thead th{font-weight:600;color:var(--soft)}"
    "th[scope=row]{font-weight:500;white-space:nowrap}td.words{text-align:left}\n"
    ".facts th{color:var(--soft);font-weight:400;white-space:nowrap;vertical-align:top}"
    ".facts td{text-align:left;overflow-wrap:anywhere}\n"
    ".shaded td{background:rgb(var(--accent)/calc(var(--s)*.6));min-width:3.2rem;"
    "border:1px solid var(--paper)}.shaded td.hit{font-weight:700}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.7rem;"
    "margin:1rem 0}.figures div{background:var(--panel);border:1px solid var(--line);"
    "border-radius:.4rem;padding:.5rem .8rem}.figures b{display:block;font-size:1.35rem}"
    ".figures span{color:var(--soft);font-size:.85rem}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));"
    "gap:1rem 2rem}\n"
    "svg{display:block;width:100%;height:auto;max-width:34rem}svg.wide{max-width:none}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--soft)}svg .name{fill:var(--ink)}"
    ".axis{stroke:var(--soft);stroke-width:1;fill:none}.grid{stroke:var(--line);stroke-width:1}"
    ".curve{fill:none;stroke-width:1.8;stroke-linejoin:round}"
    ".guide{stroke:var(--soft);stroke-dasharray:4 4;fill:none}\n"
    ".faces{display:flex;flex-wrap:wrap;gap:.9rem}.faces figure{margin:0;width:7rem}"
    ".faces img{width:100%;height:auto;display:block;border-radius:.2rem}"
    ".faces .maps{width:20.8rem;max-width:100%}.faces .maps div{display:flex;gap:.2rem}"
    ".faces .maps img{width:calc(33.3% - .14rem)}\n"
    "figcaption{line-height:1.3;padding-top:.2rem}figcaption b{color:var(--ink)}\n"
    "pre{background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.8rem;"
    "overflow-x:auto;font-size:.85rem;white-space:pre-wrap}\n"
    "footer{margin:2.5rem 0 1rem;padding-top:.8rem;border-top:1px solid var(--line)}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--panel:#fff;"
    "--accent:0 114 178;--c0:#d55e00;--c1:#009e73;--c2:#b8578f;--c3:#a88f00;--c4:#0072b2;"
    "--c5:#e69f00;--c6:#3f9fd8;--c7:#7a7a7a}body{font-size:13px}\n"
    ".pair{grid-template-columns:1fr 1fr}h2,h3,.note{break-after:avoid}"
    ".note,table,figure,svg,.pair>div,.figures{break-inside:avoid}}\n";

void html_begin(FILE *out, const char *title)
{
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'\"/>\n<title>",
        out);
    html_text(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    html_text(out, title);
    fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
    fputs("<footer class=\"note\">Apparent expression: how a face looks, not what a person feels. "
          "Written by mien; this page fetches nothing.</footer>\n</body>\n</html>\n",
          out);
}

static void put_character(FILE *out, unsigned char c)
{
    switch (c) {
    case '&':
        fputs("&amp;", out);
        return;
    case '<':
        fputs("&lt;", out);
        return;
    case '>':
        fputs("&gt;", out);
        return;
    case '"':
        fputs("&quot;", out);
        return;
    default:
        putc(c >= 0x20 || c == '\n' || c == '\t' ? c : '?', out);
    }
}

void html_text(FILE *out, const char *text)
{
    while (*text != '\0') {
        int length = utf8_length(text);
        if (length > 1)
            fwrite(text, 1, (size_t)length, out);
        else
            put_character(out, length == 1 ? (unsigned char)*text : '?');
        text += length > 1 ? length : 1;
    }
}

void html_heading(FILE *out, const char *title, const char *note)
{
    fputs("<h2>", out);
    html_text(out, title);
    fputs("</h2>\n", out);
    if (note == NULL)
        return;
    fputs("<p class=\"note\">", out);
    html_text(out, note);
    fputs("</p>\n", out);
}

/* RFC 4648. */
static void put_base64(FILE *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < size ? bytes[i + 2] : 0;
        putc(digits[group >> 18], out);
        putc(digits[group >> 12 & 63], out);
        putc(i + 1 < size ? digits[group >> 6 & 63] : '=', out);
        putc(i + 2 < size ? digits[group & 63] : '=', out);
    }
}

mien_status html_picture(FILE *out, const mien_image *image, const char *alt, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = image_encode_png(image, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    fprintf(out, "<img width=\"%d\" height=\"%d\" alt=\"", image->width, image->height);
    html_text(out, alt);
    fputs("\" src=\"data:image/png;base64,", out);
    put_base64(out, bytes, size);
    fputs("\"/>", out);
    free(bytes);
    return MIEN_OK;
}
