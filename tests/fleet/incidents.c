/* incidents.c: what goes wrong around the daemons, one thing after the other. */
#include "tests/fleet/fleet.h"

#include <string.h>

static void restart_manager(struct fleet *fleet)
{
    fleet_trace(fleet, "the manager dies");
    fleet->tally.restarts++;
    fleet->manager_down = true;
    memset(fleet->records, 0, sizeof fleet->records);
    jobs_manager_gone(fleet);
    fleet_later(fleet, random_between(&fleet->random, 100, 5000), HAPPENS_MANAGER_BACK, 0);
}

void incidents_manager_back(struct fleet *fleet)
{
    fleet_trace(fleet, "the manager is back");
    fleet->manager_down = false;
}

/* In turn, so that even a short run sees all of them. */
void incidents_next(struct fleet *fleet)
{
    if (fleet->load_over)
        return;
    fleet_later(fleet, random_around(&fleet->random, fleet->incident_interval_ms), HAPPENS_INCIDENT,
                0);
    uint32_t index = (uint32_t)random_below(&fleet->random, MEMBERS);
    switch (fleet->incidents++ % 4) {
    case 0:
        member_kill(fleet, index);
        break;
    case 1:
        member_drain(fleet, index);
        break;
    case 2:
        restart_manager(fleet);
        break;
    default:
        fleet_trace(fleet, "the manager is slow");
        fleet->slow_until_ms = fleet->now_ms + random_between(&fleet->random, 1000, 20000);
        break;
    }
}
