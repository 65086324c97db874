/* random.c: splitmix64, the only source of chance in a simulation. */
#include "tests/sim/sim.h"

uint64_t random_next(struct random *random)
{
    uint64_t x = random->state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    return bound == 0 ? 0 : random_next(random) % bound;
}

uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
    return low + random_below(random, high - low + 1);
}

bool random_chance(struct random *random, uint32_t permille)
{
    return permille != 0 && random_below(random, 1000) < permille;
}

/* The number of coin tosses until tails, scaled and smeared: long tails, no floats. */
uint64_t random_around(struct random *random, uint64_t mean)
{
    uint64_t tosses = 0;
    while (tosses < 8 && (random_next(random) & 1) != 0)
        tosses++;
    return 1 + (tosses * mean + random_below(random, mean + 1)) * 2 / 3;
}
