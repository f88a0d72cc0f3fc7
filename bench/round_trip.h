/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_ROUND_TRIP_H
#define BENCH_ROUND_TRIP_H

/*
 * How long a word takes from one thread to another and back, in nanoseconds: the median of some
 * samples, some milliseconds in all. It depends on where the two cores lie, and on a virtual
 * machine changes with them. Negative: there is no second thread, or it does not get a core.
 */
double round_trip_ns(void);

#endif
