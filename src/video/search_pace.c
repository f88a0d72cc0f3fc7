/* SPDX-License-Identifier: Apache-2.0 */
#include "video/search_pace.h"

#define FULL_SHARE 0.4  /* of the time between frames that searching may take */
#define ROOM_SHARE 0.33 /* the same, before it is done more often */

bool search_pace_next(search_pace *pace)
{
    if (pace->every < pace->least)
        pace->every = pace->least;
    bool search = pace->since == 0 || pace->since >= pace->every;
    pace->since = search ? 1 : pace->since + 1;
    return search;
}

static int bounded(const search_pace *pace, int every)
{
    int most = pace->least > SEARCH_PACE_MOST ? pace->least : SEARCH_PACE_MOST;
    if (every > most)
        return most;
    return every < pace->least ? pace->least : every;
}

void search_pace_took(search_pace *pace, double seconds, double interval_s)
{
    pace->search_s = pace->search_s > 0 ? pace->search_s + (seconds - pace->search_s) / 8 : seconds;
    if (!pace->adapts || !(interval_s > 0))
        return;
    int every = bounded(pace, pace->every);
    while (pace->search_s > FULL_SHARE * interval_s * every && bounded(pace, every + 1) > every)
        every++;
    if (every == pace->every && pace->search_s <= ROOM_SHARE * interval_s * (every - 1))
        every = bounded(pace, every - 1);
    pace->every = every;
}
