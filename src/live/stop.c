/* SPDX-License-Identifier: Apache-2.0 */
#include "live/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* The one variable that a signal can reach. */
static atomic_int stop_signal;

static void note_signal(int signal)
{
    stop_signal = signal;
}

bool stop_asked(void *context)
{
    (void)context;
    return stop_signal != 0;
}

void stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal,
                               .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    stop_signal = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
