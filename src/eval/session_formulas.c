/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_parts.h"

#include "eval/html.h"

static void put_negative_classes(FILE *out, const session_findings *f)
{
    bool first = true;
    for (int c = 0; c < f->roles.class_count; c++)
        if (f->roles.negative[c]) {
            fputs(first ? "" : ", ", out);
            html_text(out, f->story->timeline->class_names[c]);
            first = false;
        }
    fputs(first ? "none of this model's" : "", out);
}

void session_formulas_section(FILE *out, const session_findings *f)
{
    const person_settings *p = &f->settings->person;
    const group_settings *g = &f->settings->group;
    fputs("<section>\n", out);
    html_heading(out, "How these figures are made",
                 "All of them are experimental: they sum up how faces looked, by simple rules that "
                 "nobody has validated for decisions about people.");
    fprintf(out,
            "<ul>\n<li>Time: a sample holds until the person's next one, at most %g s.</li>\n"
            "<li>Negative expressions: ",
            p->max_gap_s);
    put_negative_classes(out, f);
    fprintf(
        out,
        ".</li>\n<li>Stress ratio: time with a negative expression as the largest, of the time "
        "seen. Happiness ratio: the same for happy. Stressed: the stress ratio is at least %g, "
        "over at least %g s. Of all people: means by the time each was seen.</li>\n"
        "<li>Neutral under %g: the time in which neutral, against all else together, has less than "
        "that probability; it may still be the largest of all.</li>\n"
        "<li>Changes: from one run to the next that touches it; runs under %g s count to their "
        "neighbour.</li>\n"
        "<li>Mood: P(happy) less the probabilities of the negative ones, the mean over time "
        "and then over people, from -1 to 1.</li>\n"
        "<li>Faces to the camera: time with a face turned to the camera by %g or more of 1, of "
        "the time between a person's first and last sight; 1 - |2 (nose - eye) / (other eye - "
        "eye) - 1|, across. Where the detector gives no landmarks, every face seen "
        "counts.</li>\n"
        "<li>Who may need a look: in a window, negative expressions of at least %g on the mean; "
        "or to the camera for under %g of the time while the median of the group is at least "
        "%g; for %g s or more.</li>\n</ul>\n</section>\n",
        p->stress_threshold, p->least_s, p->neutral_threshold, p->hold_s, g->facing, g->negative,
        g->attention, g->of_group, g->look_s);
}
