/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_PERSON_TIME_H
#define EVAL_PERSON_TIME_H

/*
 * What one person looked like over time, from the samples of a timeline. Pure functions; all
 * figures are experimental and say how a face looked, not what a person felt.
 *
 * Time: a sample holds until the person's next one, at most for max_gap_s; the last one holds for
 * no time. All shares are of that time and NaN where there is none.
 */

#include "eval/roles.h"
#include "eval/timeline.h"

#include <mien/status.h>

typedef struct person_settings {
    double max_gap_s;         /* over 0 */
    double neutral_threshold; /* of roles_gate, 0..1 */
    double hold_s;            /* an expression shorter than this is no change of expression */
    double stress_threshold;  /* stress ratio from which a person is taken for stressed, 0..1 */
    double least_s;           /* time under which nothing is decided */
} person_settings;

/* 1 s, 0.5, 0.5 s, 0.5, 10 s. */
person_settings person_defaults(void);

/* Whether someone is taken for stressed. */
typedef enum stress_decision { STRESS_UNDECIDED, STRESS_NO, STRESS_YES } stress_decision;

typedef struct person_time {
    int64_t person;
    size_t samples;
    double first_s, last_s;
    double seen_s;                  /* the time that the samples hold */
    double share[MIEN_MAX_CLASSES]; /* of the time with this class as the largest */
    double mean[MIEN_MAX_CLASSES];  /* probability over the time */
    double non_neutral;             /* share of the time that roles_gate takes for not neutral;
                                       1 where the model has no such class */
    double stress_ratio;            /* share of the time with a negative class as the largest */
    double happiness_ratio;         /* share of the time with happy as the largest */
    double facing;                  /* mean over the time where it is known; else NaN */
    stress_decision stressed;       /* by the stress ratio. Counting frames of negative expressions
                                       against a threshold: Gao, Yuce, Thiran: Detecting emotional
                                       stress from facial expressions for driving safety, ICIP
                                       2014 (anger and disgust there) */
} person_time;

/* An expression that lasted: from one change to the next. */
typedef struct expression_run {
    int class_index;
    double start_s, end_s;
} expression_run;

/*
 * The people of a timeline, by number. Success: *people, (*count) of them, is the caller's, freed
 * with free(); NULL when there are none. Failure: *people is NULL; MIEN_OUT_OF_MEMORY.
 */
mien_status person_time_all(const timeline *t, const person_settings *settings,
                            person_time **people, size_t *count, mien_error *error);

/*
 * The runs of one person in the order of time: stretches with the same largest class. A run under
 * hold_s joins the one before it (the first one the one behind it); where nobody saw the person for
 * over max_gap_s a run ends and the next begins anew.
 * Success: *runs, (*count) of them, is the caller's, freed with free(); NULL when there are none.
 * Failure: *runs is NULL; MIEN_OUT_OF_MEMORY.
 */
mien_status person_runs(const timeline *t, int64_t person, const person_settings *settings,
                        expression_run **runs, size_t *count, mien_error *error);

/* transitions: (class_count, class_count), [from][to]: how often one run followed right upon
 * another of another class. */
void person_transitions(const expression_run *runs, size_t count, int class_count,
                        size_t *transitions);

/*
 * The session as a whole: the means of the people's shares and ratios, each by the time they were
 * seen.
 * stressed: as for a person, by the mean stress ratio.
 */
typedef struct session_ratios {
    double seen_s; /* of all people together */
    double share[MIEN_MAX_CLASSES];
    double stress_ratio, happiness_ratio;
    stress_decision stressed;
} session_ratios;

session_ratios person_session_ratios(const person_time *people, size_t count,
                                     const person_settings *settings);

#endif
